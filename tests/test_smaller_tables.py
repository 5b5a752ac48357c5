"""The tables of comparison, search and item tables say what their result files hold, and the README waits for them."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from benchmark_script import cells, script

TREE = Path(__file__).parents[1]


def compared(name: str, ndcg: float, **known: Any) -> dict[str, Any]:
    """A file of 2 KiB, or a teacher, that keeps what it reaches of 0.4."""
    sizes = {"bytes": 2048, "gzip_bytes": 1024, "peak_memory_bytes": 5 << 20, "latency_us_p50": 12.3}
    row = {"name": name, "form": "file", "target": None, "recipe": "int8", **sizes}
    return row | {"keep": ndcg / 0.4, "ndcg@10": ndcg, "recall@10": 0.5} | known


STEPS = {
    "embedding_dim": 32, "hidden": 64, "sparsity": 0.5, "prune_epochs": 7, "clusters": 16, "cluster_epochs": 3,
    "quantize_epochs": 9, "epochs": 12, "table_epochs": 4, "recipe": "int8",
}  # fmt: skip
COMPARISON = {
    "k": 10,
    "data": "demo",
    "config": STEPS,
    "rows": [
        compared("teacher", 0.4, form="keras", peak_memory_bytes=None, latency_us_p50=None),
        compared("nothing", 0.3),
        compared("distillation, pruning", 0.38),
    ],
}


def trial(number: int, ndcg: float, size: int, **known: Any) -> dict[str, Any]:
    options = {"embedding_dim": 16 * number, "recipe": "int4_table", "vocabulary": 0.75}
    row = {"number": number, "state": "complete", "options": options, "ndcg": ndcg, "keep": ndcg / 0.2, "bytes": size}
    return row | {"gzip_bytes": size // 2, "latency_us": 5.0, "kept": ndcg >= 0.196, "front": False} | known


ON_TEST = {"test_ndcg@10": 0.3, "test_ndcg@10_low": 0.29, "test_ndcg@10_high": 0.31, "test_recall@10": 0.15}
TRIALS = [
    trial(3, 0.198, 3 * 1024, front=True, **ON_TEST),
    trial(2, 0.19, 2 * 1024, front=True, **ON_TEST),
    trial(1, 0.18, 4 * 1024),
    {**dict.fromkeys(trial(4, 0.1, 1)), "number": 4, "state": "pruned", "options": {}, "kept": False, "front": False},
]
SEARCH = {
    "k": 10, "data": "ml_1m", "goal": {"keep": 0.98, "bytes": None, "latency_us": None}, "teacher_ndcg": 0.2,
    "teacher": {"ndcg@10": 0.32, "recall@10": 0.16}, "config": STEPS, "best": TRIALS[0], "trials": TRIALS,
}  # fmt: skip


def tabled(limit: int, table: str, ndcg: float) -> dict[str, Any]:
    row = {"limit": limit, "table": table, "variant": f"{table} of 4", "bytes": limit - 10, "latency_us_p50": 8.0}
    return row | {"ndcg@10": ndcg, "ndcg@10_low": ndcg - 0.01, "ndcg@10_high": ndcg + 0.01}


EQUAL = {
    "data": "demo", "width": 32, "config": STEPS,
    "rows": [
        tabled(1000, "hashing", 0.2), tabled(1000, "full", 0.3), tabled(20000, "full", 0.35),
        tabled(20000, "hashing", 0.36),
    ],
}  # fmt: skip


def test_every_step_stands_under_the_teacher() -> None:
    *lines, blank, caption = script("compare_table").table(COMPARISON).splitlines()
    assert cells(lines[2]) == ["Teacher", "2.0 KiB", "1.0 KiB", "–", "–", "100.0 %", "0.4000", "0.5000"]
    assert cells(lines[4]) == [
        "Distillation, pruning", "2.0 KiB", "1.0 KiB", "5,120 KiB", "12 µs", "95.0 %", "0.3800", "0.5000",
    ]  # fmt: skip
    assert blank == "" and "50.0 % zeros, 7 epochs" in caption and "16 values a matrix, 3 epochs" in caption
    assert "rounding: 9 epochs" in caption


def test_a_search_shows_its_front_the_smallest_first() -> None:
    heads, _, teacher, *rows, _, caption = map(cells, script("search_table").table(SEARCH).splitlines())
    assert len(heads) == len(teacher) == len(rows[0]) == len(rows[1]) and len(rows) == 2
    assert teacher[7:] == ["100 %", "0.3200", "100 %", "0.1600"]
    assert rows[0] == [
        "int4_table", "32", "64", "75 %", "2.0 KiB", "1.0 KiB", "5.0 µs", "95.0 %", "0.3000 (0.2900 to 0.3100)",
        "93.8 %", "0.1500",
    ]  # fmt: skip
    assert rows[1][0] == "**int4_table**" and rows[1][4] == "3.0 KiB"
    assert "98.0 %" in caption[0] and "4 trials, of which 3 wrote a file" in caption[0]
    assert "no trial reached" not in caption[0]


def test_a_search_that_missed_its_goal_says_so() -> None:
    missed = {**SEARCH, "best": {**TRIALS[1], "kept": False}}
    assert "which no trial reached" in script("search_table").table(missed)


def test_the_picture_of_a_search_has_every_file_on_validation() -> None:
    (axes,) = script("search_table").picture(SEARCH).axes
    assert axes.get_title() == "MovieLens-1M, 4 trials"
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert sorted(drawn["trial"]) == [[2.0, 0.19], [3.0, 0.198], [4.0, 0.18]]
    assert drawn["chosen"] == [[3.0, 0.198]]


def test_item_tables_stand_by_their_bytes_the_best_first() -> None:
    *lines, blank, caption = script("tables_table").table(EQUAL).splitlines()
    assert blank == "" and "d = 32 after 12 epochs, and trained for 4 more" in caption
    assert [cells(line)[0] for line in lines[2:]] == [
        "**at most 1,000 bytes**", "full", "hashing", "**at most 20,000 bytes**", "hashing", "full",
    ]  # fmt: skip
    assert cells(lines[3]) == ["full", "full of 4", "990", "0.3000 (0.2900 to 0.3100)", "8.0 µs"]
    assert len({line.count("|") for line in lines}) == 1


@pytest.fixture
def readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with a folder without results."""
    spec = importlib.util.spec_from_file_location("readme", TREE / "scripts" / "readme.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "MEASURED", tmp_path)
    return module


def test_the_readme_waits_for_results_and_takes_what_is_there(readme: ModuleType, tmp_path: Path) -> None:
    text = (TREE / "README.md").read_text()
    waiting = readme.filled(text)
    for name in (*readme.TABLES, "small_ml_1m", "small_citeulike"):
        assert f"<!-- {name} -->\n{readme.NOT_YET}\n<!-- end {name} -->" in waiting
    for name in readme.PICTURES:
        assert f"<!-- picture_{name} -->\n<!-- end picture_{name} -->" in waiting
    for name, found in {"compare_ml_1m": COMPARISON, "search_ml_1m": SEARCH, "tables_demo": EQUAL}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(found))
    full = readme.filled(waiting)
    assert full == readme.filled(full) != waiting
    assert "<!-- compare_ml_1m -->\n| Model |" in full
    assert "<!-- picture_search_ml_1m -->\n![" in full and "](docs/search_ml_1m.png)\n<!-- end" in full
    assert f"<!-- tables_ml_1m -->\n{readme.NOT_YET}\n<!-- end tables_ml_1m -->" in full
    for name in ("compare_ml_1m", "search_ml_1m", "tables_demo"):
        (tmp_path / f"{name}.json").unlink()
    assert readme.filled(full) == waiting  # figures without a result go
