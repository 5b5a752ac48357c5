"""Recommendations of this folder's bundle on an Edge TPU, or on the CPU where there is none: numpy and LiteRT alone.

    python recommend.py --history ID --history ID [--exclude ID] [--context NAME=VALUE] [-k 10] [--folder .] [--scores]

The Edge TPU runs `model_edgetpu.tflite`, which `compile.sh` makes, through `libedgetpu.so.1`. Without either the CPU
runs `model.tflite`, with the same answers.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate

SCHEMA = 2  # the newest that this file reads
DELEGATE = "libedgetpu.so.1"
MODEL, COMPILED = "model.tflite", "model_edgetpu.tflite"
Table = Mapping[str, Any]  # of the manifest: a file with its scale and zero point, and what is made of it


class BundleError(ValueError):
    """The folder does not hold what its manifest says, or a call asks for what it does not have."""


class Device:
    """The model in LiteRT; its tensors are found by name, for a compiled file may have no signatures."""

    def __init__(self, folder: Path, score: Mapping[str, Any]):
        runner = Interpreter(model_path=str(folder / MODEL)).get_signature_runner("score")
        inputs, outputs = ([*details.items()] for details in (runner.get_input_details(), runner.get_output_details()))
        self.name, self._interpreter = "CPU, LiteRT", Interpreter(model_path=str(folder / MODEL), num_threads=1)
        if (folder / COMPILED).is_file():
            try:
                delegate = load_delegate(DELEGATE)
            except (OSError, ValueError):
                pass  # no library, or no Edge TPU that answers: the CPU gives the same scores
            else:
                self.name = "Edge TPU"
                compiled = str(folder / COMPILED)
                self._interpreter = Interpreter(model_path=compiled, experimental_delegates=[delegate])
        self._interpreter.allocate_tensors()
        self._inputs = _indices(inputs, self._interpreter.get_input_details())
        self._outputs = _indices(outputs, self._interpreter.get_output_details())
        self._score = score

    def scores(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """(n_items,) float32 of the device's stored inputs; outputs `scores_0`, `scores_1` … follow one another."""
        for name, stored in inputs.items():
            self._interpreter.set_tensor(self._inputs[name], stored)
        self._interpreter.invoke()
        outputs = self._score["outputs"]
        parts = []
        for name in sorted(outputs, key=lambda name: int(name.partition("_")[2] or 0)):
            stored = self._interpreter.get_tensor(self._outputs[name])[0].astype(np.float32)
            parts.append((stored - np.float32(outputs[name]["zero_point"])) * np.float32(outputs[name]["scale"]))
        return np.concatenate(parts)


class Recommender:
    """A bundle, ready to recommend.

    Args:
        folder: that `kdrec export --target coral_edgetpu --backend hosts` wrote.

    Raises:
        BundleError: a file is missing or was altered.
    """

    def __init__(self, folder: str | Path):
        folder = Path(folder)
        self._manifest = _manifest(folder / "manifest.json")
        self._files = {name: _verified(folder / name, noted) for name, noted in self._manifest["files"].items()}
        items = json.loads(self._files["items.json"])
        self._ids, self._titles, self._popular = (items[name] for name in ("ids", "titles", "popular"))
        own = {item: position + 1 for position, item in enumerate(self._ids)}
        self._tokens = own | dict.fromkeys(items.get("rare", ()), len(self._ids) + 1)
        self._rows = self._load(folder, self._manifest["host"])
        self._tables = {
            table["table"]: self._load(folder, table)
            for made in self._manifest["host"]["inputs"].values()
            for table in (*made.get("context_tables", {}).values(), *filter(None, [made.get("attention")]))
        }
        self._device = Device(folder, self._manifest["signatures"]["score"])
        self.device = self._device.name

    def recommend(
        self, history: Iterable[Any], k: int = 10, exclude: Iterable[Any] = (), context: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, float, str]]:
        """(id, score, title) of the k best items, score descending, then lower position, without those of the history.

        Unknown ids are skipped; without a known one the most popular items are listed, with score 0.

        Raises:
            BundleError: k is larger than what may be listed, or the context has an unknown name.
        """
        history = list(history)
        tokens = self._context(context or {})
        allowed = np.ones(len(self._ids), bool)
        allowed[[token - 1 for token in self._known([*history, *exclude]) if token <= len(self._ids)]] = False
        if not 1 <= k <= allowed.sum():
            raise BundleError(f"k must be from 1 to {allowed.sum()}, the items that may be listed, received {k}")
        if self._known(history):
            scores = self._scored(history, tokens)
            order = np.argsort(-scores, kind="stable")
        else:
            scores = np.zeros(len(self._ids), np.float32)
            order = np.append(self._popular, np.setdiff1d(np.arange(len(self._ids)), self._popular)).astype(int)
        return [(self._ids[at], float(scores[at]), self._titles[at]) for at in order[allowed[order]][:k].tolist()]

    def scores(self, history: Iterable[Any], context: Mapping[str, Any] | None = None) -> np.ndarray:
        """(n_items,) float32: the score of every item, by position."""
        return self._scored(history, self._context(context or {}))

    def id_from_text(self, text: str) -> Any:
        """The id that a text stands for; one that is none is unknown."""
        return int(text) if isinstance(self._ids[0], int) and text.removeprefix("-").isdecimal() else text

    def _known(self, ids: Iterable[Any]) -> list[int]:
        return [self._tokens[item] for item in ids if item in self._tokens]

    def _context(self, context: Mapping[str, Any]) -> dict[str, int]:
        features = self._manifest["context"]
        for name in context:
            if name not in features:
                raise BundleError(f"the model knows no context {name}; leave it out")
        texts = {name: [str(value) for value in values] for name, values in features.items()}
        given = {name: str(value) for name, value in context.items() if str(value) in texts[name]}
        return {name: texts[name].index(given[name]) + 1 if name in given else 0 for name in features}

    def _scored(self, history: Iterable[Any], context: Mapping[str, int]) -> np.ndarray:
        length = self._manifest["history"]["length"]
        tokens = np.zeros(length, np.int64)
        known = self._known(history)[-length:]
        tokens[length - len(known) :] = known
        edges, host = self._manifest["signatures"]["score"]["inputs"], self._manifest["host"]["inputs"]
        return self._device.scores(
            {name: _quantized(self._values(host[name], tokens, context), edges[name]) for name in edges}
        )

    def _values(self, made: Mapping[str, Any], tokens: np.ndarray, context: Mapping[str, int]) -> np.ndarray:
        """One input of the device in float64, in which sums of any order round to the same int8."""
        table = self._manifest["host"]
        if made["kind"] == "lookup":
            return _real(self._rows[tokens], table)  # (length, width)
        total = np.zeros(self._rows.shape[1])
        present = tokens > 0
        n = int(present.sum())
        if n and made["kind"] != "context":
            rows = _real(self._rows[tokens[present]], table)  # (n, width)
            if made["kind"] == "weighted_mean":
                total += np.asarray(made["position_weights"])[present] @ rows * n ** -made["power"]
            else:
                total += self._attended(made, rows, tokens, present) * n ** (1 - made["power"])
        for name, rows_of in made.get("context_tables", {}).items():
            total += _real(self._tables[rows_of["table"]][context[name]], rows_of)
        return total  # (width,)

    def _attended(self, made: Table, rows: np.ndarray, tokens: np.ndarray, present: np.ndarray) -> np.ndarray:
        """Σ_l a_l E_l, a = softmax(bound · tanh(item score + position score)), each head over its own columns."""
        attention = made["attention"]
        places = np.asarray(attention["position_scores"]).reshape(len(tokens), -1)[present]  # (n, heads)
        items = _real(self._tables[attention["table"]][tokens[present]], attention)
        scores = np.tanh(items + places)
        shares = np.exp(attention["bound"] * (scores - scores.max(axis=0)))
        shares /= shares.sum(axis=0)
        return np.einsum("nh,nhc->hc", shares, rows.reshape(len(rows), shares.shape[1], -1)).reshape(-1)

    def _load(self, folder: Path, table: Table) -> np.ndarray:
        rows = np.load(folder / table["table"], allow_pickle=False)
        if rows.ndim != 2 or rows.dtype != np.int8:
            raise BundleError(f"{table['table']} must be an int8 matrix, received {rows.dtype} {rows.shape}")
        return rows


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}; copy the whole folder") from error


