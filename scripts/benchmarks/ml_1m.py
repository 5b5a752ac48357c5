"""MovieLens-1M, the split of LightGCN++: no distillation, softened KL, the two best methods, and the recipe.

    .venv/bin/python scripts/benchmarks/ml_1m.py --data-dir DIR

DIR holds train.txt, valid*.txt and test.txt of the split. Settings are chosen by NDCG@10 on validation with the first
seed; test is judged once, with the chosen ones.
"""

from dataclasses import replace

from base import Benchmark, built_ensemble
from setting import Setting, arguments

from kdrec.data.sets.lightgcn import lightgcn

METRICS = ("ndcg@10", "recall@10")
TEACHER = {
    "members": ["ease", "als", "graph_filter", "mult_vae"],
    "options": {
        "ease": {"l2": 1000.0},
        "als": {"factors": 64, "regularization": 10.0, "alpha": 5.0},
        "graph_filter": {"components": 256, "beta": 0.3},
    },
    "weights": "validation",
}
ALS = {"regularization": 10.0, "alpha": 5.0}
PUBLISHED = [
    {"method": "BPR-MF (LightGCN++)", "ndcg@10": 0.2677, "recall@10": 0.1291},
    {"method": "LightGCN, d = 64 (LightGCN++)", "ndcg@10": 0.2977, "recall@10": 0.1495, "row_bytes": 256},
    {"method": "LightGCN++, d = 64", "ndcg@10": 0.3243, "recall@10": 0.1667, "row_bytes": 256},
    {"method": "SimGCL++ (LightGCN++)", "ndcg@10": 0.3254, "recall@10": 0.1679},
]
BASE = Setting("", embedding_dim=32, history_length=1024, hidden_share=(0.0, 0.0))
HIDDEN, WHOLE = (0.0, 0.5), (0.0, 0.0)


def of(name: str, *options: dict, hard: tuple[float, ...] = (0.0, 0.3)) -> list[Setting]:
    """What validation chooses from for a soft loss."""
    return [
        replace(BASE, method=name, losses={name: option}, student_loss_weight=weight, hidden_share=share)
        for option in options
        for weight in hard
        for share in [HIDDEN if weight else WHOLE]
    ]


METHODS = {
    "no distillation": [
        replace(BASE, method="no distillation", hidden_share=share, **start)
        for start in ({}, {"initialise": "item_svd", "initialise_options": ALS})
        for share in (HIDDEN, (0.1, 0.7), (0.0, 0.9))
    ],
    "softened_kl": of("softened_kl", {"temperature": 1.0}, {"temperature": 0.5}),
    "rank_softmax": of("rank_softmax", {"top": 60, "temperature": 7.0}, {"top": 60, "temperature": 12.0}, hard=(0.0,)),
    "rce_kd": of("rce_kd", {}),
}
SCORES, RANKS = {"softened_kl": {"temperature": 0.5}}, {"rank_softmax": {"top": 60, "temperature": 7.0}}
RECIPE = replace(
    BASE, method="kdrec's recipe", student_loss_weight=0.2, hidden=512, epochs=42, initialise="item_svd",
    initialise_options=ALS, sampled=4.0, sampled_a_row=1.0, hidden_share=(0.05, 0.8), whole_share=0.5,
)  # fmt: skip
WIDTHS = {8: 0.015, 16: 0.01, 32: 0.007, 64: 0.005}  # and their learning rates


def main() -> None:
    given = arguments(__doc__, "ml-1m/lightgcnpp_ge3")
    benchmark = Benchmark("ml_1m", lightgcn(given.data_dir), built_ensemble(TEACHER), TEACHER, METRICS, given.work)
    recipes = [
        [
            replace(RECIPE, embedding_dim=width, learning_rate=rate, losses=soft)
            for soft in (SCORES, RANKS, SCORES | RANKS)
        ]
        for width, rate in WIDTHS.items()
    ]
    benchmark.report(METHODS, recipes, PUBLISHED, given)


if __name__ == "__main__":
    main()
