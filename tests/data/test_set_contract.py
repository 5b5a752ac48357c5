"""What every data set is: found by its file, documented, and silent about options that it would not follow."""

import inspect

import pytest

from kdrec.config import Config
from kdrec.data import sets
from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import DataError
from kdrec.load import load
from kdrec.without_effect import SET


@pytest.mark.parametrize("name", sets.names())
def test_a_set_says_what_it_returns_and_takes(name):
    function = sets.get(name)
    signature = inspect.signature(function)
    assert function.__name__ == name
    assert signature.return_annotation in (Interactions, Split)
    assert function.__doc__ and "Returns:" in function.__doc__
    assert all(parameter.default is not inspect.Parameter.empty for parameter in signature.parameters.values())
    if "download" in signature.parameters:
        assert "data_dir" in signature.parameters and signature.parameters["download"].default is False


@pytest.mark.parametrize("name", sets.names())
def test_a_set_that_reads_names_the_folder_it_needs(name, tmp_path):
    if "data_dir" not in inspect.signature(sets.get(name)).parameters:
        assert isinstance(sets.get(name)(), Interactions)
        return
    with pytest.raises(DataError, match=f"data_dir must be given for {name}: a folder with "):
        load(Config(data=name))
    with pytest.raises(DataError, match=f"has no .*; {name} is a folder with "):
        load(Config(data=name, data_dir=str(tmp_path)))


@pytest.mark.parametrize("name", sets.names())
@pytest.mark.parametrize("option", SET)
def test_an_option_that_a_set_does_not_take_is_refused(name, option):
    if option not in inspect.signature(sets.get(name)).parameters:
        with pytest.raises(DataError, match=f"{option}=.* has no effect: {name} is "):
            load(Config(data=name, **{option: {"data_dir": "somewhere", "download": True}[option]}))
