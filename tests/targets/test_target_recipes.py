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
    assert [recipes.get(mix).name for mix in target.mixes] == list(target.mixes)


def test_every_other_recipe_is_refused_by_name() -> None:
    from kdrec.pack import check_targets, export_jobs

    for target in TARGETS:
        for recipe in recipes.names():
            config = Config(targets=(target.name,), recipe=recipe)
            if recipe in target.recipes:
                export_jobs(config)
                continue
            message = f"target '{target.name}' takes the recipe {' or '.join(target.recipes)}, not '{recipe}'; choose"
            with pytest.raises(TargetError, match=re.escape(message)):
                check_targets(config)
    check_targets(Config(targets=("android", "micro"), recipe="int8+residual=int4+linear=float32"))
    with pytest.raises(TargetError, match="'micro' takes .*int8\\+hidden=int4.* not 'int8\\+item_table=int4'; choose"):
        check_targets(Config(targets=("android", "micro"), recipe="int8+item_table=int4"))
    with pytest.raises(TargetError, match="target 'coral_edgetpu' takes the recipe int8, not 'int8\\+hidden=int4'"):
        check_targets(Config(recipe="int8+hidden=int4"))
    with pytest.raises(TargetError, match="target 'micro' takes the recipe int8 or float32, not 'dynamic_int8'"):
        check_targets(Config(targets=("android", "micro"), recipe="dynamic-int8"))


def runs_on(target, content, x) -> bool:
    """Whether a file keeps the device's rules and runs in the interpreter that stands for it."""
    from kdrec.errors import RuntimeFileError
    from kdrec.runtime.micro_interpreter import MicroFile
    from kdrec.targets.base import check

    if any(not violation.is_warning for violation in check(content, target)):
        return False
    try:
        if target.oracle == "tflite-micro":
            MicroFile(content).run({"history": x["history"][:1]})
        return True
    except RuntimeFileError:
        return False


def job_of(target, recipe):
    from kdrec.export import ExportJob

    return ExportJob(
        f"{target.name}/{recipe}", recipes.get(recipe), target.signatures, target.topk, target.one_subgraph
    )


def of_one_file(devices) -> dict:
    """Devices for which export writes the same file, under one of them."""
    groups: dict = {}
    for target in devices:
        options = (target.signatures, target.topk, target.one_subgraph, target.lookup, target.max_fc_outputs)
        groups.setdefault(options, []).append(target)
    return {alike[0].name: alike for alike in groups.values()}


@pytest.fixture
def x() -> dict[str, np.ndarray]:
    return {"history": np.random.default_rng(0).integers(1, 201, (40, 5)).astype(np.int32)}


@pytest.mark.slow
def test_exactly_the_recipes_taken_keep_the_rules_and_run(require, x) -> None:
    """A table of 200 × 16: the converter leaves one of fewer than 1,024 numbers in float32, and no rule is broken."""
    require("tflite-micro")
    from kdrec.export import export_all
    from kdrec.models.students.history import history

    devices = [target for target in TARGETS if target.lookup == "device"]
    files = of_one_file(devices)
    jobs = [job_of(targets.get(first), name) for first in files for name in recipes.names()]
    taken: dict[str, set[str]] = {target.name: set() for target in devices}
    for exported in export_all(history(200, embedding_dim=16, history_length=5, hidden=32), jobs, x):
        first, _, recipe = exported.job.name.partition("/")
        for target in files[first]:
            if runs_on(target, exported.model, x):
                taken[target.name].add(recipe)
    assert taken == {target.name: set(target.recipes) for target in devices}


@pytest.mark.slow
def test_exactly_the_mixes_taken_keep_the_rules_and_run(require, x) -> None:
    """Every group of matrices in every other type, written into the file of its base; finishing compares the two."""
    require("tflite-micro")
    from kdrec.compress.recipes.base import GROUPS, OTHER_TYPES
    from kdrec.errors import ConversionError
    from kdrec.export.calibration import calls
    from kdrec.export.convert import Conversion, convert
    from kdrec.export.finish import finish
    from kdrec.export.signatures import build
    from kdrec.export.student_parts import on_grid, take_apart
    from kdrec.models.students.history import history

    student = take_apart(history(200, embedding_dim=16, history_length=5, hidden=32))
    four_bits = recipes.get("int8+item_table=int4+linear=int4+hidden=int4+residual=int4")
    parts = on_grid(student, four_bits)  # numbers that every type holds
    devices = [target for target in TARGETS if target.lookup == "device"]
    files = of_one_file(devices)
    bases = [job_of(targets.get(first), base) for first in files for base in OTHER_TYPES]
    built = [build(parts, job, x) for job in bases]
    contents = convert(
        [Conversion(job.name, made, job.recipe, job.one_subgraph) for job, made in zip(bases, built, strict=True)]
    )
    taken: dict[str, set[str]] = {target.name: set() for target in devices}
    for base, content in zip(bases, contents, strict=True):
        first = base.name.partition("/")[0]
        cases = dict.fromkeys(base.signatures, calls({"history": x["history"][:8]}))
        for mix in (f"{base.recipe.name}+{group}={kind}" for group in GROUPS for kind in OTHER_TYPES[base.recipe.name]):
            try:
                written, _ = finish(content, parts, job_of(targets.get(first), mix), cases)
            except ConversionError:
                continue
            for target in files[first]:
                if runs_on(target, written, x):
                    taken[target.name].add(mix)
    assert taken == {target.name: set(target.mixes) for target in devices}
