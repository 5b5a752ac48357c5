"""The figures over seeds say with which configuration they were made, and each seed is judged on its own split."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.load import load

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, whose runs reach their student_loss_weight on validation."""
    spec = importlib.util.spec_from_file_location("seeds", SCRIPTS / "seeds.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(config: Config, out: Path, work: Path) -> dict[str, Any]:
        reached = {"val_ndcg@10": config.student_loss_weight}
        row = {"name": "teacher", "ndcg@10": 0.5 + config.seed, "recall@10": 0.5}
        return {"rows": [row], "curves": {"student_distilled": [reached]}}

    monkeypatch.setattr(script.experiment, "run", run)
    return script


def random_log(folder: Path) -> Config:
    rows = [f"{user},{item}" for user in range(8) for item in range(user, user + 12)]
    (folder / "log.csv").write_text("user,item\n" + "\n".join(rows) + "\n")
    return Config(data=str(folder / "log.csv"))


def test_a_seed_is_judged_on_its_own_split(seeds: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Random splits differ between seeds."""
    judged: list[str] = []

    def als(split: Split, config: Config, seed: int) -> dict[str, float]:
        judged.append(split.fingerprint())
        return {"ndcg@10": 0.0, "recall@10": 0.0}

    monkeypatch.setattr(seeds, "als_of_same_width", als)
    config = random_log(tmp_path)
    result = seeds.measured(config, {"student_loss_weight": [0.2, 0.7, 0.4]}, tmp_path / "work")
    expected = [load(Config(data=config.data, seed=seed))[0].fingerprint() for seed in seeds.SEEDS]
    assert judged == expected and len(set(judged)) == len(seeds.SEEDS)
    assert result["chosen"] == {"student_loss_weight": 0.7}
    assert result["config"]["student_loss_weight"] == 0.7 and result["config"]["epochs"] == Config().epochs
    assert [tried["val_ndcg@10"] for tried in result["tried_on_validation"]] == [0.2, 0.7, 0.4]
    assert result["summary"]["teacher"]["ndcg@10"] == {"mean": 1.5, "deviation": 1.0}
    untouched = seeds.measured(config, {}, tmp_path / "work")
    assert untouched["chosen"] == {} and untouched["tried_on_validation"] == []


@pytest.mark.parametrize("name", ["demo", "ml-100k"])
def test_results_that_are_kept_name_their_configuration(name: str) -> None:
    result = json.loads((SCRIPTS / "results" / f"{name}.json").read_text())
    config = Config.from_json(json.dumps(result["config"]))
    assert config.data == result["data"] == name
    assert config.embedding_dim == result["embedding_dim"]
    tried = result["tried_on_validation"]
    best = max(tried, key=lambda each: each["val_ndcg@10"], default={})
    assert result["chosen"] == {name: value for name, value in best.items() if name != "val_ndcg@10"}
    assert all(getattr(config, name) == value for name, value in result["chosen"].items())
