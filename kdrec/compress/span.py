"""The directions of a table that its readers miss least when the others are left out, and which columns to keep."""

from typing import NamedTuple

import numpy as np

TINY = 1e-9  # of a Gram matrix's mean square, added to each direction so that one without any can be inverted


class Span(NamedTuple):
    """A way into fewer columns and back: rows E become E·into, and (E·into)·back is as near to E as it can be.

    Args:
        into: (columns, width) P.
        back: (width, columns) G.
    """

    into: np.ndarray
    back: np.ndarray


def turned(gram: np.ndarray, reader: np.ndarray, width: int) -> Span:
    """The span of so many directions that minimises tr(M (I − P G)ᵀ S (I − P G)) over all P and G.

    With S = EᵀE / n of item rows E and M = QᵀQ / m of queries Q, that is the mean square error of the scores Q Eᵀ. It
    is least where S½ P spans the leading eigenvectors of S½ M S½, and then it is the sum of the other eigenvalues: the
    discarded squared singular values of Q Eᵀ, over n m. With M = I it is the plain singular value decomposition of E.
    P is orthonormal, so E is turned and cut; G is its least-squares answer (P G is oblique unless S is round).

    Args:
        gram: (columns, columns) S.
        reader: (columns, columns) M.
        width: how many directions are kept, at most `columns`.

    Source: Eckart and Young, 1936, doi:10.1007/BF02288367; in control theory, the balanced truncation of Moore, 1981.

    >>> rows = np.array([[2.0, 0.0], [0.0, 1.0]])
    >>> abs(turned(rows.T @ rows, np.eye(2), 1).into[:, 0]).round(6).tolist()
    [1.0, 0.0]
    >>> abs(turned(rows.T @ rows, np.diag([1.0, 9.0]), 1).into[:, 0]).round(6).tolist()  # who reads asks for the second
    [0.0, 1.0]
    """
    sizes, axes = np.linalg.eigh(_invertible(gram))
    root = (axes * np.sqrt(sizes)) @ axes.T
    leading = np.linalg.eigh(root @ reader @ root)[1][:, ::-1][:, :width]
    into = np.linalg.qr(np.linalg.solve(root, leading))[0]
    return Span(into, _back(gram, into))


def picked(gram: np.ndarray, reader: np.ndarray, width: int) -> Span:
    """As `turned`, but P picks columns as they are, in their order: for readers to whom each column is its own.

    Args:
        gram, reader, width: as of `turned`.

    >>> picked(np.diag([1.0, 3.0, 2.0]), np.eye(3), 2).into.T.tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    into = np.eye(len(gram))[:, kept(gram, np.eye(len(gram)), reader, width)]
    return Span(into, _back(gram, into))


def kept(gram: np.ndarray, weights: np.ndarray, metric: np.ndarray, count: int, optional: int | None = None) -> list:
    """Which columns of Z to keep so that Z W, fitted anew to the columns that are left, changes least.

    One column at a time is left out, the one whose loss is least: w_u C w_uᵀ / [H⁻¹]_uu with H = ZᵀZ; the others take
    over what they can, W ← W − H⁻¹_:u w_u / [H⁻¹]_uu. A column that the others explain costs nothing, however large.

    Args:
        gram: (columns, columns) H.
        weights: (columns, outputs) W.
        metric: (outputs, outputs) C, by which outputs are compared: an error e costs e C eᵀ.
        count: how many of the optional columns are kept.
        optional: so many first columns may go, the others stay; None: all may.

    Returns:
        The optional columns that are kept, ascending.

    Source: Hassibi and Stork, Second Order Derivatives for Network Pruning: Optimal Brain Surgeon, NIPS 1992. For a
    layer that is linear in its columns, as here, their quadratic is exact.

    >>> kept(np.diag([4.0, 1.0, 1.0]), np.array([[1.0], [1.0], [3.0]]), np.eye(1), 2)
    [0, 2]
    """
    left = list(range(len(gram) if optional is None else optional))
    inverse, weights = np.linalg.inv(_invertible(gram)), np.array(weights)
    while len(left) > count:
        costs = np.einsum("uo,op,up->u", weights[left], metric, weights[left]) / np.diag(inverse)[left]
        gone = left.pop(int(np.argmin(costs)))
        step = inverse[:, gone] / inverse[gone, gone]
        weights -= np.outer(step, weights[gone])
        inverse -= np.outer(step, inverse[gone])
    return left


def _back(gram: np.ndarray, into: np.ndarray) -> np.ndarray:
    """(Pᵀ S P)⁻¹ Pᵀ S: rows of Gram matrix S from their columns P, with the least square error."""
    safe = _invertible(gram)
    return np.linalg.solve(into.T @ safe @ into, into.T @ safe)


def _invertible(gram: np.ndarray) -> np.ndarray:
    return gram + (TINY * np.trace(gram) / len(gram) + np.finfo(np.float64).tiny) * np.eye(len(gram))
