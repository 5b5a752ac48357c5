"""The README's table of item tables at equal bytes, from what tables.py wrote."""

from typing import Any

from table import with_interval

from kdrec.report.words import microseconds


def table(found: dict[str, Any]) -> str:
    """A block for each number of bytes, a row an item table, best first, by its best variant on validation."""
    heads = ("variant", "bytes", "NDCG@10", "p50")
    lines = ["| | " + " | ".join(heads) + " |", "| --- | --- |" + " ---: |" * (len(heads) - 1)]
    for limit in dict.fromkeys(row["limit"] for row in found["rows"]):
        lines.append(f"| **at most {limit:,} bytes** |" + " |" * len(heads))
        rows = [row for row in found["rows"] if row["limit"] == limit]
        lines += [_row(row) for row in sorted(rows, key=lambda row: -row["ndcg@10"])]
    return "\n".join([*lines, "", caption(found)])


def caption(found: dict[str, Any]) -> str:
    """How the tables were made."""
    config = found["config"]
    return (
        f"*Hidden {config['hidden']}, int8. All but the full tables were fitted to rows of d = {found['width']} after "
        f"{config['epochs']} epochs, and trained for {config['table_epochs']} more; the full ones were as narrow as "
        f"the bytes ask for and trained as long in all. In brackets the 95 % interval over users.*"
    )


def _row(row: dict[str, Any]) -> str:
    cells = [
        row["table"], row["variant"], f"{row['bytes']:,}", with_interval(row, "ndcg@10"),
        microseconds(row["latency_us_p50"]),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"
