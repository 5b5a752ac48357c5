"""`kdrec run`: from an interaction log to a bundle for each device and a report."""

from pathlib import Path
from typing import Annotated

import typer

from kdrec.cli.console import notes, output, print_json
from kdrec.cli.log import Log
from kdrec.cli.option_texts import DATA, EVALUATION, FILES, STUDENT, TEACHER, TRAINING
from kdrec.cli.options import Out, Quiet, Work, with_options
from kdrec.cli.progress import stage_progress
from kdrec.config import Config


@with_options(DATA, TEACHER, STUDENT, TRAINING, FILES, EVALUATION)
def run(
    config: Config,
    out: Out = None,
    work: Work = None,
    log: Log = None,
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json.")] = False,
) -> None:
    """Train a teacher, distill a student, prune and quantize it, and judge the files.

    Every stage is kept: the same command continues an interrupted run,
    and a changed option repeats only what depends on it.
    """
    from kdrec import experiment

    if quiet:
        report = experiment.run(config, out=out, work=work, log=log or ())
    else:
        with stage_progress(notes()) as progress:
            report = experiment.run(config, out=out, work=work, progress=progress, log=log or ())

    if as_json:
        print_json(report)
    elif not quiet:
        from kdrec.report.table import console_table

        output().print(console_table(report))
        typer.echo(Path(out or Path("tflite_models", report["data"]["name"]), "report.html"))
