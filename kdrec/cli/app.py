"""The `kdrec` command: its parts, and how an error leaves it."""

import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kdrec import __version__
from kdrec.cli.bench import bench
from kdrec.cli.chatter import without_chatter
from kdrec.cli.check import check
from kdrec.cli.compare import compare
from kdrec.cli.console import print_error
from kdrec.cli.distill import distill
from kdrec.cli.evaluate import evaluate
from kdrec.cli.examples import BEGIN, EXAMPLES, epilog
from kdrec.cli.export import export
from kdrec.cli.inspect import inspect
from kdrec.cli.recommend import recommend
from kdrec.cli.run import run
from kdrec.cli.search import search
from kdrec.cli.sensitivity import sensitivity
from kdrec.errors import KdrecError


class Commands(TyperGroup):
    """Turns what kdrec raises on purpose into one line and an exit status: 2 an error, 130 an interruption."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KdrecError as error:
            if ctx.params["traceback"]:
                raise
            print_error(str(error))
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            resumable = ctx.invoked_subcommand in ("run", "distill", "compare", "search", "sensitivity")
            print_error("interrupted" + ("; run the same command again to continue" if resumable else ""))
            raise typer.Exit(130) from error


app = typer.Typer(
    cls=Commands, epilog=f"**Four to begin with**\n\n{epilog(BEGIN)}",
    rich_markup_mode="markdown", no_args_is_help=True, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


def print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"kdrec {__version__}")
        raise typer.Exit


@app.callback()
def kdrec(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", envvar="KDREC_TRACEBACK", help="Show where an error came from.")
    ] = False,
) -> None:
    """Distill a recommender into a tiny int8 .tflite that still recommends like the teacher."""


for command in (run, distill, compare, search, sensitivity, evaluate, recommend, inspect, bench, check, export):
    app.command(epilog=epilog(EXAMPLES[command.__name__]))(command)


def main() -> None:
    """Run the command line; the notes of TensorFlow and LiteRT are shown if TF_CPP_MIN_LOG_LEVEL is set."""
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        app()
    with without_chatter():
        app()
