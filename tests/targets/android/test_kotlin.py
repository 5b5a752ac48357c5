"""The exported Kotlin on a JVM: its core against kdrec's recommender, its adapter over libLiteRt.so."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from asked import Request, of_python, random_requests, write
from kotlin import DEMO

from kdrec.bundle import DataSource, HistoryInput, Items, Manifest, SignatureSpec, TensorSpec, open_bundle, write_bundle
from kdrec.bundle.checksum import checksum
from kdrec.errors import BundleError
from kdrec.files import canonical_json
from kdrec.runtime import Recommender
from kdrec.runtime import recommender as recommending
from kdrec.tflite.oldest_runtime import MeasuredRuntime, Runtime

pytestmark = pytest.mark.slow

N_ITEMS, LENGTH, TOP = 25, 5, 6
ITEMS = Items.of(
    ids=range(100, 100 + N_ITEMS), titles=[f"Säge {n} 🌲" for n in range(N_ITEMS)], popular=[7, 2, 5], rare=[7, 8]
)
CONTEXT = {"daypart": ("evening", "morning"), "floor": (-1, 0, 1)}
RUNTIME = MeasuredRuntime(Runtime("tflite-runtime", "2.14.0"), Runtime("ai-edge-litert", "2.0.3"))
FILES = {"model.tflite": b"model", "items.json": ITEMS.to_json(), "golden.json": b'{"cases":[],"oracle":"litert"}'}


class Formula:
    """Scores with many ties; `double/Formula.kt` is the same."""

    length, n_items, k = LENGTH, N_ITEMS, TOP

    def __call__(self, x) -> np.ndarray:
        total = int((np.arange(1, LENGTH + 1) * x["history"][0]).sum()) + sum(int(x[name][0]) for name in CONTEXT)
        items = np.arange(N_ITEMS)
        return (((total * (items + 3)) % 7 - 3) * np.where(items % 2 == 0, 0.5, -0.5)).astype(np.float32)[None]

    def recommended(self, x) -> tuple[np.ndarray, np.ndarray]:
        scores = self(x)[0]
        listed = np.argsort(-scores, kind="stable")[:TOP]
        return listed[None].astype(np.int32), scores[listed][None]


def manifest(**fields) -> Manifest:
    inputs = {"history": TensorSpec("int32", (1, LENGTH)), **{name: TensorSpec("int32", (1,)) for name in CONTEXT}}
    outputs = {"scores": TensorSpec("int8", (1, N_ITEMS), 1e-05, -3)}
    return Manifest(
        **{
            "name": "Bücher", "target": "android", "recipe": "int8", "kdrec": "0.1.0", "libraries": {"numpy": "2.4.6"},
            "data": DataSource("small", "ab" * 32, N_ITEMS, N_ITEMS + 2),
            "history": HistoryInput(LENGTH, ordered=True, rare=N_ITEMS + 1), "context": CONTEXT, "files": {},
            "signatures": {"score": SignatureSpec("model.tflite", inputs, outputs)},
            "oracle": "litert", "metrics": {"ndcg@10": 0.25, "\U0001f332": 1e-07, "\uffee": 3.0},
            "runtime": RUNTIME, **fields,
        }
    )  # fmt: skip


def test_the_core_answers_as_python_does(jvm, tmp_path, monkeypatch) -> None:
    """Lists, bits of scores, what was skipped, the fallback, and the words of refusals."""
    write_bundle(tmp_path / "bundle", FILES, manifest())
    monkeypatch.setattr(recommending, "litert", lambda *_: Formula())
    known = [*ITEMS.ids, *ITEMS.rare]
    asked = random_requests(np.random.default_rng(4), known, [3, "t 100".replace(" ", ""), "100", "Säge"], CONTEXT, 600)
    asked += [
        Request(),
        Request((8,)),
        Request((100,), context=(("city", "Bern"),)),
        Request((100,), k=N_ITEMS, exclude_history=False),
    ]
    expected = of_python(Recommender.load(tmp_path / "bundle"), asked)
    assert jvm("kdrec.test.MainKt", "core", tmp_path / "bundle", write(asked, tmp_path / "requests")) == expected
    fallbacks, refusals = (sum(part in line for line in expected) for part in ("\ttrue", "RequestException"))
    assert fallbacks > 20 and refusals > 20


def altered(document: object, path: tuple = ()) -> Iterator[tuple[tuple, object]]:
    """Every place of a document, and what else could stand there."""
    if path:
        yield from (
            (path, junk) for junk in (None, True, -1, 0, 1.5, "", "x", [], {}, [1, "a"], "ab" * 32) if junk != document
        )
    if isinstance(document, dict):
        yield (*path, "more"), 1
        for name, value in document.items():
            yield from altered(value, (*path, name))
    if isinstance(document, list) and document:
        yield from altered(document[0], (*path, 0))


def with_change(document: object, path: tuple, value: object) -> object:
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = with_change(copy.get(path[0]) if isinstance(copy, dict) else copy[path[0]], path[1:], value)
    return copy


def test_the_core_refuses_what_python_refuses(jvm, tmp_path) -> None:
    """Manifests and item lists with one thing changed, and files that were cut: the same are opened and refused."""
    whole = write_bundle(tmp_path / "whole", FILES, manifest()).to_json()
    unsealed = {name: value for name, value in json.loads(whole).items() if name != "sha256"}
    # Kotlin reads golden vectors only when they are replayed.
    changes = [change for change in altered(unsealed) if change[0][:2] != ("files", "golden.json")]
    rng = np.random.default_rng(0)
    places = rng.choice(len(changes), 150, replace=False)
    chosen = [*(changes[place] for place in places), *(change for change in changes if change[0][:1] == ("runtime",))]
    cases = [{"manifest.json": canonical_json(with_change(unsealed, *change)).encode()} for change in chosen]
    items = json.loads(ITEMS.to_json())
    cases += [{"items.json": canonical_json(with_change(items, *change)).encode()} for change in altered(items)]
    cases += [{"manifest.json": mutated(whole, rng)} for _ in range(40)]
    cases += [{"items.json": mutated(ITEMS.to_json(), rng)} for _ in range(40)]
    unmeasured = {name: value for name, value in unsealed.items() if name != "runtime"}
    cases += [{"manifest.json": canonical_json(unmeasured).encode()}]
    cases += [{}, {"manifest.json": json.dumps(json.loads(whole)).encode()}, {"manifest.json": b"\xef\xbb\xbf" + whole}]
    folders = tmp_path / "cases"
    expected = [refused_by_python(folders / f"{number:04}", case) for number, case in enumerate(cases)]
    for name, content in (("model.tflite", b"modem"), ("model.tflite", b"mode"), ("items.json", None)):
        folder = folders / f"{len(expected):04}"
        refused_by_python(folder, {})
        (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
        expected.append(True)
    said = jvm("kdrec.test.MainKt", "open", folders)
    assert [line for line, is_refused in zip(said, expected, strict=True) if (" refused: " in line) != is_refused] == []
    assert 100 < sum(expected) < len(expected) - 15
    assert "model.tflite was altered: its sha256 must be" in said[-3]
    assert "model.tflite must have 5 bytes, received 4: it was cut or replaced" in said[-2]
    assert "items.json is missing or cannot be read" in said[-1]


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for place in rng.integers(0, len(content), rng.integers(1, 4)):
        changed[place] = rng.choice([*b'0123456789abc"[]{},:\\ \xc3', changed[place]])
    return bytes(changed[: rng.integers(1, len(content))] if rng.random() < 0.1 else changed)


def refused_by_python(folder: Path, case: dict[str, bytes]) -> bool:
    """Write a bundle whose checksums fit its items, whatever they are, and open it."""
    files = {**FILES, **case}
    listed = {name: checksum(content) for name, content in files.items() if name != "manifest.json"}
    folder.mkdir(parents=True)
    for name, content in {"manifest.json": replace(manifest(), files=listed).to_json(), **files}.items():
        (folder / name).write_bytes(content)
    try:
        open_bundle(folder)
    except BundleError:
        return True
    return False


def test_other_runtimes_and_newer_bundles_are_refused_in_words(jvm, tmp_path) -> None:
    write_bundle(tmp_path / "cases/0", FILES, manifest(target="micro", oracle="tflite-micro"))
    newer = json.loads((tmp_path / "cases/0/manifest.json").read_bytes()) | {"schema": 3}
    write_bundle(tmp_path / "cases/1", FILES, manifest())
    (tmp_path / "cases/1/manifest.json").write_text(json.dumps(newer))
    first, second = jvm("kdrec.test.MainKt", "open", tmp_path / "cases")
    assert "must be of a target that LiteRT runs, it names micro; give a bundle for android" in first
    assert "has schema 3, a newer schema than 2, which this version reads: update the app" in second


def test_the_shipped_adapter_answers_as_python_does(jvm, tmp_path) -> None:
    """Over libLiteRt.so, from assets and from a folder; all on one thread, and no buffer is made after opening."""
    recommender = Recommender.load(DEMO)
    known = recommender.bundle.items.ids
    asked = random_requests(np.random.default_rng(5), known[:40], ["new", 5], recommender.bundle.manifest.context, 80)
    asked = [replace(request, exclude_history=True) for request in asked]
    said = jvm("kdrec.test.MainKt", "device", DEMO, write(asked, tmp_path / "requests"))
    assert said[:8] == [
        "differences []", "near []", "first [score, recommend]", "threads [recommender]", "options [[CPU] 3, [CPU] 1]",
        "later 0", "open 0", "closed true",
    ]  # fmt: skip
    assert said[8:] == of_python(recommender, asked)


def test_the_jvm_sample_replays_and_recommends(jvm) -> None:
    said = jvm("kdrec.jvm.MainKt", DEMO, "I0001", "I0044")
    assert said[0] == "golden vectors: equal"
    found = Recommender.load(DEMO).recommend(["I0001", "I0044"])
    assert [line.split("\t")[0] for line in said[1:]] == list(found.items)


def test_an_answer_that_differs_is_seen(jvm, tmp_path) -> None:
    """In golden vectors whose checksum fits: two bits and an order, which a tolerance allows, and what it does not."""
    bundle = open_bundle(DEMO)
    golden = json.loads(bundle.files["golden.json"])
    answers = [case["outputs"] for case in golden["cases"]]
    for number, step in ((1, 1e-6), (4, 0.01)):
        scores = answers[number]["recommend"]["scores"]
        scores[3] = float(np.float32(scores[3] - step * max(map(abs, scores))))
    answers[2]["score"]["top"].reverse()
    answers[3]["score"]["sha256"] = "0" * 64
    answers[5]["score"]["top"][9] = answers[5]["recommend"]["items"][-1]
    files = {**bundle.files, "golden.json": canonical_json(golden).encode()}
    write_bundle(tmp_path / "bundle", files, bundle.manifest)
    said = jvm("kdrec.test.MainKt", "device", tmp_path / "bundle", write([], tmp_path / "requests"))
    near = "case 4, recommend differs, case 5, score differs"
    exact = f"case 1, recommend differs, case 2, score differs, case 3, score differs, {near}"
    assert said[:2] == [f"differences [{exact}, {exact}]", f"near [{near}]"]
