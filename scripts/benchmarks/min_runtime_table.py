"""The README's table of older runtimes, from min_runtime.json."""

from typing import Any


def table(found: dict[str, Any]) -> str:
    """One row a runtime: equal answers, the overlap of top-10 lists, and the largest difference of a score.

    >>> row = {"runtime": "old==1.0", "cases": 16, "equal": 3, "overlap": 0.99, "difference": 0.0125}
    >>> print(table({"recipe": "int8", "runtimes": [row, {"runtime": "older==0.9", "refused": "no such operator"}]}))
    | the int8 file on | scores equal to the bit | the same ten items | largest difference, of the largest score |
    | --- | ---: | ---: | ---: |
    | old 1.0 | 3 of 16 | 99.0 % | 1.25 % |
    | older 0.9 | refused: no such operator | | |
    """
    lines = [
        f"| the {found['recipe']} file on | scores equal to the bit | the same ten items "
        "| largest difference, of the largest score |",
        "| --- | ---: | ---: | ---: |",
    ]
    for row in found["runtimes"]:
        name = row["runtime"].replace("==", " ")
        if "refused" in row:
            lines.append(f"| {name} | refused: {row['refused']} | | |")
        else:
            cells = f"{row['equal']} of {row['cases']} | {row['overlap']:.1%} | {row['difference']:.2%}"
            lines.append(f"| {name} | {cells} |".replace("%", " %"))
    return "\n".join(lines)
