"""The losses that a configuration names, with their options and what they read."""

import numpy as np
import pytest

from kdrec import objectives
from kdrec.config import Config


def test_options_go_to_the_losses_that_have_them() -> None:
    config = Config(
        losses=("rrd", "softened_kl", "rank_softmax"), student_loss="bpr", temperature=2.0, seed=5,
        loss_options={"top": 7, "negatives": 3, "temperature": 6},
    )  # fmt: skip
    rrd, softened_kl, rank_softmax = objectives.soft_losses(config)
    assert (rrd.top, rrd.negatives, rrd.seed) == (7, 3, 5)
    assert softened_kl.get_config()["temperature"] == 2.0  # its temperature is that of the run
    assert (rank_softmax.top, rank_softmax.temperature) == (7, 6)
    hard = objectives.hard_loss(config)
    assert (hard.negatives, hard.seed) == (3, 5)
    assert objectives.options_of(config, "bpr") == {"negatives": 3}
    assert objectives.options_of(config, "softmax") == {}


def test_a_hard_loss_that_asks_for_popularity_is_told() -> None:
    told = objectives.hard_loss(Config(student_loss="sampled_softmax"), np.array([3, 1]))
    assert told.item_counts == [3, 1]
    assert not hasattr(objectives.hard_loss(Config(student_loss="softmax"), np.array([3, 1])), "item_counts")


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ({}, {"scores"}),
        ({"losses": ("rrd", "de")}, {"top_items", "user_embedding", "item_embedding"}),
        ({"losses": ("rrd",), "weighting": "teacher_confidence"}, {"top_items", "scores"}),
        ({"losses": ("hetcomp",), "initialise": "item_svd"}, {"snapshot_items", "item_embedding"}),
        ({"losses": ("ir_rrd",)}, {"top_items", "item_users", "row"}),
        ({"losses": ("de",), "initialise": "teacher_svd"}, {"scores", "user_embedding", "item_embedding"}),
    ],
)
def test_needs_are_those_of_losses_weighting_and_initialiser(options, needed) -> None:
    assert objectives.needs(Config(**options)) == needed


def test_the_longest_list_is_stored() -> None:
    assert objectives.stored_top(Config()) == 200
    assert objectives.stored_top(Config(losses=("rrd", "top_kl"), loss_options={"top": 350})) == 350


def test_pruning_goes_on_where_schedules_end() -> None:
    config = Config(
        temperature="linear:4:1", student_loss_weight="cosine:0.6:0", loss_weights=("warm_up:2",),
        teacher="als,ease", teacher_weights=(0.5, "linear:1:0.25"),
    )  # fmt: skip
    ended = objectives.at_the_end(config)
    assert (ended.temperature, ended.loss_weights, ended.teacher_weights) == (1.0, (2.0,), (0.5, 0.25))
    assert ended.student_loss_weight == pytest.approx(0.0, abs=1e-6)
    assert objectives.at_the_end(Config()) == Config()
