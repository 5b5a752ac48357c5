"""Where the .tflite file is that a command was pointed to."""

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(help="A .tflite file, or the folder of a bundle.")]


def model_file(path: Path) -> Path:
    """The file itself, or the one of a bundle's folder."""
    return path / "model.tflite" if path.is_dir() else path
