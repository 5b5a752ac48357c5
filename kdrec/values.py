"""Whether a value that came as JSON is of the type that a signature or a dataclass names."""

from types import NoneType, UnionType
from typing import Any, get_args, get_origin

WORDS = {str: "text", int: "an integer", float: "a number", bool: "true or false", NoneType: "null"}


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type; an integer is a number too, and true is neither.

    >>> fits(3, int | None), fits(None, int | None), fits(3, float), fits(True, int), fits(("a", 2), tuple[str, ...])
    (True, True, True, False, False)
    """
    if isinstance(hint, UnionType):
        return any(fits(value, part) for part in get_args(hint))
    origin = get_origin(hint)
    if origin is dict:
        return isinstance(value, dict)
    if origin is not None:  # tuple[float, ...], Sequence[int]
        return isinstance(value, list | tuple) and all(fits(each, get_args(hint)[0]) for each in value)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)


def described(hint: Any) -> str:
    """A type in words.

    >>> described(int | None), described(tuple[str, ...])
    ('an integer or null', 'a list, each text')
    """
    if isinstance(hint, UnionType):
        return " or ".join(described(part) for part in get_args(hint))
    origin = get_origin(hint)
    if origin is dict:
        return "an object"
    if origin is not None:
        return f"a list, each {described(get_args(hint)[0])}"
    return WORDS.get(hint, getattr(hint, "__name__", str(hint)))
