"""What `kdrec export` writes when nobody says for which device, or which code."""

from pathlib import Path

import pytest

from kdrec.device_code import write_code

DEMO = Path(__file__).parents[1] / "tflite_models" / "demo"


@pytest.mark.parametrize(
    ("made_for", "file"),
    [("android", "settings.gradle.kts"), ("coral_edgetpu", "compile.sh"), ("micro", "recommender.c")],
)
def test_a_bundle_says_for_which_device(made_for: str, file: str, tmp_path: Path) -> None:
    assert tmp_path / "code" / file in write_code(DEMO / made_for, tmp_path / "code")


def test_a_file_alone_is_taken_for_a_microcontroller_s(tmp_path: Path) -> None:
    written = write_code(DEMO / "micro" / "model.tflite", tmp_path / "code")
    assert tmp_path / "code" / "recommender.c" in written
