import numpy as np
import pytest

from kdrec.errors import RuntimeFileError
from kdrec.tflite.read import parse
from kdrec.tflite.views import read
from kdrec.tflite.write import pack


def test_bytes_without_the_mark_are_refused():
    with pytest.raises(RuntimeFileError, match="the bytes given are no readable .tflite file: they lack the mark TFL3"):
        parse(b"something else altogether")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RuntimeFileError, match=r"gone.tflite cannot be read: No such file .*give the path"):
        parse(tmp_path / "gone.tflite")


def test_a_damaged_file_is_named_by_its_path(tmp_path):
    (tmp_path / "half.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(RuntimeFileError, match=r"half.tflite are no readable .tflite file: an offset leads outside"):
        parse(tmp_path / "half.tflite")


def test_altered_and_truncated_files_raise_one_error_or_parse(tied_mean):
    rng = np.random.default_rng(0)
    refused = 0
    for case in range(300):
        damaged = bytearray(tied_mean.content)
        if case % 2:
            damaged = damaged[: rng.integers(len(damaged))]
        else:
            damaged[rng.integers(2000)] = rng.integers(256)
        try:
            read(bytes(damaged))
        except RuntimeFileError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (lambda model: setattr(model.subgraphs[0].tensors[0], "buffer", 999), "a tensor names a buffer"),
        (lambda model: setattr(model.subgraphs[0].operators[0], "opcodeIndex", 99), "an operator names a code"),
        (lambda model: setattr(model.subgraphs[0].operators[0], "inputs", [999]), "an operator names a tensor"),
        (lambda model: setattr(model.signatureDefs[0], "subgraphIndex", 9), "a signature names a graph"),
        (lambda model: setattr(model.signatureDefs[0].inputs[0], "tensorIndex", 999), "a signature names a tensor"),
        (lambda model: setattr(model, "subgraphs", []), "it holds no graph"),
    ],
)
def test_references_into_nothing_are_found(tied_mean, break_it, fault):
    model = parse(tied_mean.content)
    break_it(model)
    with pytest.raises(RuntimeFileError, match=fault):
        parse(pack(model))


def test_a_name_that_is_no_text_is_refused(tied_mean):
    model = parse(tied_mean.content)
    model.signatureDefs[0].signatureKey = b"\xff\xfe"
    with pytest.raises(RuntimeFileError, match="a name or a size makes no sense"):
        read(pack(model))
