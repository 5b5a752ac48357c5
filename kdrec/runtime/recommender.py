"""Recommendations from a bundle with numpy and LiteRT alone: what an edge box installs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kdrec.bundle.read import Bundle, open_bundle
from kdrec.errors import DataError
from kdrec.runtime.inputs import Id, context_tokens, right_aligned, split_known
from kdrec.runtime.judge import Scorer, judge, litert
from kdrec.runtime.order import best, best_of_top


@dataclass(frozen=True)
class Recommendations:
    """A list of items, best first.

    Args:
        items: ids as in the log.
        scores: one an item, comparable within this list only; 0 each when `fallback`.
        titles: one an item.
        unknown: ids given that the catalogue does not have; they were skipped. A rare item, whose row others share,
            is known in a history alone.
        unknown_context: names of context features whose value the model does not know.
        fallback: the history named no known item, so the most popular items are listed.
    """

    items: tuple[Id, ...]
    scores: tuple[float, ...]
    titles: tuple[str, ...]
    unknown: tuple[Id, ...] = ()
    unknown_context: tuple[str, ...] = ()
    fallback: bool = False


class Recommender:
    """A bundle, ready to recommend; `Recommender.load(folder)` makes one.

    Args:
        bundle: verified.
        num_threads: that LiteRT may use.

    Raises:
        RuntimeFileError: the bundle's model cannot be run.
    """

    def __init__(self, bundle: Bundle, num_threads: int = 1):
        self.bundle = bundle
        self._num_threads = num_threads
        self._model = litert(bundle.manifest, bundle.files, num_threads)
        self._positions, self._tokens = bundle.items.positions(), bundle.items.tokens()

    @classmethod
    def load(cls, folder: str | Path, num_threads: int = 1) -> "Recommender":
        """Verify a bundle's checksums and load its model.

        Raises:
            BundleError: no bundle, or one that is incomplete, altered or newer than this version.
            RuntimeFileError: its model cannot be run.
        """
        return cls(open_bundle(folder), num_threads)

    def recommend(
        self,
        history: Iterable[Id],
        k: int = 10,
        exclude: Iterable[Id] | None = None,
        candidates: Iterable[Id] | None = None,
        context: Mapping[str, Any] | None = None,
        exclude_history: bool = True,
    ) -> Recommendations:
        """The k best items for a history: score descending, then lower position.

        The file's own top K answers when it is enough; else the scores of all items are ranked. A history without any
        known item gives the most popular items.

        Args:
            history: item ids, the most recent last, any number; the model reads the last of them.
            k: how many items.
            exclude: ids that are not listed.
            candidates: ids that may be listed; None allows the whole catalogue.
            context: value of each context feature, by name; an absent or unknown value is the model's "unknown".
            exclude_history: whether items of the history are left out.

        Raises:
            DataError: k is larger than the number of items that may be listed, or an argument of a wrong type.
        """
        tokens_seen, unknown = split_known(history, self._tokens, "history")
        seen = [token - 1 for token in tokens_seen if token <= len(self._positions)]
        barred, unknown_barred = split_known(() if exclude is None else exclude, self._positions, "exclude")
        allowed = np.ones(len(self._positions), bool)
        if candidates is not None:
            wanted, unknown_wanted = split_known(candidates, self._positions, "candidates")
            allowed[:] = False
            allowed[wanted] = True
            unknown_barred = unknown_barred + unknown_wanted
        allowed[barred + (seen if exclude_history else [])] = False
        _check_k(k, int(allowed.sum()), len(allowed))
        tokens, unknown_context = context_tokens(context, self.bundle.manifest.context)
        skipped = tuple(dict.fromkeys(unknown + unknown_barred))
        if not tokens_seen:
            return self._list(self._popular(allowed, k), np.zeros(k), skipped, unknown_context, fallback=True)
        x = {name: np.array([token], np.int32) for name, token in tokens.items()}
        x["history"] = right_aligned(np.array([tokens_seen]), self._model.length)
        positions, scores = self._rank(x, allowed, k, whole=candidates is not None)
        return self._list(positions, scores, skipped, unknown_context)

    def similar_items(self, item: Id, k: int = 10) -> Recommendations:
        """The k best items for somebody whose history is this one item; the item itself is left out.

        It needs nothing but `score`, so it means the same on every target.

        Raises:
            DataError: the catalogue does not have the item, or k is larger than the others.
        """
        if item not in self._positions:
            raise DataError(f"item {item!r} is not among the {len(self._positions)} of the catalogue; give a known id")
        return self.recommend([item], k)

    def scorer(self) -> Scorer:
        """x -> (rows, n_items) float32, row by row through the interpreter that judges this bundle.

        That is LiteRT, or `tflite-micro` for a micro bundle; see `kdrec.runtime.judge`.
        """
        if self.bundle.manifest.oracle == "litert":
            return self._model
        return judge(self.bundle.manifest, self.bundle.files, self._num_threads)

    def recommended(self, x: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The top K that the file ranks itself.

        Args:
            x: `history` (rows, any) tokens and (rows,) a context feature.

        Returns:
            Positions (rows, K) int32 and scores (rows, K) float32.

        Raises:
            RuntimeFileError: the file does not rank, as on targets whose host does.
        """
        return self._model.recommended(x)

    def _rank(self, x: Mapping[str, np.ndarray], allowed: np.ndarray, k: int, whole: bool) -> tuple:
        if self._model.k and not whole:
            positions, scores = (found[0] for found in self._model.recommended(x))
            listed = best_of_top(positions, scores, allowed, k)
            if listed is not None:
                return positions[listed], scores[listed]
        scores = self._model(x)[0]
        positions = best(scores, allowed, k)
        return positions, scores[positions]

    def _popular(self, allowed: np.ndarray, k: int) -> np.ndarray:
        """The k most popular allowed items; those that the bundle does not order follow by position."""
        popular = np.array(self.bundle.items.popular, np.int64)
        order = np.concatenate([popular, np.setdiff1d(np.arange(len(allowed)), popular)])
        return order[allowed[order]][:k]

    def _list(
        self,
        positions: np.ndarray,
        scores: np.ndarray,
        unknown: tuple[Id, ...],
        unknown_context: list[str],
        fallback: bool = False,
    ) -> Recommendations:
        items = self.bundle.items
        return Recommendations(
            items=tuple(items.ids[position] for position in positions.tolist()),
            scores=tuple(scores.tolist()),
            titles=tuple(items.titles[position] for position in positions.tolist()),
            unknown=unknown,
            unknown_context=tuple(unknown_context),
            fallback=fallback,
        )


def _check_k(k: int, left: int, n_items: int) -> None:
    if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
        raise DataError(f"k must be an integer of at least 1, received {k!r}; 10 is usual")
    if k > left:
        raise DataError(
            f"k must be at most {left}, the items that may be listed of a catalogue of {n_items}, received {k}; "
            f"ask for fewer, exclude less or give more candidates"
        )
