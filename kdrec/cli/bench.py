"""`kdrec bench`: what a file costs on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from kdrec.cli.console import output, print_json
from kdrec.cli.model_file import model_file


def bench(
    models: Annotated[list[Path], typer.Argument(help="A .tflite file, or the folder of a bundle; or several.")],
    signature: Annotated[
        str | None, typer.Option(help="What to call; by default recommend, or else the file's first.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of the interpreter: 1, or 1 and 2 for every form.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Runs that are timed.")] = 200,
    every_form: Annotated[
        bool,
        typer.Option(
            "--every-form",
            help="LiteRT with and without threads and XNNPACK; of a micro bundle also the arena and generated C, "
            "emulated; of a bundle for Android or the web also the page in Chromium. Several models are measured so.",
        ),
    ] = False,
    picture: Annotated[Path | None, typer.Option(help="Draw every form into this .png, .svg or .pdf file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a .tflite file's latency, load time and memory through LiteRT, or a model in every form.

    A bundle is asked with the histories of its golden vectors in turn, a file alone with random ones.
    """
    if every_form or picture is not None or len(models) > 1:
        compare(models, signature, threads or 2, runs, picture, as_json)
        return
    from kdrec.bench import bench as measure
    from kdrec.bench import bench_bundle, console_bench
    from kdrec.bundle.manifest import NAME
    from kdrec.bundle.read import open_bundle

    if (models[0] / NAME).is_file():
        result = bench_bundle(open_bundle(models[0]), signature, threads=threads or 1, runs=runs)
    else:
        result = measure(model_file(models[0]), signature=signature, threads=threads or 1, runs=runs)
    if as_json:
        print_json(result.as_dict())
    else:
        output().print(console_bench(result))


def compare(
    models: list[Path], signature: str | None, threads: int, runs: int, picture: Path | None, as_json: bool
) -> None:
    """Every form of every model, as one table and, if asked for, one picture."""
    from kdrec.bench import console_forms, forms_picture, save_picture
    from kdrec.every_form import every_form as measure

    found = [form for model in models for form in measure(model, signature, threads, runs)]
    if picture is not None:
        save_picture(forms_picture(found), picture)
    if as_json:
        print_json([form.as_dict() for form in found])
    else:
        output().print(console_forms(found))
