"""The table that ships with kdrec, of what files answered on older runtimes: from files to their operators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Of the ten items listed. Where runtimes round otherwise 97 % and more stay; what LiteRT 2.0.3 computes wrongly of some
# tables of shared rows leaves 94 % and less.
NEARLY = 0.95
KEYS = ("runs_from", "equal_from")


@dataclass(frozen=True)
class Measured:
    """A file: its operators, and the place of the oldest runtime from which on all ran it, and answered to the bit."""

    operators: frozenset[str]
    runs_from: int
    equal_from: int


def measured(operators: Iterable[str], answers: Sequence[Mapping[str, Any]]) -> Measured:
    """A file by its answers, one a runtime, oldest first, as min_runtime_ask.py gives them.

    Raises:
        ValueError: the newest runtime does not answer to the bit: it is not the one that gave the golden vectors.

    >>> answers = [{"refused": "no"}, {"equal": False, "share": 0.95}, {"equal": True, "share": 1.0}]
    >>> measured({"ADD"}, answers)
    Measured(operators=frozenset({'ADD'}), runs_from=1, equal_from=2)
    """
    runs = [answer.get("share", 0.0) >= NEARLY for answer in answers]
    equal = [answer.get("equal", False) for answer in answers]
    if not equal[-1]:
        raise ValueError(f"the newest runtime must answer its own golden vectors, it says {answers[-1]}")
    return Measured(frozenset(operators), *(1 + max(_places_of_bad(good), default=-1) for good in (runs, equal)))


def _places_of_bad(good: Sequence[bool]) -> list[int]:
    return [place for place, each in enumerate(good) if not each]


def table(runtimes: Sequence[str], files: Sequence[Measured]) -> dict[str, Any]:
    """What every operator was seen to do, and which did worse together, so that it says of each file what was measured.

    Args:
        runtimes: oldest first.
        files: what was measured on them.

    Returns:
        `operators`: for each, the oldest runtime of any file that has it. `together`: operators of which each did
        better elsewhere, while no file that has them all did.
    """
    names = sorted(set().union(*(file.operators for file in files)))
    oldest = {
        name: {key: min(getattr(file, key) for file in files if name in file.operators) for key in KEYS}
        for name in names
    }
    together = [row for key in KEYS for row in _together(key, files, oldest)]
    return {
        "runtimes": list(runtimes),
        "operators": {name: {key: runtimes[row[key]] for key in KEYS} for name, row in oldest.items()},
        "together": [{"operators": sorted(group), key: runtimes[place]} for key, group, place in together],
    }


def _together(
    key: str, files: Sequence[Measured], oldest: Mapping[str, Mapping[str, int]]
) -> list[tuple[str, frozenset[str], int]]:
    found: list[tuple[str, frozenset[str], int]] = []
    for file in sorted(files, key=lambda file: (-getattr(file, key), len(file.operators), sorted(file.operators))):
        place = getattr(file, key)
        said = [oldest[name][key] for name in file.operators]
        said += [at for _, group, at in found if group <= file.operators]
        if place > max(said):
            better = [other.operators for other in files if getattr(other, key) < place]
            found.append((key, _fewest(file.operators, better), place))
    return found


def _fewest(operators: frozenset[str], better: Sequence[frozenset[str]]) -> frozenset[str]:
    """As few of these operators as no file that did better has all of; all of them where one has.

    >>> sorted(_fewest(frozenset("abc"), [frozenset("ab"), frozenset("c")]))
    ['b', 'c']
    """
    for name in sorted(operators):
        fewer = operators - {name}
        if not any(fewer <= other for other in better):
            operators = fewer
    return operators
