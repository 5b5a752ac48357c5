"""Where kept values live: one block of memory, in which those that are never needed together share places."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Kept:
    """A value that is kept.

    Args:
        name: in C.
        size: elements.
        made: number of the step that writes it.
    """

    name: str
    size: int
    made: int


def last_uses(kept: Sequence[Kept], steps: Sequence[str]) -> dict[str, int]:
    """Number of the last step whose text names each value.

    >>> last_uses([Kept("a", 2, 0), Kept("ab", 1, 1)], ["a[i] = 1;", "ab[i] = a[i];", "ab[0]"])
    {'a': 1, 'ab': 2}
    """
    words = [set(re.findall(r"\w+", text)) for text in steps]
    return {
        value.name: max(number for number, found in enumerate(words) if value.name in found or number == value.made)
        for value in kept
    }


def places(kept: Sequence[Kept], last_use: dict[str, int]) -> dict[str, int]:
    """The first element of each value; each takes the lowest place that is free for as long as it is needed.

    >>> values = [Kept("a", 4, 0), Kept("b", 2, 1), Kept("c", 3, 2)]
    >>> places(values, {"a": 1, "b": 2, "c": 2})
    {'a': 0, 'b': 4, 'c': 0}
    """
    found: dict[str, int] = {}
    for value in kept:
        beside = sorted(
            (found[other.name], other.size)
            for other in kept
            if other.name in found and last_use[other.name] >= value.made and other.made <= last_use[value.name]
        )
        place = 0
        for start, size in beside:
            if place + value.size <= start:
                break
            place = max(place, start + size)
        found[value.name] = place
    return found
