"""A log without times goes through as sets, split at random."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_log import small

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("eagerly")]


def test_a_log_without_times_goes_through(log_folder: Path, start: Callable[..., Any], tmp_path: Path) -> None:
    config = small(
        log_folder, time_column=None, context_columns=(), epochs=1, sparsity=0.0, targets=("micro",), cuts_per_user=None
    )
    run = start(config, tmp_path / "out", tmp_path / "work")
    assert run.report["split"]["method"] == "random_per_user" and not run.report["split"]["ordered"]
    assert [row["name"] for row in run.report["rows"]][-1] == "int8_micro"
    assert {sample["target"] for sample in run.report["samples"]} == {"micro"}
    assert 0.5 < run.rows()["teacher"]["auc"] <= 1
    assert 0 < abs(run.rows()["int8_micro"]["auc"] - run.rows()["student_distilled"]["auc"]) < 0.01
