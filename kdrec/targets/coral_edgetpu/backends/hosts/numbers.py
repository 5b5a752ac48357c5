"""What the template of the C++ manifest leaves open."""

from collections.abc import Iterable

from kdrec.bundle.host import HostInput, HostPart, HostTable
from kdrec.bundle.read import Bundle
from kdrec.bundle.signatures import TensorSpec
from kdrec.errors import TargetError
from kdrec.targets.base.subject import Subject

POPULAR = 1000  # items that are listed to somebody without a history
KINDS = {"lookup": "kLookup", "weighted_mean": "kWeightedMean", "attention": "kAttention", "context": "kContext"}
NO_TABLE = '{"", 1.0, 0}'


def numbers(bundle: Bundle, subject: Subject) -> dict[str, str]:
    """C++ values by the template's names.

    Args:
        bundle: with a host part.
        subject: its .tflite file, whose tensors have names of their own.

    Raises:
        TargetError: an id that no line of text holds, or a tensor at the edge that is not int8.
    """
    manifest = bundle.manifest
    host, score = manifest.host, manifest.signatures["score"]
    assert host is not None
    own = subject.file.signatures["score"]
    for item in (*bundle.items.ids, *bundle.items.rare):
        if isinstance(item, str) and (item != " ".join(item.split(" ")) or not item.isprintable()):
            raise TargetError(f"item ids must be printable for the hosts of an Edge TPU, received {item!r}; rename it")
    inputs = [
        _input(_edge(name, score.inputs[name], own.inputs[name].name), made, host) for name, made in host.inputs.items()
    ]
    outputs = [
        _edge(name, score.outputs[name], own.outputs[name].name)
        for name in sorted(score.outputs, key=lambda name: int(name.partition("_")[2] or 0))
    ]
    features = (_braced(_text(name), _braced(*map(_text, values))) for name, values in manifest.context.items())
    return {
        "name": manifest.name.replace("\n", " "),
        "n_items": str(manifest.data.n_items),
        "length": str(manifest.history.length),
        "rare": str(manifest.history.rare or 0),
        "items": _table(host.table),
        "inputs": _lines(inputs),
        "outputs": _lines(outputs),
        "context": _lines(features),
        "popular": ", ".join(str(position) for position in bundle.items.popular[:POPULAR]),
    }


def _edge(name: str, spec: TensorSpec, tensor: str) -> str:
    if spec.dtype != "int8" or spec.scale is None or spec.zero_point is None:
        raise TargetError(
            f"{name} must be int8 for the hosts of an Edge TPU, it is {spec.dtype}; export the bundle with recipe int8"
        )
    size = 1
    for axis in spec.shape:
        size *= axis
    return _braced(_text(name), _text(tensor), str(size), repr(float(spec.scale)), str(spec.zero_point))


def _input(edge: str, made: HostInput, host: HostPart) -> str:
    attention = made.attention
    return _braced(
        edge,
        f"Kind::{KINDS[made.kind]}",
        repr(float(made.power or 0.0)),
        _braced(*(repr(float(weight)) for weight in made.position_weights or ())),
        _braced(*(_braced(_text(name), _table(table)) for name, table in made.context_tables.items())),
        NO_TABLE if attention is None else _table(attention.scores),
        _braced(*(repr(float(score)) for score in (attention.position_scores if attention else ()))),
        repr(float(attention.bound if attention else 0.0)),
    )


def _table(table: HostTable) -> str:
    return _braced(_text(table.file), repr(float(table.scale)), str(table.zero_point))


def _braced(*values: str) -> str:
    return "{" + ", ".join(values) + "}"


def _lines(values: Iterable[str]) -> str:
    return ",\n         ".join(values)


def _text(value: object) -> str:
    r"""A C++ string; octal escapes end after three digits, whatever follows.

    >>> _text('a"é')
    '"a\\042\\303\\251"'
    """
    safe = (
        chr(byte) if chr(byte).isalnum() and byte < 128 or byte in b" -_.:;/,+" else f"\\{byte:03o}"
        for byte in str(value).encode()
    )
    return '"' + "".join(safe) + '"'
