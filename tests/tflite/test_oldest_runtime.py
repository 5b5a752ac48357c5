"""From which runtime on a file answers: by its operators, each as it was seen to do on old runtimes."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from benchmark_script import BENCHMARKS, script

from kdrec.errors import RuntimeFileError
from kdrec.tflite.oldest_runtime import (
    MeasuredRuntime,
    Runtime,
    measured,
    never_run,
    oldest_of,
    oldest_runtime,
    operators_of,
)
from kdrec.tflite.read import parse
from kdrec.tflite.write import pack

DEMO = Path(__file__).parents[2] / "tflite_models/demo/android/model.tflite"
RUNTIMES = ["old 9", "old 10", "new 1", "new 2"]  # by age, and not by number or name
TABLE = {
    "runtimes": RUNTIMES,
    "operators": {
        "A": {"runs_from": "old 9", "equal_from": "old 10"},
        "B": {"runs_from": "old 10", "equal_from": "old 10"},
        "C": {"runs_from": "old 9", "equal_from": "new 1"},
    },
    "together": [
        {"operators": ["A", "B"], "equal_from": "new 2"},
        {"operators": ["A", "C"], "runs_from": "new 1"},
    ],
}


def of(runs_from: str, equal_from: str) -> MeasuredRuntime:
    return MeasuredRuntime(Runtime.named(runs_from), Runtime.named(equal_from))


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ("A", of("old 9", "old 10")),
        ("B", of("old 10", "old 10")),
        ("BC", of("old 10", "new 1")),  # the newest of its operators
        ("AB", of("old 10", "new 2")),  # which did worse together
        ("AC", of("new 1", "new 1")),
        ("ABC", of("new 1", "new 2")),
        ("AD", None),
    ],
)
def test_a_file_runs_where_all_its_operators_do(operators: str, expected: MeasuredRuntime | None) -> None:
    assert oldest_of(set(operators), TABLE) == expected


def test_the_demo_is_said_to_run_from_where_it_was_replayed() -> None:
    rows = json.loads((BENCHMARKS / "min_runtime.json").read_text())["runtimes"]
    names = [row["runtime"].replace("==", " ") for row in rows]
    assert names == measured()["runtimes"]
    ran = [row.get("overlap", 0) >= script("min_runtime_measured").NEARLY for row in rows]
    equal = [row.get("equal") == row["cases"] for row in rows]
    first = [min(n for n in range(len(rows)) if all(good[n:])) for good in (ran, equal)]
    assert oldest_runtime(DEMO.read_bytes()) == of(names[first[0]], names[first[1]])


def test_an_operator_that_was_never_run_is_named() -> None:
    model = parse(DEMO)
    (gather,) = (code for code in model.operatorCodes if code.builtinCode == schema.BuiltinOperator.GATHER)
    gather.version = 99
    content = pack(model)
    assert oldest_runtime(content) is None
    assert never_run(content) == ["GATHER 99: int8 int32 -> int8"]
    assert never_run(DEMO.read_bytes()) == []


def test_operators_are_named_with_their_types() -> None:
    """An input that is left out has a name, too; of any number of inputs the types are named once."""
    model = parse(DEMO)
    (score,) = (one for one in model.signatureDefs if one.signatureKey == b"score")
    graph = model.subgraphs[score.subgraphIndex]
    of_type = {tensor.type: place for place, tensor in enumerate(graph.tensors)}
    float32, int8 = of_type[schema.TensorType.FLOAT32], of_type[schema.TensorType.INT8]
    graph.tensors[int8].quantization.scale = np.array([0.5, 0.25], np.float32)
    graph.tensors[int8].quantization.zeroPoint = np.zeros(2, np.int64)
    fully_connected, concatenation = schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOperator.CONCATENATION
    model.operatorCodes = [
        schema.OperatorCodeT(builtinCode=fully_connected, version=4),
        schema.OperatorCodeT(builtinCode=concatenation, version=2),
    ]
    for place, inputs in enumerate(([float32, int8, -1], [float32, float32, float32])):
        graph.operators[place].opcodeIndex = place
        graph.operators[place].inputs = np.array(inputs, np.int32)
        graph.operators[place].outputs = np.array([float32], np.int32)
    graph.operators = graph.operators[:2]
    model.subgraphs, model.signatureDefs = [graph], []
    assert operators_of(pack(model)) == {
        "FULLY_CONNECTED 4: float32 int8/channel none -> float32",
        "CONCATENATION 2: float32 -> float32",
    }


def test_what_is_no_file_is_refused() -> None:
    with pytest.raises(RuntimeFileError, match="TFL3"):
        oldest_runtime(b"not a model")


def test_the_table_says_of_every_file_what_was_measured() -> None:
    module, rng = script("min_runtime_measured"), np.random.default_rng(0)
    for _ in range(100):
        files = []
        for _ in range(rng.integers(1, 8)):
            operators = rng.choice(list("ABCDEF"), rng.integers(1, 6), replace=False)
            runs, equal = np.sort(rng.integers(0, len(RUNTIMES), 2)).tolist()
            files.append(module.Measured(frozenset(operators.tolist()), runs, equal))
        table = module.table(RUNTIMES, files)
        for file in files:
            within = [other for other in files if other.operators <= file.operators]
            worst = (max(getattr(other, key) for other in within) for key in ("runs_from", "equal_from"))
            assert oldest_of(file.operators, table) == of(*(RUNTIMES[place] for place in worst))


def test_answers_count_from_the_last_bad_one_on() -> None:
    module = script("min_runtime_measured")
    kinds = {"-": {"refused": "no"}, "~": {"equal": False, "share": 0.95}, "<": {"equal": False, "share": 0.94}}
    kinds["="] = {"equal": True, "share": 1.0}
    for signs in map("".join, product("-~<=", repeat=3)):
        answers = [kinds[sign] for sign in signs + "="]
        runs, equal = (len((signs + "=").rstrip(good)) for good in ("~=", "="))
        assert module.measured({"A"}, answers) == module.Measured(frozenset("A"), runs, equal)
    with pytest.raises(ValueError, match="the newest runtime must answer its own golden vectors, it says"):
        module.measured({"A"}, [kinds["="], kinds["~"]])


def test_a_list_counts_by_golden_scores_whichever_of_equal_ones_it_names() -> None:
    share = script("min_runtime_ask").share_of_best
    golden = np.array([9.0] * 9 + [5.0, 5.0, 1.0])
    assert share(golden, -np.arange(12.0)) == 1
    assert share(golden, np.array([9.0] * 9 + [1.0, 2.0, 3.0])) == 0.9
