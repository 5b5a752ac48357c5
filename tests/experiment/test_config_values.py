"""A configuration refuses values that no run can have, and a file that is none."""

from typing import Any

import pytest

from kdrec.config import AT_LEAST_ONE, Config
from kdrec.errors import DataError


@pytest.mark.parametrize("name", AT_LEAST_ONE)
def test_counts_are_at_least_one(name: str) -> None:
    with pytest.raises(DataError, match=f"{name} must be at least 1, not 0"):
        Config(**{name: 0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be above 0, not 0.0"),
        ({"temperature": -1.0}, "temperature must be above 0, not -1.0"),
        ({"sparsity": 1.0}, r"sparsity must lie in \[0, 1\), not 1.0; 0 leaves pruning out"),
        ({"student_loss_weight": 1.5}, r"student_loss_weight must lie in \[0, 1\], not 1.5"),
        ({"loss_weights": (1.0, 2.0)}, r"loss_weights must have one value a loss \(1\), not 2"),
        ({"targets": ()}, "targets must name at least one and none twice, not nothing"),
        ({"targets": ("micro", "micro")}, "targets must name at least one and none twice, not micro, micro"),
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
        ('{"epoch": 3}', "config has no option 'epoch'; it has batch_size, category_columns"),
    ],
)
def test_what_is_no_configuration_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Config.from_json(text)


def test_a_configuration_survives_its_file() -> None:
    config = Config(targets=("micro",), loss_weights=(0.5,), teacher_options={"l2": 3.0}, history_length=7)
    assert Config.from_json(config.to_json()) == config
