"""What is checked before hours of training: names, the split, and the folders that will be written."""

import inspect
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kdrec import forms, objectives, smaller, teaching, vocabulary
from kdrec.bundle.write import check_replaceable
from kdrec.compress import quantize_aware, recipes
from kdrec.compress.recipes.base import Recipe
from kdrec.compress.shrink import check as check_smaller
from kdrec.compression import check_shrink, check_steps, final
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.errors import DataError, OutputError
from kdrec.export.ranges import check_method
from kdrec.models import encoders, students, tables, teachers
from kdrec.models.teachers.ensemble import MEMBERS, check_members
from kdrec.schedules import ends
from kdrec.values import described, fits
from kdrec.without_effect import CUTS, check_training_effect

REPORT_FILES = ("report.json", "report.html", "config.json")


def check_names(config: Config) -> None:
    """Every name in a configuration that is trained with must exist, before anything is read.

    Raises:
        UnknownNameError: a teacher, a loss, an option of either, an initialiser, a weighting, a student or an encoder
            that does not exist.
        DataError: an option that is not of its type, out of range, or that would have no effect.
        TrainingError: an option of a loss that is out of range.
    """
    check_teacher_options(config)
    check_schedules(config)
    objectives.hard_loss(config)
    needs = objectives.needs(config)
    if config.assistants and "snapshot_items" in needs:
        raise DataError(
            f"assistants {config.assistants} are teachers without earlier states, which losses "
            f"{', '.join(config.losses)} read (snapshot_items); leave the assistants out, or choose another loss"
        )
    check_training_effect(config)
    check_steps(config)
    check_shrink(config)
    recipe = recipes.get(config.recipe)
    if config.quantize_epochs:
        quantize_aware.check(recipe)
    check_recipe(recipe, final(config))
    if config.table_epochs and config.table == "full":
        raise DataError(
            f"table_epochs={config.table_epochs} has no effect: table 'full' replaces no other; leave it out, or name "
            f"another table of {', '.join(tables.names())}"
        )
    if config.unit_rows and config.table != "full":
        raise DataError(f"table must be 'full' for unit_rows, not {config.table!r}, whose rows are put together")
    if config.unit_rows and config.clusters is not None:
        raise DataError(
            f"clusters must be left out for unit_rows, not {config.clusters}: equal values of rows that are normalised "
            f"would differ; leave one of the two out"
        )
    for option in CUTS:
        if getattr(config, option) is not None and config.table != "full":
            raise DataError(f"table must be 'full' where {option} is {getattr(config, option)}, not {config.table!r}")
    if config.rare_below is not None and not config.rare_below > 0:
        raise DataError(
            f"rare_below must be above 0, not {config.rare_below}; leave it out to keep a row for each item"
        )
    if config.rare_below is not None and config.vocabulary is not None:
        raise DataError(
            f"rare_below={config.rare_below:g} and vocabulary={config.vocabulary} both say which items keep a row; "
            f"give one of them"
        )
    if config.m_by_n is not None and final(config).embedding_dim % config.m_by_n[1]:
        raise DataError(
            f"embedding_dim must be a multiple of {config.m_by_n[1]} for sparsity_pattern {config.sparsity_pattern!r}, "
            f"whose groups lie along an item's row, not {final(config).embedding_dim}"
        )
    students.get(config.student)
    encoders.get(config.encoder)
    _check_types(tables.get(config.table), config.table, "table_options", config.table_options)


def check_recipe(recipe: Recipe, config: Config) -> None:
    """A recipe that gives matrices types of their own must fit the student's, and its ranges be measured as is asked.

    Raises:
        DataError: an odd width of four bits, the kernel of a layer that the student does not have, or a calibration of
            what is not calibrated.
        ConversionError: no such calibration.
    """
    check_method(config.calibration)
    if config.calibration != Config().calibration and not recipe.needs_calibration:
        raise DataError(
            f"calibration={config.calibration!r} has no effect: recipe {recipe.name!r} measures no ranges; leave it out"
        )
    if config.table != "full" and "item_table" in dict(recipe.rewritten):
        raise DataError(f"table must be 'full' for recipe {recipe.name!r}, not {config.table!r}; choose recipe int8")
    for group, kind in recipe.groups:
        option = "hidden" if group == "residual" else "embedding_dim"
        width = getattr(config, option)
        if group in ("hidden", "residual") and not config.hidden:
            raise DataError(f"recipe {recipe.name!r} names {group}, and with hidden=0 there is none; leave {group} out")
        if kind == "int4" and width % 2:
            shrunk = next(
                (name for name, of in smaller.SHRUNK.items() if of == option and getattr(config, name)), option
            )
            raise DataError(f"{shrunk} must be even for recipe {recipe.name!r}, not {width}")


