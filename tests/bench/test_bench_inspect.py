import gzip
import json
import random
import re
import time
from pathlib import Path

import matplotlib.colors
import numpy as np
import pytest
from rich.console import Console

from kdrec.bench import bench, bytes_picture, console_bench, console_inspection, inspect_file, save_picture
from kdrec.bench.idle import idle_file
from kdrec.bench.picture import OVERHEAD, SHARED
from kdrec.errors import OutputError, RuntimeFileError
from kdrec.tflite.graph import quantization
from kdrec.tflite.read import parse
from kdrec.tflite.write import pack

DEMO = Path(__file__).parents[2] / "tflite_models/demo"
TABLE = 51 * 8 * 4


def shown(renderable) -> str:
    console = Console(width=140)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_bytes_add_up(two_signatures):
    found, content = inspect_file(two_signatures), two_signatures.read_bytes()
    assert found.file_bytes == len(content)
    assert found.gzip_bytes == len(gzip.compress(content, 9, mtime=0))
    assert found.constant_bytes == TABLE + 4
    assert found.constant_bytes + found.overhead_bytes == found.file_bytes


def test_the_tied_table_counts_once_and_says_so(two_signatures):
    table = inspect_file(two_signatures).constants[0]
    assert (table.bytes, table.tensors, table.subgraphs) == (TABLE, 2, (0, 1))
    assert (table.tensor.dtype, table.tensor.shape, table.tensor.scales) == ("float32", (51, 8), 0)
    assert inspect_file(two_signatures).repeated_bytes == 0


def test_a_table_stored_twice_is_found(two_signatures, tmp_path):
    model = parse(two_signatures)
    tensor = next(t for t in model.subgraphs[1].tensors if list(t.shape) == [51, 8])
    copy = type(model.buffers[0])(data=np.array(model.buffers[tensor.buffer].data))
    model.buffers.append(copy)
    tensor.buffer = len(model.buffers) - 1
    path = tmp_path / "twice.tflite"
    path.write_bytes(pack(model))
    found = inspect_file(path)
    assert [constant.bytes for constant in found.constants[:2]] == [TABLE, TABLE]
    # pack may let equal buffers share one place in the file; the graphs still read two.
    assert found.repeated_bytes == TABLE
    assert "stored more than once" in shown(console_inspection(found))


def test_operators_and_signatures(two_signatures):
    found = inspect_file(two_signatures)
    assert set(found.signatures) == {"embed", "score"}
    score, embed = (found.graphs[found.signatures[name].subgraph].operators for name in ("score", "embed"))
    assert score == {"FULLY_CONNECTED": 1, "GATHER": 1, "MEAN": 1}
    assert embed == {"GATHER": 1, "MEAN": 1}
    history = found.signatures["score"].inputs["history"]
    assert (history.dtype, history.shape) == ("int32", (1, 5))
    assert found.signatures["score"].outputs["scores"].shape == (1, 51)
    assert found.min_runtime_version is not None
    assert "min_runtime_version" in found.metadata


def test_a_file_that_kdrec_did_not_write_and_has_no_signatures(no_signature, tmp_path):
    assert inspect_file(no_signature).signatures == {}
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(idle_file())
    found = inspect_file(bare)
    assert found.graphs[0].operators == {"FULLY_CONNECTED": 1}
    assert (found.description, found.min_runtime_version, found.metadata) == ("", None, {})
    text = shown(console_inspection(found))
    assert "No signatures" in text
    assert "float32 1×8" in text
    assert "not said" in text


