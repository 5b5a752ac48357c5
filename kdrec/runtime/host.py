"""What the host of an Edge TPU computes before the device runs: table rows, their weighted mean, context rows.

All of it in float64: a sum in another order, as another language or library adds it, still rounds to the same int8.
"""

import io
from collections.abc import Mapping

import numpy as np

from kdrec.bundle.host import HostAttention, HostInput, HostPart, HostTable
from kdrec.errors import RuntimeFileError
from kdrec.runtime.interpreter import Edge


class Host:
    """Makes the device's inputs from tokens, in float64 numpy, and quantizes them as the device wants.

    Args:
        part: of the manifest.
        files: content of the bundle's files.
        edges: the device's inputs, by name.

    Raises:
        RuntimeFileError: a table that is no int8 matrix, or device inputs that the manifest does not describe.
    """

    def __init__(self, part: HostPart, files: Mapping[str, bytes], edges: Mapping[str, Edge]):
        if set(part.inputs) != set(edges):
            raise RuntimeFileError(
                f"the device takes {', '.join(sorted(edges))}, but the manifest's host part makes "
                f"{', '.join(sorted(part.inputs)) or 'none'}; export the bundle again"
            )
        self._part, self._edges = part, edges
        self._rows = _load(part.table, files)
        self._context = {
            device_input: {name: _load(table, files) for name, table in spec.context_tables.items()}
            for device_input, spec in part.inputs.items()
        }
        attentions = [spec.attention for spec in part.inputs.values() if spec.attention is not None]
        self._item_scores = {one.scores.file: _load(one.scores, files) for one in attentions}

    def __call__(self, tokens: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Device inputs for one row.

        Args:
            tokens: `history` (1, length) int32 and (1,) int32 a context feature.

        Returns:
            Stored arrays by device input.
        """
        inputs = {}
        for name, spec in self._part.inputs.items():
            edge = self._edges[name]
            values = self._values(name, spec, tokens)
            inputs[name] = edge.quantize(values.reshape(edge.shape))
        return inputs

    def _values(self, name: str, spec: HostInput, tokens: Mapping[str, np.ndarray]) -> np.ndarray:
        if spec.kind == "lookup":
            return _real(self._rows[tokens["history"][0]], self._part.table)  # (length, embedding_dim)
        total = np.zeros(self._rows.shape[1])
        if spec.position_weights is not None and spec.power is not None:
            weights = np.asarray(spec.position_weights)
            total += weighted_mean(tokens["history"][0], self._rows, self._part.table, weights, spec.power)
        if spec.attention is not None and spec.power is not None:
            item_scores = self._item_scores[spec.attention.scores.file]
            total += attention_mean(
                tokens["history"][0], self._rows, self._part.table, item_scores, spec.attention, spec.power
            )
        for feature, rows in self._context[name].items():
            total += _real(rows[tokens[feature][0]], spec.context_tables[feature])
        return total  # (embedding_dim,)


def weighted_mean(
    history: np.ndarray, rows: np.ndarray, table: HostTable, weights: np.ndarray, power: float
) -> np.ndarray:
    """n^(−power) Σ_l w_l E_l over the n items of a history; zeros for an empty one.

    Args:
        history: (length,) tokens, 0 is padding.
        rows: (n_items + 1, embedding_dim) int8.
        table: scale and zero point of the rows.
        weights: (length,), one a position.
        power: 1 is the mean, 0 the sum.

    Returns:
        (embedding_dim,) float64.

    >>> rows = np.array([[0], [2], [4]], np.int8)
    >>> float(weighted_mean(np.array([0, 1, 2]), rows, HostTable("t.npy", 0.5, 0), np.ones(3), 1.0)[0])
    1.5
    """
    present = history > 0
    n = int(present.sum())
    if n == 0:
        return np.zeros(rows.shape[1])
    return weights[present] @ _real(rows[history[present]], table) * n**-power


def attention_mean(
    history: np.ndarray,
    rows: np.ndarray,
    table: HostTable,
    item_scores: np.ndarray,
    attention: HostAttention,
    power: float,
) -> np.ndarray:
    """n^(1−power) Σ_l a_l E_l over the n items of a history, a_l = softmax_l(bound · tanh(t_l + p_l)) for each head.

    Args:
        history: (length,) tokens, 0 is padding.
        rows: (n_items + 1, embedding_dim) int8; each head weighs its own block of embedding_dim / heads channels.
        table: scale and zero point of the rows.
        item_scores: (n_items + 1, heads) int8 t.
        attention: scale of t, position scores p and bound.
        power: 1 is the weighted mean, 0 the sum.

    Returns:
        (embedding_dim,) float64.

    >>> rows, t = np.array([[0], [2], [4]], np.int8), np.zeros((3, 1), np.int8)
    >>> equal = HostAttention(HostTable("a.npy", 1.0, 0), (0.0, 0.0, 0.0), 4.0)
    >>> float(attention_mean(np.array([0, 1, 2]), rows, HostTable("t.npy", 0.5, 0), t, equal, 1.0)[0])
    1.5
    """
    present = history > 0
    n = int(present.sum())
    if n == 0:
        return np.zeros(rows.shape[1])
    position_scores = np.asarray(attention.position_scores).reshape(len(history), -1)[present]  # (n, heads)
    scores = np.tanh(_real(item_scores[history[present]], attention.scores) + position_scores)
    shares = np.exp(attention.bound * (scores - scores.max(axis=0)))
    shares /= shares.sum(axis=0)
    blocks = _real(rows[history[present]], table).reshape(n, shares.shape[1], -1)  # (n, heads, width of a block)
    return np.einsum("nh,nhc->hc", shares, blocks).reshape(-1) * n ** (1 - power)


def _real(stored: np.ndarray, table: HostTable) -> np.ndarray:
    return (stored.astype(np.float64) - table.zero_point) * table.scale


def _load(table: HostTable, files: Mapping[str, bytes]) -> np.ndarray:
    try:
        rows = np.load(io.BytesIO(files[table.file]), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise RuntimeFileError(f"{table.file} is no readable .npy table ({error}); export the bundle again") from error
    if rows.ndim != 2 or rows.dtype != np.int8:
        raise RuntimeFileError(
            f"{table.file} must be an int8 matrix, received {rows.dtype} {rows.shape}; export the bundle again"
        )
    return rows
