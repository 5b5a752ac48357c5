"""golden.json as arrays in C, for a program that has no reader of JSON."""

from collections.abc import Iterable
from importlib.resources import files
from string import Template

import numpy as np

from kdrec.bundle.fields import Field, parse
from kdrec.bundle.manifest import GOLDEN
from kdrec.bundle.read import Bundle


def golden_h(bundle: Bundle) -> bytes:
    """A header with inputs, top lists and the bits of scores.

    Args:
        bundle: whose golden vectors hold `score` and `recommend`.

    Raises:
        BundleError: they do not.
    """
    cases = parse(GOLDEN, bundle.files[GOLDEN]).key("cases").elements()
    specs = bundle.manifest.signatures["score"].inputs
    names = sorted(specs)
    inputs = [[token for name in names for token in _integers(case.key("inputs").key(name))] for case in cases]
    outputs = [case.key("outputs") for case in cases]
    tops = [_integers(answer.key("score").key("top")) for answer in outputs]
    items = [_integers(answer.key("recommend").key("items")) for answer in outputs]
    scores = [[_hexadecimal(score) for score in answer.key("recommend").key("scores").elements()] for answer in outputs]
    template = files("kdrec.targets.android.backends.library").joinpath("golden.h").read_text("utf-8")
    return (
        Template(template)
        .substitute(
            cases=len(cases),
            n_inputs=len(names),
            n_tokens=len(inputs[0]),
            names=", ".join(f'"{name}"' for name in names),
            sizes=", ".join(str(int(np.prod(specs[name].shape))) for name in names),
            n_items=bundle.manifest.data.n_items,
            n_top=len(tops[0]),
            k=len(items[0]),
            inputs=_rows(inputs),
            tops=_rows(tops),
            items=_rows(items),
            scores=_rows(scores),
        )
        .encode()
    )


def _integers(field: Field) -> list[int]:
    return [number.integer(0) for number in field.elements()]


def _hexadecimal(score: Field) -> str:
    """A float32 as C reads it without rounding.

    >>> _hexadecimal(Field("golden.json", "", 0.10000000149011612))
    '0x1.99999a0000000p-4f'
    """
    return float(np.float32(score.number())).hex() + "f"


def _rows(rows: Iterable[Iterable[object]]) -> str:
    return ",\n".join("    {" + ", ".join(str(value) for value in row) + "}" for row in rows)
