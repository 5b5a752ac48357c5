import dataclasses

import numpy as np
import pandas as pd
import pytest

from kdrec.data.features import Categorical, FeatureTable, Numeric, Title
from kdrec.data.interactions import Interactions, joined
from kdrec.errors import DataError


def small(**changes) -> Interactions:
    """3 users, 4 items, 5 pairs; user 11 and item 23 have none."""
    fields = {
        "users": [2, 0, 2, 0, 2],
        "items": [0, 1, 2, 0, 1],
        "user_ids": [10, 11, 12],
        "item_ids": [20, 21, 22, 23],
        "times": [50, 40, 30, 40, 10],
    }
    return Interactions(**fields | changes)


def rich() -> Interactions:
    return small(
        ratings=[1, 2, 3, 4, 5],
        weights=[1, 2, 3, 4, 5],
        context={"daypart": Categorical([0, 1, 0, -1, 1], ["day", "night"])},
        user_features=FeatureTable({"age": Numeric([30, 31, 32])}),
        item_features=FeatureTable({"name": Title(["t0", "t1", "t2", "t3"])}),
    )


def test_pairs_are_sorted_by_user_then_time_and_ties_keep_their_order():
    log = rich()
    assert log.users.tolist() == [0, 0, 2, 2, 2]
    assert log.times.tolist() == [40, 40, 10, 30, 50]
    assert log.items.tolist() == [1, 0, 1, 2, 0]
    assert log.ratings.tolist() == log.weights.tolist() == [2, 4, 5, 3, 1]
    assert log.context["daypart"].codes.tolist() == [1, -1, 1, 0, 0]
    assert log.indptr.tolist() == [0, 2, 2, 5]


def test_without_times_a_user_keeps_the_order_of_the_log():
    assert small(times=None).items.tolist() == [1, 0, 0, 2, 1]


def test_types():
    log = rich()
    assert (log.users.dtype, log.items.dtype, log.indptr.dtype) == (np.int32, np.int32, np.int64)
    assert (log.times.dtype, small(times=[0.5, 1, 2, 3, 4]).times.dtype) == (np.int64, np.float64)
    assert (log.ratings.dtype, log.weights.dtype) == (np.float32, np.float32)


def test_frozen():
    log = small()
    with pytest.raises(dataclasses.FrozenInstanceError):
        log.users = None
    with pytest.raises(ValueError, match="read-only"):
        log.users[0] = 1


def test_the_callers_arrays_stay_writable():
    users = np.array([0, 0], dtype=np.int32)
    Interactions(users, [0, 1], [10], [20, 21])
    users[0] = 0


def test_counts_titles_and_sizes():
    log = rich()
    assert (len(log), log.n_users, log.n_items) == (5, 3, 4)
    assert log.item_counts().tolist() == [2, 2, 1, 0]
    assert log.titles() == ["t0", "t1", "t2", "t3"]
    assert small().titles() == ["20", "21", "22", "23"]


def test_select_keeps_vocabularies_and_takes_everything_along():
    log = rich()
    left = log.select(log.items == 0)
    assert (left.users.tolist(), left.times.tolist(), left.ratings.tolist()) == ([0, 2], [40, 50], [4, 1])
    assert left.context["daypart"].codes.tolist() == [-1, 0]
    assert left.item_ids is log.item_ids and left.n_users == 3
    assert left.select([1]).users.tolist() == [2]


def test_compact_drops_ids_without_a_pair_and_their_features():
    left = rich().compact()
    assert (left.user_ids.tolist(), left.item_ids.tolist()) == ([10, 12], [20, 21, 22])
    assert (left.users.tolist(), left.items.tolist()) == ([0, 0, 1, 1, 1], [1, 0, 1, 2, 0])
    assert left.user_features["age"].values.tolist() == [30, 32]
    assert left.titles() == ["t0", "t1", "t2"]
    assert left.compact() is left


def test_joined_holds_the_pairs_of_both_in_time():
    log = rich()
    both = joined(log.select(log.times <= 30), log.select(log.times > 30))
    assert both.fingerprint() == log.fingerprint()
    assert joined(log, log.select(log.times < 0)) is log


def test_fingerprint_follows_every_content():
    log = rich()
    assert log.fingerprint() == rich().fingerprint()
    others = [
        dataclasses.replace(log, **change).fingerprint()
        for change in (
            {"items": log.items[::-1]},
            {"times": log.times + 1},
            {"times": log.times.astype(float)},
            {"ratings": None},
            {"weights": None},
            {"context": {}},
            {"context": {"part": log.context["daypart"]}},
            {"item_ids": [20, 21, 22, 24]},
            {"item_ids": ["20", "21", "22", "23"]},
            {"user_features": None},
            {"item_features": FeatureTable({"name": Title(["t0", "t1", "t2", "t"])})},
        )
    ]
    assert len({log.fingerprint(), *others}) == 12


