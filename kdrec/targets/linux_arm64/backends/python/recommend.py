"""Recommendations from the bundle beside this file, with numpy and LiteRT alone.

python recommend.py --history ID --history ID    ten items for a history, the most recent id last
python recommend.py --golden                     whether this machine answers as the one that made the bundle
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter

SCHEMA = 2  # the newest that this file reads
LEAST_SHARED = 0.9  # of golden lists: less is another model, or a broken runtime


class BundleError(ValueError):
    """The bundle is incomplete, altered or newer than this file."""


class Recommendations(NamedTuple):
    """Items, best first: ids, titles, scores (0 each with `fallback`), and what was given but is not known."""

    items: list
    titles: list
    scores: list
    unknown: list
    unknown_context: list
    fallback: bool


class Recommender:
    """A bundle, verified and ready.

    Args:
        folder: of the bundle.
        num_threads: that LiteRT may use.

    Raises:
        BundleError: a file is missing or altered.
    """

    def __init__(self, folder: str | Path = Path(__file__).parent, num_threads: int = 1):
        self.manifest, self.files = read_bundle(Path(folder))
        self.items = json.loads(self.files["items.json"])
        self.ids, self.titles = self.items["ids"], self.items["titles"]
        self._positions = {item: position for position, item in enumerate(self.ids)}
        self._tokens = {item: position + 1 for item, position in self._positions.items()}
        self._tokens.update(dict.fromkeys(self.items.get("rare", ()), len(self.ids) + 1))
        model = self.files[self.manifest["signatures"]["score"]["file"]]
        self._interpreter = Interpreter(model_content=model, num_threads=num_threads)
        self._runners = {
            name: self._interpreter.get_signature_runner(name) for name in self._interpreter.get_signature_list()
        }

    def recommend(
        self, history, k: int = 10, exclude=(), candidates=None, context=None, exclude_history: bool = True
    ) -> Recommendations:
        """The k best items for a history: score descending, then lower position in items.json.

        Args:
            history: item ids, the most recent last, any number.
            k: how many items.
            exclude: ids that are not listed.
            candidates: ids that may be listed; None allows all.
            context: value of each context feature, by name.
            exclude_history: whether items of the history are left out.

        Raises:
            ValueError: an argument is not what it must be; the message says what.
        """
        seen, unknown = split_known(history, self._tokens, "history")
        barred, unknown_barred = split_known(exclude, self._positions, "exclude")
        wanted, unknown_wanted = split_known(candidates or (), self._positions, "candidates")
        allowed = np.full(len(self.ids), candidates is None)
        allowed[wanted] = True
        allowed[barred] = False
        if exclude_history:
            allowed[[token - 1 for token in seen if token <= len(self.ids)]] = False
        if not 1 <= k <= allowed.sum():
            raise ValueError(f"k must be from 1 to {allowed.sum()}, the items that may be listed, received {k}")
        inputs, unknown_context = self._encode(seen, context or {})
        if seen:
            positions, scores = self._rank(inputs, allowed, k, whole=candidates is not None)
        else:
            positions, scores = self._popular(allowed, k), np.zeros(k)
        return Recommendations(
            items=[self.ids[position] for position in positions],
            titles=[self.titles[position] for position in positions],
            scores=scores.tolist(),
            unknown=list(dict.fromkeys(unknown + unknown_barred + unknown_wanted)),
            unknown_context=unknown_context,
            fallback=not seen,
        )

    def id_of(self, text: str) -> int | str:
        """The id that a typed text stands for: an integer where the catalogue's ids are integers."""
        if type(self.ids[0]) is str:
            return text
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"an item id must be an integer like {self.ids[0]}, received {text!r}") from None

    def run(self, signature: str, inputs: dict) -> dict:
        """Outputs of one of the file's signatures by name, as they leave it."""
        return self._runners[signature](**inputs)

    def golden(self) -> tuple:
        """Golden vectors asked again.

        Returns:
            How many there are, how many have answers equal to the bit, and the share of their best ten items that are
            among the best ten here.
        """
        cases = json.loads(self.files["golden.json"])["cases"]
        equal, shared = 0, []
        for case in cases:
            inputs = {name: np.array(tokens, np.int32) for name, tokens in case["inputs"].items()}
            inputs["history"] = inputs["history"][None]
            outputs, expected = self.run("score", inputs), case["outputs"]
            stored = np.ascontiguousarray(outputs["scores"])
            is_equal = hashlib.sha256(stored.tobytes()).hexdigest() == expected["score"]["sha256"]
            if "recommend" in expected:
                top = self.run("recommend", inputs)
                is_equal &= all(top[name][0].tolist() == values for name, values in expected["recommend"].items())
            equal += is_equal
            wanted = expected["score"]["top"]
            best = np.argsort(-self._dequantized("score", outputs), kind="stable")[: len(wanted)]
            shared.append(np.isin(wanted, best).mean())
        return len(cases), equal, float(np.mean(shared))

    def _encode(self, tokens: list, context: dict) -> tuple:
        """Inputs of the file by name, int32: a token is position + 1, the history is right-aligned, 0 is unknown."""
        length, vocabularies = self.manifest["history"]["length"], self.manifest["context"]
        for name in context:
            if name not in vocabularies:
                known = ", ".join(sorted(vocabularies)) or "none"
                raise ValueError(f"context has no {name!r}, the model takes {known}; leave {name!r} out")
        found = {name: values.index(context[name]) + 1 if context.get(name) in values else 0
                 for name, values in vocabularies.items()}  # fmt: skip
        history = np.zeros((1, length), np.int32)
        history[0, max(0, length - len(tokens)) :] = tokens[-length:]
        inputs = {name: np.array([token], np.int32) for name, token in found.items()}
        return {"history": history, **inputs}, [name for name in context if not found[name]]

    def _rank(self, inputs: dict, allowed: np.ndarray, k: int, whole: bool) -> tuple:
        if "recommend" in self._runners and not whole:
            top = self.run("recommend", inputs)
            positions, scores = top["items"][0], self._dequantized("recommend", top)
            ranked = np.lexsort((positions, -scores))
            kept = ranked[allowed[positions[ranked]]]
            # An item beyond the file's own list may tie with its last one, and have a lower position.
            is_all = len(positions) == len(allowed)
            if len(kept) >= k and (is_all or scores[kept[k - 1]] > scores.min()):
                return positions[kept[:k]], scores[kept[:k]]
        scores = self._dequantized("score", self.run("score", inputs))
        order = np.argsort(-scores, kind="stable")
        best = order[allowed[order]][:k]
        return best, scores[best]

    def _dequantized(self, signature: str, outputs: dict) -> np.ndarray:
        spec = self.manifest["signatures"][signature]["outputs"]["scores"]
        stored = outputs["scores"][0].astype(np.float32)
        if spec["scale"] is None:
            return stored
        return (stored - np.float32(spec["zero_point"])) * np.float32(spec["scale"])

    def _popular(self, allowed: np.ndarray, k: int) -> np.ndarray:
        popular = np.array(self.items["popular"], np.int64)
        order = np.concatenate([popular, np.setdiff1d(np.arange(len(allowed)), popular)])
        return order[allowed[order]][:k]


