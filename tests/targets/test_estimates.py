"""What a file takes of a device: counted by hand, and never more than the interpreter allocates."""

from pathlib import Path

import numpy as np
import pytest
from handmade import Graph, Op, T, build, dense

from kdrec import targets
from kdrec.runtime.micro_process import arena_bytes
from kdrec.targets.base import Estimate, estimate
from kdrec.targets.base.estimates import aligned, peak
from kdrec.tflite.views import Tensor, read

DEMO = Path(__file__).parents[2] / "tflite_models" / "demo"


def estimates(content: bytes, target: str) -> dict[str, Estimate]:
    return {each.name: each for each in estimate(content, targets.get(target))}


def chain(*widths: int) -> Graph:
    """RELU after RELU, of tensors of these widths: at most two live at once."""
    operators = [Op("RELU", [place], [place + 1]) for place in range(len(widths) - 1)]
    return Graph([T((1, width)) for width in widths], operators, outputs=[len(widths) - 1])


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (chain(16, 16), 32),
        (chain(16, 64, 32, 16), 64 + 32),
        (chain(1, 17), 16 + 32),  # each begins at a multiple of 16
        (chain(100), 112),  # an input that is the output
        # The input is read again at the end, so three live at once.
        (
            Graph([T((1, 16))] * 4, [Op("RELU", [0], [1]), Op("RELU", [1], [2]), Op("ADD", [0, 2], [3])], outputs=[3]),
            48,
        ),
        # An output that is written early stays to the end; what nobody reads is gone after its step.
        (Graph([T((1, 16))] * 4, [Op("SPLIT", [0], [1, 2]), Op("RELU", [1], [3])], outputs=[2, 3]), 48),
        (Graph([T((1, 16))] * 3, [Op("RELU", [0], [2]), Op("RELU", [0], [1])]), 32),
    ],
)
def test_the_peak_of_living_tensors(graph: Graph, expected: int) -> None:
    assert peak(read(build(graph)).subgraphs[0]) == expected


@pytest.mark.parametrize(
    ("dtype", "shape", "expected"),
    [
        ("int8", (4, 5), 32),
        ("float32", (2, 2), 16),
        ("int64", (3,), 32),
        ("int4", (33,), 32),
        ("int4", (31,), 16),
        ("string", (99,), 0),
        ("int8", (-1, 17), 32),
    ],
)
def test_bytes_of_a_tensor(dtype: str, shape: tuple[int, ...], expected: int) -> None:
    assert aligned(Tensor(0, "t", dtype, shape, (), (), 1, None)) == expected


def test_constants_need_no_arena_and_fill_the_parameter_cache() -> None:
    content = build(dense())  # 12 weights and 3 biases of four bytes
    cache = estimates(content, "coral_edgetpu")["parameter_cache"]
    assert (cache.bytes, cache.limit) == (24, int(6.7 * 2**20))
    assert estimates(content, "micro")["arena"].bytes == 32


def test_a_constant_that_two_operators_read_is_cached_once() -> None:
    table = T((1, 4), data=np.ones(4, np.int8))
    graph = Graph([T(), T(), T(), table], [Op("ADD", [0, 3], [2]), Op("ADD", [2, 3], [1])])
    assert estimates(build(graph), "coral_edgetpu")["parameter_cache"].bytes == 4


@pytest.mark.parametrize("target", targets.names())
def test_flash_is_the_file(target: str) -> None:
    content = build(dense())
    assert estimates(content, target)["flash"] == Estimate("flash", len(content))


def test_the_interpreter_s_arena_holds_the_tensors_and_its_own_records(require) -> None:
    require("tflite-micro")
    content = (DEMO / "micro" / "model.tflite").read_bytes()
    counted = estimates(content, "micro")["arena"].bytes
    # At the peak: the scores with the token of padding, and the matrix's input of 32 numbers.
    assert 1201 + 32 <= counted < arena_bytes(content) < counted + 8192
