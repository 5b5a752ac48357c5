"""Where a file's bytes go, as a picture."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from kdrec.bench.inspect import Constant, Inspection
from kdrec.errors import OutputError

SHOWN = 8  # constants with a bar of their own; the rest share one
OWN, SHARED, COPY, REST, OVERHEAD = "#2f82d8", "#1d9a88", "#e0912f", "#9aa4b2", "#dc4a63"


def bytes_picture(inspection: Inspection) -> Figure:
    """A bar for each of the largest constants, one for the others, one for the overhead; shared and copied stand out.

    Args:
        inspection: of any .tflite file.
    """
    bars = list(_bars(inspection))
    figure = Figure(figsize=(8, 0.9 + 0.36 * len(bars)), layout="constrained")
    axes = figure.subplots()
    for place, (_, size, colour) in enumerate(bars):
        axes.barh(place, size / 1024, color=colour, height=0.72)
        share = f" {kib(size)}, {size / inspection.file_bytes:.1%}".replace("%", " %")
        axes.annotate(share, (size / 1024, place), va="center", fontsize=8)
    axes.set_yticks(range(len(bars)), labels=[label for label, *_ in bars], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.22)
    axes.set_xlabel("KiB")
    twice = inspection.repeated_bytes + inspection.copied_bytes
    repeated = f", {kib(twice)} of it stored more than once" if twice else ""
    axes.set_title(f"{Path(inspection.file).name}: {kib(inspection.file_bytes)}{repeated}", fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def save_picture(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the path's extension names.

    Raises:
        OutputError: matplotlib writes no such format, or the folder is not there.
    """
    try:
        figure.savefig(path, dpi=150)
    except (ValueError, OSError) as error:
        raise OutputError(f"picture {path} cannot be written: {error}; name a .png, .svg or .pdf file") from error


def kib(size: int) -> str:
    return f"{size / 1024:,.1f} KiB"


def _bars(inspection: Inspection) -> Iterator[tuple[str, int, str]]:
    for constant in inspection.constants[:SHOWN]:
        colour = COPY if constant.copy_of is not None else SHARED if constant.tensors > 1 else OWN
        yield _label(constant), constant.bytes, colour
    others = inspection.constants[SHOWN:]
    if others:
        yield f"{len(others)} smaller constants", sum(constant.bytes for constant in others), REST
    yield "graphs, names, scales", inspection.overhead_bytes, OVERHEAD


def _label(constant: Constant) -> str:
    tensor = constant.tensor
    shape = "×".join(map(str, tensor.shape)) or "scalar"
    name = "/".join(tensor.name.split("/")[-2:])[-32:] + "  " if tensor.name else ""
    readers = f", read by {constant.tensors}" if constant.tensors > 1 else ""
    readers += "" if constant.copy_of is None else f", the numbers of bar {constant.copy_of + 1}"
    return f"{name}{'sparse ' if tensor.sparse else ''}{tensor.dtype} {shape}{readers}"