def read_bundle(folder: Path) -> tuple:
    """The manifest of a bundle and the content of its files by name, each compared with its sha256."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise BundleError(f"{path} is missing; copy the whole folder again")
    manifest = json.loads(path.read_bytes())
    if manifest["schema"] > SCHEMA:
        raise BundleError(f"{path} has schema {manifest['schema']}, newer than {SCHEMA}: export it again")
    content = {name: value for name, value in manifest.items() if name != "sha256"}
    seal = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    if manifest.get("sha256", seal) != seal:
        raise BundleError(f"{path} was altered: its own sha256 does not fit; copy it again")
    files = {}
    for name, expected in sorted(manifest["files"].items()):
        if not (folder / name).is_file():
            raise BundleError(f"{folder / name} is missing, though manifest.json lists it; copy the whole folder again")
        files[name] = (folder / name).read_bytes()
        if hashlib.sha256(files[name]).hexdigest() != expected["sha256"]:
            raise BundleError(f"{folder / name} was altered: its sha256 does not fit; copy it again")
    return manifest, files


def split_known(ids, known: dict, argument: str) -> tuple:
    """What stands for each known id, and the unknown ids, both in order."""
    if isinstance(ids, str):
        raise ValueError(f"{argument} must be a list of item ids, received {ids!r}; put ids into a list")
    ids = [item.item() if isinstance(item, np.generic) else item for item in ids]
    return [known[item] for item in ids if item in known], [item for item in ids if item not in known]


def main() -> None:
    parser = argparse.ArgumentParser(description="Recommend items for a history, on this machine alone.")
    parser.add_argument("--history", action="append", default=[], metavar="ID", help="an item, the most recent last")
    parser.add_argument("-k", type=int, default=10, help="how many items (10)")
    parser.add_argument("--exclude", action="append", default=[], metavar="ID", help="an id that is not listed")
    parser.add_argument("--context", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--threads", type=int, default=1, help="that LiteRT may use (1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--golden", action="store_true", help="ask the bundle's golden vectors again")
    given = parser.parse_args()
    try:
        recommender = Recommender(num_threads=given.threads)
        if given.golden:
            cases, equal, shared = recommender.golden()
            print(
                f"{equal} of {cases} answers are equal to the bit; of their best ten items {shared:.1%} are here, too"
            )
            raise SystemExit(shared < LEAST_SHARED)
        found = recommender.recommend(
            [recommender.id_of(text) for text in given.history],
            given.k,
            exclude=[recommender.id_of(text) for text in given.exclude],
            context=dict(context_value(text, recommender.manifest["context"]) for text in given.context),
        )
    except ValueError as error:
        parser.error(str(error))
    if given.json:
        print(json.dumps(found._asdict(), ensure_ascii=False))
        return
    for item, title, score in zip(found.items, found.titles, found.scores, strict=True):
        print(f"{item}\t{title}" + ("" if found.fallback else f"\t{score:.3f}"))


def context_value(text: str, vocabularies: dict) -> tuple:
    """`name=value` taken apart; the value has the type of the model's values of that name."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--context must be NAME=VALUE, received {text!r}")
    return name, next((known for known in vocabularies.get(name, ()) if str(known) == value), value)


if __name__ == "__main__":
    main()
