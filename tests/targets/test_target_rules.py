"""Each rule: the smallest file that breaks it, and one beside it that keeps it."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import Graph, Op, T, build, dense

from kdrec import targets
from kdrec.errors import RuntimeFileError, TargetError
from kdrec.targets.base import Violation, check, require

FLOAT = {"dtype": "FLOAT32", "scales": ()}
AXIS = {"dtype": "INT32", "scales": ()}


def broken(content: bytes, target: str) -> dict[str, Violation]:
    """The first violation of each rule, by the rule's name."""
    found: dict[str, Violation] = {}
    for violation in check(content, targets.get(target)):
        found.setdefault(violation.rule, violation)
    return found


def one(name: str, given: T, made: T, *constants: T, activation: int | None = None) -> Graph:
    """A graph of one operator."""
    inputs = [0, *range(2, 2 + len(constants))]
    return Graph([given, made, *constants], [Op(name, inputs, [1], activation)])


def mean(shape: tuple[int, ...], axis: int) -> Graph:
    return one("MEAN", T(shape), T((1, 4)), T((1,), **AXIS, data=np.array([axis], np.int32)))


@pytest.mark.parametrize("target", ["micro", "coral_edgetpu"])
def test_a_dense_stage_keeps_every_rule(target: str) -> None:
    assert check(build(dense()), targets.get(target)) == []


OFFENDERS = [
    ("micro", "known_ops", one("TOPK_V2", T(), T()), "operator 0 TOPK_V2", "TensorFlow Lite Micro has no TOPK_V2"),
    ("android", "known_ops", one("FlexErf", T(), T()), "operator 0 FlexErf", "LiteRT has no FlexErf"),
    ("coral_edgetpu", "known_ops", one("GATHER", T(), T(), T()), "operator 0 GATHER", "Coral Edge TPU has no GATHER"),
    ("coral_edgetpu", "verified_ops", one("SUM", T(), T()), "operator 0 SUM", "SUM on Coral Edge TPU is unverified"),
    ("micro", "fixed_shapes", one("RELU", T(signature=(-1, 4)), T()), "tensor 0 (t0)", "shape [1, 4] is not fixed"),
    ("android", "no_integer_division", one("DIV", T(), T(), T()), "operator 0 DIV", "quantized DIV"),
    (
        "android",
        "no_float_islands",
        Graph(
            [T(), T(**FLOAT), T(**FLOAT), T()],
            [Op("DEQUANTIZE", [0], [1]), Op("RSQRT", [1], [2]), Op("QUANTIZE", [2], [3])],
            outputs=[3],
        ),
        "operator 2 QUANTIZE",
        "tensor 2 (t2) comes back from float32",
    ),
    ("android", "per_tensor_matrices", dense(scales=(0.5, 0.25, 0.5)), "operator 0 FULLY_CONNECTED", "3 scales"),
    (
        "micro",
        "no_mixed_matrices",
        Graph(
            [T(**FLOAT), T((1, 3), **FLOAT), T((3, 4), data=np.ones(12, np.int8))], [Op("FULLY_CONNECTED", [0, 2], [1])]
        ),
        "operator 0 FULLY_CONNECTED",
        "float32 values, int8 weights",
    ),
    ("micro", "known_tables", one("GATHER", T(dtype="INT16"), T(), T(**AXIS)), "operator 0 GATHER", "int16 table"),
    ("micro", "no_half_precision", one("DEQUANTIZE", T(dtype="FLOAT16"), T()), "tensor 0 (t0)", "type float16"),
    ("coral_edgetpu", "eight_bits_only", one("RELU", T(dtype="INT16"), T()), "tensor 0 (t0)", "type int16"),
    (
        "coral_edgetpu",
        "three_inner_dimensions",
        one("RELU", T((2, 1, 1, 4)), T()),
        "tensor 0 (t0)",
        "shape [2, 1, 1, 4]",
    ),
    ("coral_edgetpu", "narrow_matrices", dense(2561), "operator 0 FULLY_CONNECTED", "2561 outputs, the limit is 2560"),
    (
        "coral_edgetpu",
        "flat_matrix_outputs",
        one("FULLY_CONNECTED", T((5, 4)), T((5, 3)), T((3, 4), data=np.ones(12, np.int8))),
        "operator 0 FULLY_CONNECTED",
        "output shape [5, 3]",
    ),
    ("coral_edgetpu", "mean_over_places", mean((1, 5, 4), 0), "operator 0 MEAN", "axes [0] of shape [1, 5, 4]"),
    ("coral_edgetpu", "mean_over_places", mean((1, 4, 5), -1), "operator 0 MEAN", "axes [2] of shape [1, 4, 5]"),
    ("ethos_u55", "whole_bytes", one("ADD", T(**FLOAT), T(), T()), "tensor 0 (t0)", "type float32"),
    ("ethos_u85", "whole_bytes", one("ADD", T(dtype="INT4"), T(), T()), "tensor 0 (t0)", "type int4"),
    ("ethos_u65", "accelerated_operators", one("GATHER", T(), T(), T(**AXIS)), "operator 0 GATHER", "GATHER runs on"),
    ("ethos_u55", "narrow_values", one("MINIMUM", T(**AXIS), T(**AXIS), T(**AXIS)), "0 MINIMUM", "MINIMUM of 32 bits"),
    (
        "coral_edgetpu",
        "plain_concatenation",
        one("CONCATENATION", T(), T(), T(), activation=1),
        "CONCATENATION",
        "a fused",
    ),
]