def _manifest(path: Path) -> dict[str, Any]:
    manifest = json.loads(_read(path))
    if manifest["schema"] > SCHEMA:
        raise BundleError(f"{path} has schema {manifest['schema']}, newer than {SCHEMA}: export it again")
    content = {name: value for name, value in manifest.items() if name != "sha256"}
    seal = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    if manifest.get("sha256", seal) != seal:
        raise BundleError(f"{path} was altered: its own sha256 does not fit; copy it again")
    return manifest


def _verified(path: Path, noted: Mapping[str, Any]) -> bytes:
    content = _read(path)
    if hashlib.sha256(content).hexdigest() != noted["sha256"]:
        raise BundleError(f"{path} was altered: its sha256 is not the manifest's; copy the folder again")
    return content


def _indices(named: Iterable[tuple[str, Any]], there: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Index of each tensor of a signature, by its name there, among those of an interpreter, by their own names."""
    index = {details["name"]: details["index"] for details in there}
    for _, details in named:
        if details["name"] not in index:
            raise BundleError(f"{COMPILED} must have a tensor {details['name']}; compile the bundle's own {MODEL}")
    return {name: index[details["name"]] for name, details in named}


def _real(stored: np.ndarray, table: Table) -> np.ndarray:
    return (stored.astype(np.float64) - table["table_zero_point"]) * table["table_scale"]


def _quantized(values: np.ndarray, edge: Mapping[str, Any]) -> np.ndarray:
    steps = values / edge["scale"]
    rounded = np.copysign(np.floor(np.abs(steps) + 0.5), steps) + edge["zero_point"]
    return np.clip(rounded, -128, 127).astype(np.int8).reshape(edge["shape"])


def main() -> int:
    parser = argparse.ArgumentParser(description="Recommend items on an Edge TPU, or on the CPU.")
    parser.add_argument("--history", action="append", default=[], help="an item's id, the most recent last")
    parser.add_argument("--exclude", action="append", default=[], help="an id that is not listed")
    parser.add_argument("--context", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    parser.add_argument("--scores", action="store_true", help="the scores of all items, by position, instead")
    given = parser.parse_args()
    context = dict(each.partition("=")[::2] for each in given.context)
    try:
        recommender = Recommender(given.folder)
        print(f"device: {recommender.device}", file=sys.stderr)
        history, exclude = ([recommender.id_from_text(text) for text in ids] for ids in (given.history, given.exclude))
        if given.scores:
            print("\n".join(f"{score:.9g}" for score in recommender.scores(history, context)))
        else:
            for item, score, title in recommender.recommend(history, given.k, exclude, context):
                print(f"{item}\t{score:.9g}\t{title}")
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
