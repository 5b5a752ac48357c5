"""`kdrec recommend`: a list for a history, from a bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kdrec.cli.console import notes, output, print_json
from kdrec.errors import DataError


def recommend(
    bundle: Annotated[Path, typer.Argument(help="A bundle's folder, such as tflite_models/demo/android.")],
    history: Annotated[
        list[str] | None, typer.Option(help="Item id, the most recent last; repeatable. None: the most popular items.")
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", help="How many items.")] = 10,
    exclude: Annotated[list[str] | None, typer.Option(help="Item id that is not listed; repeatable.")] = None,
    context: Annotated[list[str] | None, typer.Option(help="Context of the request, name=value; repeatable.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Recommend items for a history with a bundle's own file."""
    from kdrec.runtime import Recommender

    recommender = Recommender.load(bundle)
    items = recommender.bundle.items
    found = recommender.recommend(
        [items.id_from_text(text) for text in history or []],
        k,
        exclude=[items.id_from_text(text) for text in exclude or []],
        context=dict(context_value(text, recommender.bundle.manifest.context) for text in context or []),
    )
    if as_json:
        print_json(asdict(found))
        return
    if found.unknown:
        notes().print(f"[yellow]note:[/] not in the catalogue, skipped: {escape(', '.join(map(str, found.unknown)))}")
    if found.unknown_context:
        notes().print(f"[yellow]note:[/] unknown value, ignored: {escape(', '.join(found.unknown_context))}")
    if found.fallback:
        notes().print("[yellow]note:[/] no known item in the history: these are the most popular items")
    table = Table("", "Item", "Title")
    table.add_column("Score", justify="right")
    for place, (item, title, score) in enumerate(zip(found.items, found.titles, found.scores, strict=True), start=1):
        table.add_row(str(place), escape(str(item)), escape(title), "" if found.fallback else f"{score:.3f}")
    output().print(table)


def context_value(text: str, known: Mapping[str, Sequence[int | str]]) -> tuple[str, int | str]:
    """Take `name=value` apart; the value has the type of the model's values of that name.

    >>> context_value("hour=9", {"hour": [9, 21]}), context_value("device=tv", {})
    (('hour', 9), ('device', 'tv'))

    Raises:
        DataError: there is no '='.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise DataError(f"--context must be name=value, not {text!r}; the model knows {', '.join(known) or 'none'}")
    return name, next((known_value for known_value in known.get(name, ()) if str(known_value) == value), value)
