"""What a search found: its trials as rows, the front of the best, and their bundles."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna

from kdrec import pack
from kdrec.bundle.write import check_replaceable
from kdrec.config import Config
from kdrec.files import atomic_write
from kdrec.load import name_of
from kdrec.search.goal import Goal, Judged


def result_of(study: optuna.Study, goal: Goal, reached: float, config: Config) -> dict[str, Any]:
    """The content of search.json.

    Args:
        study: with the trials so far.
        goal: chooses among those that have a file.
        reached: NDCG of the teacher on the validation part.
        config: of the search.
    """
    rows = []
    for trial in study.get_trials(deepcopy=False):
        judged = trial.user_attrs.get("judged")
        rows.append(
            {
                "number": trial.number,
                "state": trial.state.name.lower(),
                "options": trial.params,
                "config": trial.user_attrs.get("config"),
                "bundle": trial.user_attrs.get("bundle"),
                **(judged or dict.fromkeys(Judged.__dataclass_fields__)),
                "kept": judged is not None and goal.is_kept(Judged(**judged)),
            }
        )
    judged_rows = [row for row in rows if row["ndcg"] is not None]
    best = min(judged_rows, key=lambda row: goal.rank(_judged(row)), default=None)
    for row in rows:
        row["front"] = row in judged_rows and not any(_dominates(other, row) for other in judged_rows)
    told = {"data": name_of(config), "k": config.k, "goal": asdict(goal), "teacher_ndcg": reached}
    return {**told, "best": best, "trials": rows}


def for_report(result: dict[str, Any]) -> dict[str, Any]:
    """The same without the configurations, which would fill a report."""

    def short(row: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name not in ("config", "bundle")}

    return {**result, "best": short(result["best"]), "trials": [short(row) for row in result["trials"]]}


def keep_front(result: dict[str, Any], work: Path, place: Path) -> None:
    """Keep the bundle of every trial that no other beats, with the configuration that makes it again.

    Args:
        result: of `result_of`.
        work: where the trials left their bundles.
        place: gets a folder a trial, `trial_<number>/<target>` and `trial_<number>/config.json`; those of trials that
            are beaten by now are taken away.

    Raises:
        OutputError: a folder there holds something of somebody else.
    """
    front = {f"trial_{row['number']}": row for row in result["trials"] if row["front"]}
    for old in place.glob("trial_*"):
        if old.name not in front:
            for bundle in filter(Path.is_dir, old.iterdir()):
                check_replaceable(bundle)
            shutil.rmtree(old)
    for name, row in front.items():
        metrics = {f"validation_ndcg@{result['k']}": row["ndcg"]}
        pack.publish(work / row["bundle"], place / name / Path(row["bundle"]).name, metrics)
        atomic_write(place / name / "config.json", json.dumps(row["config"], indent=2, sort_keys=True) + "\n")


def _judged(row: dict[str, Any]) -> Judged:
    return Judged(**{name: row[name] for name in Judged.__dataclass_fields__})


def _dominates(one: dict[str, Any], other: dict[str, Any]) -> bool:
    better = one["ndcg"] >= other["ndcg"] and one["bytes"] <= other["bytes"]
    return better and (one["ndcg"], one["bytes"]) != (other["ndcg"], other["bytes"])
