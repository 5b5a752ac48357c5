"""Progress of a run: one bar a stage on a terminal, one plain line a finished stage elsewhere."""

import time
from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class PlainProgress(AbstractContextManager["PlainProgress"]):
    """A line for each stage once it is over, with its seconds and its last note."""

    def __init__(self, console: Console):
        self.console = console
        self.stage = ""
        self.started = 0.0
        self.note = ""

    def __call__(self, stage: str, done: int, total: int, note: str) -> None:
        if stage != self.stage:
            self.finish()
            self.stage, self.started, self.note = stage, time.perf_counter(), ""
        self.note = note or self.note

    def finish(self) -> None:
        if self.stage:
            line = f"{self.stage:18} {time.perf_counter() - self.started:7.1f} s   {self.note}"
            self.console.print(escape(line.rstrip()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()


class BarProgress(AbstractContextManager["BarProgress"]):
    """A bar a stage, the finished ones above the running one."""

    def __init__(self, console: Console):
        self.bars = Progress(
            TextColumn("{task.description:18}"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"), console=console,
        )  # fmt: skip
        self.stages: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int, note: str) -> None:
        if stage not in self.stages:
            self.stages[stage] = self.bars.add_task(stage, total=total or 1, note="")
        # A stage found finished says so by total 0, and is a whole bar.
        self.bars.update(self.stages[stage], completed=done if total else 1, total=total or 1)
        if note:
            self.bars.update(self.stages[stage], note=escape(note))

    def __enter__(self) -> "BarProgress":
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()


def stage_progress(console: Console) -> BarProgress | PlainProgress:
    """Bars if someone is watching."""
    return BarProgress(console) if console.is_terminal else PlainProgress(console)
