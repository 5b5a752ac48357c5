"""Run the demo's Android file on older runtimes and compare what they answer with its golden vectors.

    .venv/bin/python scripts/benchmarks/min_runtime.py

It makes an environment of its own in .runtimes and installs one runtime after the other there, about 20 MB each; the
oldest is for Python 3.11 only. Metadata inside of a .tflite file may name a runtime that refuses it: this runs them.
"""

import json
import subprocess
import venv
from pathlib import Path
from typing import Any

from kdrec.bundle.read import open_bundle
from kdrec.files import atomic_write

TREE = Path(__file__).parents[2]
BUNDLE = TREE / "tflite_models" / "demo" / "android"
PLACE = TREE / ".runtimes"
RUNTIMES = (
    *("tflite-runtime==2.14.0", "ai-edge-litert==1.0.1", "ai-edge-litert==1.1.2", "ai-edge-litert==1.2.0"),
    *("ai-edge-litert==1.3.0", "ai-edge-litert==1.4.0", "ai-edge-litert==2.0.3", "ai-edge-litert==2.1.6"),
    *("ai-edge-litert==2.2.0", "ai-edge-litert==2.3.0"),
)
SHARED = ("numpy<2", "flatbuffers", "protobuf", "backports.strenum", "tqdm", "typing-extensions")
CHILD = Path(__file__).with_name("min_runtime_replay.py")


def measure(runtimes: tuple[str, ...] = RUNTIMES) -> list[dict[str, Any]]:
    """What each runtime answers to the golden vectors; its last words where it answers nothing."""
    python = PLACE / "bin" / "python"
    if not python.exists():
        venv.create(PLACE, with_pip=True)
        install(python, *SHARED)
    rows = []
    for runtime in runtimes:
        subprocess.run([python, "-m", "pip", "uninstall", "-qqy", "tflite-runtime", "ai-edge-litert"], check=True)
        install(python, "--no-deps", runtime)
        done = subprocess.run([python, CHILD, BUNDLE], capture_output=True, text=True)
        words = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        row = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"refused": words[-1]}
        rows.append({"runtime": runtime, **row})
        print(rows[-1])
    return rows


def install(python: Path, *what: str) -> None:
    subprocess.run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *what], check=True)


if __name__ == "__main__":
    manifest = open_bundle(BUNDLE).manifest
    setting = {"recipe": manifest.recipe, "model": manifest.files["model.tflite"].sha256}
    result = {**setting, "runtimes": measure()}
    atomic_write(Path(__file__).with_suffix(".json"), json.dumps(result, indent=1) + "\n")
