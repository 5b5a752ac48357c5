"""C99 for a file of the target micro: kernels, tables and steps, with no runtime and no memory of the heap."""

import json
import re
from importlib.resources import files
from string import Template

from kdrec.bundle.read import Bundle
from kdrec.errors import TargetError
from kdrec.targets.base.subject import subject
from kdrec.targets.micro.backends.c.lower import Program, lower
from kdrec.targets.micro.backends.c.memory import last_uses, places
from kdrec.targets.micro.backends.c.operators import WAY_OUT
from kdrec.targets.micro.backends.c.tables import table
from kdrec.targets.micro.backends.c.values import KEPT
from kdrec.tflite.views import Signature

TEMPLATES = ("recommender.h", "recommender.c", "main.c", "README.md")
POPULAR = 10  # items that the header names for somebody without a history
# What a context feature may not be called in C: names of the templates and of the language.
TAKEN = {"history", "length", "exclude", "n_exclude", "items", "scores", "k", "item", "best", "sum", "memory"}

POPULAR_SHOWN = """
    for (size_t i = 0; found == 0 && i < sizeof popular / sizeof popular[0]; i++) {
        printf("item %ld, popular\\n", (long)popular[i]);
    }"""


def c(content: bytes, bundle: Bundle | None = None) -> dict[str, bytes]:
    """A recommender in C99: gather, pooling, dense layers, item scores and top-k, of exactly this file.

    Logits are those of TensorFlow Lite Micro to the bit. Lists are ranked by the int32 sums before they are rounded to
    int8, so that they hardly ever tie.

    Args:
        content: of a .tflite file with one graph and the signature `score`, in int8.
        bundle: that it is from; its popular items and the values of its context go into the header.

    Returns:
        Content by file name: `recommender.h`, `recommender.c`, an example `main.c`, and `README.md`.

    Raises:
        TargetError: the file has an operator, a type or an input that the generator does not know.
        RuntimeFileError: the bytes are no .tflite file.
    """
    looked_at = subject(content)
    signature = looked_at.file.signatures.get("score")
    if len(looked_at.file.subgraphs) != 1 or signature is None:
        raise TargetError(
            f"the file must have one graph with the signature 'score', it has {len(looked_at.file.subgraphs)} and "
            f"{', '.join(sorted(looked_at.file.signatures)) or 'no signature'}; export it for the target micro"
        )
    _check(signature)
    program = lower(looked_at, signature)
    if "history" not in program.limits:
        raise TargetError(f"the graph must look up rows for its history, and does not; {WAY_OUT}")
    fields = _fields(program, signature, bundle)
    home = files("kdrec.targets.micro.backends.c")
    return {name: Template(home.joinpath(name).read_text("utf-8")).substitute(fields).encode() for name in TEMPLATES}


def _check(signature: Signature) -> None:
    history, scores = signature.inputs.get("history"), signature.outputs.get("scores")
    if history is None or scores is None or scores.dtype != "int8":
        raise TargetError(
            "signature 'score' must take 'history' and return int8 'scores' for the C generator; export the file for "
            "the target micro with recipe int8"
        )
    for name, tensor in signature.inputs.items():
        if name == "history":
            continue
        if tensor.shape not in ((1,), ()) or not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in TAKEN:
            raise TargetError(
                f"context {name!r} must be one number with a name of small letters that C has no other use for; "
                f"rename the column"
            )


def _fields(program: Program, signature: Signature, bundle: Bundle | None) -> dict[str, str]:
    """What the templates leave open."""
    context = [name for name in signature.inputs if name != "history"]
    known = program.limits["history"] - 1  # row 0 is padding
    scores = program.scores
    four = scores.four("item")
    steps = [*program.steps, "\n".join([*four, scores.accumulator("item")])]
    last = last_uses(program.kept, steps)
    place = places(program.kept, last)
    words = set(re.findall(r"\w+", "\n".join(steps)))
    length = signature.inputs["history"].shape[-1]
    return {
        **_said(program, context, bundle),
        "kernels": _kernels(words | set(re.findall(r"\w+", scores.at("item")))),
        "n_items": str(scores.size),
        "known": str(known),
        "length": str(length),
        "token": "uint8_t" if known < 2**8 else "uint16_t" if known < 2**16 else "int32_t",
        "context_parameters": "".join(f" int32_t {name}," for name in context),
        "context_arguments": "".join(f" {name}," for name in context),
        "encode_parameters": ", ".join(f"int32_t {name}" for name in context) or "void",
        "encode_arguments": ", ".join(
            f"{name} >= 0 && {name} < {program.limits[name]} ? {name} : 0" for name in context
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


def _said(program: Program, context: list[str], bundle: Bundle | None) -> dict[str, str]:
    """What header and example say of context and popular items."""
    manual = []
    for name in context:
        values = bundle.manifest.context.get(name, ()) if bundle else ()
        named = ", ".join(f"{number} {json.dumps(value)}" for number, value in enumerate(values, start=1))
        known = named.replace("*/", "* /") or f"1 to {program.limits[name] - 1}"
        manual.append(f"\n * {name:<10} {known}; any other number is unknown")
    popular = bundle.items.popular[:POPULAR] if bundle else ()
    numbers = ", ".join(str(position) for position in popular)
    return {
        "context_manual": "".join(manual),
        "context_example": "".join(f" /* {name}: unknown */ 0," for name in context),
        "bundle_part": f"#define RECOMMENDER_POPULAR {{{numbers}}}\n" if popular else "",
        "popular_defined": "static const int32_t popular[] = RECOMMENDER_POPULAR;\n" if popular else "",
        "popular_shown": POPULAR_SHOWN if popular else "",
    }