@pytest.mark.parametrize(("target", "rule", "graph", "where", "found"), OFFENDERS, ids=[case[1] for case in OFFENDERS])
def test_an_offender_is_named_with_its_place(target: str, rule: str, graph: Graph, where: str, found: str) -> None:
    violation = broken(build(graph), target)[rule]
    assert where in violation.where and violation.where.startswith("graph 0, ")
    assert f"Found: {found}" in violation.message
    assert violation.way_out.startswith("Way out: ")


@pytest.mark.parametrize(
    ("target", "rule", "graph"),
    [
        ("android", "known_ops", one("TOPK_V2", T(), T())),
        ("android", "no_integer_division", one("DIV", T(**FLOAT), T(**FLOAT), T(**FLOAT))),
        ("android", "no_integer_division", one("FLOOR_DIV", T(**AXIS), T(**AXIS), T(**AXIS))),
        ("android", "no_float_islands", one("QUANTIZE", T(**FLOAT), T())),  # an input of the graph
        ("android", "no_float_islands", one("DEQUANTIZE", T(), T(**FLOAT))),  # a float tail, such as wide scores
        ("coral_edgetpu", "narrow_matrices", dense(2560)),
        ("coral_edgetpu", "mean_over_places", mean((1, 5, 4), 1)),
        ("coral_edgetpu", "mean_over_places", mean((1, 5, 4), 2)),
        ("coral_edgetpu", "plain_concatenation", one("CONCATENATION", T(), T(), T(), activation=0)),
        ("coral_edgetpu", "three_inner_dimensions", one("RELU", T((1, 2, 2, 4)), T())),
        (
            "coral_edgetpu",
            "three_inner_dimensions",
            one("CONV_2D", T(), T(), T((2, 1, 1, 4), data=np.ones(8, np.int8))),
        ),
        ("coral_edgetpu", "eight_bits_only", dense(dtype="UINT8")),
        ("micro", "no_mixed_matrices", dense()),
        ("ethos_u55", "whole_bytes", dense()),
        ("ethos_u85", "accelerated_operators", one("GATHER", T(), T(), T(**AXIS))),
        ("ethos_u55", "narrow_values", one("ADD", T(**AXIS), T(**AXIS), T(**AXIS))),
        ("ethos_u55", "narrow_values", one("MINIMUM", T(), T(), T(**AXIS, data=np.ones(4, np.int32)))),
        ("ethos_u85", "narrow_values", one("MINIMUM", T(**AXIS), T(**AXIS), T(**AXIS))),
        ("ethos_u55", "known_ops", one("ethos-u", T(), T())),  # of a file that Vela compiled
    ],
)
def test_its_neighbour_keeps_the_rule(target: str, rule: str, graph: Graph) -> None:
    assert rule not in broken(build(graph), target)


