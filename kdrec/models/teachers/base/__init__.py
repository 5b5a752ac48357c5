"""What teachers are made of; nothing here needs TensorFlow before a teacher is trained by epochs."""

from kdrec.models.teachers.base.arrays import read_arrays, read_npz, set_weights, weights_of, write_arrays
from kdrec.models.teachers.base.batches import Batches
from kdrec.models.teachers.base.checks import check_pairs, check_positive, check_snapshots, is_ordered
from kdrec.models.teachers.base.epochs import Watch, fit
from kdrec.models.teachers.base.held_out import validation_rows
from kdrec.models.teachers.base.matrices import history_matrix, pair_matrix
from kdrec.models.teachers.base.teacher import Inputs, Progress, Teacher, check_scores, chosen, load, rows_of

__all__ = [
    "Batches", "Inputs", "Progress", "Teacher", "Watch", "check_pairs", "check_positive", "check_scores",
    "check_snapshots", "chosen", "fit", "history_matrix", "is_ordered", "load", "pair_matrix", "read_arrays",
    "read_npz", "rows_of", "set_weights", "validation_rows", "weights_of", "write_arrays",
]  # fmt: skip
