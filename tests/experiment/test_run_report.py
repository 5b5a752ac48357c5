"""What the report of a run says of its teacher."""

from pathlib import Path

import pytest
from small_log import small

from kdrec.data.splits import Split
from kdrec.evaluation.ranking import evaluate
from kdrec.load import load
from kdrec.stages import Stage, Stages
from kdrec.teaching import chosen_teacher, teacher_of, trained_teachers


@pytest.fixture(scope="module")
def split(log_folder: Path) -> Split:
    return load(small(log_folder))[0]


@pytest.mark.parametrize("names", ["als,ease", "ease, als"])
def test_the_best_teacher_is_named_with_all_that_were_compared(
    log_folder: Path, split: Split, tmp_path: Path, names: str
) -> None:
    config = small(log_folder, teacher=names, teacher_options={"iterations": 1, "factors": 2})
    stages = Stages(tmp_path)
    data = Stage("data", split.fingerprint(), tmp_path, 0.0, 0, cached=True)
    best, heard = trained_teachers(stages, data, split, config)
    reached = {
        stage.name.removeprefix("teacher_"): evaluate(teacher_of(stage.folder, split), split, "valid").metrics[
            "ndcg@10"
        ]
        for stage in stages.finished[:-1]
    }
    assert set(reached) == {"als", "ease"} and reached["als"] != reached["ease"]
    chosen = chosen_teacher(stages, config)
    assert chosen == {"name": max(reached, key=lambda name: reached[name]), "validation_ndcg": reached}
    assert best.name == f"teacher_{chosen['name']}" and heard == (best,)


def test_one_teacher_is_compared_with_none(log_folder: Path, tmp_path: Path) -> None:
    assert chosen_teacher(Stages(tmp_path), small(log_folder)) == {"name": "ease", "validation_ndcg": {}}
