"""Generated C on emulated Cortex-M: the oracles' answers there too, and what it costs."""

import numpy as np
import pytest
from c_programs import answers as parsed
from c_programs import ask_micro, expected, file_inputs, random_cases, sources
from random_models import Sizes, random_model

from kdrec.bench.cortex_m import build
from kdrec.bench.cortex_m.build import Program
from kdrec.bench.cortex_m.machines import MACHINES
from kdrec.bench.cortex_m.measure import measure
from kdrec.errors import RuntimeFileError
from kdrec.targets.micro.backends.c import c

SIZES = Sizes(items=39, width=9, length=7, hidden=10, context=(4, 3), rare=True, four_bits=0.5)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A model, cases, and what TensorFlow Lite Micro says to them."""
    pytest.importorskip("tflite_micro")
    rng = np.random.default_rng(3)
    model = random_model(rng, SIZES)
    cases = [case for case in random_cases(rng, model, 12) if file_inputs(model, case) is not None]
    scores, queries = ask_micro(tmp_path_factory.mktemp("micro"), [model], [cases])[0]
    return model, cases, scores.reshape(len(cases), -1), queries


@pytest.fixture
def tools(require) -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm", "tflite-micro"):
        require(tool)


@pytest.mark.parametrize("core", MACHINES)
def test_the_answers_are_the_oracles(core, asked, tools) -> None:
    model, cases, logits, queries = asked
    with Program(MACHINES[core], sources(c(model.content), cases), ["-DRECOMMENDER_LOGITS", "-DBOARD"]) as program:
        answers = parsed(program.run())
    assert [answer.logits for answer in answers] == [tuple(row) for row in logits.tolist()]
    wanted = [expected(model, case, query) for case, query in zip(cases, queries, strict=True)]
    assert [(list(answer.items), list(answer.scores)) for answer in answers] == wanted


@pytest.mark.slow
def test_2000_items_of_16_fit_the_smallest_chips(tools) -> None:
    """38 KiB of flash and 0.7 KB of RAM beside the input; fewer instructions than 207,000, lists and all."""
    rng = np.random.default_rng(0)
    model = random_model(rng, Sizes(items=2000, width=16, length=50, hidden=128))
    histories = rng.integers(0, 2000, (3, 50)).astype(np.int32)
    cost = measure(MACHINES["Cortex-M3"], c(model.content), histories)
    tables = 2001 * 16 + 2 * 128 * 16 + 16 * 16 + 4 * (128 + 16) + 2 * 50 + 2
    assert tables < cost.flash <= 38 * 1024
    assert 128 < cost.ram <= 700
    assert 2000 * 16 * 2 < cost.instructions < 207_000  # a load and a product for each weight at least


def test_a_fault_is_an_error(tools) -> None:
    fault = b"int main(void)\n{\n    return *(volatile int *)0xdead0000;\n}\n"
    with (
        Program(MACHINES["Cortex-M3"], {"main.c": fault}) as program,
        pytest.raises(RuntimeFileError, match="qemu-system-arm for Cortex-M3 failed: status 1"),
    ):
        program.run()


def test_an_endless_loop_is_an_error(tools) -> None:
    endless = b"int main(void)\n{\n    for (;;) {\n    }\n}\n"
    with (
        Program(MACHINES["Cortex-M3"], {"main.c": endless}) as program,
        pytest.raises(RuntimeFileError, match="took longer than 1 seconds; give it less to do"),
    ):
        program.run(timeout=1.0)


def test_a_warning_is_an_error(tools) -> None:
    with pytest.raises(RuntimeFileError, match="(?s)arm-none-eabi-gcc for Cortex-M0 failed: .*unused variable"):
        Program(MACHINES["Cortex-M0"], {"main.c": b"int main(void)\n{\n    int i;\n    return 0;\n}\n"})


@pytest.mark.parametrize("tool", ["arm-none-eabi-gcc", "qemu-system-arm"])
def test_a_missing_tool_is_named_with_its_package(tool, monkeypatch) -> None:
    monkeypatch.setattr(build.shutil, "which", lambda name: None if name == tool else "/usr/bin/true")
    with pytest.raises(RuntimeFileError, match=f"{tool} is not installed: apt-get install -y "):
        Program(MACHINES["Cortex-M0"], {})
