"""A manifest comes back as it was written; whatever else stands in the file is refused by name."""

import json
from dataclasses import replace

import pytest
from bundle_parts import FILES, HOST, RUNTIME, manifest
from hypothesis import given
from hypothesis import strategies as st

from kdrec.bundle import DataSource, HistoryInput, Manifest
from kdrec.bundle.checksum import checksum
from kdrec.errors import BundleError

LISTED = {name: checksum(content) for name, content in FILES.items()}
TABLES = {name: checksum(b"t") for name in ("host_table.npy", "daypart.npy", "scores.npy")}


@pytest.mark.parametrize(
    "written",
    [
        manifest(files=LISTED),
        manifest(files=LISTED, runtime=RUNTIME),
        manifest(files=LISTED, data=DataSource("tiny", "ab" * 32, 3, 5)),
        manifest(files=LISTED, data=DataSource("tiny", "ab" * 32, 3, 5), history=HistoryInput(2, True, rare=4)),
        manifest(files={**LISTED, **TABLES}, host=HOST, oracle="tflite-micro", context={"hour": (0, 1)}, metrics={}),
    ],
)
def test_what_is_read_is_what_was_written(written: Manifest) -> None:
    assert Manifest.from_json(written.to_json()) == written
    assert Manifest.from_json(written.to_json()).to_json() == written.to_json()


def test_the_document_is_the_one_that_the_design_names() -> None:
    document = json.loads(manifest(files=LISTED).to_json())
    assert document["schema"] == 1
    assert document["history"] == {"length": 2, "ordered": True, "padding": 0, "alignment": "right"}
    assert document["signatures"]["score"]["outputs"]["scores"] == {
        "dtype": "int8", "shape": [1, 3], "scale": 0.125, "zero_point": -3,
    }  # fmt: skip
    assert document["files"]["model.tflite"]["bytes"] == 40
    assert "runtime" not in document
    assert json.loads(manifest(files=LISTED, runtime=RUNTIME).to_json())["runtime"] == {
        "runs_from": {"package": "tflite-runtime", "version": "2.14.0"},
        "equal_from": {"package": "ai-edge-litert", "version": "2.0.3"},
    }


def test_a_file_that_knows_a_part_of_the_items_has_another_schema_and_only_it() -> None:
    written = manifest(files=LISTED, data=DataSource("tiny", "ab" * 32, 3, 5), history=HistoryInput(2, True, rare=4))
    document = json.loads(written.to_json())
    assert (document["schema"], document["data"]["log_items"], document["history"]["rare"]) == (2, 5, 4)
    for changes, message in (
        ({"schema": 1}, "data must have no field 'log_items'"),
        ({"data": {**document["data"], "log_items": 3}}, "data.log_items must be an integer of at least 4, received 3"),
        ({"history": {**document["history"], "rare": 3}}, "history.rare must be 4, received 3"),
    ):
        with pytest.raises(BundleError, match=message):
            Manifest.from_json(json.dumps({**document, **changes}).encode())


def altered(path: str, value) -> bytes:
    document = json.loads(manifest(files={**LISTED, **TABLES}, host=HOST, runtime=RUNTIME).to_json())
    *parents, last = path.split("/")
    place = document
    for parent in parents:
        place = place[parent]
    place[last] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("name", "", "name must be a text that is not empty, received ''; the file was altered or written by another"),
        ("target", 3, "target must be a text that is not empty, received 3"),
        ("libraries", [], r"libraries must be an object, received \[\]"),
        ("data/n_items", 0, "data.n_items must be an integer of at least 1, received 0"),
        ("data/n_items", True, "data.n_items must be an integer of at least 1, received True"),
        ("data/more", 1, "data must have no field 'more'"),
        ("history/length", "2", "history.length must be an integer of at least 1, received '2'"),
        ("history/ordered", 1, "history.ordered must be true or false, received 1"),
        ("history/padding", 1, "history.padding must be 0, received 1"),
        ("history/alignment", "left", "history.alignment must be 'right', received 'left'"),
        ("context/daypart", [1.5], r"context.daypart\[0\] must be an integer or a text, received 1.5"),
        ("files", {}, "files must list daypart.npy"),
        ("files/model.tflite", {"bytes": -1, "sha256": "0" * 64}, "files.model.tflite.bytes must be .* received -1"),
        ("files/model.tflite", {"bytes": 1, "sha256": "0"}, "files.model.tflite.sha256 must be a sha256 in hex"),
        ("files/model.tflite", {"bytes": 1}, "files.model.tflite must have 'sha256'"),
        ("signatures", {}, "signatures must have 'score'"),
        ("signatures/score/file", "other.tflite", "files must list other.tflite"),
        ("signatures/score/inputs/history", {}, "signatures.score.inputs.history must have 'dtype'"),
        ("signatures/score/outputs/scores/dtype", "int3", "dtype must be one of float16, float32, .*received 'int3'"),
        ("signatures/score/outputs/scores/shape", [1, -1], r"shape\[1\] must be an integer of at least 1, received -1"),
        ("signatures/score/outputs/scores/scale", None, "scores must have both scale and zero_point or neither"),
        ("signatures/score/outputs/scores/scale", 0, "scale must be a number above 0, received 0"),
        ("host/table", "absent.npy", "files must list absent.npy"),
        ("host/table_scale", -1.0, "host.table_scale must be a number above 0, received -1.0"),
        ("host/inputs/device_input/kind", "sum", "kind must be one of attention, context, lookup, .* received 'sum'"),
        ("host/inputs/device_input/position_weights", [1], r"position_weights must be 2 numbers, one a .*\[1\]"),
        ("host/inputs/attended/attention/position_scores", [1], r"must be 2 numbers a head, .*received \[1\]"),
        ("host/inputs/attended/attention/bound", 0, "attended.attention.bound must be a number above 0, received 0"),
        ("host/inputs/attended/position_weights", [1, 2], "attended must have no field 'position_weights'"),
        ("host/inputs/rows/power", 1.0, "host.inputs.rows must have no field 'power'"),
        ("metrics/ndcg@10", "good", "metrics.ndcg@10 must be a number, received 'good'"),
        ("oracle", "guess", "oracle must be one of litert, tflite-micro, received 'guess'"),
        ("runtime", None, "runtime must be an object, received None"),
        ("runtime", {"runs_from": {}}, "runtime must have 'equal_from'"),
        ("runtime/more", 1, "runtime must have no field 'more'"),
        ("runtime/equal_from/more", 1, "runtime.equal_from must have no field 'more'"),
        ("runtime/runs_from/version", 2.14, "runtime.runs_from.version must be a text that is not empty, .* 2.14"),
        ("runtime/equal_from/package", "", "runtime.equal_from.package must be a text that is not empty, received ''"),
        ("more", 1, "the document must have no field 'more'"),
    ],
)  # fmt: skip
def test_every_field_is_checked(path: str, value, message: str) -> None:
    with pytest.raises(BundleError, match=f"^manifest.json: .*{message}"):
        Manifest.from_json(altered(path, value))


