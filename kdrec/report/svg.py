"""A matplotlib Figure as inline SVG that takes the page's own text colour and font."""

import io
import re

import matplotlib
from matplotlib.figure import Figure

from kdrec.report.pictures import INK


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an `<svg>` element: no outside reference, ids of its own, equal bytes for equal figures.

    Args:
        figure: the picture.
        name: unique on the page; prefixes every id.
        description: read aloud instead of the picture; plain text without markup characters.

    >>> inline_svg(Figure(figsize=(1, 1)), "empty", "nothing")[:28]
    '<svg class="picture" role="i'
    """
    buffer = io.StringIO()
    # Text stays text: it is small, takes the page's font, and can be searched. The context restores the settings.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    head = rf'<svg class="picture" role="img" aria-label="{description}" viewBox="\1">'
    svg = re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', head, svg, count=1)
    svg = re.sub(r'\bid="([^"]*)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]*)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'xlink:href="#([^"]*)"', rf'href="#{name}-\1"', svg)
    return svg.replace(INK, "currentColor")
