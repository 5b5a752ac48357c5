"""`kdrec export`: source code for a device."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from kdrec.cli.console import output


def export(
    model: Annotated[Path, typer.Argument(help="The folder of a bundle of the target, or a .tflite file made for it.")],
    out: Annotated[Path, typer.Option(help="Folder for the code; what was written there before is replaced.")],
    target: Annotated[str, typer.Option(help="Device: micro or android.")] = "micro",
    backend: Annotated[
        str, typer.Option(help="Which code: c, C99 that needs no runtime (micro); library, a Gradle project (android).")
    ] = "c",
) -> None:
    """Write source code for a device: what its developer lifts into a project."""
    from kdrec.device_code import write_code

    for path in write_code(model, out, target, backend):
        output().print(f"{escape(str(path))}  {path.stat().st_size:,} B")
