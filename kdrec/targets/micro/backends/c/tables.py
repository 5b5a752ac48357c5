"""Constants of a file as C arrays."""

import numpy as np

from kdrec.tflite.views import Tensor

WIDEST = 118


def table(name: str, tensor: Tensor, beyond: int = 0) -> str:
    """The definition of a constant, of four bits as its bytes, with `beyond` zeros after it.

    >>> print(table("table_1", Tensor(0, "", "int8", (3,), (0.5,), (0,), 1, np.array([1, 255, 3], np.uint8))))
    /* (3,), scale 0.5, zero point 0 */
    static const int8_t table_1[3] = {
        1,-1,3
    };
    """
    stored = np.asarray(tensor.data) if tensor.dtype == "int4" else tensor.values().reshape(-1)
    stored = np.concatenate([stored, np.zeros(beyond, stored.dtype)])
    kind = {"int4": "uint8_t", "int8": "int8_t", "int32": "int32_t"}[tensor.dtype]
    scaled = f", scale {tensor.scale:.9g}, zero point {tensor.zero_point}" if tensor.scale is not None else ""
    bits = ", four bits each" if tensor.dtype == "int4" else ""
    head = f"/* {tensor.shape}{bits}{scaled} */\nstatic const {kind} {name}[{len(stored)}] = {{"
    return "\n".join([head, *("    " + line for line in _lines(stored)), "};"])


def _lines(stored: np.ndarray) -> list[str]:
    lines, line = [], ""
    for written in (_literal(int(value)) for value in stored):
        if len(line) + len(written) + 1 > WIDEST:
            lines.append(line)
            line = ""
        line += written + ","
    return [*lines, line.removesuffix(",")]


def _literal(value: int) -> str:
    """C has no literal for the smallest int32: −2147483648 is a sign before a number that is too large."""
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)
