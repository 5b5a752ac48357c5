"""Recipes that a target takes are exported within its rules; the others are refused before anything is trained."""

import re

import numpy as np
import pytest

from kdrec import targets
from kdrec.compress import recipes
from kdrec.config import Config
from kdrec.errors import TargetError

TARGETS = [targets.get(name) for name in targets.names()]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_recipes_exist_and_the_default_is_among_them(target) -> None:
    assert set(target.recipes) <= set(recipes.names())
    assert target.recipe in target.recipes


def test_every_other_recipe_is_refused_by_name() -> None:
    from kdrec.pack import check_targets

    for target in TARGETS:
        for recipe in recipes.names():
            config = Config(targets=(target.name,), recipe=recipe)
            if recipe in target.recipes:
                check_targets(config)
                continue
            message = f"target '{target.name}' takes the recipe {' or '.join(target.recipes)}, not '{recipe}'; choose"
            with pytest.raises(TargetError, match=re.escape(message)):
                check_targets(config)
    with pytest.raises(TargetError, match="target 'micro' takes the recipe int8 or float32, not 'dynamic_int8'"):
        check_targets(Config(targets=("android", "micro"), recipe="dynamic-int8"))


@pytest.mark.slow
def test_exactly_the_recipes_taken_keep_the_rules_and_run(require) -> None:
    """A table of 200 × 16: the converter leaves one of fewer than 1,024 numbers in float32, and no rule is broken."""
    require("tflite-micro")
    from kdrec.errors import RuntimeFileError
    from kdrec.export import ExportJob, export_all
    from kdrec.models.students.history import history
    from kdrec.runtime.micro_interpreter import MicroFile
    from kdrec.targets.base import check

    rng = np.random.default_rng(0)
    x = {"history": rng.integers(1, 201, (40, 5)).astype(np.int32)}
    devices = [target for target in TARGETS if target.lookup == "device"]
    jobs = [
        ExportJob(f"{target.name}/{name}", recipes.get(name), target.signatures, target.topk, target.one_subgraph)
        for target in devices
        for name in recipes.names()
    ]
    taken: dict[str, set[str]] = {target.name: set() for target in devices}
    for exported in export_all(history(200, embedding_dim=16, history_length=5, hidden=32), jobs, x):
        name, _, recipe = exported.job.name.partition("/")
        runs = not check(exported.model, targets.get(name))
        if runs and targets.get(name).oracle == "tflite-micro":
            try:
                MicroFile(exported.model).run({"history": x["history"][:1]})
            except RuntimeFileError:
                runs = False
        if runs:
            taken[name].add(recipe)
    assert taken == {target.name: set(target.recipes) for target in devices}
