"""Distill a recommender into a tiny int8 .tflite that still recommends like the teacher."""

from importlib import import_module
from typing import Any

from kdrec import threads

__version__ = "0.1.0"

_HOMES = {
    "Config": "kdrec.config",
    "Distiller": "kdrec.distill.distiller",
    "Interactions": "kdrec.data.interactions",
    "KdrecError": "kdrec.errors",
    "Recommender": "kdrec.runtime.recommender",
    "SoftenedKl": "kdrec.losses.softened_kl",
    "Softmax": "kdrec.losses.softmax",
    "Split": "kdrec.data.splits",
    "TeacherCache": "kdrec.distill.teacher_cache",
    "TrainingBatches": "kdrec.distill.batches",
    "ask_teacher": "kdrec.distill.asking",
    "evaluate": "kdrec.evaluation.ranking",
    "export_bundles": "kdrec.pack",
    "leave_last_out": "kdrec.data.splits",
    "read_table": "kdrec.data.readers",
    "train": "kdrec.distill.train",
    "training_rows": "kdrec.distill.batches",
    "validation_batches": "kdrec.distill.batches",
}

__all__ = ["__version__", *_HOMES]

threads.ensure_two()


def __getattr__(name: str) -> Any:
    """Public names load on first use, so that importing kdrec imports no TensorFlow."""
    if name not in _HOMES:
        raise AttributeError(f"module 'kdrec' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
