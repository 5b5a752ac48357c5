"""Schedules: what each says at each progress, how they are written, and what they are refused for."""

import inspect
import math
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kdrec import schedules
from kdrec.errors import TrainingError, UnknownNameError
from kdrec.losses.base import Batch
from kdrec.losses.softened_kl import SoftenedKl, softened_kl
from kdrec.schedules import Schedule, adjustable, as_config, ends, parse, value_at

PROGRESS = np.linspace(0.0, 1.0, 21)


def some(name):
    """A schedule of this name whose first number is 4 and whose others are 1, 0.5, …"""
    numbers = inspect.signature(schedules.get(name)).parameters.keys() - {"progress"}
    return Schedule(name, (4.0, 1.0, 0.5)[: len(numbers)])


def test_folder_holds_them():
    assert schedules.names() == ["constant", "cosine", "linear", "warm_up"]


@pytest.mark.parametrize("name", schedules.names())
def test_schedule_runs_in_a_compiled_step_and_is_monotone(name):
    schedule = some(name)
    compiled = tf.function(lambda progress: schedule(progress))
    values = [compiled(tf.constant(progress, tf.float32)) for progress in PROGRESS]
    assert all(value.shape == () and value.dtype == tf.float32 for value in values)
    values = np.array(values)
    assert np.allclose(values, [float(schedule(float(progress))) for progress in PROGRESS], rtol=1e-6)
    steps = np.diff(values)
    assert np.all(steps >= -1e-6) or np.all(steps <= 1e-6)
    assert ends(schedule) == pytest.approx((values.min(), values.max()))


@pytest.mark.parametrize("name", schedules.names())
def test_text_of_a_schedule_is_read_back(name):
    schedule = some(name)
    assert parse(str(schedule)) == schedule and parse(schedule) is schedule
    assert as_config(schedule) == str(schedule)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("constant:3", lambda p: 3.0),
        ("linear:4:1", lambda p: 4.0 - 3.0 * p),
        ("cosine:0:2", lambda p: 1.0 - math.cos(math.pi * p)),
        ("warm-up:2", lambda p: min(20.0 * p, 2.0)),
        ("warm_up:2:0.5", lambda p: min(4.0 * p, 2.0)),
    ],
)
def test_values_follow_the_formula(text, expected):
    for progress in PROGRESS:
        assert float(parse(text)(float(progress))) == pytest.approx(expected(progress), abs=1e-6)


def test_a_number_is_itself():
    assert parse(0.25) == 0.25 and parse("0.25") == 0.25 and parse("1e-3") == 0.001
    assert ends(2) == (2.0, 2.0) and as_config("0.25") == 0.25
    variable = adjustable(0.25, "weight")
    variable.assign(0.75)
    assert float(value_at(variable, 0.0)) == 0.75 and as_config(variable) == 0.75
    assert float(value_at(adjustable("linear:0:1", "weight"), tf.constant(0.5))) == 0.5


def test_a_text_is_read_without_tensorflow():
    code = "import sys\nfrom kdrec.schedules import parse\nparse('linear:1:0')\nassert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_refused_texts():
    with pytest.raises(UnknownNameError, match="schedules has no 'step'; it has constant, cosine, linear, warm_up"):
        parse("step:1:2")
    with pytest.raises(TrainingError, match="schedule 'linear:4' must be written linear:start:end, with numbers"):
        parse("linear:4")
    with pytest.raises(TrainingError, match="schedule 'linear:4:low' must be written linear:start:end"):
        parse("linear:4:low")
    with pytest.raises(TrainingError, match=r"schedule 'warm_up:1:2:3' must be written warm_up:end\[:share\]"):
        parse("warm_up:1:2:3")
    with pytest.raises(TrainingError, match="share of warm_up must be above 0, not 0.0"):
        ends("warm_up:1:0")
    with pytest.raises(TrainingError, match="schedule 'linear' must be written linear:start:end"):
        parse("linear")


def test_temperature_follows_a_schedule():
    scores = {"scores": tf.constant([[2.0, 0.0, 1.0]])}, {"scores": tf.constant([[0.0, 3.0, 1.0]])}
    nothing = np.zeros((1, 3), bool)
    loss = SoftenedKl(temperature="linear:4:1")
    for progress, temperature in ((0.0, 4.0), (0.5, 2.5), (1.0, 1.0)):
        expected = softened_kl(scores[1]["scores"], scores[0]["scores"], temperature)
        assert np.allclose(loss(*scores, Batch.of(nothing, progress=progress)), expected)
    assert SoftenedKl.from_config(loss.get_config()).temperature == Schedule("linear", (4.0, 1.0))
    for text in ("linear:4:0", "linear:4:-1", "warm_up:1"):
        with pytest.raises(TrainingError, match=f"temperature must be positive, not {text}"):
            SoftenedKl(temperature=text)
