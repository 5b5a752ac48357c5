"""What `recommend.py` answers to the golden vectors of its bundle, and whether two machines answer alike.

scripts/arm64 runs it, on this machine and under qemu. A core that multiplies bytes as this machine does must give equal
bits. One with dot products of bytes (asimddp) must give equal bits where the graph is int8, up to the query. The scores
are float32 over an int8 table: LiteRT rounds the query to bytes when it runs, and such a core rounds some numbers the
other way, so that scores may differ by less than rounding itself costs, a hundredth of their range.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EQUAL_BITS = ("cortex-a53",)
CLOSE = 0.01  # of the range of a row's scores


def answers() -> dict[str, np.ndarray]:
    """Outputs of every signature, stacked, by `signature/output`."""
    import recommend

    recommender = recommend.Recommender()
    found: dict[str, list] = {}
    for case in json.loads(recommender.files["golden.json"])["cases"]:
        inputs = {name: np.array(tokens, np.int32) for name, tokens in case["inputs"].items()}
        inputs["history"] = inputs["history"][None]
        for signature in recommender.manifest["signatures"]:
            for name, output in recommender.run(signature, inputs).items():
                found.setdefault(f"{signature}/{name}", []).append(output[0])
    return {name: np.stack(outputs) for name, outputs in found.items()}


@dataclass(frozen=True)
class Compared:
    """Two machines' answers to the same histories.

    Args:
        cases: histories.
        queries: of how many the queries are equal to the bit.
        scores: of how many all scores are.
        lists: of how many the ten best items are the same in the same order.
        apart: the largest difference of scores, as a share of the range of a history's scores.
    """

    cases: int
    queries: int
    scores: int
    lists: int
    apart: float


def compare(here: dict[str, np.ndarray], there: dict[str, np.ndarray]) -> Compared:
    """Of the arrays that `answers` gives."""
    scores, others = here["score/scores"], there["score/scores"]
    first, second = (np.argsort(-each, axis=1, kind="stable")[:, :10] for each in (scores, others))
    return Compared(
        cases=len(scores),
        queries=int((here["embed/query"] == there["embed/query"]).all(1).sum()),
        scores=int((scores == others).all(1).sum()),
        lists=int((first == second).all(1).sum()),
        apart=float((np.abs(scores - others).max(1) / np.ptp(scores, axis=1)).max()),
    )


def is_right(name: str, found: Compared) -> bool:
    """Whether a core, by its name, answers as it must."""
    bits = found.scores == found.cases or name not in EQUAL_BITS
    return bits and found.queries == found.cases and found.apart <= CLOSE


def main(paths: list[str]) -> int:
    here, *others = (dict(np.load(path)) for path in paths)
    names = [Path(path).stem for path in paths[1:]]
    compared = [compare(here, there) for there in others]
    for name, found in zip(names, compared, strict=True):
        print(
            f"{name}: {found.queries} of {found.cases} queries and {found.scores} rows of scores are equal to the bit, "
            f"{found.lists} lists of ten are the same, scores differ by at most {found.apart:.2%} of their range"
        )
    return int(not all(map(is_right, names, compared)))


if __name__ == "__main__":
    if sys.argv[1] == "--compare":
        sys.exit(main(sys.argv[2:]))
    np.savez(sys.argv[1], **answers())
