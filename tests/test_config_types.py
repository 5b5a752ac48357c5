"""A configuration refuses a value that is not of its option's type, whatever file it came from."""

from typing import Any

import pytest

from kdrec.config import Config
from kdrec.errors import DataError
from kdrec.models.teachers.base import check_positive
from kdrec.preflight import check_names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"epochs": "3"}', "epochs must be an integer, not '3'"),
        ('{"k": null}', "k must be an integer, not None"),
        ('{"epochs": 2.5}', "epochs must be an integer, not 2.5"),
        ('{"epochs": true}', "epochs must be an integer, not True"),
        ('{"losses": "score_mse"}', "losses must be a list, each text, not 'score_mse'"),
        ('{"loss_weights": [1, [2]]}', r"loss_weights must be a list, each a number or text or null, not \[1, \[2\]\]"),
        ('{"temperature": true}', "temperature must be a number or text, not True"),
        ('{"assistants": [64.5]}', r"assistants must be a list, each an integer, not \[64.5\]"),
        ('{"loss_options": 3}', "loss_options must be an object, not 3"),
        ('{"tied": 1}', "tied must be true or false, not 1"),
        ('{"learning_rate": "fast"}', "learning_rate must be a number, not 'fast'"),
        ('{"teacher_options": ["l2"]}', r"teacher_options must be an object, not \['l2'\]"),
        ('{"history_length": [5]}', r"history_length must be an integer or null, not \[5\]"),
        ('{"data": 5}', "data must be text, not 5"),
    ],
)
def test_values_of_another_type_are_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Config.from_json(text)


def test_an_integer_is_a_number() -> None:
    assert Config.from_json('{"temperature": 2, "loss_weights": [1]}').temperature == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": "abc"}, "teacher_options epochs of 'two_tower' must be an integer, not 'abc'"),
        ({"layers": "abc"}, "teacher_options layers of 'two_tower' must be a list, each an integer, not 'abc'"),
        ({"user_dropout": "a"}, "teacher_options user_dropout of 'two_tower' must be a number, not 'a'"),
        ({"sampling_correction": "no"}, "sampling_correction of 'two_tower' must be true or false, not 'no'"),
    ],
)
def test_options_of_a_teacher_have_its_types(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_names(Config(teacher_options=options))


def test_positive_options_are_numbers() -> None:
    for value in ("abc", None, True):
        with pytest.raises(DataError, match=f"epochs must be a number above 0, not {value!r}; leave it out"):
            check_positive(epochs=value)


def test_an_unknown_student_is_named() -> None:
    from kdrec.errors import UnknownNameError

    with pytest.raises(UnknownNameError, match="students has no 'gru'; it has history"):
        check_names(Config(student="gru"))
