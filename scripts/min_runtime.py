"""Run bundles on old runtimes of LiteRT and compare what they answer with the golden vectors.

    .venv/bin/python scripts/min_runtime.py tflite_models/demo/android

It makes an environment of its own in .runtimes and installs one runtime after the other there, about 20 MB each; the
oldest is for Python 3.11 only. The result goes to scripts/results/min_runtime.json, from which `kdrec.targets` was told
what the oldest runtime is: metadata inside of a .tflite file may name one that refuses it.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path

from kdrec.files import atomic_write

TREE = Path(__file__).parents[1]
PLACE = TREE / ".runtimes"
RESULT = TREE / "scripts" / "results" / "min_runtime.json"
RUNTIMES = (
    *("tflite-runtime==2.14.0", "ai-edge-litert==1.0.1", "ai-edge-litert==1.1.2", "ai-edge-litert==1.2.0"),
    *("ai-edge-litert==1.3.0", "ai-edge-litert==1.4.0", "ai-edge-litert==2.0.3", "ai-edge-litert==2.1.6"),
    *("ai-edge-litert==2.2.0", "ai-edge-litert==2.3.0"),
)
SHARED = ("numpy<2", "flatbuffers", "protobuf", "backports.strenum", "tqdm", "typing-extensions")
CHILD = TREE / "scripts" / "replay_old.py"


def measure(folder: Path, runtimes: tuple[str, ...] = RUNTIMES) -> dict[str, object]:
    """What each runtime answers to the golden vectors of a bundle; its last words where it answers nothing."""
    python = PLACE / "bin" / "python"
    if not python.exists():
        venv.create(PLACE, with_pip=True)
        install(python, *SHARED)
    found: dict[str, object] = {}
    for runtime in runtimes:
        subprocess.run([python, "-m", "pip", "uninstall", "-qqy", "tflite-runtime", "ai-edge-litert"], check=True)
        install(python, "--no-deps", runtime)
        done = subprocess.run([python, CHILD, folder], capture_output=True, text=True)
        if done.returncode == 0:
            found[runtime] = json.loads(done.stdout.splitlines()[-1])
        else:
            found[runtime] = {"died": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}
        print(runtime, found[runtime])
    return found


def install(python: Path, *what: str) -> None:
    subprocess.run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *what], check=True)


if __name__ == "__main__":
    folders = [Path(argument).resolve() for argument in sys.argv[1:]]
    result = {f"{folder.parent.name}/{folder.name}": measure(folder) for folder in folders}
    atomic_write(RESULT, json.dumps(result, indent=1) + "\n")
