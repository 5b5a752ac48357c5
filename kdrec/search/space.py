"""What a search varies: one line an option of the configuration."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kdrec import targets
from kdrec.compress import recipes
from kdrec.compression import final, not_smaller
from kdrec.config import Config
from kdrec.errors import DataError
from kdrec.without_effect import CUTS, OF_VOCABULARY

ROUNDING_EPOCHS = 6  # of training under rounding, where the configuration names none

# Option -> how a trial of Optuna chooses it; of options that count items, as a share. A new knob is a new line.
KNOBS: dict[str, Callable[[Any, Config], Any]] = {
    "embedding_dim": lambda trial, _: trial.suggest_int("embedding_dim", 8, 96, step=4),
    "hidden": lambda trial, _: trial.suggest_categorical("hidden", [0, 32, 64, 128, 256, 512]),
    "recipe": lambda trial, config: trial.suggest_categorical("recipe", recipes_of(config)),
    "losses": lambda trial, _: (trial.suggest_categorical("losses", ["softened_kl", "rank_softmax"]),),
    "temperature": lambda trial, _: trial.suggest_float("temperature", 0.3, 3.0, log=True),
    "student_loss_weight": lambda trial, _: trial.suggest_float("student_loss_weight", 0.0, 0.6, step=0.1),
    "learning_rate": lambda trial, _: trial.suggest_float("learning_rate", 0.002, 0.02, log=True),
    "vocabulary": lambda trial, config: trial.suggest_categorical("vocabulary", shares_of(config)),
    "sparsity": lambda trial, config: sparsity_of(trial, config),
}


def recipes_of(config: Config) -> list[str]:
    """The precisions that every target of a configuration takes and that are worth a search."""
    narrow = all(targets.get(name).takes("int4_table") for name in config.targets) and config.table == "full"
    return ["int8", "int4_table"] if narrow else ["int8"]


def shares_of(config: Config) -> list[float]:
    """How much of the catalogue may keep a row of its own; of a table that is not full, all of it."""
    return [1.0, 0.75, 0.5] if config.table == "full" else [1.0]


def sparsity_of(trial: Any, config: Config) -> float:
    """The share of zeros that a trial chooses; of a configuration with a pattern, that of the pattern, or none."""
    if config.m_by_n is None:
        return trial.suggest_categorical("sparsity", [0.0, 0.3, 0.5])
    return config.sparsity if trial.suggest_categorical("sparsity_pattern", [True, False]) else 0.0


def check_knobs(over: tuple[str, ...]) -> None:
    """Refuse to search over what is no knob.

    Raises:
        DataError: which one, and which there are.
    """
    for name in over:
        if name not in KNOBS:
            raise DataError(f"over has no {name!r}; it has {', '.join(KNOBS)}")


def suggested(trial: Any, base: Config, over: tuple[str, ...], n_items: int) -> Config:
    """The configuration of a trial; a student that is drawn as small as it would be shrunk is not shrunk.

    Args:
        trial: of Optuna.
        base: all that is not varied.
        over: the knobs that are.
        n_items: in the catalogue.
    """
    chosen: dict[str, Any] = {name: KNOBS[name](trial, base) for name in over}
    if "vocabulary" in chosen:
        kept = max(round(chosen["vocabulary"] * n_items), base.k)
        whole = Config().only(*CUTS, *OF_VOCABULARY)
        chosen |= {"vocabulary": kept, "rare_below": None} if kept < n_items else whole
    if "losses" in chosen:
        chosen |= {"loss_weights": None, "loss_options": {}}
    if chosen.get("sparsity") == 0:
        chosen["sparsity_pattern"] = None
    recipe = recipes.get(chosen.get("recipe", base.recipe))
    if "int4" in dict(recipe.groups).values() and not base.quantize_epochs:
        chosen["quantize_epochs"] = ROUNDING_EPOCHS
    tried = replace(base, **chosen)
    left_out: dict[str, Any] = dict.fromkeys(not_smaller(tried))
    return replace(tried, **left_out)


def least_bytes(config: Config, n_items: int) -> int:
    """Fewer bytes than this no file of a configuration has: its tables, if every item has a row, and kernels alone.

    >>> least_bytes(Config(embedding_dim=16, hidden=0), 1000)
    16272
    """
    config = final(config)
    width, rows = config.embedding_dim, (config.vocabulary or n_items) + 1
    table, kernel = rows * width * (1 if config.tied else 2), width * config.hidden
    table = table if config.table == "full" else 0
    sizes = {"item_table": table, "linear": width * width, "hidden": kernel, "residual": kernel}
    halved = [group for group, kind in recipes.get(config.recipe).groups if kind == "int4"]  # widths are even there
    return sum(size // 2 if group in halved else size for group, size in sizes.items())
