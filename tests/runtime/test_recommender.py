"""Recommendations against the formula: never short, never wrong, in the order score, then position."""

import shutil
import time
from dataclasses import replace

import numpy as np
import pytest
import tiny_models
from tiny_models import LENGTH, N_ITEMS, K, expected

from kdrec.bundle import open_bundle
from kdrec.errors import BundleError, DataError, RuntimeFileError
from kdrec.runtime import Recommender
from kdrec.runtime.order import best


@pytest.fixture(scope="module")
def recommender(android_bundle) -> Recommender:
    return Recommender.load(android_bundle)


def oracle(history: list[int], barred: set[int], k: int, daypart: int = 0) -> list[str]:
    """Ids of the k best, by sorting everything; history holds positions."""
    scores = expected([position + 1 for position in history[-LENGTH:]], daypart)
    order = sorted((position for position in range(N_ITEMS) if position not in barred), key=lambda p: (-scores[p], p))
    return [f"i{position}" for position in order[:k]]


@pytest.mark.parametrize("k", [1, 3, K - 2, K, N_ITEMS - 2])
def test_the_best_unseen_items(recommender, k: int) -> None:
    found = recommender.recommend(["i4", "i1"], k=k)
    assert list(found.items) == oracle([4, 1], {4, 1}, k)
    assert found.titles == tuple(f"Item {item[1:]}" for item in found.items)
    assert not found.fallback and found.unknown == ()


def test_scores_are_those_of_the_formula(recommender) -> None:
    found = recommender.recommend(["i4", "i1"], k=3)
    scores = expected([5, 2])
    assert found.scores == pytest.approx([scores[int(item[1:])] for item in found.items], rel=1e-5)


def test_exclusions_that_empty_the_top_k_of_the_file(recommender) -> None:
    barred = oracle([4], {4}, K)
    found = recommender.recommend(["i4"], k=4, exclude=barred)
    assert list(found.items) == oracle([4], {4, *(int(item[1:]) for item in barred)}, 4)


def test_random_requests_agree_with_sorting_everything(recommender) -> None:
    rng = np.random.default_rng(3)
    for _ in range(60):
        history = rng.choice(N_ITEMS, rng.integers(1, 9), replace=False).tolist()
        barred = rng.choice(N_ITEMS, rng.integers(0, 4), replace=False).tolist()
        left = N_ITEMS - len({*history, *barred})
        if left == 0:
            continue
        k = int(rng.integers(1, left + 1))
        found = recommender.recommend([f"i{n}" for n in history], k=k, exclude=[f"i{n}" for n in barred])
        assert list(found.items) == oracle(history, {*history, *barred}, k)


def test_a_long_history_is_read_from_its_end_and_excluded_whole(recommender) -> None:
    history = [0, 1, 2, 3, 4, 5, 6]
    found = recommender.recommend([f"i{n}" for n in history], k=5)
    assert list(found.items) == oracle(history, set(history), 5)


def test_history_may_be_recommended_when_asked(recommender) -> None:
    found = recommender.recommend(["i4"], k=N_ITEMS, exclude_history=False)
    assert list(found.items) == oracle([4], set(), N_ITEMS)


def test_candidates_restrict_the_list(recommender) -> None:
    found = recommender.recommend(["i4"], k=2, candidates=["i0", "i9", "i4", "i11"])
    assert list(found.items) == oracle([4], set(range(N_ITEMS)) - {0, 9, 11}, 2)


def test_unknown_ids_are_skipped_and_reported(recommender) -> None:
    found = recommender.recommend(["new", "i4", "new", 3], k=2, exclude=["odd"], candidates=[*("i0", "i1", "i2"), "x"])
    assert found.unknown == ("new", 3, "odd", "x")
    assert list(found.items) == oracle([4], set(range(N_ITEMS)) - {0, 1, 2}, 2)


@pytest.mark.parametrize("history", [[], ["new"]])
def test_without_a_known_item_the_most_popular_are_listed(recommender, history) -> None:
    found = recommender.recommend(history, k=5, exclude=["i2"])
    assert found.fallback
    assert found.items == ("i7", "i5", "i0", "i1", "i3")  # popular 7, 2, 5, then positions
    assert found.scores == (0.0,) * 5


def test_equal_scores_keep_the_order_of_positions(recommender) -> None:
    """Items 3 and 8 have equal rows."""
    listed = recommender.recommend(["i0"], k=N_ITEMS - 1).items
    assert listed.index("i8") == listed.index("i3") + 1


def test_similar_items_are_the_best_for_a_history_of_one(recommender) -> None:
    found = recommender.similar_items("i4", k=3)
    assert list(found.items) == oracle([4], {4}, 3)
    with pytest.raises(DataError, match="item 'i99' is not among the 12 of the catalogue; give a known id"):
        recommender.similar_items("i99")


