"""Everything that a run depends on, in one frozen object that a file repeats."""

import json
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from kdrec.errors import DataError
from kdrec.schedules import numbers
from kdrec.values import described, fits

AT_LEAST_ONE = (
    *("min_user_items", "min_item_users", "embedding_dim", "history_length", "epochs", "batch_size", "patience"),
    *("cuts_per_user", "shrink_dim", "shrink_history", "shrink_epochs", "vocabulary", "vocabulary_epochs"),
    *("pruning_frequency", "prune_epochs", "cluster_epochs", "k"),
)
AT_LEAST_ZERO = (
    *("pretrain_epochs", "fine_tune_epochs", "shrink_hidden", "table_epochs", "quantize_epochs", "sampled_histories"),
)
# Distillation, and what makes a student smaller; kdrec/compression.py has the work of each.
STEPS = ("distill", "shrink", "table", "vocabulary", "prune", "cluster", "quantize")
CHOICES = {"vocabulary_by": ("popularity", "teacher"), "rare_items": ("drop", "bucket")}
PRUNING_SCHEDULES = ("polynomial", "constant")
SCHEDULED = ("loss_weights", "temperature", "student_loss_weight", "teacher_weights")  # a number, or a schedule as text


@dataclass(frozen=True)
class Config:
    """The options of `kdrec run`. Equal configurations give equal files.

    >>> Config.from_json(Config(embedding_dim=16).to_json()).embedding_dim
    16
    """

    data: str = "demo"
    data_dir: str | None = None
    download: bool = False
    valid: str | None = None
    test: str | None = None
    lists: bool = False
    user_column: str | None = None
    item_column: str | None = None
    time_column: str | None = None
    rating_column: str | None = None
    weight_column: str | None = None
    context_columns: tuple[str, ...] = ()
    delimiter: str | None = None
    item_features: str | None = None
    item_id_column: str | None = None
    title_column: str | None = None
    category_columns: tuple[str, ...] = ()
    tag_columns: tuple[str, ...] = ()
    numeric_columns: tuple[str, ...] = ()
    vector_column: str | None = None
    user_features: str | None = None
    user_id_column: str | None = None
    user_category_columns: tuple[str, ...] = ()
    user_numeric_columns: tuple[str, ...] = ()
    minimum_rating: float | None = None
    min_user_items: int = 3
    min_item_users: int = 1
    split: str = "auto"

    teacher: str = "two_tower"
    teacher_options: dict[str, Any] = field(default_factory=dict)
    teacher_weights: tuple[float | str, ...] | None = None
    assistants: tuple[int, ...] = ()
    sampled_histories: float = 0.0
    unlabelled: str | None = None

    student: str = "history"
    embedding_dim: int = 32
    history_length: int | None = None
    encoder: str = "mean"
    hidden: int = 128
    tied: bool = True
    table: str = "full"
    table_options: dict[str, Any] = field(default_factory=dict)
    unit_rows: bool = False
    initialise: str = "random"

    losses: tuple[str, ...] = ("softened_kl",)
    loss_weights: tuple[float | str, ...] | None = None
    loss_options: dict[str, Any] = field(default_factory=dict)
    temperature: float | str = 1.0
    student_loss: str = "softmax"
    student_loss_weight: float | str = 0.3
    weighting: str = "fixed"
    whole_histories: bool = False
    pretrain_epochs: int = 0
    epochs: int = 12
    fine_tune_epochs: int = 0
    batch_size: int = 512
    learning_rate: float = 0.005
    patience: int = 3
    cuts_per_user: int | None = 50
    jit_compile: bool = False

    shrink_dim: int | None = None
    shrink_hidden: int | None = None
    shrink_history: int | None = None
    shrink_epochs: int = 6
    table_epochs: int = 0
    vocabulary: int | None = None
    rare_below: float | None = None
    vocabulary_by: str = "popularity"
    rare_items: str = "drop"
    vocabulary_epochs: int = 6
    sparsity: float = 0.5
    sparsity_pattern: str | None = None
    pruning_schedule: str = "polynomial"
    pruning_frequency: int | None = None
    prune_epochs: int = 6
    clusters: int | None = None
    cluster_epochs: int = 3
    quantize_epochs: int = 0
    steps: tuple[str, ...] = STEPS
    recipe: str = "int8"
    calibration: str = "mse"
    targets: tuple[str, ...] = ("android", "coral_edgetpu", "micro")
    k: int = 10
    fusion: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for option in fields(self):  # JSON knows lists only
            value = getattr(self, option.name)
            if isinstance(value, list):
                object.__setattr__(self, option.name, tuple(value))
            if not fits(getattr(self, option.name), option.type):
                raise DataError(f"{option.name} must be {described(option.type)}, not {value!r}; write it so")
        for name in SCHEDULED:
            object.__setattr__(self, name, numbers(name, getattr(self, name)))
        for name in AT_LEAST_ONE:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise DataError(f"{name} must be at least 1, not {value}")
        for name in AT_LEAST_ZERO:
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise DataError(f"{name} must be at least 0, not {value}; 0 leaves it out")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise DataError(f"{name} must be {' or '.join(choices)}, not {getattr(self, name)!r}")
        for name in ("learning_rate", "temperature"):
            value = getattr(self, name)
            if not isinstance(value, str) and not value > 0:
                raise DataError(f"{name} must be above 0, not {value}")
        if not 0 <= self.sparsity < 1:
            raise DataError(f"sparsity must lie in [0, 1), not {self.sparsity}; 0 leaves pruning out")
        if self.m_by_n is not None and self.sparsity != self.m_by_n[0] / self.m_by_n[1]:
            zeros, of = self.m_by_n
            raise DataError(
                f"sparsity must be {zeros / of} for sparsity_pattern {self.sparsity_pattern!r}, not {self.sparsity}; "
                f"leave one of the two out"
            )
        if self.pruning_schedule not in PRUNING_SCHEDULES:
            known = ", ".join(PRUNING_SCHEDULES)
            raise DataError(f"pruning_schedule must be one of {known}, not {self.pruning_schedule!r}")
        if self.clusters is not None and self.clusters < 3:
            raise DataError(
                f"clusters must be at least 3, zero and one on either side, not {self.clusters}; leave it out to keep "
                f"every value"
            )
        if not isinstance(self.student_loss_weight, str) and not 0 <= self.student_loss_weight <= 1:
            raise DataError(f"student_loss_weight must lie in [0, 1], not {self.student_loss_weight}")
        for name, of_what, wanted in (
            ("loss_weights", "loss", self.losses), ("teacher_weights", "teacher", self.teachers),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and len(value) != len(wanted):
                raise DataError(f"{name} must have one value a {of_what} ({len(wanted)}), not {len(value)}")
        if self.teacher_weights is not None and len(self.teachers) == 1:
            raise DataError(f"teacher_weights need several teachers, not {self.teacher!r}; name them by comma")
        if any(not isinstance(weight, str) and not weight >= 0 for weight in self.teacher_weights or ()):
            raise DataError(f"teacher_weights must each be at least 0, not {self.teacher_weights}")
        if any(width < 1 for width in self.assistants):
            raise DataError(f"assistants must each be at least 1 wide, not {self.assistants}")
        for name in ("targets", "losses", "assistants", "steps"):
            values = [str(value) for value in getattr(self, name)]
            may_be_empty = name in ("assistants", "steps")
            if not values and not may_be_empty or len(set(values)) < len(values):
                least = "none" if may_be_empty else "at least one and none"
                raise DataError(f"{name} must name {least} twice, not {', '.join(values) or 'nothing'}")

    @property
    def teachers(self) -> tuple[str, ...]:
        """The teachers that are named, each once."""
        return tuple(dict.fromkeys(name.strip() for name in self.teacher.split(",")))

    @property
    def cuts_items(self) -> bool:
        """Whether items may lose their table row."""
        return self.vocabulary is not None or self.rare_below is not None

    @property
    def m_by_n(self) -> tuple[int, int] | None:
        """How many of so many consecutive weights `sparsity_pattern` makes zero.

        >>> Config(sparsity_pattern="2:4").m_by_n
        (2, 4)
        """
        if self.sparsity_pattern is None:
            return None
        found = re.fullmatch("([0-9]+):([0-9]+)", self.sparsity_pattern)
        if found is None or not 0 < int(found[1]) < int(found[2]):
            raise DataError(
                f"sparsity_pattern must say how many of how many weights are zero, 2:4, not {self.sparsity_pattern!r}"
            )
        return int(found[1]), int(found[2])

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Config":
        """Read a configuration that `to_json` wrote.

        Raises:
            DataError: not JSON, or a name that no option has.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise DataError(f"config must be JSON as `kdrec run` writes it: {error}") from error
        if not isinstance(values, dict):
            raise DataError(f"config must be a JSON object of options as `kdrec run` writes it, not {values!r}")
        known = {option.name for option in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise DataError(f"config has no option {unknown[0]!r}; it has {', '.join(sorted(known))}")
        return cls(**values)

    @classmethod
    def from_file(cls, path: str | Path) -> "Config":
        """Read a configuration file; a missing one raises DataError."""
        try:
            return cls.from_json(Path(path).read_text())
        except OSError as error:
            raise DataError(f"config {path} cannot be read: {error.strerror}; name the config.json of a run") from error

    def only(self, *names: str) -> dict[str, Any]:
        """Some options by name: what a stage depends on."""
        return {name: getattr(self, name) for name in names}
