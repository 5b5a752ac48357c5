"""The oldest runtime that a file runs on, by what its operators were seen to do on old runtimes.

The version that a converter writes into a file, or a table of versions names, is a claim: some runtimes refuse a file
that claims them, others take it and round otherwise. measured_runtimes.json is measured instead, on x86-64, by
scripts/benchmarks/min_runtime.py: it exports files of every kind, and asks each runtime for their golden vectors.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Self

from kdrec.tflite.views import File, Operator, Subgraph, Tensor, read

TABLE = "measured_runtimes.json"
# Any number of inputs or outputs, all of one type: the number does not make another operator.
OF_ANY_NUMBER = ("ADD_N", "CONCATENATION", "PACK", "SPLIT", "SPLIT_V", "UNPACK")


@dataclass(frozen=True)
class Runtime:
    """A published runtime: a package of PyPI and its version."""

    package: str
    version: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}"

    @classmethod
    def named(cls, text: str) -> Self:
        """The runtime of a text such as `tflite-runtime 2.14.0`."""
        package, _, version = text.partition(" ")
        return cls(package, version)


@dataclass(frozen=True)
class MeasuredRuntime:
    """From which runtimes on a file answers.

    Args:
        runs_from: the oldest one on which every operator of the file ran, with nearly the same lists.
        equal_from: the oldest one on which every operator ran in a file that answered as LiteRT does today, to the bit.
    """

    runs_from: Runtime
    equal_from: Runtime

    def __str__(self) -> str:
        return f"{self.runs_from}, with nearly the same lists; {self.equal_from}, equal to the bit"


def oldest_runtime(source: bytes | File) -> MeasuredRuntime | None:
    """The oldest runtime that a file runs on, by the table that ships with kdrec.

    Args:
        source: content of a .tflite file, or the file as it was read.

    Returns:
        None where an operator was never run; `never_run` names it; and where there is no operator.

    Raises:
        RuntimeFileError: the bytes are no whole .tflite file.
    """
    return oldest_of(operators_of(source), measured())


def oldest_of(operators: Collection[str], table: Mapping[str, Any]) -> MeasuredRuntime | None:
    """The oldest runtime on which all operators ran, none of which were seen to do worse together.

    An operator is its name, its version and the types of its tensors; its sizes and options are not compared.

    Args:
        operators: as `operators_of` names them.
        table: `runtimes`, oldest first; `operators`, from which runtime on each ran and was equal; `together`, the same
            for some that did worse in one file than each did elsewhere.

    Returns:
        None where an operator is not in the table, or there is none.

    >>> rows = {"ADD": {"runs_from": "a 1", "equal_from": "a 2"}, "MUL": {"runs_from": "a 1", "equal_from": "a 1"}}
    >>> known = {"runtimes": ["a 1", "a 2", "b 3"], "operators": rows, "together": []}
    >>> str(oldest_of(["ADD", "MUL"], known))
    'a 1, with nearly the same lists; a 2, equal to the bit'
    >>> oldest_of(["ADD", "DIV"], known) is None
    True
    """
    if not operators or set(operators) - table["operators"].keys():
        return None
    rows = [table["operators"][name] for name in operators]
    rows += [row for row in table["together"] if set(row["operators"]) <= set(operators)]
    order = table["runtimes"].index
    oldest = (max((row[key] for row in rows if key in row), key=order) for key in ("runs_from", "equal_from"))
    return MeasuredRuntime(*map(Runtime.named, oldest))


def never_run(source: bytes | File) -> list[str]:
    """The operators of a file that no old runtime was asked for, sorted; as `operators_of` names them."""
    return sorted(operators_of(source) - measured()["operators"].keys())


def operators_of(source: bytes | File) -> frozenset[str]:
    """Each operator of a file as the table names it: name, version, types of the inputs, types of the outputs.

    For example `FULLY_CONNECTED 4: int8 int8 int32 -> int8`; an input that is left out is `none`, and a tensor with a
    scale a channel is marked, `int8/channel`.
    """
    file = source if isinstance(source, File) else read(source)
    return frozenset(_named(graph, operator) for graph in file.subgraphs for operator in graph.operators)


@cache
def measured() -> Mapping[str, Any]:
    """The table that ships with kdrec."""
    return json.loads(files("kdrec.tflite").joinpath(TABLE).read_text("utf-8"))


def _named(graph: Subgraph, operator: Operator) -> str:
    inputs, outputs = (
        [_type(graph.tensors[place]) if place >= 0 else "none" for place in places]
        for places in (operator.inputs, operator.outputs)
    )
    if operator.name in OF_ANY_NUMBER:
        inputs, outputs = list(dict.fromkeys(inputs)), list(dict.fromkeys(outputs))
    return " ".join([f"{operator.name} {operator.version}:", *inputs, "->", *outputs])


def _type(tensor: Tensor) -> str:
    return f"{tensor.dtype}/channel" if tensor.is_per_channel else tensor.dtype
