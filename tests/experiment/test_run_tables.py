"""Runs whose students keep their items in fewer bytes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_log import ITEMS
from typer.testing import CliRunner

from kdrec.cli import app
from kdrec.config import Config
from kdrec.errors import DataError, UnknownNameError
from kdrec.preflight import check_names

WIDTH = 8  # of the small run


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_a_table_from_the_start(ran: Any, tmp_path: Path) -> None:
    arguments = ["run", "--config", str(ran.out / "config.json"), "--table", "quotient_remainder", "--sparsity", "0"]
    arguments += ["--table-option", "rows=7", "--target", "android", "--out", str(tmp_path), "--work", str(ran.work)]
    done = CliRunner().invoke(app, [*arguments, "--json", "--quiet"], catch_exceptions=False)
    report = json.loads(done.stdout)
    assert [stage["name"] for stage in report["stages"] if stage["cached"]] == ["data", "teacher", "teacher_cache"]
    rows = {row["name"]: row for row in report["rows"]}
    file, full = rows["int8_android"], ran.rows()["int8_android"]
    assert file["table_bytes"] == (7 + 1 + 9) * WIDTH  # 9 quotients of 7, and the one of padding
    assert full["table_bytes"] - file["table_bytes"] == (ITEMS + 1 - 17) * WIDTH
    assert abs(file["auc"] - rows["student_distilled"]["auc"]) < 0.02
    assert json.loads((tmp_path / "config.json").read_text())["table_options"] == {"rows": 7}


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_a_table_that_is_fitted_to_the_distilled_one(ran: Any, again: Callable[..., Any]) -> None:
    other = again(table="codebooks", table_options={"books": 4, "pieces": 16}, table_epochs=1, targets=("android",))
    assert other.cached == ["data", "teacher", "teacher_cache", "student", "student_distilled"]  # as of the full one
    rows = other.rows()
    assert list(rows)[-3:] == ["small_table", "pruned", "int8_android"]
    assert rows["student_distilled"] == ran.rows()["student_distilled"]
    assert rows["int8_android"]["table_bytes"] == (ITEMS + 1) * 4 + 16 * WIDTH
    assert abs(rows["small_table"]["auc"] - rows["student_distilled"]["auc"]) < 0.05
    assert len(other.report["curves"]["small_table"]) == 1
    assert 0.45 < rows["pruned"]["sparsity"] < 0.55


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"table_epochs": 2}, DataError, "table_epochs=2 has no effect: table 'full' replaces no other; leave it out"),
        ({"table": "hashing", "recipe": "int4_table"}, DataError, "table must be 'full' for recipe 'int4_table', not"),
        ({"table": "hashing", "table_options": {"rows": "x"}}, DataError, "table_options rows of 'hashing' must be"),
        (
            {"table": "hashing", "unit_rows": True},
            DataError,
            "table must be 'full' for unit_rows, not 'hashing', whose",
        ),
        ({"clusters": 8, "unit_rows": True}, DataError, "clusters must be left out for unit_rows, not 8: equal values"),
        ({"table": "bloom"}, UnknownNameError, "tables has no 'bloom'; it has adaptive, codebooks, full, hashing"),
    ],
)
def test_what_cannot_be_is_refused_before_training(options: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        check_names(replace(Config(targets=("android",)), **options))
