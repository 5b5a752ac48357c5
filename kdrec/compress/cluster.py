"""Weight clustering through TFMOT, wrapped so that it works inside a Distiller with the teacher still speaking."""

from typing import Any

import numpy as np
import tf_keras as keras

from kdrec import legacy_keras
from kdrec.compress.matrices import is_table, matrices
from kdrec.errors import TrainingError


def _tfmot() -> Any:
    legacy_keras.ensure()
    import tensorflow_model_optimization

    return tensorflow_model_optimization.clustering.keras


def cluster_weights(student: keras.Model, clusters: int, centroids: str = "kmeans_plus_plus") -> keras.Model:
    """A copy of a student whose item tables and dense kernels have at most so many values each while it trains.

    Every entry takes the nearest of `clusters` centroids, which are trained: w ← c_j, j = argmin |w − c_j|. One of them
    is zero and stays zero, and so does every entry that begins nearest to it: the padding row, and what was pruned
    (TFMOT's `preserve_sparsity`). A matrix with fewer entries than that is left as it is. Train the copy, then call
    `strip_clustering`. The student given is not changed.

    The file is as large as before, for an entry is still stored as a number; it is its gzip that shrinks, towards
    log₂(clusters) bits an entry.

    Args:
        student: a functional model, trained.
        clusters: values of a matrix, zero among them; at least 3.
        centroids: how they begin, TFMOT's `CentroidInitialization` by name: kmeans_plus_plus, density_based, linear or
            random.

    Returns:
        A functional model with the same inputs and output.

    Raises:
        TrainingError: too few clusters, or no initialisation of that name.

    Source: Han et al., Deep Compression, ICLR 2016, arXiv:1510.00149.
    """
    tfmot = _tfmot()
    # The public `cluster_weights` has no preserve_sparsity, and this one is in the wheel but not in its public names.
    from tensorflow_model_optimization.python.core.clustering.keras.experimental import cluster as experimental

    if clusters < 3:
        raise TrainingError(f"clusters must be at least 3, zero and one on either side, not {clusters}")
    known = {each.name.lower(): each for each in tfmot.CentroidInitialization}
    if centroids not in known:
        raise TrainingError(f"centroids must be one of {', '.join(sorted(known))}, not {centroids!r}")

    copy = keras.models.clone_model(student)
    copy.set_weights(student.get_weights())  # before they are wrapped: centroids are chosen when the wrapper is built
    chosen = {layer.name for layer in copy.layers if _entries(layer) >= clusters}

    def wrap(layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer.name not in chosen:
            return layer.__class__.from_config(layer.get_config())  # one that is called twice has two outputs
        if is_table(layer):  # dense ones TFMOT knows
            tfmot.ClusterableLayer.register(type(layer))
        return experimental.cluster_weights(layer, clusters, known[centroids], preserve_sparsity=True)

    clustered = keras.models.clone_model(copy, clone_function=wrap)
    for before, after in zip(copy.layers, clustered.layers, strict=True):
        if before.name not in chosen:
            after.set_weights(before.get_weights())
    return clustered


def _entries(layer: keras.layers.Layer) -> int:
    """Entries that are not zero of a layer's smallest matrix; none of a layer that has no matrix."""
    return min((int(np.count_nonzero(getattr(layer, name).numpy())) for name in matrices(layer)), default=0)


def strip_clustering(clustered: keras.Model) -> keras.Model:
    """The clustered student without TFMOT's wrappers. Do not train it further: each weight would go its own way."""
    shared = _tfmot().strip_clustering(clustered)
    student = keras.models.clone_model(shared)
    student.set_weights(shared.get_weights())
    return student
