"""A configuration refuses values that no run can have, and a file that is none."""

from typing import Any

import pytest

from kdrec.config import AT_LEAST_ONE, AT_LEAST_ZERO, Config
from kdrec.errors import DataError


@pytest.mark.parametrize("name", AT_LEAST_ONE)
def test_counts_are_at_least_one(name: str) -> None:
    with pytest.raises(DataError, match=f"{name} must be at least 1, not 0"):
        Config(**{name: 0})


@pytest.mark.parametrize("name", AT_LEAST_ZERO)
def test_what_may_be_left_out_is_at_least_zero(name: str) -> None:
    with pytest.raises(DataError, match=f"{name} must be at least 0, not -1; 0 leaves it out"):
        Config(**{name: -1})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be above 0, not 0.0"),
        ({"temperature": -1.0}, "temperature must be above 0, not -1.0"),
        ({"sparsity": 1.0}, r"sparsity must lie in \[0, 1\), not 1.0; 0 leaves pruning out"),
        ({"vocabulary_by": "luck"}, "vocabulary_by must be popularity or teacher, not 'luck'"),
        ({"rare_items": "keep"}, "rare_items must be drop or bucket, not 'keep'"),
        ({"student_loss_weight": 1.5}, r"student_loss_weight must lie in \[0, 1\], not 1.5"),
        ({"loss_weights": (1.0, 2.0)}, r"loss_weights must have one value a loss \(1\), not 2"),
        ({"targets": ()}, "targets must name at least one and none twice, not nothing"),
        ({"targets": ("micro", "micro")}, "targets must name at least one and none twice, not micro, micro"),
        (
            {"teacher": "ease, als", "teacher_weights": (1.0,)},
            r"teacher_weights must have one value a teacher \(2\), not 1",
        ),
        (
            {"teacher": "ease", "teacher_weights": (1.0,)},
            "teacher_weights need several teachers, not 'ease'; name them",
        ),
        (
            {"teacher": "ease,als", "teacher_weights": (1.0, -0.5)},
            r"teacher_weights must each be at least 0, not \(1.0, -0.5\)",
        ),
        ({"assistants": (64, 0)}, r"assistants must each be at least 1 wide, not \(64, 0\)"),
        ({"assistants": (64, 64)}, "assistants must name none twice, not 64, 64"),
        (
            {"student_loss_weight": "steep:1:0"},
            "student_loss_weight must be a number or a schedule, not 'steep:1:0': schedules has no 'steep'; it has",
        ),
        (
            {"temperature": "linear:4"},
            "temperature must be a number or a schedule, not 'linear:4': schedule 'linear:4' must be written",
        ),
        (
            {"loss_weights": ("much",)},
            "loss_weights must be a number or a schedule, not 'much': schedules has no 'much'",
        ),
        ({"losses": ("score_mse", "score_mse")}, "losses must name at least one and none twice"),
    ],
)
def test_values_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Config(**options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"epochs": 3', "config must be JSON as `kdrec run` writes it: Expecting"),
        ("[1, 2]", r"config must be a JSON object of options as `kdrec run` writes it, not \[1, 2\]"),
        ('{"epoch": 3}', "config has no option 'epoch'; it has assistants, batch_size"),
    ],
)
def test_what_is_no_configuration_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Config.from_json(text)


def test_a_configuration_survives_its_file() -> None:
    config = Config(targets=("micro",), loss_weights=(0.5,), teacher_options={"l2": 3.0}, history_length=7)
    assert Config.from_json(config.to_json()) == config
    config = Config(assistants=(64, 8), loss_options={"top": 3}, student_loss_weight="cosine:0.6:0", fusion=True)
    assert Config.from_json(config.to_json()) == config


def test_texts_of_numbers_and_schedules_are_kept_in_one_way() -> None:
    config = Config(student_loss_weight="0.50", temperature="linear:4:1", loss_weights=("warm-up:2",))
    assert config == Config(student_loss_weight=0.5, temperature="linear:4.0:1.0", loss_weights=("warm_up:2.0",))


def test_teachers_are_named_once_each() -> None:
    assert Config(teacher="ease, als,ease").teachers == ("ease", "als")
