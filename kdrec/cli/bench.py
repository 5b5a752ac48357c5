"""`kdrec bench`: what a file costs on this machine."""

from typing import Annotated

import typer

from kdrec.cli.console import output, print_json
from kdrec.cli.model_file import File, model_file


def bench(
    file: File,
    signature: Annotated[
        str | None, typer.Option(help="What to call; by default recommend, or else the file's first.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the interpreter.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Runs that are timed.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a .tflite file's latency, load time and memory through LiteRT."""
    from kdrec.bench import bench as measure
    from kdrec.bench import console_bench

    result = measure(model_file(file), signature=signature, threads=threads, runs=runs)
    if as_json:
        print_json(result.as_dict())
    else:
        output().print(console_bench(result))
