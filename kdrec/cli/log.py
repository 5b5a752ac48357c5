"""The option of the commands that train: where they log."""

from typing import Annotated

import typer

from kdrec.cli.option_texts import found

Log = Annotated[
    list[str] | None,
    typer.Option(help=f"Log trainings and results there, too: {found('loggers')}; repeatable.", show_default=False),
]
