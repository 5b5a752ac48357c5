"""TFMOT and TFRS are Keras 2 packages: this module makes `tf.keras` resolve to Keras 2 while that is still possible."""

import os

from kdrec.errors import KdrecError


def ensure() -> None:
    """Make `tf.keras` mean Keras 2 for this process.

    TensorFlow reads `TF_USE_LEGACY_KERAS` at the first use of `tf.keras`, so the variable is set here, at the first
    use of TFRS or TFMOT, and never at import.

    Raises:
        KdrecError: `tf.keras` has already resolved to Keras 3.
    """
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    import tensorflow as tf

    home = tf.keras.Model.__module__.partition(".")[0]
    if home != "tf_keras":
        raise KdrecError(
            "tf.keras must be Keras 2 for TensorFlow Recommenders and Model Optimization, but it is already "
            f"resolved to {home!r}; before the first use of tf.keras add: "
            "import os; os.environ['TF_USE_LEGACY_KERAS'] = '1'"
        )
