"""The converter's process: what happens when it refuses, dies or takes too long."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.compress import recipes
from kdrec.errors import ConversionError
from kdrec.export.convert import Conversion, convert
from kdrec.export.faults import MORE_MEMORY, died, refused
from kdrec.export.signatures import Signatures
from kdrec.tflite.verify import run


def conversion(name: str, function, recipe: str = "int8", held: tuple = ()) -> Conversion:
    module = tf.Module()
    module.held = held
    traced = tf.function(function).get_concrete_function(x=tf.TensorSpec((1, 3, 3), tf.float32, name="x"))
    rows = np.random.default_rng(0).normal(size=(8, 3, 3)).astype(np.float32)
    return Conversion(name, Signatures(module, {"score": traced}, {"x": rows}), recipes.get(recipe))


def times(factor: float, name: str, recipe: str = "int8") -> Conversion:
    return conversion(name, lambda x: {"scores": x * factor}, recipe)


def recurrent(layer: str) -> Conversion:
    """A recurrent layer that is not unrolled."""
    model = keras.Sequential([keras.Input((3, 3)), getattr(keras.layers, layer)(5)])
    return conversion(layer, lambda x: {"scores": model(x)}, held=tuple(model.weights))


def python_that(tmp_path: Path, monkeypatch, *lines: str) -> None:
    """Let the converter be started by a script that runs these lines first."""
    script = tmp_path / "python"
    script.write_text("\n".join(["#!/bin/sh", *lines, f'exec {sys.executable} "$@"']))
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


@pytest.mark.slow
def test_crashes_are_errors_that_name_each_conversion_and_the_signal():
    """Calibrating a GRU or a SimpleRNN kills the fork. What followed the first crash was still tried."""
    killed = "failed: the converter's process was ended by SIG\\w+; in int8, recurrent layers need unroll=True"
    with pytest.raises(ConversionError, match=rf"^converting 'GRU' {killed}(?s:.*)\nconverting 'SimpleRNN' {killed}"):
        convert([times(2.0, "before"), recurrent("GRU"), recurrent("LSTM"), recurrent("SimpleRNN")])


@pytest.mark.slow
def test_operators_that_litert_lacks_are_named():
    """TensorFlow's own, a string's, and a custom one; what comes behind them in the same process is converted."""
    no = "failed: LiteRT has no operator for"
    with pytest.raises(ConversionError) as caught:
        convert(
            [
                conversion("determinant", lambda x: {"scores": tf.linalg.det(x)}),
                conversion("strings", lambda x: {"scores": tf.strings.length(tf.strings.as_string(x))}),
                conversion("python", lambda x: {"scores": tf.py_function(lambda rows: rows, [x], tf.float32)}),
                times(2.0, "good"),
            ]
        )
    way = "; build it of other TensorFlow functions, or do that before the model"
    assert str(caught.value).splitlines() == [
        f"converting 'determinant' {no} MatrixDeterminant{way}",
        f"converting 'strings' {no} AsString, StringLength{way}",
        f"converting 'python' {no} EagerPyFunc{way}",
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("converters_of_their_own")
def test_lack_of_memory_is_said(tmp_path, monkeypatch):
    """2 GiB of addresses hold TensorFlow and 122 MiB of weights, but not the converter's copies of them."""
    python_that(tmp_path, monkeypatch, "ulimit -v 2097152", "export MALLOC_ARENA_MAX=1 OMP_NUM_THREADS=1")
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "1")
    table = tf.Variable(tf.zeros((3, 10_666_667)))
    large = conversion("large", lambda x: {"scores": tf.matmul(x[0], table)}, "float32", held=(table,))
    with pytest.raises(
        ConversionError, match="^converting 'large' failed: .*(ran out|for lack) of memory; free some memory"
    ):
        convert([large])


@pytest.mark.slow
@pytest.mark.usefixtures("converters_of_their_own")
def test_a_process_that_is_killed_is_an_error_and_one_that_then_does_not_begin_ends_it(tmp_path, monkeypatch):
    python_that(tmp_path, monkeypatch, f"test -e {tmp_path}/began && exit 3", f"touch {tmp_path}/began")
    killer = threading.Thread(target=kill_when_it_started)
    killer.start()
    with pytest.raises(ConversionError) as caught:
        convert([times(2.0, "one"), times(3.0, "two")])
    killer.join()
    first, second = str(caught.value).split("\nconverting 'two' failed: ")
    assert "the converter's process was ended by SIGKILL, often for lack of memory; free some memory" in first
    assert second == "the converter did not begin: the converter's process ended with exit status 3"


def kill_when_it_started() -> None:
    """Kill the converter's process when it is at its first conversion."""
    while True:
        for listed in Path("/proc/self/task").glob("*/children"):
            for child in listed.read_text().split():
                words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
                is_of_this_call = "kdrec.export.worker" in words and words[-2].endswith(
                    ".json"
                )  # and not one that is kept
                if is_of_this_call and (Path(words[-2]).parent / "0/status").read_text() == "started":
                    os.kill(int(child), signal.SIGKILL)
                    return
        time.sleep(0.001)


@pytest.mark.usefixtures("converters_of_their_own")
def test_a_slow_converter_is_stopped():
    with pytest.raises(
        ConversionError,
        match="converting 'slow' failed: the converter did not begin: .* longer than timeout=0.3 seconds; give it more",
    ):
        convert([times(2.0, "slow")], timeout=0.3)


def test_what_means_lack_of_memory_is_known():
    """As TensorFlow 2.21 was seen to say it under limits of 2.5 to 3.5 GB."""
    abort = "F0000 00:00:1 29980 env.cc:84] Thread tf_restore_tensors creation via pthread_create() failed."
    assert "SIGABRT for lack of memory; free some memory" in died(-6, abort)
    assert "recurrent layers" in died(-6, "F0000 something else")
    exhausted = "ResourceExhaustedError: OOM when allocating tensor with shape[3,8000000] and type float"
    for said in ("MemoryError: ", exhausted):
        assert refused(said) == f"the TensorFlow Lite converter ran out of memory; {MORE_MEMORY}"


def test_last_words_leave_out_notices_and_addresses():
    lines = ["I0000 00:00:1 notice", "E0000 00:00:2 the fault", "    @ 0x7fca  main()", "W0000 00:00:3 warning"]
    assert died(3, "\n".join(lines)).endswith("exit status 3; it last said:\n  E0000 00:00:2 the fault")


def test_nothing_to_convert_is_no_work():
    assert convert([]) == []


@pytest.mark.slow
@pytest.mark.wheel
def test_files_come_back_in_order():
    first, second = convert([times(2.0, "one"), times(3.0, "two", recipe="float32")])
    ones = [{"x": np.ones((1, 3, 3), np.float32)}]
    assert run(first, "score", ones)["scores"] == pytest.approx(np.full((1, 3, 3), 2.0), abs=0.05)
    assert run(second, "score", ones)["scores"] == pytest.approx(np.full((1, 3, 3), 3.0))
