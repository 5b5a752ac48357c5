"""Which teacher a run listens to, and what makes it train one again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_log import ITEMS, USERS, small

from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.evaluation.ranking import evaluate
from kdrec.load import load
from kdrec.stages import Stage, Stages
from kdrec.teaching import teacher_of, trained_teachers

Taught = Callable[[Config], tuple[Stage, dict[str, bool]]]


@pytest.fixture(scope="module")
def split(log_folder: Path) -> Split:
    return load(small(log_folder))[0]


@pytest.fixture
def taught(split: Split, tmp_path: Path) -> Taught:
    """The teacher's stage, and for each stage whether it was found finished."""

    def teach(config: Config) -> tuple[Stage, dict[str, bool]]:
        stages = Stages(tmp_path / "work")
        data = Stage("data", split.fingerprint(), tmp_path, 0.0, 0, cached=True)
        chosen = trained_teachers(stages, data, split, config).best
        return chosen, {stage.name: stage.cached for stage in stages.finished}

    return teach


def ndcg(stage: Stage, split: Split, part: str) -> float:
    return evaluate(teacher_of(stage.folder, split), split, part).metrics["ndcg@10"]


def test_the_best_on_validation_is_chosen(log_folder: Path, split: Split, taught: Taught) -> None:
    weak, strong = (small(log_folder, teacher="als", teacher_options={"iterations": n, "factors": 2}) for n in (1, 15))
    both = small(log_folder, teacher="als, ease", teacher_options={"iterations": 1, "factors": 2})
    chosen, cached = taught(both)
    assert list(cached) == ["teacher_als", "teacher_ease", "teacher_choice"]
    alone = {name: taught(small(log_folder, teacher=name))[0] for name in ("als", "ease")}
    assert ndcg(taught(weak)[0], split, "valid") < ndcg(alone["ease"], split, "valid")
    assert chosen.name == "teacher_ease"
    assert ndcg(chosen, split, "test") == ndcg(alone["ease"], split, "test")
    assert taught(strong)[0].key != taught(weak)[0].key


def test_a_changed_option_repeats_only_the_teacher_that_has_it(log_folder: Path, taught: Taught) -> None:
    config = small(log_folder, teacher="als,ease", teacher_options={"iterations": 1})
    assert not any(taught(config)[1].values())
    assert all(taught(config)[1].values())
    _, cached = taught(replace(config, teacher_options={"iterations": 2}))
    assert cached == {"teacher_als": False, "teacher_ease": True, "teacher_choice": False}


@pytest.mark.parametrize("change", [{"k": 3}, {"epochs": 9}, {"recipe": "float32"}, {"embedding_dim": 4}])
def test_options_of_others_do_not_concern_the_teacher(log_folder: Path, taught: Taught, change: dict[str, Any]) -> None:
    config = small(log_folder)
    taught(config)
    assert taught(replace(config, **change))[1] == {"teacher": True}


@pytest.mark.parametrize("change", [{"seed": 1}, {"teacher_options": {"l2": 7.0}}])
def test_its_own_options_do(log_folder: Path, taught: Taught, change: dict[str, Any]) -> None:
    config = small(log_folder)
    taught(config)
    assert taught(replace(config, **change))[1] == {"teacher": False}


def test_a_file_is_a_teacher_until_it_changes(log_folder: Path, split: Split, taught: Taught, tmp_path: Path) -> None:
    path, scores = tmp_path / "scores.npy", np.random.default_rng(0).normal(size=(USERS, ITEMS)).astype(np.float32)
    np.save(path, scores)
    config = small(log_folder, teacher=str(path))
    chosen, cached = taught(config)
    asked = teacher_of(chosen.folder, split)({"user": np.array([3], np.int32)})
    assert np.array_equal(asked, scores[[3]]) and cached == {"teacher": False}
    assert taught(config)[1] == {"teacher": True}
    np.save(path, -scores)
    assert taught(config)[1] == {"teacher": False}
    named = small(log_folder, teacher="external", teacher_options={"path": str(path)})
    assert taught(named)[1] == {"teacher": False}
    np.save(path, scores)
    assert taught(named)[1] == {"teacher": False}
