import pytest
from fake_report import FORMS, fake_report
from rich.console import Console

from kdrec.report import ReportError, console_table, table_markdown
from kdrec.report.table import MAIN, all_names, columns
from kdrec.report.words import row_name


def test_markdown_has_a_line_a_row_and_the_columns_asked_for():
    lines = table_markdown(fake_report(), ["name", "ndcg@k", "keep", "latency_us_p50", "arena_bytes"]).splitlines()
    assert lines[0] == "| Model | NDCG@10 | Keeps | Latency p50 | Arena |"
    assert lines[1] == "| --- | ---: | ---: | ---: | ---: |"
    assert lines[-1] == "| Microcontroller file, int8 | 0.1231 | 97.5 % | 20 µs | 9.6 KiB |"
    assert lines[2] == "| Random order | 0.0041 | 3.2 % | – | – |"
    assert len(lines) == 2 + len(FORMS)


def test_k_follows_the_report():
    report = {**fake_report(), "k": 5}
    for row in report["rows"]:
        row["ndcg@5"] = 0.25
    assert table_markdown(report, ["name", "ndcg@k"]).startswith("| Model | NDCG@5 |")


def test_an_unknown_column_is_refused():
    with pytest.raises(ReportError, match=r"columns has 'ndgc@10'; the report's rows have arena_bytes, auc"):
        table_markdown(fake_report(), ["name", "ndgc@k"])


def test_a_new_metric_is_a_column_at_once():
    report = fake_report()
    report["rows"][0]["novelty@10"] = 0.125
    assert "novelty@10" in all_names(report)
    assert "| Random order | 0.1250 |" in table_markdown(report, ["name", "novelty@10"])


def test_bars_in_cells_are_escaped():
    report = fake_report(("teacher",))
    report["rows"][0]["name"] = "a|b"
    assert r"| A\|b |" in table_markdown(report, ["name"])


def test_the_console_table_holds_every_row():
    console = Console(width=160)
    with console.capture() as capture:
        console.print(console_table(fake_report(), MAIN))
    text = capture.get()
    for row in fake_report()["rows"]:
        assert row_name(row) in text
    assert "1,883 KiB" in text


def test_the_short_console_table_fits_a_terminal():
    console = Console(width=100)
    assert console.measure(console_table(fake_report())).maximum <= 100


def test_all_columns_exist():
    assert [column.key for column in columns(fake_report(), all_names(fake_report()))] == all_names(fake_report())
