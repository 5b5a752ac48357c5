"""A JSON file read with suspicion: every value is asked for by name and type, and a refusal says where it stands."""

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from kdrec.errors import BundleError

HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")  # characters beyond 16 bits are written as two of them


@dataclass(frozen=True)
class Field:
    """A value of a JSON file, with the path to it for errors.

    >>> root = parse("manifest.json", b'{"history": {"length": 4}}')
    >>> root.key("history").key("length").integer(1)
    4
    """

    file: str
    path: str
    value: Any

    def refuse(self, rule: str) -> NoReturn:
        """Raise a BundleError that names the file, the field, the rule and the value."""
        shown = repr(self.value)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        raise BundleError(
            f"{self.file}: {self.path or 'the document'} {rule}, received {shown}; "
            f"the file was altered or written by another program: export the bundle again"
        )

    def mapping(self) -> dict[str, "Field"]:
        """The fields of an object, by name."""
        if type(self.value) is not dict:
            self.refuse("must be an object")
        return {
            name: Field(self.file, f"{self.path}.{name}" if self.path else name, value)
            for name, value in self.value.items()
        }

    def key(self, name: str) -> "Field":
        """The field `name` of an object, which must be there."""
        fields = self.mapping()
        if name not in fields:
            self.refuse(f"must have {name!r}")
        return fields[name]

    def only(self, names: Iterable[str]) -> dict[str, "Field"]:
        """The fields of an object that has exactly these names."""
        fields, names = self.mapping(), list(names)
        for name in names:
            self.key(name)
        extra = sorted(set(fields) - set(names))
        if extra:
            self.refuse(f"must have no field {extra[0]!r}")
        return fields

    def elements(self) -> list["Field"]:
        """The elements of a list."""
        if type(self.value) is not list:
            self.refuse("must be a list")
        return [Field(self.file, f"{self.path}[{i}]", value) for i, value in enumerate(self.value)]

    def text(self) -> str:
        if type(self.value) is not str or not self.value:
            self.refuse("must be a text that is not empty")
        return self.value

    def integer(self, least: int | None = None) -> int:
        if type(self.value) is not int or (least is not None and self.value < least):
            self.refuse("must be an integer" if least is None else f"must be an integer of at least {least}")
        return self.value

    def number(self) -> float:
        if type(self.value) not in (int, float):
            self.refuse("must be a number")
        if not abs(self.value) <= sys.float_info.max:  # JSON's 1e999 is read as infinity
            self.refuse("must be a finite number")
        return self.value

    def positive(self) -> float:
        if self.number() <= 0:
            self.refuse("must be a number above 0")
        return self.value

    def boolean(self) -> bool:
        if type(self.value) is not bool:
            self.refuse("must be true or false")
        return self.value

    def equal(self, expected: Any) -> Any:
        if type(self.value) is not type(expected) or self.value != expected:
            self.refuse(f"must be {expected!r}")
        return self.value

    def one_of(self, known: Iterable[str]) -> str:
        if self.value not in (known := sorted(known)):
            self.refuse(f"must be one of {', '.join(known)}")
        return self.value

    def digest(self) -> str:
        text = self.text()
        if len(text) != 64 or set(text) - set("0123456789abcdef"):
            self.refuse("must be a sha256 in hex")
        return text


def parse(file: str, content: bytes) -> Field:
    """The root of a JSON file; text that is not JSON is refused by the file's name.

    >>> parse("items.json", b"[7, 9]").elements()[1].integer()
    9
    """
    try:
        value = json.loads(content.decode(), parse_constant=_refuse_constant)
        if HALF_CHARACTER.search(content):
            json.dumps(value, ensure_ascii=False).encode()  # finds a half that stands alone, which nothing can print
    except (ValueError, RecursionError) as error:
        raise BundleError(
            f"{file} is not JSON ({error}); the file was cut or altered: export the bundle again"
        ) from error
    return Field(file, "", value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
