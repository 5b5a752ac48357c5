"""CiteULike, the split of Topology Distillation: every method at one width, the recipe at several.

    .venv/bin/python scripts/benchmarks/citeulike.py --data-dir DIR

DIR holds train.tsv, valid.tsv and test.tsv of the split. The settings of each method are chosen by Recall@50 on
validation with the first seed; test is judged once, with the chosen ones.
"""

from dataclasses import replace

from base import Benchmark, built_ensemble
from setting import Setting, arguments

from kdrec.data.sets.citeulike import citeulike

METRICS = ("recall@50", "recall@10", "ndcg@10")
TEACHER = {
    "members": ["ease", "als"],
    "options": {
        "ease": {"l2": 50.0},
        "als": {"factors": 256, "regularization": 100.0, "alpha": 100.0, "snapshots": 3},
    },
    "weights": "validation",
    "metric": "recall@50",
}
TAGGED = {**TEACHER, "options": {**TEACHER["options"], "ease": {"l2": 100.0, "content_weight": 30.0}}}
ALS = {"regularization": 100.0, "alpha": 100.0}
PUBLISHED = [
    {"method": "BPR, d = 10, not distilled (TD)", "recall@50": 0.1788, "row_bytes": 40},
    {"method": "HTD, d = 10 (TD)", "recall@50": 0.2282, "row_bytes": 40},
    {"method": "BPR, d = 20, not distilled (TD)", "recall@50": 0.2276, "row_bytes": 80},
    {"method": "FTD, d = 20 (TD)", "recall@50": 0.2516, "row_bytes": 80},
    {"method": "HTD, d = 20 (TD)", "recall@50": 0.2744, "row_bytes": 80},
    {"method": "HTD, d = 100 (TD)", "recall@50": 0.3116, "row_bytes": 400},
    {"method": "their teacher, BPR, d = 200", "recall@50": 0.3123, "row_bytes": 800},
]

BASE = Setting("", learning_rate=0.007, initialise="item_svd", initialise_options=ALS)
WITH_HARD, HIDDEN, MOST = (0.0, 0.3), (0.0, 0.5), (0.0, 0.9)


def alternatives(name: str, *options: dict, hard: tuple[float, ...] = WITH_HARD) -> list[Setting]:
    """What validation chooses from for a soft loss: its options, with and without the hard loss."""
    return [
        replace(
            BASE, method=name, losses={name: option}, student_loss_weight=weight,
            hidden_share=HIDDEN if weight else (0.0, 0.0),
        )
        for option in options or ({},)
        for weight in hard
    ]  # fmt: skip


def beside(name: str) -> list[Setting]:
    """What validation chooses from for a loss on vectors, which orders no items and needs the hard loss.

    Its values are small: the less the hard loss weighs, the more they count; to Adam only the proportion matters.
    """
    return [
        *alternatives(name, hard=(0.3, 0.7)),
        *(replace(one, hidden_share=MOST) for one in alternatives(name, hard=(0.3, 0.03, 0.003))),
    ]


METHODS: dict[str, list[Setting]] = {
    "no distillation": [
        replace(BASE, method="no distillation", initialise=start, hidden_share=share)
        for start in ("random", "item_svd")
        for share in (HIDDEN, MOST)
    ],
    "softened_kl": alternatives("softened_kl", {"temperature": 1.0}, {"temperature": 2.0}),
    "top_kl": alternatives("top_kl", {"temperature": 1.0}, {"temperature": 2.0}),
    "score_mse": alternatives("score_mse"),
    "rank_softmax": alternatives("rank_softmax", {"top": 80, "temperature": 20.0}),
    "rd": alternatives("rd", hard=(0.3, 0.7)),
    "cd": alternatives("cd"),
    "rrd": alternatives("rrd"),
    "ir_rrd": alternatives("ir_rrd"),
    "dcd": alternatives("dcd", hard=(0.3, 0.7)),
    "unkd": alternatives("unkd"),
    "hetcomp": alternatives("hetcomp"),
    "rce_kd": alternatives("rce_kd"),
    "de": beside("de"),
    "ftd": beside("ftd"),
    "htd": beside("htd"),
    "relation": beside("relation"),
    "feature_matching": beside("feature_matching"),
    "adversarial": beside("adversarial"),
}
RECIPE = Setting(
    "kdrec's recipe", {"rank_softmax": {"top": 80, "temperature": 20.0}}, 0.3, hidden=512, epochs=50,
    learning_rate=0.005, initialise="item_svd", initialise_options=ALS, sampled=6.0, sampled_a_row=1.0,
    hidden_share=(0.05, 0.95), whole_share=0.3,
)  # fmt: skip
WIDTHS = {10: 0.01, 20: 0.007, 64: 0.005}  # and their learning rates


def main() -> None:
    given = arguments(__doc__, "citeulike-t/td_loo_fullrank")
    split = citeulike(given.data_dir)
    recipes = [[replace(RECIPE, embedding_dim=width, learning_rate=rate)] for width, rate in WIDTHS.items()]
    if given.only != "tags":
        benchmark = Benchmark("citeulike", split, built_ensemble(TEACHER), TEACHER, METRICS, given.work)
        benchmark.report(METHODS, recipes, PUBLISHED, given)
    if given.only in (None, "tags"):
        tagged = Benchmark("citeulike_tags", split, built_ensemble(TAGGED), TAGGED, METRICS, given.work)
        tagged.report({}, [recipes[1]], [], given)


if __name__ == "__main__":
    main()
