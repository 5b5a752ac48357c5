"""What the command line says of each option of a Config: one table, in the order of its fields."""

from pathlib import Path
from pkgutil import iter_modules

from kdrec.config import PRUNING_SCHEDULES

DATA, TEACHER, STUDENT, TRAINING = "Data", "Teacher", "Student", "Training"
FILES, EVALUATION = "Files", "Evaluation"


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
    "unit_rows": (
        STUDENT,
        "Item rows of length 1, normalised while the student is trained, constants in the file.",
        "--unit-rows",
    ),
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
    "rare_below": (
        FILES,
        "In its place, the items that keep a row are those of at least so many training users; by --vocabulary-by "
        "teacher, of so many users to whom it recommends them.",
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
        "Order of the steps, as far as they are asked for; repeatable. What stands before distill hears no teacher.",
        "--step",
    ),
    "recipe": (
        FILES,
        f"Precision of the file: {found('compress/recipes')}; or mixed by layer, such as int8+item_table=int4.",
    ),
    "calibration": (
        FILES,
        "Which range activations get: mse, that of least error, or percentile of 99 % of the histories shown, neither "
        "of which strange histories make coarse, or minmax of all.",
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
