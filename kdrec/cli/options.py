"""The options of a Config, as the command line spells them: one table, from which every command takes its part."""

import inspect
import json
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path
from pkgutil import iter_modules
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

import typer

from kdrec.config import PRUNING_SCHEDULES, Config
from kdrec.errors import DataError

DATA, TEACHER, STUDENT, TRAINING = "Data", "Teacher", "Student", "Training"
FILES, EVALUATION = "Files", "Evaluation"

# What the commands that train have beside a configuration.
Out = Annotated[Path | None, typer.Option(help="Folder for bundles and report.", show_default="tflite_models/<data>")]
Work = Annotated[Path | None, typer.Option(help="Folder for stages and checkpoints.", show_default="runs/<data>")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def found(folder: str) -> str:
    """The names in a folder of variants, read off its files: asking the package would import TensorFlow."""
    path = Path(__file__).parents[1] / folder
    return ", ".join(sorted(module.name for module in iter_modules([str(path)]) if module.name != "base"))


def losses(hard: bool) -> str:
    """The names of the losses on what users did, or on a teacher; their files say which of the two they are."""
    folder = Path(__file__).parents[1] / "losses"
    names = found("losses").split(", ")
    return ", ".join(name for name in names if ("(keras.losses.Loss)" in (folder / f"{name}.py").read_text()) == hard)


# Config field -> panel, help, and the option's name where it is not the field's.
OPTIONS: dict[str, tuple[str, str] | tuple[str, str, str]] = {
    "data": (DATA, f"A CSV, TSV or Parquet file, a folder, or a name: {found('data/sets')}."),
    "data_dir": (DATA, "Folder that holds a named data set."),
    "download": (DATA, "Fetch a named set into --data-dir, if its publisher allows it.", "--download"),
    "valid": (DATA, "File of validation pairs, when --data holds training pairs only."),
    "test": (DATA, "File of test pairs: the data come split."),
    "lists": (DATA, "The files have lines `user item item ...` and no columns.", "--lists"),
    "user_column": (DATA, "Column with user ids."),
    "item_column": (DATA, "Column with item ids."),
    "time_column": (DATA, "Column with times."),
    "rating_column": (DATA, "Column with ratings."),
    "weight_column": (DATA, "Column with weights."),
    "context_columns": (DATA, "Column with context of an event; repeatable.", "--context-column"),
    "delimiter": (DATA, "Between columns, of feature files too; by default the file's extension tells."),
    "item_features": (DATA, "File with one row an item."),
    "item_id_column": (DATA, "Its column with item ids."),
    "title_column": (DATA, "Its column with titles."),
    "category_columns": (DATA, "Its column with a category; repeatable.", "--category-column"),
    "tag_columns": (DATA, "Its column with several tags; repeatable.", "--tag-column"),
    "numeric_columns": (DATA, "Its column with a number; repeatable.", "--numeric-column"),
    "vector_column": (DATA, "Its column with a vector, for example of a text model."),
    "user_features": (DATA, "File with one row a user, which only the teacher reads."),
    "user_id_column": (DATA, "Its column with user ids."),
    "user_category_columns": (DATA, "Its column with a category; repeatable.", "--user-category-column"),
    "user_numeric_columns": (DATA, "Its column with a number; repeatable.", "--user-numeric-column"),
    "minimum_rating": (DATA, "Leave out pairs rated lower."),
    "min_user_items": (DATA, "Leave out users with fewer items."),
    "min_item_users": (DATA, "Leave out items with fewer users."),
    "split": (DATA, "How pairs are held out: auto, leave_last_out, by_time or random_per_user."),
    "teacher": (TEACHER, f"Names ({found('models/teachers')}), best of several by comma, or a file."),
    "teacher_options": (TEACHER, "An option of the teacher, key=value; repeatable.", "--teacher-option"),
    "teacher_weights": (
        TEACHER,
        "Listen to every teacher that is named, not to the best: the weight of each, in their order; repeatable.",
        "--teacher-weight",
    ),
    "assistants": (
        TEACHER,
        "Width of a student between teacher and student, which learns from the one before; repeatable, wide to narrow.",
        "--assistant",
    ),
    "sampled_histories": (
        TEACHER,
        "Made-up histories that the teacher labels, beside each real one; 0.5 adds one for two.",
    ),
    "unlabelled": (TEACHER, "File of more users, columns as in --data, whose histories only the teacher labels."),
    "student": (STUDENT, f"What is distilled: {found('models/students')}."),
    "embedding_dim": (STUDENT, "Width of an item row."),
    "history_length": (STUDENT, "Items of history that the student reads; by default the 95th percentile, at most 50."),
    "encoder": (STUDENT, f"History to query vector: {found('models/encoders')}."),
    "hidden": (STUDENT, "Units of its dense layer."),
    "tied": (STUDENT, "One item table for reading and scoring, or two.", "--tied/--untied"),
    "table": (STUDENT, f"How its item rows are stored: {found('models/tables')}."),
    "table_options": (STUDENT, "An option of the table, key=value; repeatable.", "--table-option"),
    "initialise": (STUDENT, f"How its item table begins when it is distilled: {found('models/initialisers')}."),
    "losses": (TRAINING, f"Distillation loss: {losses(hard=False)}; repeatable.", "--loss"),
    "loss_weights": (TRAINING, "Weight of each --loss, in their order; a number or a schedule.", "--loss-weight"),
    "loss_options": (
        TRAINING,
        "An option of those losses, hard or soft, that have it: key=value; repeatable.",
        "--loss-option",
    ),
    "temperature": (
        TRAINING,
        "Softens the scores of both in the losses that ask for it. A number, or a schedule over the training: "
        "linear:4:1, cosine:4:1.",
    ),
    "student_loss": (TRAINING, f"Hard loss, on what users did: {losses(hard=True)}."),
    "student_loss_weight": (
        TRAINING,
        "a in: a * hard loss + (1 - a) * distillation loss; a number or a schedule, as cosine:0.6:0.",
    ),
    "weighting": (TRAINING, f"How rows and losses are weighed beside that: {found('distill/weightings')}."),
    "whole_histories": (
        TRAINING,
        "Hide no item of a set, for distillation alone: --student-loss-weight 0.",
        "--whole-histories",
    ),
    "pretrain_epochs": (TRAINING, "Epochs on the hard loss alone, before distillation."),
    "epochs": (TRAINING, "Passes at most; training stops earlier by --patience."),
    "fine_tune_epochs": (TRAINING, "Epochs on the hard loss alone after it, at a tenth of the learning rate."),
    "batch_size": (TRAINING, "Rows a step."),
    "learning_rate": (TRAINING, "Of the student."),
    "patience": (TRAINING, "Epochs without a better validation NDCG before it stops."),
    "cuts_per_user": (TRAINING, "Training rows of a user: the last so many positions, the same each epoch."),
    "jit_compile": (
        TRAINING,
        "Compile training steps with XLA: seconds at the start, then faster steps, by half for large catalogues.",
        "--jit-compile",
    ),
    "shrink_dim": (FILES, "Width of an item row after the student was made narrower; by default it stays as it is."),
    "shrink_hidden": (FILES, "Units of its dense layer after that."),
    "shrink_history": (FILES, "Items of history that it reads after that, the last ones."),
    "shrink_epochs": (FILES, "Epochs of training as a narrower student, distillation still on."),
    "table_epochs": (
        FILES,
        "Distill with a full table, fit --table to it, and train on for so many epochs, distillation still on; 0 has "
        "--table from the start.",
    ),
    "vocabulary": (
        FILES,
        "Items that keep a table row of their own, trained on with distillation still on; by default all. The others "
        "are never recommended.",
    ),
    "vocabulary_by": (FILES, "Which items these are: popularity, or those that the teacher recommends most: teacher."),
    "rare_items": (
        FILES,
        "The others leave the table and are skipped in histories, drop, or share a row there, bucket.",
    ),
    "vocabulary_epochs": (FILES, "Epochs of that training."),
    "sparsity": (FILES, "Share of zero weights after pruning; 0 leaves pruning out."),
    "sparsity_pattern": (
        FILES,
        "So many zeros in every so many weights that are multiplied and summed one after another: 2:4, which says the "
        "sparsity, too. It is chosen at once, in the first step.",
    ),
    "pruning_schedule": (FILES, f"How the share of zeros rises: {', '.join(PRUNING_SCHEDULES)}, as TFMOT has them."),
    "pruning_frequency": (FILES, "Steps between two choices of what is zero; by default 20 choices in all."),
    "prune_epochs": (FILES, "Epochs of pruning, distillation still on."),
    "clusters": (
        FILES,
        "Values, zero among them, that each table and kernel may have: a smaller download, no smaller file.",
    ),
    "cluster_epochs": (FILES, "Epochs of clustering, distillation still on."),
    "quantize_epochs": (
        FILES,
        "Epochs of quantization-aware training after it, distillation still on; int4_table needs it. 0 leaves it out.",
    ),
    "steps": (
        FILES,
        "Order of the steps after distillation, as far as they are asked for; repeatable.",
        "--step",
    ),
    "recipe": (
        FILES,
        f"Precision of the file: {found('compress/recipes')}; or mixed by layer, such as int8+item_table=int4.",
    ),
    "calibration": (
        FILES,
        "Which range activations get: minmax of all histories shown, percentile of 99 % of them, or mse, the best one.",
    ),
    "targets": (FILES, f"Device: {found('targets')}; repeatable.", "--target"),
    "k": (EVALUATION, "Length of the lists that are judged."),
    "fusion": (
        EVALUATION,
        "Judge teacher and student together, too, mixed as is best on validation: a figure, not a file, for "
        "it needs the teacher wherever it serves.",
        "--fusion",
    ),
    "seed": (EVALUATION, "Of all that is random; equal seeds, equal files."),
}


EXAMPLES = {"--teacher-option": "epochs=3", "--table-option": "rows=64", "--loss-option": "top=50"}


def with_options(*panels: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of some panels; it receives one argument, `config`, in their place.

    An option that is not given has the value of `--config FILE`, or else Config's default.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [parameter for name, parameter in signature.parameters.items() if name != "config"]
        shared = [option(field) for field in fields(Config) if OPTIONS[field.name][0] in panels]
        file = inspect.Parameter(
            "config", inspect.Parameter.KEYWORD_ONLY, annotation=Path | None,
            default=typer.Option(None, "--config", help="A run's config.json to repeat; options given override it."),
        )  # fmt: skip

        def wrapped(config: Path | None, **values: Any) -> None:
            given = {field.name: values.pop(field.name) for field in fields(Config) if field.name in values}
            command(config=config_of(config, given), **values)

        wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
        wrapped.__signature__ = inspect.Signature([*own, file, *shared])  # type: ignore[attr-defined]
        return wrapped

    return decorate


def option(field: Field[Any]) -> inspect.Parameter:
    """A field of Config as an option whose None says 'not given'."""
    panel, text, *names = OPTIONS[field.name]
    names = names or ["--" + field.name.replace("_", "-")]
    default = field.default if field.default is not MISSING else None
    if field.name == "tied":
        default = "tied" if default else "untied"
    if default not in (None, ()) and default is not False:
        text += f" [default: {', '.join(default) if isinstance(default, tuple) else default}]"
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, annotation=spelled(field.type),
        default=typer.Option(None, *names, help=text, rich_help_panel=panel, show_default=False),
    )  # fmt: skip


def spelled(hint: Any) -> Any:
    """The type by which the command line reads a field: a tuple is a repeated option, a dict repeats key=value."""
    inner = without_union(hint)
    if get_origin(inner) is tuple:
        return list[without_union(get_args(inner)[0])] | None  # type: ignore[misc]
    return list[str] | None if get_origin(inner) is dict else inner | None


def without_union(hint: Any) -> Any:
    """The one type that a text is read as: what may be a number or text is text, in which Config finds the number."""
    parts = [part for part in get_args(hint) if part is not type(None)] if isinstance(hint, UnionType) else [hint]
    return str if str in parts else parts[0]


def config_of(file: Path | None, given: dict[str, Any]) -> Config:
    """The configuration of a file, or the default one, with the options that were given."""
    base = Config.from_file(file) if file is not None else Config()
    values = {name: value for name, value in given.items() if value is not None}
    for name in ("teacher_options", "table_options", "loss_options"):
        if name in values:
            values[name] = dict(key_value(text, OPTIONS[name][-1]) for text in values[name])
    return replace(base, **values)


def key_value(text: str, option: str) -> tuple[str, Any]:
    """Take `key=value` apart; a value that reads as JSON (a number, true, a list) is one.

    >>> key_value("epochs=3", "--teacher-option"), key_value("optimizer=adam", "--teacher-option")
    (('epochs', 3), ('optimizer', 'adam'))

    Raises:
        DataError: there is no '='.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise DataError(f"{option} must be key=value, not {text!r}; for example {option} {EXAMPLES[option]}")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value
