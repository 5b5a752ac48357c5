"""The hosts that `kdrec export --backend hosts` writes, built and asked: one in C++, one in Python without kdrec."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import ai_edge_litert

HERE = Path(__file__).parent
LITERT = Path(ai_edge_litert.__path__[0])  # libLiteRt.so is there
OPTIONS = ("-std=c++17", "-O0", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fPIC", "-ffp-contract=off")
COMMON = ("main.cc", "recommender.cc", "host.cc", "device.cc", "litert.cc", "tflite.cc")  # of every bundle the same

ASK = """
import json, sys
sys.path.insert(0, {folder!r})
import recommend
recommender = recommend.Recommender({folder!r})
said = []
for case in json.load(sys.stdin):
    if case["scores"]:
        said.append([None, recommender.scores(case["history"], case["context"]).tolist()])
    else:
        listed = recommender.recommend(case["history"], case["k"], case["exclude"], case["context"])
        said.append([[[str(item), score, title] for item, score, title in listed], None])
assert not [name for name in sys.modules if name.startswith(("kdrec", "tensorflow"))]
json.dump([recommender.device, said], sys.stdout)
"""


@dataclass(frozen=True)
class Ask:
    """A call of a recommender; with `scores` for those of all items instead of a list."""

    history: list
    k: int = 10
    exclude: list = field(default_factory=list)
    context: dict = field(default_factory=dict)
    scores: bool = False


def build_common(folder: Path) -> Path:
    """An object of all that does not depend on a bundle, in one unit: headers take most of the compiler's time."""
    from importlib.resources import files

    home = files("kdrec.targets.coral_edgetpu.backends.hosts")
    (folder / "all.cc").write_text("".join(f'#include "{name}"\n' for name in COMMON))
    run_gxx("-I", str(home), "-c", str(folder / "all.cc"), "-o", str(folder / "all.o"))
    return folder / "all.o"


def build(common: Path, folder: Path) -> Path:
    """The program of an exported folder."""
    run_gxx(str(common), str(folder / "manifest.cc"), "-ldl", "-o", str(folder / "recommend"))
    return folder / "recommend"


def build_doubles(common: Path, folder: Path, target: Path) -> None:
    """Libraries in the place of TensorFlow Lite's and the Edge TPU's, for the bundle of a folder."""
    double = str(HERE / "tflite_c_double.cc")
    run_gxx("-I", str(folder), "-shared", double, str(common), str(folder / "manifest.cc"), "-ldl",
            "-o", str(target / "libtensorflowlite_c.so"))  # fmt: skip
    subprocess.run(
        ["gcc", "-shared", "-fPIC", str(HERE / "edge_tpu_double.c"), "-o", str(target / "libedgetpu.so.1")], check=True
    )


def run_gxx(*arguments: str) -> None:
    subprocess.run(["g++", *OPTIONS, *arguments], check=True)


def environment(*libraries: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries)), **more}


def run_cpp(program: Path, arguments: Sequence[str], *libraries: Path, **more: str) -> subprocess.CompletedProcess:
    command = [str(program), "--folder", str(program.parent), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(*libraries, **more))


def ask_cpp(program: Path, asks: Sequence[Ask], *libraries: Path) -> tuple[str, list]:
    """The device that answered, and for each call the list or, where asked for, all scores."""
    said, device = [], ""
    for ask in asks:
        options = [["--history", str(item)] for item in ask.history]
        options += [["--exclude", str(item)] for item in ask.exclude]
        options += [["--context", f"{name}={value}"] for name, value in ask.context.items()]
        given = [word for option in options for word in option]
        wanted = ["--scores"] if ask.scores else ["-k", str(ask.k)]
        done = run_cpp(program, [*given, *wanted], *(libraries or (LITERT,)))
        assert done.returncode == 0, done.stderr
        device = done.stderr.partition("device: ")[2].splitlines()[0]
        if ask.scores:
            said.append([None, [float(line) for line in done.stdout.split()]])
        else:
            rows = [line.split("\t") for line in done.stdout.splitlines()]
            said.append([[[item, float(score), title] for item, score, title in rows], None])
    return device, said


def ask_python(folder: Path, asks: Sequence[Ask], *libraries: Path) -> tuple[str, list]:
    """The same of the Python host, in a process that cannot import kdrec by accident."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", ASK.format(folder=str(folder))],
        input=json.dumps([asdict(ask) for ask in asks]), capture_output=True, text=True, env=environment(*libraries),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    device, said = json.loads(done.stdout)
    return device, said
