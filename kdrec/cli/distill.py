"""`kdrec distill`: from an interaction log to a distilled student, judged beside its teacher."""

from typing import Annotated

import typer

from kdrec.cli.console import notes, output, print_json
from kdrec.cli.log import Log
from kdrec.cli.option_texts import DATA, EVALUATION, STUDENT, TEACHER, TRAINING
from kdrec.cli.options import Quiet, Work, with_options
from kdrec.cli.progress import stage_progress
from kdrec.config import Config

COLUMNS = ("name", "parameters", "bytes", "keep", "ndcg@k", "recall@k")


@with_options(DATA, TEACHER, STUDENT, TRAINING, EVALUATION)
def distill(
    config: Config,
    work: Work = None,
    log: Log = None,
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what report.json of a run holds.")] = False,
) -> None:
    """Train a teacher, distill a student, and judge both, without files.

    Every stage is kept: the same command continues an interrupted one,
    and `kdrec run` with the same options goes on from here to the files.
    """
    from kdrec import experiment

    if quiet:
        report = experiment.distill(config, work=work, log=log or ())
    else:
        with stage_progress(notes()) as progress:
            report = experiment.distill(config, work=work, progress=progress, log=log or ())

    if as_json:
        print_json(report)
    elif not quiet:
        from kdrec.report.table import console_table

        output().print(console_table(report, COLUMNS))
