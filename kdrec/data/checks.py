"""Rules that the arrays of a log and its features keep."""

import numpy as np

from kdrec.errors import DataError


def check_codes(argument: str, codes: np.ndarray, low: int, high: int) -> None:
    """Codes must be one row of integers in low … high − 1."""
    if codes.ndim != 1 or (len(codes) and (codes.min() < low or codes.max() >= high)):
        found = f"shape {codes.shape}" if codes.ndim != 1 else f"{codes.min()} to {codes.max()}"
        raise DataError(f"{argument} must be one row of {low} to {high - 1}, not {found}; they index the vocabulary")


def check_finite(argument: str, values: np.ndarray, ndim: int) -> None:
    """Values must have the dimensions and hold neither NaN nor infinity."""
    if values.ndim != ndim or not np.isfinite(values).all():
        found = f"{values.ndim} dimensions" if values.ndim != ndim else "NaN or infinity among them"
        raise DataError(f"{argument} must be finite in {ndim} dimension(s), not {found}; fill the gaps first")


def check_sizes(**arrays: np.ndarray | None) -> None:
    """Arrays that are given must be one row each, equally long."""
    shapes = {name: array.shape for name, array in arrays.items() if array is not None}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise DataError(f"arrays must be one row each and equally long, not {shapes}; give one value a pair")


def check_times(times: np.ndarray) -> None:
    """Times must be finite seconds since 1970, none negative."""
    wrong = ~(times >= 0) | (times == np.inf)
    if wrong.any():
        at = int(wrong.argmax())
        raise DataError(
            f"times must be seconds since 1970, finite and not negative, not {times[at]} (pair {at}); "
            f"repair or drop that pair"
        )


def check_weights(weights: np.ndarray) -> None:
    """Weights must be finite and positive."""
    wrong = ~(weights > 0) | (weights == np.inf)
    if wrong.any():
        at = int(wrong.argmax())
        raise DataError(f"weights must be finite and positive, not {weights[at]} (pair {at}); drop pairs of no weight")


def check_shares(valid: float, test: float) -> None:
    """Shares must be at least 0, above 0 together, and leave something for train."""
    if min(valid, test) < 0 or not 0 < valid + test < 1:
        raise DataError(
            f"valid and test must be shares that add up to less than 1, not {valid} and {test}; hold out less"
        )
