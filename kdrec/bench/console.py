"""Measurements and inspections as they appear in a terminal."""

from collections import Counter

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kdrec.bench.inspect import Constant, Inspection, TensorInfo
from kdrec.bench.latency import BenchResult


def console_bench(result: BenchResult) -> Table:
    """A measurement as a table of two columns."""
    table = Table(title=result.file, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in (
        ("signature", result.signature or "none"),
        ("inputs", result.inputs),
        ("latency p50", f"{result.latency_us_p50:,.1f} µs"),
        ("latency p90", f"{result.latency_us_p90:,.1f} µs"),
        ("latency p99", f"{result.latency_us_p99:,.1f} µs"),
        ("load time", f"{result.load_ms:,.2f} ms"),
        ("peak memory", f"{result.peak_memory_bytes / 1024:,.0f} KiB"),
        ("threads", str(result.threads)),
        ("XNNPACK", "on" if result.xnnpack else "off"),
        ("runs", f"{result.runs:,}"),
        ("LiteRT", result.litert),
    ):
        table.add_row(name, Text(value))
    return table


def console_inspection(inspection: Inspection, largest: int = 12) -> Group:
    """An inspection as tables: sizes, signatures, operators a graph, and the largest constants."""
    parts: list[RenderableType] = [
        Text(inspection.file),
        _sizes(inspection),
        _signatures(inspection),
        _operators(inspection),
    ]
    return Group(*parts, _constants(inspection, largest))


def _sizes(inspection: Inspection) -> Table:
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("file", _bytes(inspection.file_bytes))
    table.add_row("after gzip", _bytes(inspection.gzip_bytes))
    table.add_row("constants", _bytes(inspection.constant_bytes))
    table.add_row("overhead", _bytes(inspection.overhead_bytes))
    if inspection.repeated_bytes:
        table.add_row("stored more than once", _bytes(inspection.repeated_bytes), style="yellow")
    if inspection.copied_bytes:
        table.add_row("the same numbers again", _bytes(inspection.copied_bytes), style="yellow")
    if inspection.custom_operators:
        names = [f"{name} (TensorFlow's)" if name.startswith("Flex") else name for name in inspection.custom_operators]
        table.add_row("needs more than LiteRT for", Text("\n".join(names)), style="yellow")
    table.add_row("claims to run from", Text(inspection.min_runtime_version or "not said"))
    if inspection.runtime is None:
        table.add_row("was not run on old runtimes", Text("\n".join(inspection.never_run) or "no operators"))
    else:
        table.add_row("runs from, with nearly the same lists", Text(str(inspection.runtime.runs_from)))
        table.add_row("equal to the bit from", Text(str(inspection.runtime.equal_from)))
    table.add_row("made by", Text(inspection.description or "not said"))
    return table


def _signatures(inspection: Inspection) -> Table:
    table = Table(
        "Signature", "Graph", "", "Name", "Type", title="Signatures" if inspection.signatures else "No signatures"
    )
    for name, signature in inspection.signatures.items():
        ends = [("in", end, info) for end, info in signature.inputs.items()]
        ends += [("out", end, info) for end, info in signature.outputs.items()]
        for place, (way, end, info) in enumerate(ends):
            first = ("", "") if place else (name, str(signature.subgraph))
            table.add_row(*map(Text, (*first, way, end, _type(info))), end_section=place == len(ends) - 1)
    for place, graph in enumerate(inspection.graphs if not inspection.signatures else ()):
        for way, infos in (("in", graph.inputs), ("out", graph.outputs)):
            for info in infos:
                table.add_row("", str(place), way, Text(info.name), Text(_type(info)))
    return table


def _operators(inspection: Inspection) -> Table:
    table = Table("Operator", title="Operators")
    for place, graph in enumerate(inspection.graphs):
        table.add_column(f"Graph {place}\n{graph.tensors} tensors", justify="right")
    names = sorted({name for graph in inspection.graphs for name in graph.operators})
    for name in names:
        table.add_row(Text(name), *(str(graph.operators.get(name, "")) for graph in inspection.graphs))
    return table


def _constants(inspection: Inspection, largest: int) -> Table:
    left_out = len(inspection.constants) - largest
    caption = f"and {left_out} smaller" if left_out > 0 else None
    table = Table("", "Constant", "Type", title="Largest constants", caption=caption)
    table.add_column("Bytes", justify="right")
    table.add_column("of file", justify="right")
    table.add_column("Read by")
    for place, constant in enumerate(inspection.constants[:largest], start=1):
        share = f"{100 * constant.bytes / inspection.file_bytes:.1f} %"
        name, kind = Text(constant.tensor.name or "unnamed"), Text(_type(constant.tensor))
        table.add_row(str(place), name, kind, f"{constant.bytes:,}", share, Text(_readers(constant)))
    return table


def _readers(constant: Constant) -> str:
    """Who reads a constant, and what is remarkable about it.

    >>> _readers(Constant(8, TensorInfo("", "int8", (8,), 0, None, None), 2, (0,), ("GATHER", "MUL", "GATHER"), 0))
    'GATHER ×2, MUL; 2 tensors (tied); the numbers of 1'
    """
    counts = Counter(constant.operators)
    words = [", ".join(f"{name} ×{count}" if count > 1 else name for name, count in counts.items()) or "no operator"]
    words += [f"{constant.tensors} tensors (tied)"] if constant.tensors > 1 else []
    words += [] if constant.copy_of is None else [f"the numbers of {constant.copy_of + 1}"]
    return "; ".join(words)


def _type(info: TensorInfo) -> str:
    """The element type, the shape, and the scale as far as it is one.

    >>> _type(TensorInfo("table", "int8", (51, 8), 1, 0.25, 0))
    'int8 51×8, scale 0.25, zero point 0'
    """
    words = f"{'sparse ' if info.sparse else ''}{info.dtype} {'×'.join(map(str, info.shape)) or 'scalar'}"
    if info.scales == 1:
        return f"{words}, scale {info.scale:.6g}, zero point {info.zero_point}"
    return f"{words}, {info.scales} scales" if info.scales else words


def _bytes(size: int) -> str:
    return f"{size:,} B"
