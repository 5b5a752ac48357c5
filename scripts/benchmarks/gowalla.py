"""Gowalla, the split of LightGCN: no distillation, softened KL, the two best methods, and the recipe.

    .venv/bin/python scripts/benchmarks/gowalla.py --data-dir DIR

DIR holds train.txt, test.txt and the validation pairs of LightGCN++, which were taken out of train.txt. Everything is
chosen with them left out, by Recall@20 on validation; teacher and students are then trained anew on the whole
train.txt, as the papers do, and judged on test once.
"""

from dataclasses import replace

from base import Benchmark, built_ensemble
from setting import Setting, arguments

from kdrec.data.interactions import joined
from kdrec.data.sets.lightgcn import lightgcn
from kdrec.data.splits import Split, given

METRICS = ("recall@20", "ndcg@20")
TEACHER = {
    "members": ["graph_filter", "als"],
    "options": {
        "graph_filter": {"components": 512, "popularity": 0.35, "beta": 0.1, "sharpening": 1.0},
        "als": {"factors": 384, "regularization": 10.0, "alpha": 20.0},
    },
    "weights": "validation",
    "metric": "recall@20",
}
ALS = {"regularization": 10.0, "alpha": 20.0}
PUBLISHED = [
    {"method": "LightGCN, d = 64", "recall@20": 0.1830, "ndcg@20": 0.1554, "row_bytes": 256},
    {"method": "SimpleX, d = 64", "recall@20": 0.1872, "ndcg@20": 0.1557, "row_bytes": 256},
    {"method": "BSPM, no embeddings", "recall@20": 0.1920, "ndcg@20": 0.1597},
]

BASE = Setting(
    "", embedding_dim=64, history_length=128, hidden=512, epochs=12, learning_rate=0.005,
    initialise="item_svd", initialise_options=ALS,
)  # fmt: skip
RANKS = {"rank_softmax": {"top": 80, "temperature": 20.0}}
METHODS = {
    "no distillation": [
        replace(BASE, method="no distillation", initialise=start, hidden_share=(0.05, 0.8))
        for start in ("random", "item_svd")
    ],
    "top_kl": [replace(BASE, method="top_kl", losses={"top_kl": {}})],
    "rank_softmax": [replace(BASE, method="rank_softmax", losses=RANKS)],
    "rce_kd": [replace(BASE, method="rce_kd", losses={"rce_kd": {}})],
}
RECIPE = replace(
    BASE, method="kdrec's recipe", losses=RANKS, student_loss_weight=0.2, sampled=2.0, sampled_a_row=1.0,
    hidden_share=(0.05, 0.8), whole_share=0.5,
)  # fmt: skip
WIDTHS = {32: 0.007, 64: 0.005}  # and their learning rates


def refitted(split: Split) -> Split:
    """The same with the validation pairs back in train."""
    return given(joined(split.train, split.valid), None, split.test)


def main() -> None:
    given_options = arguments(__doc__, "gowalla")
    split, work = lightgcn(given_options.data_dir), given_options.work
    tuned = Benchmark("gowalla", split, built_ensemble(TEACHER), TEACHER, METRICS, work)
    settings = {**TEACHER, "weights": tuned.teacher().weights}
    benchmark = Benchmark("gowalla", refitted(split), built_ensemble(settings), settings, METRICS, work, tuned)
    recipes = [[replace(RECIPE, embedding_dim=width, learning_rate=rate)] for width, rate in WIDTHS.items()]
    benchmark.report(METHODS, recipes, PUBLISHED, given_options, one_seed=True)


if __name__ == "__main__":
    main()
