"""What the templates of the C generator leave open."""

import json
import re
from importlib.resources import files

from kdrec.bundle.read import Bundle
from kdrec.targets.micro.backends.c.lower import Program
from kdrec.targets.micro.backends.c.memory import last_uses, places
from kdrec.targets.micro.backends.c.tables import table
from kdrec.targets.micro.backends.c.values import KEPT
from kdrec.tflite.views import Signature

POPULAR = 10  # items that the header names for somebody without a history
POPULAR_SHOWN = """
    for (size_t i = 0; found == 0 && i < sizeof popular / sizeof popular[0]; i++) {
        printf("item %ld, popular\\n", (long)popular[i]);
    }"""


def fields(program: Program, signature: Signature, bundle: Bundle | None) -> dict[str, str]:
    """What the templates leave open.

    Args:
        program: the lowered graph.
        signature: its inputs.
        bundle: that the file is from, if it is.
    """
    context = {name: program.inputs[name] for name in signature.inputs if name != "history"}
    known = program.limits["history"] - 1  # row 0 is padding
    scores = program.scores
    four = program.four("item")
    steps = [*program.steps, "\n".join([*four, scores.at("item")])]
    last = last_uses(program.kept, steps)
    place = places(program.kept, last)
    words = set(re.findall(r"\w+", "\n".join(steps)))
    length = signature.inputs["history"].shape[-1]
    return {
        **_said(program, context, bundle),
        "kernels": _kernels(words),
        "n_items": str(scores.size),
        "known": str(known),
        "length": str(length),
        "token": "uint8_t" if known < 2**8 else "uint16_t" if known < 2**16 else "int32_t",
        "context_parameters": "".join(f" int32_t {name}," for name in context.values()),
        "encode_parameters": ", ".join(f"int32_t {name}" for name in context.values()) or "void",
        "encode_arguments": ", ".join(
            f"{name} >= 0 && {name} < {program.limits[key]} ? {name} : 0" for key, name in context.items()
        ),
        "tables": "\n".join(
            table(name, tensor, program.beyond.get(name, 0)) for name, tensor in program.tables.items() if name in words
        ),
        "size": str(max(place[value.name] + value.size for value in program.kept)),
        "kept": "\n".join(
            f"static {KEPT} *const {value.name} = memory + {place[value.name]};" for value in program.kept
        ),
        "steps": "\n".join("    " + line for step in program.steps for line in step.splitlines()),
        "four": "\n".join(f"    {line}" for line in four),
        "logit": scores.at("(size_t)item"),
        "zero_point": str(scores.tensor.zero_point or 0),
    }


def _kernels(words: set[str]) -> str:
    """The functions of kernels.c that the steps name: an unused one would be a warning."""
    text = files("kdrec.targets.micro.backends.c").joinpath("kernels.c").read_text("utf-8")
    functions = re.split(r"\n(?=/\*|static)", text)
    joined: list[str] = []
    for part in functions:  # a comment stays with the function after it
        if joined and joined[-1].startswith("/*") and "{" not in joined[-1]:
            joined[-1] += "\n" + part
        else:
            joined.append(part)
    used = [part for part in joined if words & set(re.findall(r"static \w+ (\w+)\(", part))]
    return "\n".join(used)


def _said(program: Program, context: dict[str, str], bundle: Bundle | None) -> dict[str, str]:
    """What header and example say of context and popular items."""
    manual = []
    for key, name in context.items():
        values = bundle.manifest.context.get(key, ()) if bundle else ()
        named = ", ".join(f"{number} {json.dumps(value)}" for number, value in enumerate(values, start=1))
        known = named.replace("*/", "* /") or f"1 to {program.limits[key] - 1}"
        manual.append(f"\n * {name}  {known}; any other number is unknown")
    popular = bundle.items.popular[:POPULAR] if bundle else ()
    numbers = ", ".join(str(position) for position in popular)
    return {
        "context_manual": "".join(manual),
        "context_example": "".join(f" /* {name}: unknown */ 0," for name in context.values()),
        "bundle_part": f"#define RECOMMENDER_POPULAR {{{numbers}}}\n" if popular else "",
        "popular_defined": "static const int32_t popular[] = RECOMMENDER_POPULAR;\n" if popular else "",
        "popular_shown": POPULAR_SHOWN if popular else "",
    }
