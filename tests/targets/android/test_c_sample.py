"""The exported C sample over libLiteRt.so."""

import shutil
import subprocess

import pytest
from kotlin import DEMO, litert

WARNINGS = ("-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror")


@pytest.fixture
def replay(project, require, tmp_path):
    """Compile the sample with a golden.h and run it: exit status and output."""
    require("gcc")
    folder = shutil.copytree(project / "samples/c", tmp_path / "c")

    def run(change=lambda header: header, *arguments: str) -> tuple[int, str]:
        header = folder / "golden.h"
        header.write_text(change((project / "samples/c/golden.h").read_text()))
        library = litert()
        command = ["gcc", *WARNINGS, "replay.c", "session.c", library, f"-Wl,-rpath,{library.parent}", "-o", "replay"]
        subprocess.run(command, cwd=folder, check=True)
        done = subprocess.run([folder / "replay", *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout

    return run


def test_it_replays_the_golden_vectors(replay) -> None:
    model = str(DEMO / "model.tflite")
    assert replay(str, model, "2") == (0, "16 golden vectors: equal\n")


def test_one_bit_of_one_score_is_seen(replay) -> None:
    """The last digit of a hexadecimal score is the last bits of a float32."""

    def change(header: str) -> str:
        digit = header.index("0000000p", header.index("golden_scores[GOLDEN_CASES]")) - 1
        return header[:digit] + f"{int(header[digit], 16) ^ 2:x}" + header[digit + 1 :]

    assert replay(change, str(DEMO / "model.tflite")) == (1, "case 0 differs\n")


def test_a_file_that_is_not_there_is_refused(replay, tmp_path) -> None:
    assert replay(str, str(tmp_path / "model.tflite")) == (1, "")
