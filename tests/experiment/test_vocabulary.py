"""Items that keep a row: which they are, what a run makes of them, and what its files know."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_log import ITEMS, small

from kdrec import forms, steps, vocabulary
from kdrec.bundle import golden
from kdrec.bundle.read import open_bundle
from kdrec.config import Config
from kdrec.data.kept_items import KeptItems
from kdrec.data.splits import Split
from kdrec.distill.rows import rows_of
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.evaluate_model import open_model
from kdrec.evaluation.ranking import evaluate
from kdrec.forms import Form
from kdrec.load import load
from kdrec.runtime.judge import judge
from kdrec.runtime.recommender import Recommender
from kdrec.stages import Stage

TARGETS = ("android", "coral_edgetpu", "micro")
KEPT = 40


@pytest.fixture(scope="module")
def split(log_folder: Path) -> Split:
    return load(small(log_folder))[0]


@pytest.fixture(scope="module")
def bucket(eagerly_in_module: None, ran: Any, start: Callable[..., Any], tmp_path_factory: Any) -> Any:
    """The small log on all targets, rare items sharing a row; everything up to the distilled student is there."""
    config = replace(ran.config, vocabulary=KEPT, rare_items="bucket", vocabulary_epochs=1)
    return start(config, tmp_path_factory.mktemp("bucket") / "out", ran.work)


def rarest(split: Split) -> np.ndarray:
    """(ITEMS,) bool: not among the most popular of training, of equal ones the lower positions."""
    counts = split.train.item_counts().tolist()
    best = sorted(range(ITEMS), key=lambda item: (-counts[item], item))[:KEPT]
    return ~np.isin(np.arange(ITEMS), best)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_the_file_knows_the_kept_items_and_one_token_more(bucket: Any, split: Split, target: str) -> None:
    bundle, rare = open_bundle(bucket.out / target), rarest(split)
    assert list(bundle.items.ids) == split.train.item_ids[~rare].tolist()
    assert list(bundle.items.rare) == split.train.item_ids[rare].tolist()
    assert (bundle.manifest.data.n_items, bundle.manifest.data.log_items) == (KEPT, ITEMS)
    assert bundle.manifest.history.rare == KEPT + 1
    scorer = judge(bundle.manifest, bundle.files)
    tokens = np.zeros((3, scorer.length), np.int32)
    tokens[1:, -1] = KEPT, KEPT + 1
    scores = scorer({"history": tokens, "daypart": np.zeros(3, np.int32)})
    assert scores.shape == (3, KEPT) and not np.allclose(scores[0], scores[2]) and not np.allclose(scores[1], scores[2])
    assert golden.replay(bundle.files["golden.json"], scorer.answers) == []


@pytest.mark.slow
def test_no_rare_item_is_recommended_and_all_of_them_are_read_alike(bucket: Any, split: Split) -> None:
    recommender, rare = Recommender.load(bucket.out / "android"), rarest(split)
    known, shared = split.train.item_ids[~rare].tolist(), split.train.item_ids[rare].tolist()
    every = recommender.recommend([known[0]], k=KEPT - 1)
    assert sorted(every.items) == sorted(known[1:])
    one, other = (recommender.recommend([known[0], item], k=5) for item in shared[:2])
    assert one == other and one.unknown == () and one.scores != every.scores[:5]
    alone = recommender.recommend(shared[:1], k=KEPT)
    assert not alone.fallback and len(set(alone.items)) == KEPT
    assert recommender.recommend(["?"], k=5).items == tuple(known[at] for at in recommender.bundle.items.popular[:5])


@pytest.mark.slow
def test_the_report_judges_head_and_tail_apart(bucket: Any, split: Split) -> None:
    rare, rows = rarest(split), bucket.rows()
    assert [stage["name"] for stage in bucket.report["stages"] if not stage["cached"]] == [
        "cut", "pruned", "export", "devices", "evaluate",
    ]  # fmt: skip
    tail = rare[split.test.items].mean()
    assert bucket.report["vocabulary"] == {"items": ITEMS, "kept": KEPT, "tail_share": pytest.approx(tail)}
    assert 0 < tail < 1
    for name in ("cut", "pruned", *(f"int8_{target}" for target in TARGETS)):
        row = rows[name]
        assert row["ndcg@10_tail"] == row["recall@10_tail"] == 0 < row["ndcg@10_head"]
        # one held-out item a user: the mean over all users is that of both ends
        assert row["ndcg@10"] == pytest.approx((1 - tail) * row["ndcg@10_head"])
    assert rows["teacher"]["ndcg@10_tail"] > 0
    assert "Head and tail of the catalogue" in (bucket.out / "report.html").read_text()
    android = rows["int8_android"]
    assert android["saved_bytes"] == round(android["table_bytes"] * (ITEMS - KEPT) / KEPT)
    assert android["table_bytes"] == 8 * (KEPT + 2)  # rows of eight bytes, of padding and of the rare items too


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_judging_the_bundle_again_gives_the_row(bucket: Any, split: Split, target: str) -> None:
    opened = open_model(str(bucket.out / target), split)
    found = evaluate(opened.scorer, split, history_length=opened.history_length)
    assert opened.unknown_items == ITEMS - KEPT
    assert found.metrics["ndcg@10"] == bucket.rows()[f"int8_{target}"]["ndcg@10"]


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_the_file_says_of_kept_items_what_the_cut_student_says(
    log_folder: Path, split: Split, tied: bool, shared: bool
) -> None:
    config = small(log_folder, tied=tied, encoder="conv")
    kept = KeptItems.best(np.random.default_rng(0).random(ITEMS), KEPT, shared)
    student = forms.build_student(config, split, kept)
    rng = np.random.default_rng(1)
    student.set_weights([rng.normal(size=weight.shape) for weight in student.get_weights()])
    held = forms.student_of_file(student, config, split, kept)
    length = student.get_layer("history").input_shape[0][1]
    tokens = rng.integers(0, ITEMS + 1, (30, length))
    daypart = np.zeros(30, np.int32)
    expected = student({"history": tokens, "daypart": daypart}).numpy()
    scores = held({"history": kept.read(tokens), "daypart": daypart}).numpy()
    assert np.allclose(scores, expected[:, kept.positions], rtol=1e-4, atol=1e-4)
    assert held.get_layer("item_table").table.shape[0] == KEPT + 1 + shared


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly_in_module")
def test_dropped_items_are_in_no_file(ran: Any, again: Callable[..., Any], split: Split) -> None:
    done = again(vocabulary=KEPT, vocabulary_epochs=1, sparsity=0.0, targets=("android",))
    bundle, rare = open_bundle(done.out / "android"), rarest(split)
    assert (bundle.items.rare, bundle.manifest.history.rare) == ((), None)
    assert done.rows()["int8_android"]["table_bytes"] == 8 * (KEPT + 1)
    dropped, known = split.train.item_ids[rare][0], bundle.items.ids[3]
    recommender = Recommender.load(done.out / "android")
    found = recommender.recommend([known, dropped], k=5)
    assert found.unknown == (dropped,) and found.items == recommender.recommend([known], k=5).items
    assert recommender.recommend([dropped], k=5).fallback
    document = json.loads(bundle.files["items.json"])
    assert set(document) == {"ids", "popular", "titles"}


@pytest.mark.parametrize("stored", ["scores", "top list", "embeddings"])
def test_what_a_teacher_recommends_is_summed_over_users(split: Split, tmp_path: Path, stored: str) -> None:
    """Scores of each user's whole history, without what it holds, as shares of one."""
    rng = np.random.default_rng(0)
    queries, items = rng.normal(size=(split.train.n_users, 3)), rng.normal(size=(ITEMS, 3))

    class Teacher:
        provides = frozenset({"user_embedding", "item_embedding"})
        item_embedding = items.astype(np.float32)

        def __call__(self, x: dict[str, np.ndarray]) -> np.ndarray:
            return self.user_embedding(x) @ items.T

        def user_embedding(self, x: dict[str, np.ndarray]) -> np.ndarray:
            return queries[x["user"]]

    rows = rows_of(split, 3)
    needs = {"scores": {"scores"}, "top list": {"top_items", "top_scores"},
             "embeddings": {"user_embedding", "item_embedding"}}[stored]  # fmt: skip
    cache = TeacherCache.write(
        tmp_path / "cache", Teacher(), rows.interactions, rows.users, rows.cuts, needs=needs, top=5
    )
    expected = np.zeros(ITEMS)
    for user in np.unique(split.train.users):
        scores = queries[user] @ items.T
        scores[split.train.items[split.train.users == user]] = -np.inf
        if stored == "top list":
            scores[scores < np.sort(scores)[-5]] = -np.inf
        expected += np.exp(scores) / np.exp(scores).sum()
    assert np.allclose(vocabulary.recommended(cache, rows), expected, rtol=1e-2)
    config = Config(vocabulary=KEPT, vocabulary_by="teacher", cuts_per_user=3)
    kept = vocabulary.kept_items(split, cache, None, config)
    worth = vocabulary.recommended(cache, rows)
    assert worth[kept.is_kept].min() >= worth[~kept.is_kept].max()
    config = Config(rare_below=float(np.median(worth)), vocabulary_by="teacher", cuts_per_user=3)
    for caches in (cache, [cache, cache]):  # of several teachers the mean counts
        kept = vocabulary.kept_items(split, caches, None, config)
        assert kept.is_kept.tolist() == (worth >= np.median(worth)).tolist()


@pytest.mark.parametrize("rare_items", ["drop", "bucket"])
def test_items_below_a_popularity_lose_their_row(split: Split, rare_items: str) -> None:
    counts = split.train.item_counts()
    least = float(np.sort(counts)[ITEMS // 2])
    kept = vocabulary.kept_items(split, None, None, Config(rare_below=least, rare_items=rare_items))
    assert kept.is_kept.tolist() == (counts >= least).tolist() and kept.bucket == (rare_items == "bucket")
    assert 0 < kept.n_kept < ITEMS


def test_a_student_is_built_as_its_stage_left_it(log_folder: Path, split: Split, tmp_path: Path) -> None:
    config, kept = small(log_folder), KeptItems(np.arange(KEPT), ITEMS, bucket=True)
    student = forms.build_student(config, split, kept)
    student.set_weights([weight + 1 for weight in student.get_weights()])
    forms.save(tmp_path, student, [])
    again = steps.student_of(Form(Stage("cut", "key", tmp_path, 0.0, 0, cached=True), config, kept), split)
    for one, other in zip(student.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