@pytest.mark.parametrize("field", sorted(set(json.loads(manifest(files=LISTED).to_json())) - {"sha256"}))
def test_every_field_must_be_there(field: str) -> None:
    document = json.loads(manifest(files=LISTED).to_json())
    del document[field]
    with pytest.raises(BundleError, match=f"the document must have '{field}'"):
        Manifest.from_json(json.dumps(document).encode())


@pytest.mark.parametrize(
    "name", ["../model.tflite", "/etc/passwd", "a/b", "a\\b", "..", ".hidden", "", "manifest.json", "a\n", "x" * 200]
)
def test_a_file_name_that_leaves_the_folder(name: str) -> None:
    files = {**LISTED, name: checksum(b"")}
    with pytest.raises(BundleError, match="files must name files of the bundle's own folder, without any path"):
        Manifest.from_json(replace(manifest(), files=files).to_json())


def test_a_changed_digit_is_found_by_the_seal() -> None:
    document = json.loads(manifest(files={**LISTED, **TABLES}, host=HOST).to_json())
    document["host"]["table_scale"] *= 2
    with pytest.raises(BundleError, match=r"^manifest.json: sha256 must be that of the other fields, [0-9a-f]{12}…"):
        Manifest.from_json(json.dumps(document).encode())
    del document["sha256"]  # as bundles of the first versions are
    assert Manifest.from_json(json.dumps(document).encode()).host.table.scale == 1.0


def test_the_seal_does_not_mind_how_the_document_is_laid_out() -> None:
    content = manifest(files=LISTED).to_json()
    assert Manifest.from_json(json.dumps(json.loads(content), indent=4).encode()) == Manifest.from_json(content)


def test_a_newer_schema_says_to_update() -> None:
    message = "manifest.json has schema 3, a newer schema than 2, which this version reads: update kdrec"
    with pytest.raises(BundleError, match=message):
        Manifest.from_json(b'{"schema": 3, "anything": "else"}')


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "manifest.json is not JSON .*; the file was cut or altered: export the bundle again"),
        (b"\xff\xfe", "manifest.json is not JSON"),
        (b"[" * 100_000, "manifest.json is not JSON"),
        (b"[]", r"manifest.json: the document must be an object, received \[\]"),
        (b'{"schema": NaN}', "NaN is not a JSON number"),
        (b'{"schema": 1, "name": "\\ud83d"}', "manifest.json is not JSON .*surrogates not allowed"),
    ],
)
def test_what_is_no_manifest(content: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        Manifest.from_json(content)


def test_numbers_must_be_finite() -> None:
    content = manifest(files=LISTED).to_json().replace(b"0.25", b"1e999")
    with pytest.raises(BundleError, match="metrics.ndcg@10 must be a finite number, received inf"):
        Manifest.from_json(content)


def test_metrics_must_be_finite() -> None:
    with pytest.raises(BundleError, match="metrics must be finite numbers, auc is nan: leave an undefined metric out"):
        manifest(metrics={"auc": float("nan")}).to_json()


@given(st.data())
def test_a_cut_or_altered_manifest_is_refused_or_says_the_same(data) -> None:
    content = bytearray(manifest(files={**LISTED, **TABLES}, host=HOST).to_json())
    whole = Manifest.from_json(bytes(content))
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert Manifest.from_json(bytes(content[: data.draw(st.integers(0, len(content)))])) == whole
    except BundleError as error:
        assert "manifest.json" in str(error)
