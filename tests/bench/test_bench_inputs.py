"""What a file is asked with while it is timed: golden histories, random tokens within its tables, or else zeros."""

import json
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from typer.testing import CliRunner

from kdrec import every_form as forms
from kdrec.bench import bench, bundles, child
from kdrec.bench.bundles import bench_bundle, golden_inputs
from kdrec.bench.tokens import token_limits
from kdrec.bundle.read import Bundle, open_bundle
from kdrec.cli import app
from kdrec.errors import BundleError, RuntimeFileError
from kdrec.runtime.interpreter import LiteRtFile
from kdrec.tflite.graph import operators
from kdrec.tflite.read import parse
from kdrec.tflite.write import pack

DEMO = Path(__file__).parents[2] / "tflite_models" / "demo"
GOLDEN = {name: json.loads((DEMO / name / "golden.json").read_text())["cases"] for name in ("android", "coral_edgetpu")}


def test_a_token_goes_to_the_last_row_of_the_table_that_it_is_looked_up_in(two_signatures, no_signature) -> None:
    assert token_limits(two_signatures) == {"embed": {"history": 50}, "score": {"history": 50}}
    assert token_limits(no_signature) == {"": {"embed_history:0": 50}}
    of_demo = {"daypart": 4, "history": 1200}  # 4 values, 1,200 items, and row 0
    assert token_limits(DEMO / "android/model.tflite") == dict.fromkeys(("embed", "recommend", "score"), of_demo)


def test_the_smallest_of_several_tables_counts(tmp_path) -> None:
    model = parse(DEMO / "micro/model.tflite")
    lookups = [operator for _, operator in operators(model, "GATHER")]
    history = model.signatureDefs[0].inputs[1].tensorIndex
    lookups[1].inputs = np.array(
        [lookups[1].inputs[0], history], np.int32
    )  # the table of 50 lengths, else read by the history's length
    (tmp_path / "m.tflite").write_bytes(pack(model))
    assert token_limits(tmp_path / "m.tflite")["score"]["history"] == 49


def test_of_tokens_that_are_computed_with_first_the_scores_tell(tmp_path) -> None:
    model = parse(DEMO / "micro/model.tflite")
    (_, minimum), *_ = operators(model, "MINIMUM")
    *_, (_, lookup) = operators(model, "GATHER")
    lookup.inputs = np.array([lookup.inputs[0], minimum.outputs[0]], np.int32)
    (tmp_path / "m.tflite").write_bytes(pack(model))
    assert token_limits(tmp_path / "m.tflite")["score"] == {"daypart": 4, "history": 1200}
    for signature in model.signatureDefs:
        signature.outputs[0].name = b"logits"
    (tmp_path / "m.tflite").write_bytes(pack(model))
    assert token_limits(tmp_path / "m.tflite")["score"] == {"daypart": 4}


def test_nothing_is_known_of_a_damaged_file_and_of_one_without_tokens(tmp_path) -> None:
    (tmp_path / "cut.tflite").write_bytes((DEMO / "micro/model.tflite").read_bytes()[:5000])
    assert token_limits(tmp_path / "cut.tflite") == {}
    assert token_limits(DEMO / "coral_edgetpu/model.tflite") == {"score": {}}


def test_made_up_histories_are_full_differ_and_reach_the_file(two_signatures) -> None:
    interpreter = Interpreter(model_path=str(two_signatures))
    cases, told, ask, run = child._prepare(interpreter, "score", None, {"history": 50}, np.random.default_rng(0))
    assert told == "16 at random" and len(cases) == 16
    tokens = np.stack([case["history"] for case in cases])
    assert tokens.min() >= 1 and 40 < tokens.max() <= 50 and len(np.unique(tokens, axis=0)) == 16
    runner = interpreter.get_signature_runner("score")
    (output,) = [index for _, index in runner._outputs]
    for case in cases:
        ask(case)
        run()
        table_scores = runner._interpreter_wrapper.GetTensor(output, runner._subgraph_index)
        np.testing.assert_array_equal(table_scores, runner(**case)["scores"])
    assert len(np.unique(table_scores)) == 51  # no two items are equally good


