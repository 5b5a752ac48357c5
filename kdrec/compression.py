"""The steps that make a distilled student smaller, each trained with the teacher still speaking."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from kdrec import forms, steps
from kdrec.config import Config
from kdrec.data.splits import Split
from kdrec.errors import DataError
from kdrec.forms import Form
from kdrec.stages import Stages
from kdrec.steps import Sources


class Step(NamedTuple):
    """One step.

    Args:
        form: name of the stage and of the student that it leaves.
        asked: whether a configuration asks for it.
        options: what it depends on, beside what the student before it depends on.
        work: trains (split, sources, last stage, its configuration, progress, folder).
        after: the configuration by which the student that it leaves is built.
    """

    form: str
    asked: Callable[[Config], bool]
    options: tuple[str, ...]
    work: Callable[..., None]
    after: Callable[[Config], Config] = lambda config: config


# Every name that `Config.steps` may hold. A new step is a new line.
STEPS = {
    "prune": Step(
        "pruned", lambda config: config.sparsity > 0,
        ("sparsity", "sparsity_pattern", "pruning_schedule", "pruning_frequency", "prune_epochs"), steps.pruned,
    ),
    "cluster": Step(
        "clustered", lambda config: config.clusters is not None, ("clusters", "cluster_epochs"), steps.clustered,
    ),
    "quantize": Step(
        "quantized", lambda config: config.quantize_epochs > 0,
        ("sparsity", "clusters", "quantize_epochs", "recipe"), steps.quantized,
    ),
}  # fmt: skip


def check_steps(config: Config) -> None:
    """Every step that is asked for must have its place in the order, and every name there must be a step.

    Only training under rounding keeps clusters.

    Raises:
        DataError: which one has none, or is none, or stands after clustering.
    """
    for name in config.steps:
        if name not in STEPS:
            raise DataError(f"steps has no {name!r}; it has {', '.join(STEPS)}")
    for name, step in STEPS.items():
        if step.asked(config) and name not in config.steps:
            raise DataError(f"steps must name {name!r}, which is asked for, not {', '.join(config.steps)} alone")
    taken = [name for name in config.steps if STEPS[name].asked(config)]
    after = taken[taken.index("cluster") + 1 :] if "cluster" in taken else []
    for name in after:
        if name != "quantize":
            raise DataError(
                f"steps must have {name!r} before 'cluster', not {', '.join(taken)}: it would give every weight a "
                f"value of its own again"
            )


def compressed(stages: Stages, split: Split, sources: Sources, student: Form, config: Config) -> dict[str, Form]:
    """Take the steps that a configuration asks for, in its order.

    Args:
        stages: run them.
        split: of the run.
        sources: what the student listened to, and goes on listening to.
        student: distilled.
        config: of the run.

    Returns:
        The student after each step, by name.
    """
    left: dict[str, Form] = {}
    for step in (STEPS[name] for name in config.steps if STEPS[name].asked(config)):
        options = {**forms.key_of(config, distilled=True), **config.only(*step.options)}
        work = partial(step.work, split, sources, student, stages.progress)
        stage = stages.run(step.form, options, work, (*sources.stages(), student.stage))
        config = step.after(config)
        left[step.form] = student = Form(stage, config)
    return left
