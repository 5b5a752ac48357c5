"""Write docs/targets.md: every device, what it takes, its rules, and what proves it, as the code has them.

    .venv/bin/python scripts/targets.py

A test compares the page with the code.
"""

from collections.abc import Iterable
from pathlib import Path

from kdrec import targets
from kdrec.files import atomic_write
from kdrec.targets.base import Target
from kdrec.targets.base.check import explain

PAGE = Path(__file__).parents[1] / "docs" / "targets.md"
HEAD = """\
# Targets

Made from the code by `scripts/targets.py`: a target is a file in `kdrec/targets/`, its name is the option's value, and
the texts of the rules are their docstrings. `kdrec run --target NAME` writes a bundle that keeps the rules;
`kdrec check FILE --target NAME` holds any .tflite file against them, sizes it, and exits with status 1 when one is
broken (2 when the file cannot be read)."""
MATRIX = """\
## What proves it

No device was at hand: no phone, no board, no Edge TPU, no NPU. What stands for each, and what stays open:"""
RULES = """\
## Rules

A rule that only warns says so: the file runs, but not as well."""
ESTIMATES = """\
## Estimates

What `kdrec check` counts from the file. Where the device's own interpreter or compiler is installed (`tflite-micro`,
Vela), it says what that one finds, too."""
LIMITS = {
    "topk": "items that `recommend` returns",
    "one_subgraph": "one graph a file",
    "lookup": "who looks the history up",
    "max_fc_outputs": "widest FULLY_CONNECTED",
    "max_constant_bytes": "bytes of parameters on the chip",
    "oracle": "judged by",
    "min_runtime": "oldest runtime that was tried",
}


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [tuple(headings), *(tuple(row) for row in rows)]
    lines.insert(1, ("---",) * len(lines[0]))
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def matrix(every: Iterable[Target]) -> str:
    """One line a device: what proves its bundles here, and what cannot be proven here."""
    rows = ((f"[{each.name}](#{each.name})", each.title, each.proof, each.not_proven) for each in every)
    return table(("target", "runs", "what proves it", "what is not provable here"), rows)


def facts(target: Target) -> str:
    """Limits, recipes, signatures and operators of a device, each with its source."""
    rows = [
        ("signatures", marked(target.signatures), ""),
        ("recipes", f"{marked(target.recipes)}; by default `{target.recipe}`", ""),
        ("mixed recipes", marked(target.mixes), ""),
        *((text, told(getattr(target, name)), target.sources.get(name, "")) for name, text in LIMITS.items()),
        ("estimates", marked(each.__name__ for each in target.estimates), ""),
        ("operators", " ".join(sorted(target.ops | target.custom_ops)), target.sources.get("ops", target.source)),
        ("unverified operators", " ".join(sorted(target.unverified_ops)), "no manual at hand confirms them"),
        ("the NPU may take", " ".join(sorted(target.accelerated_ops)), target.sources.get("accelerated_ops", "")),
        ("of these, with 8 or 16 bits only", " ".join(sorted(target.narrow_ops)), target.sources.get("narrow_ops", "")),
        ("instructions counted on", marked(target.cores), "generated C, under qemu"),
        ("finished by", finisher(target), target.sources.get("finish", "")),
        ("rules", links(rule.__name__ for rule in target.rules), ""),
        ("rules that warn", links(rule.__name__ for rule in target.advice), ""),
    ]
    return table(("", "", "source"), (row for row in rows if row[1]))


def told(value: object) -> str:
    """A limit as a reader wants it; nothing for one that the target does not have."""
    if value is None or value is False:
        return ""
    return "yes" if value is True else f"{value:,}" if isinstance(value, int) else str(value)


def finisher(target: Target) -> str:
    """What makes further files of the written one; nothing where nothing does."""
    return "" if target.finish is None else marked(target.packages) or "kdrec"


def marked(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def links(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}](#{name})" for name in names)


def rules(every: Iterable[Target]) -> str:
    """A section a rule: message, way out, source, and the targets that have it."""
    users: dict[str, list[str]] = {}
    found = {}
    for target in every:
        for rule in (*target.rules, *target.advice):
            found[rule.__name__] = rule
            users.setdefault(rule.__name__, []).append(target.name + (" (warns)" if rule in target.advice else ""))
    blocks = []
    for name, rule in found.items():
        message, way_out, source = explain(rule)
        blocks += [f"### {name}", message, way_out, source, f"Of: {', '.join(users[name])}."]
    return "\n\n".join(blocks)


def estimates(every: Iterable[Target]) -> str:
    """A line an estimate."""
    found = {each.__name__: each for target in every for each in target.estimates}
    return table(("", ""), ((f"`{name}`", " ".join(explain(each)[:2]).strip()) for name, each in found.items()))


def page() -> str:
    """The whole page."""
    every = [targets.get(name) for name in targets.names()]
    blocks = [HEAD, MATRIX, matrix(every), "## Devices"]
    for target in every:
        blocks += [f"### {target.name}", f"{target.title}. Facts: {target.source}.", facts(target)]
    return "\n\n".join([*blocks, RULES, rules(every), ESTIMATES, estimates(every)]) + "\n"


if __name__ == "__main__":
    atomic_write(PAGE, page())
