"""Whom an ensemble consists of: teachers by name, trained here, and teachers at paths."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import DataError, UnknownNameError
from kdrec.models import teachers
from kdrec.models.teachers.base import Teacher
from kdrec.models.teachers.external import as_teacher

MEMBERS = "ease,als"  # unless others are named
GIVEN = ("train", "seed", "progress", "ordered", "validation", "checkpoint_folder")  # no options of a member


Member = Any  # a name, a path, or a teacher


def places_of(members: str | Sequence[Member]) -> list[Member]:
    """Names and paths, as a list or as text with commas; teachers that are there stay what they are.

    >>> places_of("ease, als")
    ['ease', 'als']
    """
    found = members.split(",") if isinstance(members, str) else members
    places = [str(place).strip() if isinstance(place, str | Path) else place for place in found]
    return [place for place in places if place != ""]


def label(place: Member) -> str:
    """What a member is called: its name or path, or the name that a teacher has."""
    return place if isinstance(place, str) else getattr(place, "name", type(place).__name__)


def check_members(
    members: str | Sequence[Member], options: Mapping[str, Any] | None
) -> list[tuple[Member, dict[str, Any]]]:
    """Each member, a name or a path, and its options.

    Raises:
        UnknownNameError: a member that does not exist, or options of one that is none or has no such option.
        DataError: no member, or options of a member that are no object.

    >>> check_members("ease,als", {"ease": {"l2": 100.0}})
    [('ease', {'l2': 100.0}), ('als', {})]
    """
    places, options = places_of(members), options or {}
    if not places:
        raise DataError(f"members must name at least one teacher, not {members!r}; {MEMBERS} is the default")
    for place in places:
        if isinstance(place, str) and place not in teachers.names() and not Path(place).exists():
            raise UnknownNameError(
                f"members of an ensemble must be of {', '.join(teachers.names())}, or a saved model or file of "
                f"scores; {place!r} is none"
            )
    for name, chosen in options.items():
        if name not in places:
            raise UnknownNameError(f"options has no {name!r}; it has the members {', '.join(map(label, places))}")
        if not isinstance(chosen, Mapping):
            raise DataError(f"options of member {name!r} must be an object of options, not {chosen!r}")
        known = options_of(name)
        for option in chosen:
            if option not in known:
                raise UnknownNameError(
                    f"options of member {name!r} has no {option!r}; it has {', '.join(known) or 'none'}"
                )
    return [(place, dict(options.get(place, {}) if isinstance(place, str) else {})) for place in places]


def options_of(name: str) -> list[str]:
    """The options of a teacher, sorted; none of one at a path."""
    if name not in teachers.names():
        return []
    return sorted(set(inspect.signature(teachers.get(name)).parameters) - set(GIVEN))


def trained(
    place: Member,
    options: Mapping[str, Any],
    train: Interactions,
    seed: int,
    ordered: bool | None,
    validation: Split | None,
    checkpoint_folder: Path | None,
) -> Teacher:
    """A member: a teacher of that name trained with what it takes, or what is at that path, or was trained before."""
    if not isinstance(place, str) or place not in teachers.names():
        return as_teacher(place, train.n_items, n_users=train.n_users)
    build = teachers.get(place)
    by_epochs = {"validation": validation, "checkpoint_folder": checkpoint_folder}
    taken = inspect.signature(build).parameters
    return build(
        train, seed=seed, ordered=ordered, **{name: value for name, value in by_epochs.items() if name in taken},
        **options,
    )  # fmt: skip
