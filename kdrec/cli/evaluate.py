"""`kdrec evaluate`: any model, judged on a log."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from kdrec.cli.console import notes, output, print_json
from kdrec.cli.option_texts import DATA, EVALUATION
from kdrec.cli.options import with_options
from kdrec.cli.progress import stage_progress
from kdrec.config import Config


@with_options(DATA, EVALUATION)
def evaluate(
    config: Config,
    model: Annotated[
        str,
        typer.Argument(
            help="A bundle's folder, a .tflite file, a saved Keras or TensorFlow model, a file of scores or "
            "embeddings, or a baseline: popularity, random."
        ),
    ],
    part: Annotated[str, typer.Option(help="Held-out items to judge on: test or valid.")] = "test",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge any model on a log: full ranking, seen items masked."""
    from kdrec.evaluate_model import evaluate_model

    if quiet:
        judged = evaluate_model(model, config, part)
    else:
        with stage_progress(notes()) as progress:
            judged = evaluate_model(
                model, config, part, lambda done, total: progress("evaluate", done, total, f"{total} users")
            )
    if as_json:
        print_json(judged)
    else:
        show(judged)


def show(judged: dict[str, Any]) -> None:
    """The metrics of one model, and on what they were measured."""
    data, split = judged["data"], judged["split"]
    console = output()
    console.print(
        f"{escape(judged['model'])} on {escape(data['name'])}, {judged['part']} part of {split['method']}: "
        f"{judged['users']:,} users, {data['items']:,} items"
    )
    if judged["unknown_items"]:
        console.print(f"{judged['unknown_items']:,} of these items are unknown to the model, which never lists them")
    table = Table("Metric")
    table.add_column("Mean", justify="right")
    table.add_column("If ties go against it", justify="right")
    for name, value in {**judged["metrics"], **judged["tied_share"]}.items():
        worst = judged["pessimistic"].get(name)
        table.add_row(name, f"{value:.4f}", "" if worst is None else f"{worst:.4f}")
    console.print(table)
