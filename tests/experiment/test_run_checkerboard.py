"""The checkerboard: user u likes items of u's parity, item u withheld; the only right answer for u is item u."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kdrec.config import Config
from kdrec.data.histories import pad_histories
from kdrec.data.sets.lightgcn import lightgcn

pytestmark = pytest.mark.slow

SIZE = 16
FILES = ("int8_android", "int8_coral_edgetpu", "int8_micro")


def write_checkerboard(folder: Path) -> None:
    """The log as published folders are: `train.txt` and `test.txt`, and no part to validate on."""
    likes = {user: [item for item in range(SIZE) if (user + item) % 2 == 0] for user in range(SIZE)}
    for name, pairs in (
        ("train.txt", {user: [item for item in items if item != user] for user, items in likes.items()}),
        ("test.txt", {user: [user] for user in likes}),
    ):
        (folder / name).write_text("".join(f"{user} {' '.join(map(str, items))}\n" for user, items in pairs.items()))


@pytest.fixture(scope="module")
def solved(start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("checkerboard")
    write_checkerboard(place)
    config = Config(
        data="lightgcn", data_dir=str(place), teacher="ease", teacher_options={"l2": 1.0}, embedding_dim=8, hidden=16,
        epochs=30, prune_epochs=10, batch_size=8, learning_rate=0.03, k=1,
    )  # fmt: skip
    return start(config, place / "out", place / "work")


def test_the_log_is_a_checkerboard(tmp_path: Path) -> None:
    write_checkerboard(tmp_path)
    split = lightgcn(tmp_path)
    assert (split.method, split.ordered, len(split.valid)) == ("given", False, 0)
    likes = np.zeros((SIZE, SIZE), int)
    np.add.at(likes, (split.train.users, split.train.items), 1)
    parity = np.add.outer(np.arange(SIZE), np.arange(SIZE)) % 2 == 0
    assert np.array_equal(likes, parity & ~np.eye(SIZE, dtype=bool))
    assert np.array_equal(pad_histories(split.test, np.arange(SIZE))[:, 0], np.arange(SIZE) + 1)


@pytest.mark.parametrize("form", ["teacher", "student", "student_distilled", "pruned", *FILES])
def test_every_form_solves_it(solved: Any, form: str) -> None:
    row = solved.rows()[form]
    assert row["recall@1"] == 1.0
    assert row["ndcg@1_pessimistic"] == 1.0 and row["tied_share"] == 0.0


@pytest.mark.parametrize("form", ["random", "popularity"])
def test_baselines_are_at_chance(solved: Any, form: str) -> None:
    assert solved.rows()[form]["recall@1"] < 0.3  # one of nine items; popularity ties them all: 1 / 9
    assert solved.rows()["popularity"]["recall@1"] == pytest.approx(1 / 9)


def test_files_are_quantized_and_pruned(solved: Any) -> None:
    rows = solved.rows()
    assert rows["pruned"]["sparsity"] == pytest.approx(0.5, abs=0.01)
    for file in FILES:
        assert 0 < rows[file]["ndcg@1"] <= 1 and rows[file]["sparsity"] == rows["pruned"]["sparsity"]


def test_sets_are_said_to_be_sets(solved: Any) -> None:
    assert solved.report["split"]["note"] == "Histories are sets; on test they hold the training items only."
    assert [len(solved.report["curves"][form]) for form in ("student", "student_distilled", "pruned")] == [30, 30, 10]