def check_schedules(config: Config) -> None:
    """Schedules must stay in the range of what they stand for, from their start to their end.

    Raises:
        DataError: one leaves it.
    """
    least, greatest = ends(config.student_loss_weight)
    if not 0 <= least <= greatest <= 1:
        raise DataError(f"student_loss_weight must lie in [0, 1] all the time, not {config.student_loss_weight!r}")
    if not ends(config.temperature)[0] > 0:
        raise DataError(f"temperature must be above 0 all the time, not {config.temperature!r}")
    for weight in config.teacher_weights or ():
        if not ends(weight)[0] >= 0:
            raise DataError(f"teacher_weights must each be at least 0 all the time, not {weight!r}")


def check_teacher_options(config: Config) -> None:
    """Every teacher's options must exist, and be of the types that its function names; so must an ensemble's members.

    Raises:
        UnknownNameError: a teacher, or an option of it, that does not exist.
        DataError: a value of another type.
    """
    for name in teaching.teacher_names(config):
        _check_teacher(name, config.teacher_options)
        if name == "ensemble":
            members, options = (config.teacher_options.get(key) for key in ("members", "options"))
            for member, chosen in check_members(MEMBERS if members is None else members, options):
                _check_teacher(member, chosen)


def _check_teacher(name: str, options: Mapping[str, Any]) -> None:
    if name in teachers.names():
        _check_types(teachers.get(name), name, "teacher_options", options)


def _check_types(function: Callable, name: str, argument: str, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(function).parameters
    for option, value in options.items():
        if option in parameters and not fits(value, parameters[option].annotation):
            wanted = described(parameters[option].annotation)
            raise DataError(f"{argument} {option} of {name!r} must be {wanted}, not {value!r}")


def check_split(split: Split, config: Config) -> None:
    """The data must have something to judge by, and the student must be one that can be built for it.

    Raises:
        DataError: nothing held out for test, k larger than the catalogue or the vocabulary, a vocabulary that leaves no
            item out, fusion without validation pairs, or an option that has no effect on these data.
        TrainingError: an encoder that reads the order of histories that have none, or that cannot be shrunk.
    """
    if len(split.test) == 0:
        raise DataError(f"split {split.method} held out no test pair of {len(split.train)}; give a log with more pairs")
    if config.fusion and len(split.valid) == 0:
        raise DataError(
            f"fusion=True needs validation pairs to choose its share by, and split {split.method} held out none; leave "
            f"fusion out, or hold some out"
        )
    if config.whole_histories and split.ordered:
        raise DataError(
            "whole_histories=True has no effect: these histories are ordered, and their next item is held out, not "
            "hidden; leave it out"
        )
    if config.k > split.train.n_items:
        raise DataError(f"k must be at most the {split.train.n_items} items of the catalogue, not {config.k}")
    if config.vocabulary is not None or config.rare_below is not None and config.vocabulary_by == "popularity":
        vocabulary.n_kept(split.train.item_counts(), config)
    student = forms.build_student(config, split)
    if smaller.shrinks(config):
        check_shrink(replace(config, history_length=forms.length_of(config, split)))
        check_smaller(student, forms.build_student(final(config), split))


def check_output(out: Path, config: Config) -> None:
    """The output folder may hold earlier bundles and an earlier report, and nothing of somebody else.

    Raises:
        OutputError: it is a file, a target's folder in it holds something else, or it holds somebody else's report.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"out must be a folder, but {out} is a file; name another")
    for target in config.targets:
        check_replaceable(out / target)
    there = [name for name in REPORT_FILES if (out / name).exists()]
    if there and not is_report(out / "report.json"):
        raise OutputError(
            f"out {out} holds a {there[0]} that kdrec did not write, and would lose it: name another folder, or move "
            f"the file away"
        )


def is_report(path: Path) -> bool:
    """Whether a file is the report.json of a run."""
    try:
        return "kdrec" in json.loads(path.read_text())
    except (OSError, ValueError, TypeError):
        return False


def check_writable(argument: str, folder: Path) -> None:
    """Make a folder, if it does not exist.

    Raises:
        OutputError: that is impossible, or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{argument} {folder} cannot be made: {error.strerror}; name another folder") from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{argument} {folder} must not be written to; name another folder")