def test_k_has_bounds(recommender) -> None:
    message = "k must be at most 11, the items that may be listed of a catalogue of 12, received 12; ask for fewer"
    with pytest.raises(DataError, match=message):
        recommender.recommend(["i4"], k=12)
    with pytest.raises(DataError, match="k must be at most 0, .* received 10"):
        recommender.recommend(["i4"], candidates=["no such item"])
    with pytest.raises(DataError, match="k must be an integer of at least 1, received 0; 10 is usual"):
        recommender.recommend(["i4"], k=0)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ("i4", "history must be a list of item ids, received 'i4'; put ids into a list"),
        (None, "history must be a list of item ids, received None"),
        ([["i4"]], r"history must hold item ids, integers or strings, received \['i4'\]; give ids"),
    ],
)
def test_a_history_that_is_no_list_of_ids(recommender, history, message: str) -> None:
    with pytest.raises(DataError, match=message):
        recommender.recommend(history)


def test_context_moves_the_scores(context_bundle) -> None:
    recommender = Recommender.load(context_bundle)
    for value, token in (("evening", 1), ("morning", 2)):
        found = recommender.recommend(["i4"], k=4, context={"daypart": value})
        assert list(found.items) == oracle([4], {4}, 4, daypart=token)
    assert oracle([4], {4}, 4, daypart=1) != oracle([4], {4}, 4, daypart=2)


def test_unknown_context_values_are_reported_and_names_refused(context_bundle, recommender) -> None:
    found = Recommender.load(context_bundle).recommend(["i4"], k=4, context={"daypart": "noon"})
    assert found.unknown_context == ("daypart",)
    assert list(found.items) == oracle([4], {4}, 4)
    with pytest.raises(DataError, match="context has no 'city', the model takes daypart; leave 'city' out"):
        Recommender.load(context_bundle).recommend(["i4"], context={"city": "Bern"})
    with pytest.raises(DataError, match="context has no 'city', the model takes none"):
        recommender.recommend(["i4"], context={"city": "Bern"})


def test_the_scorer_takes_rows_of_any_width(recommender) -> None:
    rows = tiny_models.histories(7)
    wide = np.hstack([np.zeros((7, 3), np.int32), rows])
    scores = recommender.scorer()({"user": np.arange(7), "history": wide})
    assert scores.shape == (7, N_ITEMS) and scores.dtype == np.float32
    np.testing.assert_allclose(scores, [expected(row) for row in rows], rtol=1e-5, atol=1e-5)
    assert recommender.scorer()({"history": rows[:0]}).shape == (0, N_ITEMS)


def test_recommended_is_the_top_of_the_scores(recommender) -> None:
    x = {"history": tiny_models.histories(7)}
    positions, scores = recommender.recommended(x)
    assert positions.shape == scores.shape == (7, K)
    for row, (listed, whole) in enumerate(zip(positions, recommender.scorer()(x), strict=True)):
        assert listed.tolist() == best(whole, np.ones(N_ITEMS, bool), K).tolist()
        np.testing.assert_allclose(scores[row], whole[listed])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ({}, "x must have history, received nothing; add 'history'"),
        ({"history": np.zeros(5, int)}, r"history must be \(rows, length\) tokens, received shape \(5,\)"),
        ({"history": np.array([[0, 13]])}, "history must hold tokens from 0 to 12, received 13; token = position"),
    ],
)
def test_a_scorer_checks_its_input(recommender, x, message: str) -> None:
    with pytest.raises(DataError, match=message):
        recommender.scorer()(x)


def test_a_scorer_checks_context(context_bundle) -> None:
    scorer = Recommender.load(context_bundle).scorer()
    rows = tiny_models.histories(2)
    with pytest.raises(DataError, match="x must have .*daypart.*, received history; add 'daypart'"):
        scorer({"history": rows})
    with pytest.raises(DataError, match=r"daypart must have one token a row, \(2,\), received shape \(3,\)"):
        scorer({"history": rows, "daypart": np.zeros(3, int)})
    for token in (3, -1):
        with pytest.raises(
            DataError, match=f"daypart must hold tokens from 0 to 2, received {token}; token = index of"
        ):
            scorer({"history": rows, "daypart": np.array([0, token])})
    np.testing.assert_allclose(
        scorer({"history": rows, "daypart": np.array([2, 0])}),
        [expected(rows[0], daypart=2), expected(rows[1])],
        rtol=1e-5,
        atol=1e-5,
    )


def test_a_manifest_that_does_not_fit_its_model(android_bundle) -> None:
    bundle = open_bundle(android_bundle)
    longer = replace(bundle.manifest, history=replace(bundle.manifest.history, length=6))
    message = "model.tflite must have the history length that the manifest says, 6, received 5; export the bundle again"
    with pytest.raises(RuntimeFileError, match=message):
        Recommender(replace(bundle, manifest=longer))


def test_an_altered_model_is_not_loaded(android_bundle, tmp_path) -> None:
    folder = shutil.copytree(android_bundle, tmp_path / "copy")
    content = bytearray((folder / "model.tflite").read_bytes())
    content[-1] ^= 1
    (folder / "model.tflite").write_bytes(content)
    with pytest.raises(BundleError, match="model.tflite was altered"):
        Recommender.load(folder)


def test_loading_is_quick(android_bundle) -> None:
    start = time.perf_counter()
    Recommender.load(android_bundle).recommend(["i4"], k=2)
    assert time.perf_counter() - start < 1.0
