import json

import numpy as np
import pytest

from kdrec.bench import bench, latency
from kdrec.bench.idle import idle_file
from kdrec.errors import RuntimeFileError


def test_percentiles_are_in_order_and_the_figures_are_plain(two_signatures):
    result = bench(two_signatures, runs=50)
    assert 0 < result.latency_us_p50 <= result.latency_us_p90 <= result.latency_us_p99
    assert result.load_ms > 0
    assert 0 <= result.peak_memory_bytes < 64 * 2**20
    assert (result.runs, result.threads, result.file) == (50, 1, str(two_signatures))
    assert json.loads(json.dumps(result.as_dict()))["signature"] == "embed"


@pytest.mark.parametrize("signature", ["embed", "score"])
def test_any_signature_can_be_asked_for(two_signatures, signature):
    assert bench(two_signatures, signature, runs=5).signature == signature


def test_recommend_is_taken_when_the_file_has_it(two_signatures, tmp_path):
    path = tmp_path / "renamed.tflite"
    path.write_bytes(_with_signature_named(two_signatures, b"score", b"recommend"))
    assert bench(path, runs=5).signature == "recommend"


def test_a_file_without_signatures_runs(no_signature):
    result = bench(no_signature, runs=5)
    assert result.signature is None
    assert result.latency_us_p50 > 0


def test_inputs_reach_the_file(two_signatures):
    bench(two_signatures, "score", runs=5, inputs={"history": np.full((1, 5), 50, np.int32)})
    with pytest.raises(RuntimeFileError, match=r"two\.tflite cannot be run by LiteRT: .*out of bounds"):
        bench(two_signatures, "score", runs=5, inputs={"history": np.full((1, 5), 51, np.int32)})


def test_inputs_of_a_file_without_signatures_go_by_tensor_name(no_signature):
    bench(no_signature, runs=5, inputs={"embed_history:0": np.ones((1, 5), np.int32)})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"items": np.zeros((1, 5), np.int32)}, "takes the inputs history, not items"),
        ({}, "takes the inputs history, not none"),
        ({"history": np.zeros((1, 5), np.float32)}, r"takes int32 \(1, 5\) as input 'history', not float32 \(1, 5\)"),
        ({"history": np.zeros((5, 1), np.int32)}, r"takes int32 \(1, 5\) as input 'history', not int32 \(5, 1\)"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(two_signatures, inputs, message):
    with pytest.raises(RuntimeFileError, match=message):
        bench(two_signatures, "score", runs=5, inputs=inputs)


def test_an_unknown_signature_is_refused(two_signatures, no_signature):
    with pytest.raises(RuntimeFileError, match=r"has no signature 'rank'; it has embed, score"):
        bench(two_signatures, "rank")
    with pytest.raises(RuntimeFileError, match=r"has no signature 'rank'; it has none"):
        bench(no_signature, "rank")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(RuntimeFileError, match=r"no\.tflite does not exist; give the path of a \.tflite file"):
        bench(tmp_path / "no.tflite")


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\x1c\0\0\0TFL3"])
def test_a_damaged_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "damaged.tflite"
    path.write_bytes(content)
    with pytest.raises(RuntimeFileError, match=r"damaged\.tflite (cannot be run by|crashed) LiteRT"):
        bench(path)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"threads": 0}, "threads must be at least 1, not 0"),
        ({"runs": 0}, "runs must be at least 1, not 0"),
        ({"warmup": -1}, "warmup must be at least 0, not -1"),
        ({"timeout": 0}, "timeout must be more than 0 seconds, not 0"),
    ],
)
def test_options_are_checked(two_signatures, option, message):
    with pytest.raises(ValueError, match=message):
        bench(two_signatures, **option)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGABRT)", r"two\.tflite crashed LiteRT \(SIGABRT\)"),
        ("import time; time.sleep(60)", r"two\.tflite did not finish 200 runs in 0\.5 seconds; ask for fewer"),
        ("raise MemoryError('too large')", r"two\.tflite could not be measured: MemoryError: too large"),
    ],
)
def test_a_process_that_dies_is_an_error_and_nothing_more(two_signatures, tmp_path, monkeypatch, script, message):
    (tmp_path / "child.py").write_text(script)
    monkeypatch.setattr(latency, "files", lambda package: tmp_path)
    with pytest.raises(RuntimeFileError, match=message):
        bench(two_signatures, timeout=0.5 if "sleep" in script else 60)


def test_memory_grows_with_the_file(tmp_path):
    rows = 400_000
    paths = [tmp_path / "small.tflite", tmp_path / "large.tflite"]
    paths[0].write_bytes(idle_file())
    paths[1].write_bytes(_dense(rows))
    small, large = (bench(path, runs=3, warmup=1).peak_memory_bytes for path in paths)
    assert small < 2**20
    assert 8 * rows < large - small < 3 * 8 * rows * 4


def _dense(rows: int) -> bytes:
    """idle_file with a larger matrix: (rows, 8) float32."""
    from kdrec.tflite.read import parse
    from kdrec.tflite.write import pack

    model = parse(idle_file())
    tensors = model.subgraphs[0].tensors
    tensors[1].shape, tensors[2].shape = np.array([1, rows], np.int32), np.array([rows, 8], np.int32)
    model.buffers[tensors[2].buffer].data = np.zeros(rows * 8 * 4, np.uint8)
    return pack(model)


def _with_signature_named(path, old: bytes, new: bytes) -> bytes:
    from kdrec.tflite.read import parse
    from kdrec.tflite.write import pack

    model = parse(path)
    for signature in model.signatureDefs:
        if signature.signatureKey == old:
            signature.signatureKey = new
    return pack(model)
