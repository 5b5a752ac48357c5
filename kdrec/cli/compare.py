"""`kdrec compare`: what distillation, pruning and quantization bring, alone and together."""

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
def compare(
    config: Config,
    out: Out = None,
    work: Work = None,
    log: Log = None,
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json.")] = False,
) -> None:
    """Run, and repeat with every step left out: distillation, pruning, quantization, alone and together.

    The report of the run gains a table and a picture of the comparison. Stages are shared and kept:
    the same command continues an interrupted comparison.
    """
    from kdrec.compare import compare as compared

    if quiet:
        report = compared(config, out=out, work=work, log=log or ())
    else:
        with stage_progress(notes()) as progress:
            report = compared(config, out=out, work=work, progress=progress, log=log or ())

    if as_json:
        print_json(report)
    elif not quiet:
        from kdrec.report.table import COMPARED, console_table

        rows = {**report, "rows": report["comparison"]}
        output().print(console_table(rows, COMPARED, title=f"{report['data']['name']}: what each step brings"))
        typer.echo(Path(out or Path("tflite_models", report["data"]["name"]), "report.html"))
