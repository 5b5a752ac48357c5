"""`kdrec inspect`: what a file holds."""

from pathlib import Path
from typing import Annotated

import typer

from kdrec.cli.console import output, print_json
from kdrec.cli.model_file import File, model_file


def inspect(
    file: File,
    picture: Annotated[
        Path | None, typer.Option(help="Draw where the bytes go, too: a .png, .svg or .pdf file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a .tflite file's operators, tensors, signatures and where its bytes go."""
    from kdrec.bench import bytes_picture, console_inspection, inspect_file, save_picture

    found = inspect_file(model_file(file))
    if picture is not None:
        save_picture(bytes_picture(found), picture)
    if as_json:
        print_json(found.as_dict())
    else:
        output().print(console_inspection(found))
