"""Run files on older runtimes and compare what they answer with golden vectors: the demo's, and one of every kind.

    .venv/bin/python scripts/benchmarks/min_runtime.py

It makes an environment of its own in .runtimes and installs one runtime after the other there, about 20 MB each; the
oldest is for Python 3.11 only. Metadata inside of a .tflite file may name a runtime that refuses it: this runs them.
The demo's Android file fills min_runtime.json and the README; the others say, operator by operator, from which runtime
on a file answers: kdrec/tflite/measured_runtimes.json, which kdrec reads when it writes a manifest. It takes a quarter
of an hour.
"""

import json
import subprocess
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import min_runtime_files
from min_runtime_measured import measured, table

from kdrec.bundle.read import open_bundle
from kdrec.files import atomic_write
from kdrec.tflite.oldest_runtime import TABLE, operators_of

TREE = Path(__file__).parents[2]
BUNDLE = TREE / "tflite_models" / "demo" / "android"
PLACE = TREE / ".runtimes"
RUNTIMES = (
    *("tflite-runtime==2.14.0", "ai-edge-litert==1.0.1", "ai-edge-litert==1.1.2", "ai-edge-litert==1.2.0"),
    *("ai-edge-litert==1.3.0", "ai-edge-litert==1.4.0", "ai-edge-litert==2.0.3", "ai-edge-litert==2.1.6"),
    *("ai-edge-litert==2.2.0", "ai-edge-litert==2.3.0"),
)
SHARED = ("numpy<2", "flatbuffers", "protobuf", "backports.strenum", "tqdm", "typing-extensions")
REPLAY, ASK = (Path(__file__).with_name(name) for name in ("min_runtime_replay.py", "min_runtime_ask.py"))
MEASURED = TREE / "kdrec" / "tflite" / TABLE


def each_installed(runtimes: Sequence[str] = RUNTIMES) -> Iterator[tuple[str, Path]]:
    """Each runtime, installed, with the Python that has it."""
    python = PLACE / "bin" / "python"
    if not python.exists():
        venv.create(PLACE, with_pip=True)
        install(python, *SHARED)
    for runtime in runtimes:
        subprocess.run([python, "-m", "pip", "uninstall", "-qqy", "tflite-runtime", "ai-edge-litert"], check=True)
        install(python, "--no-deps", runtime)
        yield runtime, python


def replayed(runtime: str, python: Path) -> dict[str, Any]:
    """What a runtime answers to the demo's golden vectors; its last words where it answers nothing."""
    done = subprocess.run([python, REPLAY, BUNDLE], capture_output=True, text=True)
    words = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
    row = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"refused": words[-1]}
    return {"runtime": runtime, **row}


def asked(python: Path, folders: Sequence[Path]) -> list[dict[str, Any]]:
    """What a runtime answers to the golden vectors of each folder; one that kills it is refused."""
    rows: list[dict[str, Any]] = []
    while len(rows) < len(folders):
        done = subprocess.run([python, ASK, *folders[len(rows) :]], capture_output=True, text=True)
        rows += map(json.loads, done.stdout.splitlines())
        if len(rows) < len(folders):
            rows.append({"refused": f"it died, status {done.returncode}: {done.stderr.strip()[-200:]}"})
    return rows


def install(python: Path, *what: str) -> None:
    subprocess.run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *what], check=True)


def main() -> None:
    manifest = open_bundle(BUNDLE).manifest
    folders = min_runtime_files.write(PLACE / "files")
    rows, answers = [], []
    for runtime, python in each_installed():
        rows.append(replayed(runtime, python))
        answers.append(asked(python, folders))
        refused = sum("refused" in answer for answer in answers[-1])
        equal = sum(answer.get("equal", False) for answer in answers[-1])
        print(f"{rows[-1]}; of {len(folders)} files {refused} refused, {equal} equal to the bit")
    setting = {"recipe": manifest.recipe, "model": manifest.files["model.tflite"].sha256}
    atomic_write(Path(__file__).with_suffix(".json"), json.dumps({**setting, "runtimes": rows}, indent=1) + "\n")
    names = [runtime.replace("==", " ") for runtime in RUNTIMES]
    files = []
    for folder, each in zip(folders, zip(*answers, strict=True), strict=True):
        file = measured(operators_of((folder / min_runtime_files.MODEL).read_bytes()), each)
        print(f"{folder.name}: runs from {names[file.runs_from]}, equal from {names[file.equal_from]}")
        files.append(file)
    atomic_write(MEASURED, json.dumps(table(names, files), indent=1) + "\n")


if __name__ == "__main__":
    main()
