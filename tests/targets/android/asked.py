"""Requests to a recommender, the same in Python and, as lines of text, on the JVM."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kdrec.errors import DataError
from kdrec.runtime import Recommender

Id = int | str
NAMES = {"DataError": "RequestException"}


@dataclass(frozen=True)
class Request:
    history: tuple[Id, ...] = ()
    k: int = 10
    exclude: tuple[Id, ...] = ()
    candidates: tuple[Id, ...] | None = None
    context: tuple[tuple[str, Id], ...] = ()
    exclude_history: bool = True

    def line(self) -> str:
        candidates = "-" if self.candidates is None else ids(self.candidates)
        context = " ".join(f"{name}={one(value)}" for name, value in self.context)
        return "\t".join(
            [ids(self.history), str(self.k), ids(self.exclude), candidates, context, str(self.exclude_history)]
        )


def one(item: Id) -> str:
    return f"n{item}" if isinstance(item, int) else f"t{item}"


def ids(items: Sequence[Id]) -> str:
    return " ".join(map(one, items))


def write(requests: Sequence[Request], path: Path) -> Path:
    path.write_text("\n".join(request.line() for request in requests), encoding="utf-8")
    return path


def of_python(recommender: Recommender, requests: Sequence[Request]) -> list[str]:
    """What kdrec's own recommender answers, written as `double/Answers.kt` writes it; scores by their bits."""
    return [_answer(recommender, request) for request in requests]


def _answer(recommender: Recommender, request: Request) -> str:
    try:
        found = recommender.recommend(
            request.history, request.k, request.exclude, request.candidates, dict(request.context),
            request.exclude_history,
        )  # fmt: skip
    except DataError as error:
        return f"RequestException: {error}"
    bits = np.array(found.scores, np.float32).view(np.int32)
    return "\t".join([
        ids(found.items), " ".join(map(str, bits)), "|".join(found.titles),
        ids(found.unknown), " ".join(found.unknown_context), str(found.fallback).lower(),
    ])  # fmt: skip


def random_requests(
    rng: np.random.Generator, known: Sequence[Id], unknown: Sequence[Id], context: dict[str, Sequence[Id]], n: int
) -> list[Request]:
    """Of every length, with ids and values that no catalogue has, and sizes that cannot be had."""
    everything = [*known, *unknown]

    def some(most: int) -> tuple[Id, ...]:
        return tuple(everything[place] for place in rng.integers(0, len(everything), rng.integers(0, most + 1)))

    found = []
    for _ in range(n):
        candidates = some(2 * len(known)) if rng.random() < 0.3 else None
        values = tuple(
            (name, value)
            for name, choices in context.items()
            if (value := [*choices, "other", None][rng.integers(0, len(choices) + 2)]) is not None
        )
        k = int(rng.integers(1, 12)) if rng.random() < 0.9 else int(rng.integers(-1, len(known) + 2))
        found.append(Request(some(12), k, some(6), candidates, values, bool(rng.random() < 0.7)))
    return found
