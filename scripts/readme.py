"""Bring the README up to date: the last demo's table and picture, the figures over seeds, and the benchmarks.

    scripts/demo && .venv/bin/python scripts/readme.py

Copies tflite_models/demo/report.json, if there is one, to scripts/results/demo-report.json, from which the README's
table is made. The benchmarks' tables and picture are made from scripts/benchmarks/*.json. A test compares all with the
README.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
import compare_table
import devices_table
import export_table
import micro_c_table
import min_runtime_table
import search_table
import small_table
import speed_table
import table as benchmarks
import tables_table

from kdrec.files import atomic_write
from kdrec.report.pictures import lost_by_stage
from kdrec.report.table import table_markdown

TREE = Path(__file__).parents[1]
RESULTS = TREE / "scripts" / "results"
REPORT, PICTURE = RESULTS / "demo-report.json", TREE / "docs" / "lost_by_stage.png"
BENCHMARKS = TREE / "docs" / "benchmarks.png"
MEASURED = TREE / "scripts" / "benchmarks"
TABLES = {  # of a result file by its name, as its block is called
    "compare_demo": compare_table.table,
    "compare_ml_1m": compare_table.table,
    "search_ml_1m": search_table.table,
    "tables_demo": tables_table.table,
    "tables_ml_1m": tables_table.table,
    "devices": devices_table.table,
    "export": export_table.table,
    "micro_c": micro_c_table.table,
    "min_runtime": min_runtime_table.table,
    "speed": speed_table.tables,
}
PICTURES = {  # of a result file by its name, as its block is called after `picture_`; and what they show
    "small_files": (small_table.picture, "Quality of the files against their bytes"),
    "search_ml_1m": (search_table.picture, "NDCG of every trial on validation against the bytes of its file"),
}
NOT_YET = "*Not measured yet.*"
COLUMNS = ("name", "bytes", "gzip_bytes", "keep", "ndcg@k", "recall@k", "tied_share", "latency_us_p50", "arena_bytes")
SEEDED = {
    "popularity": "Most popular items",
    "als_same_width": "implicit's ALS, as wide as the student",
    "teacher": "Teacher",
    "student": "Student, not distilled",
    "student_distilled": "Student, distilled",
    "pruned": "Student, distilled and pruned",
    "int8_android": "Android file, int8",
    "int8_micro": "Microcontroller file, int8",
}


def seeds_table(results: list[dict]) -> str:
    """NDCG@10 on test over seeds, mean ± standard deviation, one column a data set."""
    heads = [f"{result['data']} (d = {result['embedding_dim']}, {len(result['seeds'])} seeds)" for result in results]
    lines = ["| NDCG@10 | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for key, label in SEEDED.items():
        cells = []
        for result in results:
            found = result["summary"][key]["ndcg@10"]
            share = found["mean"] / result["summary"]["teacher"]["ndcg@10"]["mean"]
            cells.append(f"{found['mean']:.4f} ± {found['deviation']:.4f} ({share:.0%})")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def result(name: str) -> Any:
    """What a benchmark wrote; None before it has."""
    place = MEASURED / f"{name}.json"
    return json.loads(place.read_text()) if place.exists() else None


def blocks() -> dict[str, str]:
    """What stands between `<!-- name -->` and `<!-- end name -->` in the README; a word where a result is missing."""
    seeded = [json.loads(path.read_text()) for name in ("demo", "ml-100k") for path in [RESULTS / f"{name}.json"]]
    small = result("small_files") or {}
    return {
        "demo": table_markdown(json.loads(REPORT.read_text()), COLUMNS),
        "seeds": seeds_table(seeded),
        **{name: benchmarks.table(found) for name, found in benchmarks.results().items()},
        **{
            f"small_{name}": small_table.table(small[name]) if name in small else NOT_YET
            for name in ("citeulike", "ml_1m")
        },
        **{name: table(found) if (found := result(name)) else NOT_YET for name, table in TABLES.items()},
        **{
            f"picture_{name}": f"![{shown}](docs/{name}.png)" if result(name) else ""
            for name, (_, shown) in PICTURES.items()
        },
    }


def filled(text: str) -> str:
    """The README with its generated blocks."""
    for name, block in blocks().items():
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        _, marker, after = rest.partition(f"<!-- end {name} -->")
        if not marker:
            raise SystemExit(f"README.md must hold <!-- {name} --> and <!-- end {name} -->")
        lines = f"{block}\n" if block else ""
        text = f"{before}<!-- {name} -->\n{lines}{marker}{after}"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    last = TREE / "tflite_models" / "demo" / "report.json"
    if last.exists():
        shutil.copyfile(last, REPORT)
    lost_by_stage(json.loads(REPORT.read_text())).savefig(PICTURE, dpi=150, metadata={"Software": None})
    measured = benchmarks.results("citeulike", "ml_1m", "gowalla")
    if measured:
        benchmarks.picture(measured).savefig(BENCHMARKS, dpi=150, metadata={"Software": None})
    for name, (picture, _) in PICTURES.items():
        if found := result(name):
            picture(found).savefig(TREE / "docs" / f"{name}.png", dpi=150, metadata={"Software": None})
    readme = TREE / "README.md"
    atomic_write(readme, filled(readme.read_text()))


if __name__ == "__main__":
    main()
