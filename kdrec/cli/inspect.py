"""`kdrec inspect`: what a file holds."""

from typing import Annotated

import typer

from kdrec.cli.console import output, print_json
from kdrec.cli.model_file import File, model_file


def inspect(file: File, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show a .tflite file's operators, tensors, signatures and where its bytes go."""
    from kdrec.bench import console_inspection, inspect_file

    found = inspect_file(model_file(file))
    if as_json:
        print_json(found.as_dict())
    else:
        output().print(console_inspection(found))
