"""The catalogue of a bundle."""

import json

import numpy as np
import pytest

from kdrec.bundle import Items
from kdrec.errors import BundleError


@pytest.mark.parametrize("ids", [["a", "b"], [3, 1], np.array([3, 1]), np.array(["a", "b"], dtype=object)])
def test_items_come_back_with_their_types(ids) -> None:
    items = Items.of(ids, ["A", "B"], np.array([1]))
    again = Items.from_json(items.to_json())
    assert again == items
    assert list(again.ids) == list(ids) and type(again.ids[0]) in (int, str)
    assert again.positions() == {again.ids[0]: 0, again.ids[1]: 1}


def test_only_the_first_thousand_popular_items_are_kept() -> None:
    items = Items.of(range(1500), [str(n) for n in range(1500)], range(1500))
    assert items.popular == tuple(range(1000))


def test_rare_items_have_an_id_and_no_place() -> None:
    items = Items.of(np.array([3, 1]), ["A", "B"], [1], rare=np.array([7, 5]))
    assert Items.from_json(items.to_json()) == items
    assert items.positions() == {3: 0, 1: 1} and items.tokens() == {3: 1, 1: 2, 7: 3, 5: 3}
    assert b"rare" not in Items.of([3], ["A"], []).to_json()


def test_ids_typed_by_a_user() -> None:
    assert Items.of(["7"], ["A"], []).id_from_text("7") == "7"
    numbers = Items.of([7], ["A"], [])
    assert numbers.id_from_text("7") == 7
    with pytest.raises(BundleError, match="an item id must be an integer .* received 'x'; its ids look like 7"):
        numbers.id_from_text("x")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"ids": [], "titles": [], "popular": []}, "ids must be a list that is not empty"),
        ({"ids": [1.5], "titles": ["A"], "popular": []}, r"ids\[0\] must be an integer or a text, received 1.5"),
        ({"ids": [1, "a"], "titles": ["A", "B"], "popular": []}, r"ids\[1\] must be int like ids\[0\], received 'a'"),
        ({"ids": [1, 2, 1], "titles": ["A"] * 3, "popular": []}, "ids must name each id once, received 1"),
        ({"ids": [1, 2], "titles": ["A"], "popular": []}, "titles must be a list of 2 texts, one an id"),
        ({"ids": [1], "titles": [None], "popular": []}, r"titles\[0\] must be a text, received None"),
        ({"ids": [1], "titles": ["A"], "popular": [1]}, r"popular\[0\] must be a position from 0 to 0, received 1"),
        ({"ids": [1, 2], "titles": ["A", "B"], "popular": [0, 0]}, "popular must name each position once"),
        ({"ids": [1], "titles": ["A"], "popular": 0}, "popular must be a list, received 0"),
        ({"ids": [1], "titles": ["A"], "popular": [], "rare": []}, "rare must be a list that is not empty"),
        ({"ids": [1], "titles": ["A"], "popular": [], "rare": ["a"]}, r"ids and rare\[1\] must be int like ids\[0\]"),
        ({"ids": [1], "titles": ["A"], "popular": [], "rare": [2, 1]}, "ids and rare must name each id once"),
        ({"ids": [1], "titles": ["A"]}, "the document must have 'popular'"),
    ],
)
def test_a_wrong_catalogue_is_refused(document, message: str) -> None:
    with pytest.raises(BundleError, match=f"^items.json: {message}"):
        Items.from_json(json.dumps(document).encode())
