import dataclasses
import itertools

import pytest

from kdrec.compress import recipes
from kdrec.compress.recipes.base import GROUPS, Recipe, mixed
from kdrec.errors import ConversionError, UnknownNameError


def test_recipes_are_found_by_name():
    assert {"dynamic_int8", "float16", "float32", "int16x8", "int4_table", "int8"} <= set(recipes.names())


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_has_the_name_of_its_file_and_is_frozen(name):
    recipe = recipes.get(name)
    assert recipe.name == name
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.name = "other"


def test_only_integer_activations_need_calibration():
    for name in recipes.names():
        assert recipes.get(name).needs_calibration == (recipes.get(name).activations in ("int8", "int16"))
    assert recipes.get("int8").needs_calibration and not recipes.get("dynamic_int8").needs_calibration


def test_an_unknown_recipe_lists_those_that_exist():
    with pytest.raises(UnknownNameError, match="recipes has no 'int4'; it has .*int8"):
        recipes.get("int4")


def test_a_type_that_no_setting_gives_is_refused():
    with pytest.raises(
        ConversionError, match="weights of recipe 'r' must be one of float32, float16, int8, not 'int4'"
    ):
        Recipe("r", weights="int4", activations="float32")
    with pytest.raises(
        ConversionError, match="activations of recipe 'r' must be one of float32, int8, int16, not 'int4'"
    ):
        Recipe("r", weights="int8", activations="int4")


def test_int8_activations_need_int8_weights():
    with pytest.raises(ConversionError, match="weights of recipe 'r' must be int8 for int8 activations, not 'float16'"):
        Recipe("r", weights="float16", activations="int8")


TYPES = [None, "int4", "int8", "float32"]


@pytest.mark.parametrize("base", ["int8", "float32"])
def test_every_mix_reads_back_from_its_name(base):
    """Every way to give the four groups a type of their own."""
    seen = set()
    for kinds in itertools.product(TYPES, repeat=len(GROUPS)):
        types = {group: kind for group, kind in zip(GROUPS, kinds, strict=True) if kind}
        recipe = mixed(recipes.get(base), types)
        again = recipes.get(recipe.name)
        assert again == recipe and again.name == recipe.name and hash(again) == hash(recipe)
        assert {group: again.type_of(group) for group in GROUPS} == dict.fromkeys(GROUPS, base) | types
        seen.add(recipe)
    assert len(seen) == 3 ** len(GROUPS)  # a group has the type of the base, or one of two others


def test_the_order_of_groups_does_not_matter():
    name = "int8+item_table=int4+hidden=float32"
    assert recipes.get("int8+hidden=float32+item_table=int4").name == name


def test_int4_table_is_a_mix_with_a_name_of_its_own():
    assert recipes.get("int4_table") == recipes.get("int8+item_table=int4") != recipes.get("int8")
    assert recipes.get("int4_table+hidden=int4").name == "int8+item_table=int4+hidden=int4"


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("int9+hidden=int4", UnknownNameError, "recipes has no 'int9'"),
        ("int8+tower=int4", ConversionError, "has no group 'tower'; it has item_table, linear, hidden, residual"),
        ("int8+hidden=int2", ConversionError, "hidden of recipe .* must be one of int4, float32 .* not 'int2'"),
        ("int8+hidden=int8", ConversionError, "must be one of int4, float32 where the others are int8, not 'int8'"),
        ("float32+hidden=float32", ConversionError, "must be one of int4, int8 where the others are float32"),
        ("int8+hidden", ConversionError, "must have group=type behind each '\\+', not 'hidden'"),
        ("int8+hidden=int4+hidden=float32", ConversionError, "must name a group once, not hidden, hidden"),
        (
            "float16+hidden=int8",
            ConversionError,
            "must begin with int8 or float32 to be mixed by layer, not with float16",
        ),
        ("int16x8+hidden=int4", ConversionError, "not with int8 weights and int16 activations; begin with one of them"),
    ],
)
def test_a_name_that_says_no_file_is_refused(name, error, said):
    with pytest.raises(error, match=said):
        recipes.get(name)
