"""The README's table of what each step brings, from what compare.py wrote."""

from typing import Any

from kdrec.report.table import COMPARED, table_markdown
from kdrec.report.words import percent


def table(found: dict[str, Any]) -> str:
    """The teacher, and the file of each variant on test, the steps that it takes in their order."""
    return "\n".join([table_markdown(found, COMPARED), "", caption(found["config"])])


def caption(config: dict[str, Any]) -> str:
    """What the steps were, and what is measured."""
    return (
        f"*d = {config['embedding_dim']}, hidden {config['hidden']}. Pruning: {percent(config['sparsity'])} zeros, "
        f"{config['prune_epochs']} epochs; clustering: {config['clusters']} values a matrix, "
        f"{config['cluster_epochs']} epochs; training under rounding: {config['quantize_epochs']} epochs. What is not "
        "quantized is float32. Memory is what LiteRT holds beyond an idle runtime; latency is from history to all "
        "scores, on one thread.*"
    )