def test_zeros_are_asked_only_where_nothing_is_known_and_it_is_said() -> None:
    details = {name: {"dtype": np.int32, "shape": (1, 3)} for name in ("known", "odd")}
    made, told = child._cases(details, None, {"known": 2}, np.random.default_rng(0))
    assert told == "16 at random; zeros as odd, of which the file does not say the range"
    assert not any(case["odd"].any() for case in made) and all(case["known"].all() for case in made)
    assert len({id(case["odd"]) for case in made}) == 1 and len({id(case["known"]) for case in made}) == 16
    made, told = child._cases({"odd": details["odd"]}, None, {}, np.random.default_rng(0))
    assert told == "zeros as odd, of which the file does not say the range" and len(made) == 1
    empty = {"one": {"dtype": np.int32, "shape": (1, 3)}}
    assert not child._cases(empty, None, {"one": 0}, np.random.default_rng(0))[0][0]["one"].any()


def test_cases_take_turns(two_signatures) -> None:
    cases = [{"history": np.full((1, 5), token, np.int32)} for token in (50, 51)]
    assert bench(two_signatures, "score", runs=1, warmup=0, inputs=cases).inputs == "2 given"
    with pytest.raises(RuntimeFileError, match=r"two\.tflite cannot be run by LiteRT: .*out of bounds"):
        bench(two_signatures, "score", runs=2, warmup=0, inputs=cases)


def test_cases_that_differ_in_shape_are_refused(two_signatures) -> None:
    cases = [{"history": np.ones((1, length), np.int32)} for length in (5, 4)]
    with pytest.raises(ValueError, match=r"names and shapes \{'history': \(1, 5\)\}, case 1 has \{'history': \(1, 4\)"):
        bench(two_signatures, inputs=cases)
    with pytest.raises(ValueError, match="at least one case, received none; give None"):
        bench(two_signatures, inputs=[])


def test_a_bundle_is_asked_with_its_golden_histories() -> None:
    inputs = golden_inputs(open_bundle(DEMO / "android"))
    assert [{name: array.ravel().tolist() for name, array in case.items()} for case in inputs] == [
        case["inputs"] for case in GOLDEN["android"]
    ]
    assert all(case["history"].shape == (1, 50) and case["history"].dtype == np.int32 for case in inputs)


def test_behind_a_host_the_file_is_asked_with_what_the_host_makes_of_them() -> None:
    bundle = open_bundle(DEMO / "coral_edgetpu")
    file = LiteRtFile(bundle.files["model.tflite"])
    for case, inputs in zip(GOLDEN["coral_edgetpu"], golden_inputs(bundle), strict=True):
        scores = file.run("score", inputs)["scores"][0].astype(int)
        assert np.argsort(-scores, kind="stable")[:10].tolist() == case["outputs"]["score"]["top"]


def test_every_way_to_time_a_bundle_asks_so(monkeypatch) -> None:
    asked, measure = [], bundles.bench

    def recorded(path, signature=None, **options):
        asked.append((path, options["inputs"][1]["history"].tolist()))
        return measure(path, signature, **options)

    monkeypatch.setattr(bundles, "bench", recorded)
    expected = (DEMO / "android/model.tflite", [GOLDEN["android"][1]["inputs"]["history"]])
    done = CliRunner().invoke(app, ["bench", str(DEMO / "android"), "--runs", "1"])
    assert "16 of golden.json" in done.stdout and asked == [expected]
    monkeypatch.setattr(forms, "FORMS", (forms.litert,))
    found = forms.every_form(DEMO / "android", threads=1, runs=1)
    assert {each.inputs for each in found} == {"16 of golden.json"} and asked == [expected] * 3


def test_golden_vectors_without_a_case_are_refused() -> None:
    bundle = open_bundle(DEMO / "micro")
    files = {**bundle.files, "golden.json": b'{"cases":[],"oracle":"litert"}'}
    with pytest.raises(BundleError, match=r"golden\.json must have at least one case, it has none; export"):
        bench_bundle(Bundle(bundle.folder, bundle.manifest, bundle.items, files))