def test_from_which_runtime_on_it_answers_or_what_was_never_run(tmp_path):
    found = inspect_file(DEMO / "android/model.tflite")
    text = shown(console_inspection(found))
    assert found.runtime is not None and found.never_run == ()
    assert found.as_dict()["runtime"]["runs_from"]["package"] == found.runtime.runs_from.package
    assert f"{found.runtime.runs_from} " in text and f"{found.runtime.equal_from} " in text
    model = parse(idle_file())
    model.operatorCodes[0].version = 99
    (tmp_path / "new.tflite").write_bytes(pack(model))
    found = inspect_file(tmp_path / "new.tflite")
    assert found.runtime is None
    assert re.search("was not run on old runtimes.*FULLY_CONNECTED 99: float32", shown(console_inspection(found)))
    graph = model.subgraphs[0]
    graph.operators, graph.outputs = [], graph.inputs
    (tmp_path / "none.tflite").write_bytes(pack(model))
    found = inspect_file(tmp_path / "none.tflite")
    assert (found.runtime, found.never_run) == (None, ())
    assert re.search("was not run on old runtimes.*no operators", shown(console_inspection(found)))


def test_quantization_is_shown(tmp_path):
    model = parse(idle_file())
    weights = model.subgraphs[0].tensors[2]
    weights.quantization = quantization(np.array([0.5, 0.25]))
    path = tmp_path / "channels.tflite"
    path.write_bytes(pack(model))
    info = inspect_file(path).constants[0].tensor
    assert (info.scales, info.scale, info.zero_point) == (2, None, None)
    assert "float32 8×8, 2 scales" in shown(console_inspection(inspect_file(path)))


def test_json_and_console(two_signatures):
    found = inspect_file(two_signatures)
    again = json.loads(json.dumps(found.as_dict()))
    assert again["constants"][0]["bytes"] == TABLE
    text = shown(console_inspection(found))
    for words in (
        f"{found.file_bytes:,} B",
        "GATHER",
        "history",
        "int32 1×5",
        "GATHER ×2, FULLY_CONNECTED; 2 tensors (tied)",
        "Graph 1",
    ):
        assert words in text
    assert "and 1 smaller" in shown(console_inspection(found, largest=1))


def test_the_measurement_on_the_console(two_signatures):
    text = shown(console_bench(bench(two_signatures, runs=5)))
    for words in ("latency p50", "µs", "load time", "peak memory", "embed"):
        assert words in text


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(RuntimeFileError, match=r"no\.tflite cannot be read: No such file or directory; give the path"):
        inspect_file(tmp_path / "no.tflite")


def test_a_file_that_is_something_else_is_refused_by_name(tmp_path):
    path = tmp_path / "image.tflite"
    path.write_bytes(b"\x89PNG and so on")
    with pytest.raises(RuntimeFileError, match=r"image\.tflite .*TFL3"):
        inspect_file(path)


def test_damage_is_an_error_that_names_the_file_and_never_another_one(two_signatures, tmp_path):
    content, path, rng = two_signatures.read_bytes(), tmp_path / "damaged.tflite", random.Random(0)
    cut = [content[:size] for size in range(0, len(content) - 64, 131)]
    altered = []
    for _ in range(120):
        copy = bytearray(content)
        for _ in range(3):
            copy[rng.randrange(8, len(copy))] = rng.randrange(256)
        altered.append(bytes(copy))
    start, refused = time.perf_counter(), 0
    for damaged in cut + altered:
        path.write_bytes(damaged)
        try:
            inspect_file(path)
        except RuntimeFileError as error:
            refused += 1
            assert "damaged.tflite" in str(error)
    assert refused >= len(cut) // 2
    assert time.perf_counter() - start < 30


def test_the_picture_has_a_bar_for_every_byte(two_signatures):
    found = inspect_file(two_signatures)
    axes = bytes_picture(found).axes[0]
    assert sum(bar.get_width() for bar in axes.patches) * 1024 == pytest.approx(found.file_bytes)
    assert [label.get_text() for label in axes.get_yticklabels()][0].endswith("float32 51×8, read by 2")
    assert [matplotlib.colors.to_hex(axes.patches[place].get_facecolor()) for place in (0, -1)] == [SHARED, OVERHEAD]


def test_a_picture_is_written_in_the_format_of_its_name(two_signatures, tmp_path):
    figure = bytes_picture(inspect_file(two_signatures))
    for name, begins in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml")):
        save_picture(figure, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begins)
    with pytest.raises(OutputError, match="picture .*a.tiffany cannot be written: .* name a .png, .svg or .pdf file"):
        save_picture(figure, tmp_path / "a.tiffany")
