"""What is checked before hours of training: names, the split, and the folders that will be written."""

import inspect
import json
import os
from pathlib import Path

from kdrec import forms, pack, teaching
from kdrec.bundle.write import check_replaceable
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.errors import DataError, OutputError
from kdrec.models import encoders, students, teachers
from kdrec.values import described, fits

REPORT_FILES = ("report.json", "report.html", "config.json")


def check_names(config: Config) -> None:
    """Every name in a configuration must exist, before anything is read.

    Raises:
        UnknownNameError: a teacher, an option of it, a loss, student, encoder, recipe or target that does not exist.
        DataError: an option of a teacher that is not of its type.
        KdrecError: a recipe that a target cannot have, or a target whose interpreter is not installed.
    """
    check_teacher_options(config)
    forms.soft_losses(config)
    students.get(config.student)
    encoders.get(config.encoder)
    pack.check_targets(config)


def check_teacher_options(config: Config) -> None:
    """Every teacher's options must exist, and be of the types that its function names.

    Raises:
        UnknownNameError: a teacher, or an option of it, that does not exist.
        DataError: a value of another type.
    """
    for name in teaching.teacher_names(config):
        if name in teachers.names():
            parameters = inspect.signature(teachers.get(name)).parameters
            for option, value in config.teacher_options.items():
                if option in parameters and not fits(value, parameters[option].annotation):
                    wanted = described(parameters[option].annotation)
                    raise DataError(f"teacher_options {option} of {name!r} must be {wanted}, not {value!r}")


def check_split(split: Split, config: Config) -> None:
    """The data must have something to judge by, and the student must be one that can be built for it.

    Raises:
        DataError: nothing held out for test, or k larger than the catalogue.
        TrainingError: an encoder that reads the order of histories that have none.
    """
    if len(split.test) == 0:
        raise DataError(f"split {split.method} held out no test pair of {len(split.train)}; give a log with more pairs")
    if config.k > split.train.n_items:
        raise DataError(f"k must be at most the {split.train.n_items} items of the catalogue, not {config.k}")
    forms.build_student(config, split)


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
