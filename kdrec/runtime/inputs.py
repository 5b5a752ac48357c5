"""Histories and context as the file takes them: int32 tokens, position + 1, right-aligned; 0 is padding or unknown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kdrec.errors import DataError

Id = int | str


def split_known(ids: Iterable[Id], positions: Mapping[Id, int], argument: str) -> tuple[list[int], list[Id]]:
    """Positions of the ids that the catalogue has, and the ids that it has not, both in order.

    >>> split_known([9, 4, 7], {7: 0, 9: 1}, "history")
    ([1, 0], [4])
    """
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise DataError(f"{argument} must be a list of item ids, received {ids!r}; put ids into a list")
    known, unknown = [], []
    for item in ids:
        if not isinstance(item, (int, str, np.integer)):
            raise DataError(f"{argument} must hold item ids, integers or strings, received {item!r}; give ids")
        if item in positions:
            known.append(positions[item])
        else:
            unknown.append(item.item() if isinstance(item, np.generic) else item)
    return known, unknown


def right_aligned(tokens: np.ndarray, length: int) -> np.ndarray:
    """The last `length` columns of right-aligned tokens, zeros on the left where there are fewer.

    Args:
        tokens: (rows, any) integers.
        length: columns wanted.

    Returns:
        (rows, length) int32.

    >>> right_aligned(np.array([[3, 1]]), 4).tolist(), right_aligned(np.array([[3, 1, 2]]), 2).tolist()
    ([[0, 0, 3, 1]], [[1, 2]])
    """
    tokens = np.asarray(tokens)
    kept = tokens[:, max(0, tokens.shape[1] - length) :]
    padded = np.zeros((len(tokens), length), np.int32)
    padded[:, length - kept.shape[1] :] = kept
    return padded


def context_tokens(
    context: Mapping[str, Any] | None, vocabularies: Mapping[str, Sequence[Id]]
) -> tuple[dict[str, int], list[str]]:
    """A token for each context feature of the model: index of the value + 1, or 0 when absent or unknown.

    Args:
        context: value by name; a name that the model does not have is refused.
        vocabularies: values by name.

    Returns:
        Tokens by name, and the names whose value was given but is unknown.

    Raises:
        DataError: a name that the model does not have.

    >>> context_tokens({"daypart": "noon"}, {"daypart": ["evening", "noon"], "device": ["tv"]})
    ({'daypart': 2, 'device': 0}, [])
    """
    context = context or {}
    for name in context:
        if name not in vocabularies:
            known = ", ".join(sorted(vocabularies)) or "none"
            raise DataError(f"context has no {name!r}, the model takes {known}; leave {name!r} out")
    tokens = {name: 0 for name in vocabularies}
    unknown = []
    for name, value in context.items():
        if value in vocabularies[name]:
            tokens[name] = vocabularies[name].index(value) + 1
        else:
            unknown.append(name)
    return tokens, unknown


def checked(
    x: Mapping[str, np.ndarray],
    names: Sequence[str],
    length: int,
    last_token: int,
    last_of: Mapping[str, int] | None = None,
) -> tuple[int, dict[str, np.ndarray]]:
    """The inputs of a file for many rows, brought to its history length.

    Args:
        x: at least `names`: `history` (rows, any) and (rows,) a context feature, integers.
        names: inputs of the file.
        length: of the file's history.
        last_token: tokens run from 0 to it; a microcontroller does not check them.
        last_of: the same of context features, by name; of one that is not named, only the file itself may know.

    Returns:
        The number of rows and an int32 array a name.

    Raises:
        DataError: an input is missing, its rows differ in number, or a token is outside.
    """
    for name in names:
        if name not in x:
            raise DataError(
                f"x must have {', '.join(names)}, received {', '.join(sorted(x)) or 'nothing'}; add {name!r}"
            )
    history = np.asarray(x["history"])
    if history.ndim != 2:
        raise DataError(f"history must be (rows, length) tokens, received shape {history.shape}; one row a user")
    outside = history[(history < 0) | (history > last_token)]
    if len(outside):
        raise DataError(f"history must hold tokens from 0 to {last_token}, received {outside[0]}; token = position + 1")
    arrays = {"history": right_aligned(history, length)}
    for name in names:
        if name == "history":
            continue
        tokens = np.asarray(x[name])
        if tokens.shape != (len(history),):
            raise DataError(f"{name} must have one token a row, ({len(history)},), received shape {tokens.shape}")
        last = (last_of or {}).get(name)
        beyond = tokens[(tokens < 0) | (tokens > (np.inf if last is None else last))]
        if len(beyond):
            raise DataError(
                f"{name} must hold tokens from 0 to {'its number of values' if last is None else last}, received "
                f"{beyond[0]}; token = index of the value + 1"
            )
        arrays[name] = tokens.astype(np.int32)
    return len(history), arrays


def batch_of(cases: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, np.ndarray]:
    """Golden cases, tokens by input name, as one batch: `history` (rows, length), the others (rows,).

    >>> batch_of([{"history": [0, 3], "daypart": [1]}])["daypart"].tolist()
    [1]
    """
    names = {name for case in cases for name in case}
    arrays = {name: np.array([case[name] for case in cases], np.int32) for name in names}
    return {name: array if name == "history" else array[:, 0] for name, array in arrays.items()}
