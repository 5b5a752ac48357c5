"""One measurement of a model in one form: a runtime with its options, or code that was generated."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

MISSING = "–"


@dataclass(frozen=True)
class Measured:
    """What a form of a model costs; None for what its runtime does not tell.

    Args:
        model: which one, for people.
        form: of it: the runtime and its options.
        place: where it ran.
        bytes: of the file, or of the flash that generated code takes.
        ram_bytes: working memory, of the kind that `ram_kind` names.
        ram_kind: `process` (the most held beyond an idle one), `arena`, or `static` (with stack and list).
        latency_us_p50, latency_us_p90: of one call, in microseconds of this machine.
        instructions: of one call, counted by an emulator.
        inputs: what it was asked with, in words; empty where nothing was asked.
        said: why it could not be measured; empty where it could.
    """

    model: str
    form: str
    place: str
    bytes: int | None = None
    ram_bytes: int | None = None
    ram_kind: str = ""
    latency_us_p50: float | None = None
    latency_us_p90: float | None = None
    instructions: int | None = None
    inputs: str = ""
    said: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The figures, ready for JSON."""
        return asdict(self)


def console_forms(found: Sequence[Measured]) -> Table:
    """All forms as a table for the terminal; below it what they were asked with, and what could not be measured."""
    table = Table("Model", "Form", "Where")
    for heading in ("Bytes", "Memory", "p50", "p90", "Instructions"):
        table.add_column(heading, justify="right")
    said = []
    for each in found:
        memory = f"{number(each.ram_bytes)} {each.ram_kind}".strip()
        times = [MISSING if time is None else f"{time:,.1f} µs" for time in (each.latency_us_p50, each.latency_us_p90)]
        cells = (each.model, each.form, each.place, number(each.bytes), memory, *times, number(each.instructions))
        table.add_row(*map(Text, cells))
        if each.said:
            said.append(f"{each.model}, {each.form}: {each.said}")
    asked = {f"{each.model}, inputs: {each.inputs}": None for each in found if each.inputs}
    if asked or said:
        table.caption, table.caption_justify = "\n".join([*asked, *said]), "left"
    return table


def number(value: int | None) -> str:
    """With thousands apart.

    >>> number(12345), number(None)
    ('12,345', '–')
    """
    return MISSING if value is None else f"{value:,}"