def test_every_rule_has_an_offender_here() -> None:
    used = {rule.__name__ for name in targets.names() for rule in (*targets.get(name).rules, *targets.get(name).advice)}
    assert used - {case[1] for case in OFFENDERS} == {"signatures_present", "one_subgraph", "fits_on_chip"}


def test_a_second_graph_is_refused_where_one_is_all() -> None:
    content = build(dense(), dense(), signatures=("score", "embed"))
    assert "Found: 2 graphs" in broken(content, "micro")["one_subgraph"].message
    assert broken(content, "micro")["one_subgraph"].where == "file"
    assert "one_subgraph" not in broken(content, "android")


def test_signatures_must_be_there() -> None:
    found = check(build(dense(), signatures=("score",)), targets.get("android"))
    assert [violation.message.partition("Found: ")[2] for violation in found] == [
        "no 'recommend', only score",
        "no 'embed', only score",
    ]
    assert "no 'score', only none" in broken(build(dense(), signatures=()), "micro")["signatures_present"].message


def test_a_table_larger_than_the_chip_is_a_warning() -> None:
    small = replace(targets.get("coral_edgetpu"), max_constant_bytes=23)
    (violation,) = check(build(dense()), small)  # 12 bytes of weights and 12 of biases
    assert violation.is_warning
    assert "24 bytes of parameters, the chip keeps 23" in violation.message
    assert str(violation) == (
        "file: All parameters fit into the chip's own memory; the rest would be fetched at every call. "
        "Found: 24 bytes of parameters, the chip keeps 23 [warning, fits_on_chip]. "
        "Way out: a smaller embedding_dim or catalogue."
    )
    assert require(build(dense()), small) == [violation]


def test_require_refuses_with_one_line_a_violation() -> None:
    content = build(one("TOPK_V2", T(), T()), one("TILE", T(), T()))
    message = (
        r"the file must keep the rules of TensorFlow Lite Micro, it breaks 3:\n"
        r"graph 0, operator 0 TOPK_V2: .*\[known_ops\].*\ngraph 1, operator 0 TILE: .*\nfile: .*\[one_subgraph\]"
    )
    with pytest.raises(TargetError, match=message):
        require(content, targets.get("micro"))


def test_an_operator_that_no_rule_can_read() -> None:
    content = build(Graph([T(), T()], [Op("FULLY_CONNECTED", [0], [1])]))
    with pytest.raises(
        RuntimeFileError, match="the file has an operator that rule per_tensor_matrices cannot read .*exp"
    ):
        check(content, targets.get("micro"))


@pytest.mark.parametrize("target", targets.names())
def test_cut_and_altered_files_end_in_a_named_error_or_an_answer(target: str) -> None:
    whole = build(dense(), mean((1, 5, 4), 1), signatures=("score", "embed"))
    rng = np.random.default_rng(1)
    refused = 0
    for number in range(200):
        content = bytearray(whole)
        if number % 3 == 0:
            content = content[: rng.integers(0, len(whole) - 8)]
        else:
            for place in rng.integers(0, len(content), 4):
                content[place] = rng.integers(256)
        try:
            check(bytes(content), targets.get(target))
        except RuntimeFileError:
            refused += 1
    assert refused > 60


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x00" * 64])
def test_what_is_no_tflite_file(content: bytes) -> None:
    with pytest.raises(RuntimeFileError, match="no readable .tflite file"):
        check(content, targets.get("android"))