def test_summary_counts_by_hand():
    assert str(rich()).splitlines() == [
        "5 pairs of 3 users and 4 items (density 41.667%)",
        "pairs a user: median 2, from 0 to 3",
        "times: 1970-01-01 to 1970-01-01",
        "ratings: 1 to 5",
        "weights: 1 to 5",
        "context: daypart (2 categories)",
        "user features: age (numeric)",
        "item features: name (title)",
    ]
    assert repr(small()) == "<Interactions: 5 pairs of 3 users and 4 items>"


def test_empty_log_is_allowed_as_a_part():
    log = small().select(np.zeros(5, dtype=bool))
    assert (len(log), log.indptr.tolist(), log.compact().n_items) == (0, [0, 0, 0, 0], 0)
    assert "0 pairs of 3 users" in log.summary()


def test_with_features_keeps_what_is_not_given():
    log = rich().with_features(items=FeatureTable({"title": Title("abcd")}))
    assert (log.titles(), list(log.user_features)) == (["a", "b", "c", "d"], ["age"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"users": [0, 0, 0, 0, 3]}, "users must be one row of 0 to 2, not 0 to 3; they index the vocabulary"),
        ({"items": [-1, 0, 0, 0, 0]}, "items must be one row of 0 to 3, not -1 to 0"),
        ({"items": [0, 1]}, r"equally long, not \{'users': \(5,\), 'items': \(2,\), 'times': \(5,\)\}"),
        ({"times": [1, 2, 3, 4, np.nan]}, r"times must be seconds since 1970, .*, not nan \(pair 4\); repair or drop"),
        ({"times": [1, -2, 3, 4, 5]}, r"times must be seconds since 1970, .*, not -2 \(pair 1\)"),
        ({"times": [1, 2, 3, 4, np.inf]}, r"times must be .* finite and not negative, not inf \(pair 4\)"),
        ({"weights": [1, 0, 1, 1, 1]}, r"weights must be finite and positive, not 0.0 \(pair 1\)"),
        ({"weights": [1, 1, np.nan, 1, 1]}, r"weights must be finite and positive, not nan \(pair 2\)"),
        ({"ratings": [1, 1, np.nan, 1, 1]}, "ratings must be finite"),
        ({"user_ids": [10, 10, 11]}, "user_ids must be distinct; .*10.* occurs twice"),
        ({"item_ids": [1.5, 2, 3, 4]}, "item_ids must be integers or strings, not 1.5"),
        (
            {"item_features": FeatureTable({"age": Numeric([1])})},
            "item_features must have one row for each of the 4 item_ids, not 1",
        ),
    ],
)
def test_wrong_content_is_refused(changes, message):
    with pytest.raises(DataError, match=message):
        small(**changes)


def test_from_frame_keeps_every_column():
    frame = pd.DataFrame(
        {
            "who": ["bob", "ann", "bob"],
            "what": [7, 3, 3],
            "when": pd.to_datetime(["1970-01-02T00:00:00", "1970-01-01T00:00:05", "1970-01-01T00:00:00"]),
            "stars": [5, 4, 3],
            "trust": [1.0, 0.5, 2.0],
            "part": ["day", None, "night"],
        }
    )
    log = Interactions.from_frame(frame, "who", "what", "when", "stars", "trust", ["part"])
    assert (log.user_ids.tolist(), log.item_ids.tolist()) == (["ann", "bob"], [3, 7])
    assert (log.users.tolist(), log.items.tolist()) == ([0, 1, 1], [0, 0, 1])
    assert (log.times.tolist(), log.times.dtype) == ([5, 0, 86400], np.int64)
    assert (log.ratings.tolist(), log.weights.tolist()) == ([4, 3, 5], [0.5, 2, 1])
    assert log.context["part"].codes.tolist() == [-1, 1, 0]


def test_from_frame_without_a_column_lists_those_there_are():
    frame = pd.DataFrame({"a": [1], "b": [2]})
    with pytest.raises(DataError, match="user_column='u' is not a column of the frame; it has a, b"):
        Interactions.from_frame(frame, "u", "b")
    with pytest.raises(DataError, match="user_column must be given for the frame; its columns are a, b"):
        Interactions.from_frame(frame)


def test_from_empty_frame_is_refused():
    with pytest.raises(DataError, match="the frame has columns and no rows"):
        Interactions.from_frame(pd.DataFrame({"user": [], "item": []}))
