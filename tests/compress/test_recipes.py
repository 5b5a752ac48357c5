import dataclasses

import pytest

from kdrec.compress import recipes
from kdrec.compress.recipes.base import Recipe
from kdrec.errors import ConversionError, UnknownNameError


def test_recipes_are_found_by_name():
    assert {"dynamic_int8", "float16", "float32", "int4_table", "int8"} <= set(recipes.names())


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_has_the_name_of_its_file_and_is_frozen(name):
    recipe = recipes.get(name)
    assert recipe.name == name
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.name = "other"


def test_only_int8_activations_need_calibration():
    for name in recipes.names():
        assert recipes.get(name).needs_calibration == (recipes.get(name).activations == "int8")
    assert recipes.get("int8").needs_calibration and not recipes.get("dynamic_int8").needs_calibration


def test_an_unknown_recipe_lists_those_that_exist():
    with pytest.raises(UnknownNameError, match="recipes has no 'int4'; it has .*int8"):
        recipes.get("int4")


def test_a_type_that_no_setting_gives_is_refused():
    with pytest.raises(
        ConversionError, match="weights of recipe 'r' must be one of float32, float16, int8, not 'int4'"
    ):
        Recipe("r", weights="int4", activations="float32")
    with pytest.raises(ConversionError, match="activations of recipe 'r' must be one of float32, int8, not 'int16'"):
        Recipe("r", weights="int8", activations="int16")


def test_item_rows_of_four_bits_need_int8_activations():
    with pytest.raises(ConversionError, match="table of recipe 'r' must be one of None, int4, not 'int2'"):
        Recipe("r", weights="int8", activations="int8", table="int2")
    with pytest.raises(
        ConversionError, match="table of recipe 'r' must be None beside float32 activations, not 'int4'"
    ):
        Recipe("r", weights="int8", activations="float32", table="int4")


def test_int8_activations_need_int8_weights():
    with pytest.raises(ConversionError, match="weights of recipe 'r' must be int8 for int8 activations, not 'float16'"):
        Recipe("r", weights="float16", activations="int8")
