"""Where the command line writes: results to stdout, everything else to stderr."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape


def output() -> Console:
    """For results; a pipe or a file gets lines of up to 160 characters rather than cut ones."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def notes() -> Console:
    """For progress and errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_error(message: str) -> None:
    notes().print(f"[bold red]error:[/] {escape(message)}")


def print_json(value: Any) -> None:
    """JSON and nothing else, so that a pipe can read it."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
