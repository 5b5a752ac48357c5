"""What a search is for: the smallest file that keeps so much, or the best one within a size or a latency."""

import re
from dataclasses import dataclass

from kdrec.errors import DataError

UNITS = {"": 1, "b": 1, "kb": 1000, "kib": 1024, "mb": 1000**2, "mib": 1024**2}


@dataclass(frozen=True)
class Goal:
    """Limits; what is left free is made as good as it can be.

    Args:
        keep: least share of the teacher's NDCG on the validation part; the smallest file that reaches it is wanted.
        bytes: most bytes of the file; without `keep`, the best file within it is wanted.
        latency_us: most microseconds at the median, history to all scores, one thread of this machine.

    Raises:
        DataError: no limit at all, or one out of range.
    """

    keep: float | None = None
    bytes: int | None = None
    latency_us: float | None = None

    def __post_init__(self) -> None:
        if self.keep is None and self.bytes is None and self.latency_us is None:
            raise DataError("a search needs a goal: keep=0.98, bytes='48KiB' or latency_us=500, or several of them")
        if self.keep is not None and not 0 < self.keep <= 1.5:
            raise DataError(f"keep must lie in (0, 1.5], not {self.keep}; 0.98 is 98 % of the teacher")
        for name in ("bytes", "latency_us"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise DataError(f"{name} must be above 0, not {value}")

    def misses(self, judged: "Judged") -> dict[str, float]:
        """By how much each limit is missed, as a share of it; at most 0 where it is kept."""
        found = {} if self.keep is None else {"keep": 1 - judged.keep / self.keep}
        for name in ("bytes", "latency_us"):
            limit = getattr(self, name)
            if limit is not None:
                found[name] = getattr(judged, name) / limit - 1
        return found

    def is_kept(self, judged: "Judged") -> bool:
        """Whether every limit is."""
        return all(miss <= 0 for miss in self.misses(judged).values())

    def rank(self, judged: "Judged") -> tuple[float, float, float]:
        """Smaller is better: how far the limits are missed, then what is wanted."""
        missed = sum(max(miss, 0.0) for miss in self.misses(judged).values())
        small, good = float(judged.bytes), -judged.ndcg
        return (missed, small, good) if self.keep is not None else (missed, good, small)


@dataclass(frozen=True)
class Judged:
    """What the written file of a trial reaches on the validation part, and what it costs."""

    ndcg: float
    keep: float
    bytes: int
    gzip_bytes: int
    latency_us: float


def size_of(text: str) -> int:
    """Bytes from "48KiB", "50 kB", "1.5 MiB" or "49152".

    Raises:
        DataError: it is no size.

    >>> size_of("48KiB"), size_of("50 kB"), size_of("900")
    (49152, 50000, 900)
    """
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*", text)
    if found is None or found[2].lower() not in UNITS:
        raise DataError(f"bytes must be a number with a unit of KiB, kB, MiB, MB or none, not {text!r}; 48KiB, say")
    return round(float(found[1]) * UNITS[found[2].lower()])
