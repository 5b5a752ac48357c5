"""Which histories the converter is shown, so that a rare one does not make the scale of all others coarse."""

from collections.abc import Callable

import numpy as np
import tf_keras as keras

from kdrec.errors import ConversionError
from kdrec.export.calibration import Calibration

SHARE = 0.99  # of the histories, whose range `percentile` takes
SHRUNK = np.geomspace(0.05, 1.0, 60)  # of the whole range, that `mse` tries
STEPS = 255
NOT_WATCHED = ("item_table", "item_scores", "scores")  # tables have scales of their own, and scores must not be clipped


def minmax(values: np.ndarray) -> tuple[float, float]:
    """The range of all values."""
    return float(values.min()), float(values.max())


def percentile(values: np.ndarray) -> tuple[float, float]:
    """The range that 99 % of the rows do not exceed, below and above; of fewer than 100 rows, that of all.

    >>> percentile(np.arange(200.0)[:, np.newaxis])
    (1.0, 198.0)
    """
    lows, highs = values.min(axis=1), values.max(axis=1)
    return float(np.quantile(lows, 1 - SHARE, method="lower")), float(np.quantile(highs, SHARE, method="higher"))


def mse(values: np.ndarray) -> tuple[float, float]:
    """The shrunk range of least Σ_row ‖v − v̂‖² / ‖v‖², v̂ being v clipped to it and rounded to 256 values.

    Each row counts by its own size, so that one large row is kept until it costs the many small ones more.

    Source: clipping for the least square error, as in Banner et al., Post training 4-bit quantization of convolutional
    networks for rapid-deployment, NeurIPS 2019; found by trying, and relative to each row.
    """
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    sizes = np.maximum((values**2).sum(axis=1), 1e-12)

    def error(share: float) -> float:
        step = max(share * (high - low), 1e-12) / STEPS
        rounded = step * np.clip(np.round(values / step), np.round(share * low / step), np.round(share * high / step))
        return float(np.mean(((values - rounded) ** 2).sum(axis=1) / sizes))

    best = min(reversed(SHRUNK), key=error)  # of equals, the widest
    return best * low, best * high


METHODS: dict[str, Callable[[np.ndarray], tuple[float, float]]] = {
    "minmax": minmax, "percentile": percentile, "mse": mse,
}  # fmt: skip


def check_method(method: str) -> None:
    """Refuse a way of calibrating that does not exist.

    Raises:
        ConversionError: it lists those that do.
    """
    if method not in METHODS:
        raise ConversionError(f"calibration must be one of {', '.join(METHODS)}, not {method!r}")


def within(student: keras.Model, calibration: Calibration, method: str) -> Calibration:
    """The calibration without the rows whose activations leave the range that a method gives to a layer.

    The converter takes the least and greatest value of each activation that it sees; it clips what exceeds them later.

    Args:
        student: a functional model.
        calibration: (rows, …) by input name.
        method: a name in `METHODS`; minmax leaves every row in.

    Returns:
        (rows left, …) by input name; all rows, when none would be left.

    Raises:
        ConversionError: no such method.
    """
    check_method(method)
    if method == "minmax":
        return calibration
    kept = np.ones(len(calibration["history"]), bool)
    inner = [layer for layer in student.layers if not isinstance(layer, keras.layers.InputLayer)]
    watched = [layer.output for layer in inner if layer.name not in NOT_WATCHED]
    answers = keras.Model(student.inputs, watched).predict(
        {name: calibration[name] for name in student.input_names}, batch_size=256, verbose=0
    )
    for answer in answers:
        values = answer.reshape(len(kept), -1)
        low, high = METHODS[method](values)
        kept &= (values.min(axis=1) >= low) & (values.max(axis=1) <= high)
    return {name: values[kept] for name, values in calibration.items()} if kept.any() else calibration
