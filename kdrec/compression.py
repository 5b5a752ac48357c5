"""The steps that make a student smaller, each trained with the teacher still speaking, and distillation among them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from kdrec import forms, smaller
from kdrec.config import Config
from kdrec.data.kept_items import KeptItems
from kdrec.data.splits import Split
from kdrec.errors import DataError
from kdrec.forms import Form
from kdrec.stages import Stages
from kdrec.steps import Sources
from kdrec.without_effect import CUTS, OF_VOCABULARY


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
    "distill": Step("distilled_later", lambda config: bool(before_distillation(config)), (), smaller.distilled),
    "shrink": Step(
        "shrunk", smaller.shrinks, (*smaller.SHRUNK, "shrink_epochs"), smaller.shrunk, smaller.narrower,
    ),
    "table": Step(
        "small_table", lambda config: config.table_epochs > 0, ("table", "table_options", "table_epochs"),
        smaller.small_table, lambda config: replace(config, table_epochs=0),
    ),
    "vocabulary": Step(
        "cut", lambda config: config.cuts_items, (*CUTS, *OF_VOCABULARY), smaller.cut,
    ),
    "prune": Step(
        "pruned", lambda config: config.sparsity > 0,
        ("sparsity", "sparsity_pattern", "pruning_schedule", "pruning_frequency", "prune_epochs"), smaller.pruned,
    ),
    "cluster": Step(
        "clustered", lambda config: config.clusters is not None, ("clusters", "cluster_epochs"), smaller.clustered,
    ),
    "quantize": Step(
        "quantized", lambda config: config.quantize_epochs > 0,
        ("sparsity", "clusters", "quantize_epochs", "recipe"), smaller.quantized,
        lambda config: replace(config, unit_rows=False),  # they are constants from here on
    ),
}  # fmt: skip


def before_distillation(config: Config) -> list[str]:
    """The steps that are asked for and stand before `distill`, which comes first where it is not named.

    >>> before_distillation(Config(steps=("prune", "distill", "quantize"), quantize_epochs=2))
    ['prune']
    """
    before = config.steps[: config.steps.index("distill")] if "distill" in config.steps else ()
    return [name for name in before if name in STEPS and STEPS[name].asked(config)]


def check_steps(config: Config) -> None:
    """Every step that is asked for must have its place in the order, and every name there must be a step.

    Only training under rounding keeps clusters; it leaves rows of length 1 as constants.

    Raises:
        DataError: which one has none, or is none, or stands after clustering or rounding.
    """
    for name in config.steps:
        if name not in STEPS:
            raise DataError(f"steps has no {name!r}; it has {', '.join(STEPS)}")
    for name, step in STEPS.items():
        if step.asked(config) and name not in config.steps:
            raise DataError(f"steps must name {name!r}, which is asked for, not {', '.join(config.steps)} alone")
    before = config.steps[: config.steps.index("shrink")] if smaller.shrinks(config) else ()
    lost = [name for name in before if name != "distill" and STEPS[name].asked(config)]
    if lost:
        raise DataError(
            f"steps must name 'shrink' before {' and '.join(map(repr, lost))}: a table that is turned keeps neither "
            f"zeros nor rounding; give them in another order"
        )
    undone = [name for name in before_distillation(config) if name in ("cluster", "quantize")]
    if undone:
        raise DataError(
            f"steps must name 'distill' before {' and '.join(map(repr, undone))}, whose values it would undo, not "
            f"{', '.join(config.steps)}"
        )
    taken = [name for name in config.steps if STEPS[name].asked(config)]
    if "vocabulary" in taken[1:] and {"prune", "quantize"} & set(taken[: taken.index("vocabulary")]):
        raise DataError(
            f"steps must name 'vocabulary' before prune and quantize, whose zeros and rounding it would undo, not "
            f"{', '.join(config.steps)}"
        )
    after = taken[taken.index("cluster") + 1 :] if "cluster" in taken else []
    for name in after:
        if name != "quantize":
            raise DataError(
                f"steps must have {name!r} before 'cluster', not {', '.join(taken)}: it would give every weight a "
                f"value of its own again"
            )
    if config.unit_rows and "quantize" in taken[:-1]:
        raise DataError(
            f"steps must have 'quantize' last for unit_rows, not {', '.join(taken)}: rows are rounded after they are "
            f"normalised, and what trains them on would do neither"
        )


def check_shrink(config: Config) -> None:
    """What a student is shrunk to must be less than what it has, as far as that is known.

    Raises:
        DataError: which size is not; or the table is one that cannot be turned.
    """
    if smaller.shrinks(config) and config.table != "full" and not config.table_epochs:
        raise DataError(
            f"table must be 'full' for a student that is shrunk, not {config.table!r}; give --table-epochs, and it is "
            f"replaced after that"
        )
    for option in not_smaller(config):
        name = smaller.SHRUNK[option]
        raise DataError(
            f"{option} must be below {name}={getattr(config, name)}, not {getattr(config, option)}; leave it out, or "
            f"train a larger student first"
        )


def not_smaller(config: Config) -> list[str]:
    """The options of shrinking under which a student would be no smaller, as far as its sizes are known.

    >>> not_smaller(Config(embedding_dim=16, shrink_dim=32, hidden=128, shrink_hidden=64))
    ['shrink_dim']
    """
    sizes = {option: (getattr(config, option), getattr(config, name)) for option, name in smaller.SHRUNK.items()}
    return [option for option, (size, had) in sizes.items() if None not in (size, had) and size >= had]


def final(config: Config) -> Config:
    """The configuration by which the student of the files is built: after every step that is asked for.

    >>> final(Config(embedding_dim=64, shrink_dim=32)).embedding_dim
    32
    """
    for name in config.steps:
        config = STEPS[name].after(config) if STEPS[name].asked(config) else config
    return config


def compressed(stages: Stages, split: Split, sources: Sources, student: Form, config: Config) -> dict[str, Form]:
    """Take the steps that a configuration asks for, in its order; those before `distill` hear no teacher.

    Args:
        stages: run them.
        split: of the run.
        sources: what the student listened to, and goes on listening to.
        student: distilled, or where steps come before that, trained on the hard loss alone.
        config: of the run.

    Returns:
        The student after each step, by name.
    """
    left: dict[str, Form] = {}
    first = before_distillation(config)
    for name in (name for name in config.steps if STEPS[name].asked(config)):
        step, alone = STEPS[name], name in first
        own, form = (alone_of(config), f"{step.form}_alone") if alone else (config, step.form)
        options = {**forms.key_of(own, distilled=True), **own.only(*step.options)}
        work = partial(step.work, split, sources, student._replace(config=own), stages.progress)
        stage = stages.run(form, options, work, (*sources.stages(), student.stage))
        config = step.after(config)
        left[form] = student = Form(stage, config, KeptItems.saved(stage.folder) or student.kept)
    return left


def alone_of(config: Config) -> Config:
    """The same on the hard loss alone."""
    return replace(config, student_loss_weight=1.0, whole_histories=False)
