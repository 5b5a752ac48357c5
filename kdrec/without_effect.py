"""Options that would change nothing are refused, so that nobody believes they did."""

import inspect
from collections.abc import Iterable

from kdrec.config import Config
from kdrec.data import sets
from kdrec.data.splits import Split
from kdrec.errors import DataError

SET = ("data_dir", "download")  # what a set's function may take
EVENT_COLUMNS = ("user_column", "item_column", "time_column", "rating_column", "weight_column", "context_columns")
ITEM_FEATURES = (
    *("item_id_column", "title_column", "category_columns", "tag_columns", "numeric_columns", "vector_column"),
)
USER_FEATURES = ("user_id_column", "user_category_columns", "user_numeric_columns")
FILES = (*EVENT_COLUMNS, "delimiter", "lists", "valid", "test", "item_features", "user_features", "unlabelled")
CUTS = ("vocabulary", "rare_below")  # either says which items keep a row
OF_VOCABULARY = ("vocabulary_by", "rare_items", "vocabulary_epochs")
LOG = ("split", "minimum_rating", "min_user_items", "min_item_users")


def check_effect(config: Config) -> None:
    """Every option of the data that is given must be one that these data follow.

    Raises:
        DataError: the option, its value, and why it has no effect.
    """
    if is_set(config):
        _refuse(config, FILES, f"{config.data} is a data set by name, which knows its own columns and features")
        _refuse(config, [name for name in SET if name not in set_options(config)], f"{config.data} {_way(config)}")
    else:
        _refuse(config, SET, f"data {config.data} is no data set by name")
    if config.lists:
        _refuse(config, EVENT_COLUMNS, "lists have no columns")
    if config.test is None:
        _refuse(config, ["valid"], "the test pairs are not given; give them by test")
    if config.item_features is None:
        _refuse(config, ITEM_FEATURES, "the file item_features is not given")
    if config.user_features is None:
        _refuse(config, USER_FEATURES, "the file user_features is not given")
    if comes_split(config):
        _refuse(config, LOG, f"data {config.data} come split, and are judged as they are")


def check_training_effect(config: Config) -> None:
    """Options of a training must meet what they are about: a loss that listens to the teacher, a smaller vocabulary.

    Raises:
        DataError: the option, its value, and why it has no effect.
    """
    if config.student_loss_weight == 1:
        _refuse(config, ["sampled_histories", "unlabelled"], "with student_loss_weight=1 nobody listens to the teacher")
    if not config.cuts_items:
        _refuse(config, OF_VOCABULARY, "every item keeps its row; give vocabulary, how many do, or rare_below")
    if config.sparsity_pattern is not None:
        why = f"TFMOT chooses the zeros of sparsity_pattern {config.sparsity_pattern} at once, in the first step"
        _refuse(config, ["pruning_schedule", "pruning_frequency"], why)
    if config.whole_histories and config.student_loss_weight != 0:
        raise DataError(
            f"whole_histories=True leaves the hard loss without items, and student_loss_weight is "
            f"{config.student_loss_weight!r}; give student_loss_weight=0"
        )


def is_set(config: Config) -> bool:
    """Whether the data are a set of `kdrec.data.sets`."""
    return config.data.replace("-", "_") in sets.names()


def set_options(config: Config) -> list[str]:
    """Which options the set's function takes."""
    parameters = inspect.signature(sets.get(config.data)).parameters
    return [name for name in SET if name in parameters]


def comes_split(config: Config) -> bool:
    """Whether somebody else held the test pairs out."""
    if is_set(config):
        return inspect.signature(sets.get(config.data)).return_annotation is Split
    return config.test is not None


def _way(config: Config) -> str:
    return "is not downloaded by kdrec" if "data_dir" in set_options(config) else "is made, not read"


def _refuse(config: Config, names: Iterable[str], why: str) -> None:
    default = Config()
    for name in names:
        value = getattr(config, name)
        if value != getattr(default, name):
            raise DataError(f"{name}={value!r} has no effect: {why}; leave it out")
