"""Arrays and weights of a teacher in its folder, without pickle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

ARRAYS = "arrays.npz"


def write_arrays(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """The arrays of a teacher as one npz."""
    np.savez(folder / ARRAYS, allow_pickle=False, **arrays)


def read_arrays(folder: Path) -> dict[str, np.ndarray]:
    """What `write_arrays` wrote."""
    return read_npz(folder / ARRAYS)


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an npz file."""
    # Opened here, because np.load leaves the file open when it is damaged.
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def weights_of(model: Any) -> dict[str, np.ndarray]:
    """The weights of a Keras model, as arrays to write beside others."""
    return {f"weight:{number}": weight for number, weight in enumerate(model.get_weights())}


def set_weights(model: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Put what `weights_of` gave into a fresh model."""
    count = sum(name.startswith("weight:") for name in arrays)
    model.set_weights([arrays[f"weight:{number}"] for number in range(count)])
