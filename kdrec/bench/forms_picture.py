"""The forms of models side by side, as a picture."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from kdrec.bench.forms import Measured

PANELS = (
    ("bytes", "KiB of file or flash", 1024.0, "#2f82d8"),
    ("latency_us_p50", "µs a call, median", 1.0, "#1d9a88"),
    ("instructions", "thousand instructions a call", 1000.0, "#e0912f"),
)


def forms_picture(found: Sequence[Measured]) -> Figure:
    """A line a form, a panel a figure that some form has: bytes, latency, instructions.

    Args:
        found: at least one form that was measured.
    """
    shown = [each for each in found if any(getattr(each, name) is not None for name, *_ in PANELS)]
    panels = [panel for panel in PANELS if any(getattr(each, panel[0]) is not None for each in shown)]
    figure = Figure(figsize=(3.0 + 2.7 * len(panels), 1.2 + 0.3 * len(shown)), layout="constrained")
    axes = figure.subplots(1, max(len(panels), 1), sharey=True, squeeze=False)[0]
    for ax, (name, label, unit, colour) in zip(axes, panels, strict=False):
        for place, each in enumerate(shown):
            value = getattr(each, name)
            if value is not None:
                ax.barh(place, value / unit, color=colour, height=0.7)
                ax.annotate(f" {value / unit:,.1f}", (value / unit, place), va="center", fontsize=8)
        ax.set_xlabel(label, fontsize=8)
        ax.margins(x=0.28)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes[1:]:
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(shown)), labels=[f"{each.model}: {each.form}" for each in shown], fontsize=8)
    axes[0].invert_yaxis()
    return figure
