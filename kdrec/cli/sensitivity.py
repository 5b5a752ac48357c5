"""`kdrec sensitivity`: which matrix costs how much when it is rounded, and the recipe that follows."""

from typing import Annotated

import typer

from kdrec.cli.console import notes, output, print_json
from kdrec.cli.option_texts import DATA, EVALUATION, FILES, STUDENT, TEACHER, TRAINING
from kdrec.cli.options import Out, Quiet, Work, with_options
from kdrec.cli.progress import stage_progress
from kdrec.config import Config


@with_options(DATA, TEACHER, STUDENT, TRAINING, FILES, EVALUATION)
def sensitivity(
    config: Config,
    allowed: Annotated[float, typer.Option(help="Share of the float32 file's NDCG that a recipe may lose.")] = 0.01,
    out: Out = None,
    work: Work = None,
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print sensitivity.json.")] = False,
) -> None:
    """Judge files in which one matrix is rounded, or all but one, and name the smallest recipe within --allowed.

    The student is trained, or found trained, as `kdrec run` with the same options does.
    sensitivity.json and sensitivity.svg go to --out.
    """
    from kdrec.sensitivity import sensitivity as measured

    if quiet:
        result = measured(config, allowed=allowed, out=out, work=work)
    else:
        with stage_progress(notes()) as progress:
            result = measured(config, allowed=allowed, out=out, work=work, progress=progress)

    if as_json:
        print_json(result)
    elif not quiet:
        from kdrec.report.sensitivity import sensitivity_table
        from kdrec.report.words import kib, quality

        output().print(sensitivity_table(result))
        file = result["files"][result["recipe"]]
        typer.echo(f"--recipe {result['recipe']}: {kib(file['bytes'])}, NDCG@{result['k']} {quality(file['ndcg'])}")
