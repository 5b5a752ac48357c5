"""`kdrec export`: source code for a device."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from kdrec.cli.console import output

CODE = (
    "android library, a Gradle project; web page, an ES module and a page; coral_edgetpu hosts, in Python and C++; "
    "linux_arm64 python, one file; micro c, C99 without a runtime, or micro tflm, sources for TensorFlow Lite Micro"
)


def export(
    model: Annotated[Path, typer.Argument(help="The folder of a bundle of the target, or a .tflite file made for it.")],
    out: Annotated[Path, typer.Option(help="Folder for the code; what was written there before is replaced.")],
    target: Annotated[
        str | None, typer.Option(help="Device; by default the one that the bundle was made for, of a file micro.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help=f"Which code, by default the first of the target: {CODE}.")
    ] = None,
) -> None:
    """Write source code for a device: what its developer lifts into a project."""
    from kdrec.device_code import write_code

    for path in write_code(model, out, target, backend):
        output().print(f"{escape(str(path))}  {path.stat().st_size:,} B")
