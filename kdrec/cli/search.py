"""`kdrec search`: the smallest file that keeps so much, or the best one within a size."""

from pathlib import Path
from typing import Annotated, Any

import typer

from kdrec.cli.console import notes, output, print_json
from kdrec.cli.log import Log
from kdrec.cli.option_texts import DATA, EVALUATION, FILES, STUDENT, TEACHER, TRAINING
from kdrec.cli.options import Quiet, Work, with_options
from kdrec.cli.progress import stage_progress
from kdrec.config import Config

GOAL = "Goal"


@with_options(DATA, TEACHER, STUDENT, TRAINING, FILES, EVALUATION)
def search(
    config: Config,
    keep: Annotated[
        float | None,
        typer.Option(rich_help_panel=GOAL, help="Least share of the teacher's NDCG: the smallest file is wanted."),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--bytes", rich_help_panel=GOAL, help="Most bytes of the file, 48KiB say.")
    ] = None,
    latency_us: Annotated[
        float | None, typer.Option(rich_help_panel=GOAL, help="Most microseconds to all scores, one thread, here.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, rich_help_panel=GOAL, help="How many more to try.")] = 40,
    over: Annotated[
        list[str] | None, typer.Option(rich_help_panel=GOAL, help="Vary this option only; repeatable.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the best bundle.", show_default="tflite_models/<data>-best")
    ] = None,
    work: Work = None,
    log: Log = None,
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print search.json.")] = False,
) -> None:
    """Look for the smallest file that keeps --keep, or the best one within --bytes or --latency-us.

    Trials are judged on the validation part, by the file that each wrote, and kept: the same command adds more, and
    several processes with one --work share them. search.html shows them all; the best gets a report.
    """
    from kdrec.search.goal import Goal, size_of
    from kdrec.search.space import KNOBS
    from kdrec.search.study import search as searched

    goal = Goal(keep, None if size is None else size_of(size), latency_us)
    told: dict[str, Any] = {"trials": trials, "over": tuple(over or KNOBS), "out": out, "work": work, "log": log or ()}
    if quiet:
        result = searched(config, goal, **told)
    else:
        with stage_progress(notes()) as progress:
            result = searched(config, goal, progress=progress, ended=lambda row: notes().print(line(row)), **told)

    if as_json:
        print_json(result)
    elif not quiet:
        best = result["best"]
        output().print(f"chosen: {line(best)}")
        if not best["kept"]:
            output().print("no trial reached the goal; this one comes nearest")
        typer.echo(Path(out or Path("tflite_models", f"{result['data']}-best"), "search.html"))


def line(row: dict[str, Any]) -> str:
    """A trial in one line."""
    from kdrec.report.words import kib, percent, quality

    if row["ndcg"] is None:
        return f"trial {row['number']}: {row['state']}"
    return f"trial {row['number']}: {kib(row['bytes'])}, keeps {percent(row['keep'])}, NDCG {quality(row['ndcg'])}"
