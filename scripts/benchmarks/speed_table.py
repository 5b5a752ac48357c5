"""The README's tables of speed and memory, from what speed.py wrote."""

import json
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent / "speed.json"
HEADS = {
    "cached": "A step with a teacher's stored answers, against one without a teacher (ML-1M)",
    "cached_large": "The same with 40,981 items (Gowalla)",
    "live": "A step with a teacher that answers in it, against stored answers (ML-1M)",
    "keras": "A step of Keras 3's Distiller, against kdrec's, same models and batches (ML-1M)",
    "ranking": "Judging by TFRS's FactorizedTopK, against kdrec's evaluate (Gowalla)",
}
MIB = {"split": "read the data", "cache": "ask the teacher", "student": "train the student", "imports": "imports alone"}


def result() -> dict[str, Any]:
    """What speed.py wrote."""
    return json.loads(PLACE.read_text())


def ratios_table(found: dict[str, Any]) -> str:
    """A row a comparison: what takes how long, what it is compared with, and the ratio with its aim."""
    lines = ["| | takes | compared takes | ratio (of the rounds) | aim |", "| --- | ---: | ---: | ---: | :---: |"]
    for name, part in _parts(found, HEADS):
        lines.append(f"| **{HEADS[name]}** | | | | |")
        for each in part["ratios"]:
            cells = [_time(part["measured"][each[which]]["median"], part["unit"]) for which in ("of", "to")]
            lines.append(f"| {each['what']} | " + " | ".join([*cells, _ratio(each), _aim(each)]) + " |")
    return "\n".join(lines)


def caches_table(found: dict[str, Any]) -> str:
    """Users that a teacher answers in a second, by what is stored of the answer."""
    measured = found["parts"]["caches"]["measured"]
    teachers = list(dict.fromkeys(name.partition("/")[0] for name in measured))
    kinds = list(dict.fromkeys(name.partition("/")[2] for name in measured))
    lines = ["| users a second | " + " | ".join(teachers) + " |", "| --- |" + " ---: |" * len(teachers)]
    for kind in kinds:
        cells = [f"{1e3 / measured[f'{teacher}/{kind}']['median']:,.0f}" for teacher in teachers]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def memory_table(found: dict[str, Any]) -> str:
    """The peak of each stage in a process of its own, of which its imports, and that of the processes it started."""
    lines = ["| MiB, at most | imports | in all | child |", "| --- | ---: | ---: | ---: |"]
    for name, stage in found["parts"]["memory"]["stages"].items():
        child = f"{stage['children_mib']:,.0f}" if stage["children_mib"] else ""
        cells = [f"{stage['imports_mib']:,.0f}", f"{stage['peak_mib']:,.0f}", child]
        lines.append(f"| {MIB.get(name, name)} | " + " | ".join(cells) + " |")
    for name, each in found["parts"].get("ranking", {"measured": {}})["measured"].items():
        before = found["parts"]["ranking"]["facts"][f"{name}: MiB before"]
        lines.append(f"| judge Gowalla: {name} | {before:,.0f} | {each['peak_mib']:,.0f} | |")
    return "\n".join(lines)


def machine(found: dict[str, Any]) -> str:
    """One sentence on where the figures are from."""
    on, versions = found["machine"], found["machine"]["versions"]
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{on['processor']}, {on['cores']} cores, {on['threads']} threads; Python {on['python']}, {libraries}."


def tables(found: dict[str, Any]) -> str:
    """Everything of the parts that were measured."""
    parts = [ratios_table(found)] if _parts(found, HEADS) else []
    parts += [caches_table(found)] if "caches" in found["parts"] else []
    parts += [memory_table(found)] if "memory" in found["parts"] else []
    return "\n\n".join([*parts, machine(found)])


def _parts(found: dict[str, Any], names: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(name, found["parts"][name]) for name in names if name in found["parts"]]


def _time(value: float, unit: str) -> str:
    return f"{value:.1f} {unit.partition(' ')[0]}" if value < 100 else f"{value:,.0f} {unit.partition(' ')[0]}"


def _ratio(each: dict[str, Any]) -> str:
    return f"{each['median']:.2f} ({each['least']:.2f} to {each['greatest']:.2f})"


def _aim(each: dict[str, Any]) -> str:
    if "met" not in each:
        return ""
    aim = f"≤ {each['at_most']:g}" if "at_most" in each else f"≥ {each['at_least']:g}"
    return aim if each["met"] else f"{aim}, missed"


if __name__ == "__main__":
    print(tables(result()))
