"""Write docs/methods.md: every loss, teacher, encoder, table, initialiser, schedule and weighting, as its code has it.

    .venv/bin/python scripts/methods.py

A test compares the page with the code.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from kdrec import losses, schedules, variants
from kdrec.distill import weightings
from kdrec.files import atomic_write
from kdrec.losses.base import DistillationLoss
from kdrec.models import encoders, initialisers, students, tables, teachers

PAGE = Path(__file__).parents[1] / "docs" / "methods.md"
# Arguments that are data, or that a run gives by itself: no options of a method.
NO_OPTIONS = {"train", "validation", "checkpoint_folder", "seed", "progress", "ordered", "parts", "labels"}
NO_OPTIONS |= {"student", "n_items", "history", "embedded", "context", "scores", "item_embedding", "args", "kwargs"}
NO_OPTIONS |= {"row_width", "item_counts"}
HEAD = """\
# Methods

Made from the code by `scripts/methods.py`: the texts are its docstrings, the defaults its own. A method is a file, and
the file's name is an option's value: `kdrec run --loss rrd --teacher als --encoder attention`.

In formulas s are the scores of the student and t those of the teacher, one an item; a row is a history that both are
asked about. Options stand as `name=default`; what a run gives by itself (seed, order, checkpoints) is left out. Every
teacher can give scores and top lists; embeddings and snapshots, those that say so; the teacher cache makes the rest."""


class Kind(NamedTuple):
    """A folder of methods, or a part of it: how it is headed, its methods, and what its table says of each."""

    title: str
    about: str
    package: ModuleType
    names: list[str]
    columns: dict[str, Callable[[str], Iterable[str]]] = {}  # heading -> what the method of a name has there
    made: Callable[[str], Any] | None = None  # the class around a formula, if that is what takes the options


def kinds() -> list[Kind]:
    """What the page holds, in its order."""
    soft = [name for name in losses.names() if issubclass(losses.get(name), DistillationLoss)]
    hard = [name for name in losses.names() if name not in soft]
    needs, reads = "Needs of the teacher", "Reads beside scores"
    of_loss = {needs: lambda name: losses.get(name).needs, reads: lambda name: losses.get(name).reads}
    of_rows = {needs: lambda name: weightings.get(name).needs}
    return [
        Kind("Losses on the teacher", "`--loss`; options by `--loss-option`.", losses, soft, of_loss, losses.get),
        Kind("Losses on what users did", "`--student-loss`; options by `--loss-option`.", losses, hard),
        Kind("Teachers", "`--teacher`; options by `--teacher-option`.", teachers, teachers.names()),
        Kind("Students", "`--student`; its options are options of a run.", students, students.names()),
        Kind("Encoders", "`--encoder`; options by `encoder_options` of the student.", encoders, encoders.names()),
        Kind("Item tables", "`--table`; options by `--table-option`.", tables, tables.names()),
        Kind("Initialisers", "`--initialise`.", initialisers, initialisers.names(), {needs: initialisers.needs}),
        Kind("Schedules", "For a weight or temperature, as text: `name:number:…`.", schedules, schedules.names()),
        Kind("Weightings", "`--weighting`.", weightings, weightings.names(), of_rows, weightings.get),
    ]


def parts(docstring: str) -> dict[str, str]:
    """A docstring's text by its headings; what stands before the first one under "", and no examples."""
    first, *found = re.split(r"^(Args|Returns|Raises|Source):", docstring.split("\n>>> ")[0], flags=re.MULTILINE)
    return {"": first.strip()} | dict(zip(found[::2], found[1::2], strict=True))


def options(made: Any, described: str) -> str:
    """A list of options with their defaults, those that the `Args` are silent on first; shapes are those of arrays."""
    own = [it for it in inspect.signature(made).parameters.values() if it.name not in NO_OPTIONS]
    spelled = {it.name: f"`{it.name}`" if it.default is it.empty else f"`{it.name}={it.default!r}`" for it in own}
    args = [entry.partition(": ") for entry in re.split(r"\n {4}(?=\S)", described)[1:]]
    told = [(names.split(", "), text) for names, _, text in args if not text.startswith("(")]
    silent = [name for name in spelled if not any(name in names for names, _ in told)]
    lines = [([spelled[name] for name in names if name in spelled], text) for names, text in [(silent, ""), *told]]
    return "\n".join("- " + marked(", ".join(names) + (f": {text}" if text else "")) for names, text in lines if names)


def section(kind: Kind, name: str) -> str:
    """Heading, formula, what the docstrings say beside it, source, options."""
    formula = variants.get(kind.package.__name__, name)
    told = parts(inspect.getdoc(formula) or "")
    line, *text = told[""].split("\n\n")
    line, source = re.fullmatch(r"(.*?)(?: \(([^()]*\b(?:19|20)\d\d\b[^()]*)\))?\.?", line, re.DOTALL).groups()
    text += [parts(inspect.getdoc(kind.made(name)))[""]] if kind.made else []
    text += [told["Returns"]] if kind.package is teachers and "Returns" in told else []
    text += [f"Source: {each.strip().rstrip('.')}." for each in (told.get("Source"), source) if each]
    listed = options(kind.made(name) if kind.made else formula, told.get("Args", ""))
    blocks = [f"### {name}", f"```\n{line}\n```", *map(marked, "\n\n".join(text).split("\n\n")), listed]
    return "\n\n".join(block for block in blocks if block)


def marked(text: str) -> str:
    """Prose as Markdown: sources are links, and a `_` at the end of a word emphasises nothing."""
    text = " ".join(text.split())
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)
    text = re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", text)
    return re.sub(r"doi:(10\.\d{4,}/[\w./-]*\w)", r"[doi:\1](https://doi.org/\1)", text)


def table(kind: Kind) -> str:
    """One line a method: a link to its section, the first sentence of its file, and what it asks for."""
    lines = ["| | |" + "".join(f" {each} |" for each in kind.columns), "| --- " * (2 + len(kind.columns)) + "|"]
    for name in kind.names:
        file = sys.modules[variants.get(kind.package.__name__, name).__module__]
        sentence = " ".join(re.split(r"(?<=\.)\s", (file.__doc__ or "").strip())[0].split())
        cells = [", ".join(f"`{each}`" for each in sorted(column(name))) or "–" for column in kind.columns.values()]
        lines.append("| " + " | ".join([f"[{name}](#{name})", sentence, *cells]) + " |")
    return "\n".join(lines)


def page() -> str:
    """The whole page."""
    blocks = [HEAD]
    for kind in kinds():
        blocks += [f"## {kind.title}", kind.about, table(kind), *(section(kind, name) for name in kind.names)]
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    atomic_write(PAGE, page())
