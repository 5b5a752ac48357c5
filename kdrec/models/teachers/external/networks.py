"""Saved models of Keras 2, Keras 3 and TensorFlow, and how a model gets its inputs."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kdrec.errors import DataError
from kdrec.models.teachers.base import Inputs

Spec = dict[str, Any]  # of each input by name: what has a shape and a dtype


def is_network(path: Path) -> bool:
    """Whether a path is a saved model, by its name."""
    return path.suffix in (".keras", ".h5") or (path / "saved_model.pb").exists()


def read_network(path: Path) -> Callable[[Inputs], Any]:
    """The scorer in a saved model.

    Raises:
        DataError: the file is damaged, or needs code that is not at hand.
    """
    try:
        if path.suffix not in (".keras", ".h5"):
            return _saved_model(path)
        if path.suffix == ".keras" and keras_generation(path) >= 3:
            import keras as keras_3

            return fed(keras_3.saving.load_model(path, compile=False))
        import tf_keras as keras

        return fed(keras.models.load_model(path, compile=False))
    except DataError:
        raise
    except Exception as error:  # the loaders raise anything, from KeyError to errors of TensorFlow's own
        raise DataError(
            f"teacher {path} cannot be loaded: {error}; save it whole, and import its custom layers before"
        ) from error


def keras_generation(path: Path) -> int:
    """2 or 3: which Keras wrote a .keras file."""
    with zipfile.ZipFile(path) as file:
        return int(json.loads(file.read("metadata.json"))["keras_version"].split(".")[0])


def _saved_model(path: Path) -> Callable[[Inputs], Any]:
    import tensorflow as tf

    model = tf.saved_model.load(str(path))
    if not model.signatures:
        return model
    names = list(model.signatures)
    key = "serving_default" if "serving_default" in names else names[0]

    def call(x: Inputs) -> Any:
        signature = model.signatures[key]  # looked up here, because a signature holds its model only weakly
        given = matched(x, signature.structured_input_signature[1])
        answer = signature(**{name: tf.constant(value) for name, value in given.items()})
        if len(answer) != 1 and "scores" not in answer:
            raise DataError(f"SavedModel {path} must give `scores` or one output, not {', '.join(sorted(answer))}")
        return answer.get("scores", next(iter(answer.values())))

    return call


def fed(model: Callable[..., Any]) -> Callable[[Inputs], Any]:
    """The model as a scorer: one that declares its inputs gets those, cut to its length; another one gets x."""
    declared = getattr(model, "inputs", None)  # Keras 2 and Keras 3 models declare theirs, with names
    if not declared:
        return model
    specs: Spec = {tensor.name.split(":")[0]: tensor for tensor in declared}

    def call(x: Inputs) -> Any:
        given = matched(x, specs)
        return model(next(iter(given.values())) if len(given) == 1 else given)

    return call


def matched(x: Inputs, specs: Spec) -> dict[str, np.ndarray]:
    """The arrays that a model declares, by name, in its lengths and types.

    A history longer than the model's is cut to the last items, a shorter one padded on the left.
    """
    chosen: dict[str, np.ndarray] = {}
    for name, spec in specs.items():
        source = "history" if len(specs) == 1 and name not in x else name
        if source not in x:
            raise DataError(f"teacher reads input {name!r}, and x holds {', '.join(sorted(x))}; name its inputs alike")
        array, shape = np.asarray(x[source]), tuple(spec.shape)
        if len(shape) == 2 and shape[1] is not None and array.ndim == 2:
            array = np.pad(array[:, -shape[1] :], [(0, 0), (max(0, shape[1] - array.shape[1]), 0)])
        if len(shape) == 2 and array.ndim == 1:
            array = array[:, None]
        chosen[name] = array.astype(getattr(spec.dtype, "as_numpy_dtype", spec.dtype))
    return chosen
