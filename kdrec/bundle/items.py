"""items.json: the ids of the log and titles by item position, and the popularity order for empty histories."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kdrec.bundle.fields import Field, parse
from kdrec.errors import BundleError
from kdrec.files import canonical_json

POPULAR = 1000  # how many of the most popular items a bundle names


@dataclass(frozen=True)
class Items:
    """The catalogue of a bundle.

    Args:
        ids: (n_items,) integers or strings as in the log, by position.
        titles: (n_items,) readable names.
        popular: positions of the most popular items, best first.
        rare: ids of further items of the log, which share one row: a history may hold them, no list does.

    Raises:
        BundleError: ids that repeat or mix types, titles of another number, popular positions outside or repeated.

    >>> items = Items.of(ids=[7, 9], titles=["Tent", "Kettle"], popular=[1])
    >>> Items.from_json(items.to_json()) == items
    True
    """

    ids: tuple[int | str, ...]
    titles: tuple[str, ...]
    popular: tuple[int, ...]
    rare: tuple[int | str, ...] = ()

    @classmethod
    def of(cls, ids: Sequence[Any], titles: Sequence[str], popular: Sequence[int], rare: Sequence[Any] = ()) -> "Items":
        """From lists or arrays; numpy integers become plain ones and the popular ones are cut to the first 1,000."""
        document = {
            "ids": [_plain(value) for value in ids],
            "titles": [str(title) for title in titles],
            "popular": [int(position) for position in popular][:POPULAR],
            **({"rare": [_plain(value) for value in rare]} if len(rare) else {}),
        }
        return cls.from_json(canonical_json(document).encode())

    @classmethod
    def from_json(cls, content: bytes) -> "Items":
        root = parse("items.json", content)
        with_rare = "rare" in root.mapping()
        root.only(("ids", "titles", "popular", *(["rare"] if with_rare else [])))
        ids, titles, popular = root.key("ids"), root.key("titles"), root.key("popular")
        _check_ids(ids)
        if with_rare:
            _check_ids(root.key("rare"))
            _check_ids(Field(ids.file, "ids and rare", [*ids.value, *root.key("rare").value]))
        if type(titles.value) is not list or len(titles.value) != len(ids.value):
            titles.refuse(f"must be a list of {len(ids.value)} texts, one an id")
        _check_each(titles, lambda value: type(value) is str, "must be a text")
        _check_each(
            popular,
            lambda value: type(value) is int and 0 <= value < len(ids.value),
            f"must be a position from 0 to {len(ids.value) - 1}",
        )
        if len(set(popular.value)) != len(popular.value):
            popular.refuse("must name each position once")
        rare = tuple(root.key("rare").value) if with_rare else ()
        return cls(tuple(ids.value), tuple(titles.value), tuple(popular.value), rare)

    def to_json(self) -> bytes:
        document = {"ids": list(self.ids), "titles": list(self.titles), "popular": list(self.popular)}
        return canonical_json({**document, "rare": list(self.rare)} if self.rare else document).encode()

    def positions(self) -> dict[int | str, int]:
        """Position of each id."""
        return {item: position for position, item in enumerate(self.ids)}

    def tokens(self) -> dict[int | str, int]:
        """What stands for each id in a history: its position + 1, or the one token that rare items share.

        >>> Items.of([7, 9], ["Tent", "Kettle"], [], rare=[4, 5]).tokens()
        {7: 1, 9: 2, 4: 3, 5: 3}
        """
        own = {item: position + 1 for item, position in self.positions().items()}
        return own | dict.fromkeys(self.rare, len(self.ids) + 1)

    def id_from_text(self, text: str) -> int | str:
        """The id that a text typed by a user stands for: an integer when the catalogue's ids are integers.

        >>> Items.of([7, 9], ["Tent", "Kettle"], []).id_from_text("9")
        9
        """
        if type(self.ids[0]) is str:
            return text
        try:
            return int(text)
        except ValueError:
            raise BundleError(
                f"an item id must be an integer in this catalogue, received {text!r}; its ids look like {self.ids[0]}"
            ) from None


def _plain(value: Any) -> Any:
    """JSON has no numpy integers."""
    return value.item() if isinstance(value, np.generic) else value


def _check_ids(ids: Field) -> None:
    if type(ids.value) is not list or not ids.value:
        ids.refuse("must be a list that is not empty")
    kind = type(ids.value[0])
    if kind not in (int, str):
        Field(ids.file, f"{ids.path}[0]", ids.value[0]).refuse("must be an integer or a text")
    _check_each(ids, lambda value: type(value) is kind, f"must be {kind.__name__} like ids[0]")
    if len(set(ids.value)) != len(ids.value):
        (twice, _), *_ = Counter(ids.value).most_common(1)
        Field(ids.file, ids.path, twice).refuse("must name each id once")


def _check_each(field: Field, is_right: Callable[[Any], bool], rule: str) -> None:
    """Like `field.elements()`, but fast for a million elements: only a wrong one becomes a Field."""
    if type(field.value) is not list:
        field.refuse("must be a list")
    for i, value in enumerate(field.value):
        if not is_right(value):
            Field(field.file, f"{field.path}[{i}]", value).refuse(rule)
