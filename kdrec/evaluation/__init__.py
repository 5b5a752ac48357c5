"""Full-ranking evaluation of anything that gives scores."""

from kdrec.evaluation import baselines
from kdrec.evaluation.compare import (
    Difference,
    Spread,
    keep,
    over_seeds,
    paired_bootstrap,
)
from kdrec.evaluation.item_lists import ItemLists
from kdrec.evaluation.ranking import evaluate, evaluate_batches
from kdrec.evaluation.result import RankingResult
from kdrec.evaluation.top_k import top_k

__all__ = [
    "Difference",
    "ItemLists",
    "RankingResult",
    "Spread",
    "baselines",
    "evaluate",
    "evaluate_batches",
    "keep",
    "over_seeds",
    "paired_bootstrap",
    "top_k",
]
