"""Bring the README up to date with the last demo: its table, its picture, and the figures over seeds.

    scripts/demo && .venv/bin/python scripts/readme.py

Copies tflite_models/demo/report.json to scripts/results/demo-report.json, from which the README's table is made; a test
compares both.
"""

import argparse
import json
import shutil
from pathlib import Path

from kdrec.files import atomic_write
from kdrec.report.pictures import lost_by_stage
from kdrec.report.table import table_markdown

TREE = Path(__file__).parents[1]
RESULTS = TREE / "scripts" / "results"
REPORT, PICTURE = RESULTS / "demo-report.json", TREE / "docs" / "lost_by_stage.png"
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


def blocks() -> dict[str, str]:
    """What stands between `<!-- name -->` and `<!-- end name -->` in the README."""
    seeded = [json.loads(path.read_text()) for name in ("demo", "ml-100k") for path in [RESULTS / f"{name}.json"]]
    return {
        "demo": table_markdown(json.loads(REPORT.read_text()), COLUMNS),
        "seeds": seeds_table(seeded),
    }


def filled(text: str) -> str:
    """The README with its generated blocks."""
    for name, block in blocks().items():
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        _, marker, after = rest.partition(f"<!-- end {name} -->")
        if not marker:
            raise SystemExit(f"README.md must hold <!-- {name} --> and <!-- end {name} -->")
        text = f"{before}<!-- {name} -->\n{block}\n{marker}{after}"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    shutil.copyfile(TREE / "tflite_models" / "demo" / "report.json", REPORT)
    PICTURE.parent.mkdir(exist_ok=True)
    lost_by_stage(json.loads(REPORT.read_text())).savefig(PICTURE, dpi=150, metadata={"Software": None})
    readme = TREE / "README.md"
    atomic_write(readme, filled(readme.read_text()))


if __name__ == "__main__":
    main()
