"""Small students and the files made of them; one child process a student."""

from dataclasses import dataclass

import numpy as np

ITEMS, WIDTH, LENGTH = 40, 8, 6


@dataclass(frozen=True, eq=False)
class Case:
    """A student, its calibration, histories it was not calibrated on, and its files by job name."""

    student: object
    calibration: dict[str, np.ndarray]
    inputs: dict[str, np.ndarray]
    files: dict

    def float_scores(self) -> np.ndarray:
        """(rows, ITEMS): what the Keras student says to `inputs`."""
        return self.student.predict(self.inputs, verbose=0)

    def calls(self) -> list[dict[str, np.ndarray]]:
        rows = len(self.inputs["history"])
        return [{name: values[row : row + 1] for name, values in self.inputs.items()} for row in range(rows)]


def histories(rng: np.random.Generator, rows: int) -> np.ndarray:
    """(rows, LENGTH) right-aligned tokens, of every length from 1."""
    filled = np.zeros((rows, LENGTH), np.int32)
    for row in filled:
        n = rng.integers(1, LENGTH + 1)
        row[LENGTH - n :] = rng.choice(ITEMS, n, replace=False) + 1
    return filled


def tokens(rng: np.random.Generator, rows: int, features: dict[str, int]) -> dict[str, np.ndarray]:
    context = {name: rng.integers(0, size + 1, rows).astype(np.int32) for name, size in features.items()}
    return {"history": histories(rng, rows), **context}


def student(*, seed: int = 0, **options):
    """A student whose weights are random, biases too, as if it were trained."""
    from kdrec.models.students.history import history

    model = history(ITEMS, embedding_dim=WIDTH, history_length=LENGTH, hidden=16, **options)
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        layer.set_weights([weight + rng.normal(size=weight.shape) * 0.2 for weight in layer.get_weights()])
        if layer.name == "item_table":
            table = layer.get_weights()[0]
            table[0] = 0
            layer.set_weights([table])
    return model


def case(jobs, **options) -> Case:
    from kdrec.export import export_all

    rng = np.random.default_rng(7)
    features = options.get("context") or {}
    model, calibration = student(**options), tokens(rng, 60, features)
    files = {exported.job.name: exported for exported in export_all(model, jobs, calibration)}
    return Case(model, calibration, tokens(rng, 40, features), files)


def standard_jobs(*recipes_too: str) -> list:
    from kdrec.compress import recipes
    from kdrec.export import ExportJob

    int8 = recipes.get("int8")
    return [
        ExportJob("android", int8, topk=10),
        ExportJob("micro", int8, signatures=("score",), topk=None, one_subgraph=True),
        ExportJob(
            "coral_edgetpu", int8, signatures=("score",), topk=None, one_subgraph=True, lookup="host", max_fc_outputs=15
        ),
        *(ExportJob(name, recipes.get(name), topk=10) for name in recipes_too),
    ]
