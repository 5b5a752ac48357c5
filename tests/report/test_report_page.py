import json
from functools import cache
from html.parser import HTMLParser

import pytest
from fake_report import FORMS, fake_comparison, fake_report

from kdrec.report import ReportError, write_report
from kdrec.report.check import check_report
from kdrec.report.page import render_page
from kdrec.report.words import row_name

VOID = {"meta", "link", "br", "img", "hr", "input"}
OUTSIDE = ("src", "href", "xlink:href", "action", "data", "srcset", "poster", "background")


class Page(HTMLParser):
    """Collects the text and the references of a page, and refuses one whose tags do not nest."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.references += [value for name, value in attrs if name in OUTSIDE]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@cache
def plain() -> str:
    """The page of the report as it is."""
    return render_page(fake_report())


def uncurved(**changed) -> dict:
    """A report without the pictures of its trainings, which take half of a page's time."""
    return {**fake_report(), "curves": {}, **changed}


def text_of(html: str) -> str:
    return " ".join(" ".join(Page(html).text).split())


def test_the_page_asks_nobody_for_anything():
    html = plain()
    page = Page(html)
    assert all(reference.startswith("#") for reference in page.references)
    assert not {"script", "link", "iframe", "img", "object", "embed"} & set(page.tags)
    assert "@import" not in html
    assert "url(#" in html
    assert html.count("url(") == html.count("url(#")
    assert "http" not in html


def test_ids_are_unique():
    ids = Page(plain()).ids
    assert len(ids) == len(set(ids))


def test_every_row_is_there_by_both_names():
    text, report = text_of(plain()), fake_report()
    for row in report["rows"]:
        assert row_name(row) in text
        assert row["name"] in text


def test_figures_samples_stages_and_versions_are_there():
    text = text_of(plain())
    for words in (
        "51 KiB",
        "97.8 %",
        "0.1172–0.1296",
        "31.0 %",
        "9.6 KiB",
        "User u0042",
        "taken next",
        "8 of 10 in common",
    ):
        assert words in text
    for words in ("Teacher cache", "found finished", "deduplicate", "tensorflow", "2.21.0", "embedding_dim", "2.678 %"):
        assert words in text


def test_texts_of_the_data_are_escaped():
    evil = "<script>alert(1)</script>"
    report = fake_report(data=f"{evil}\"'&") | {"curves": {}}
    report["samples"][0]["teacher"][0] = evil
    report["samples"][0]["user"] = evil
    report["data"]["summary"] = evil
    html = render_page(report)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert text_of(html).count(evil) >= 4


@pytest.mark.parametrize("names", [("teacher",), ("random", "int8_micro"), ("teacher", "student", "int8_android")])
def test_rows_may_be_missing(names):
    text = text_of(render_page({**fake_report(names), "curves": {}, "samples": [], "stages": []}))
    assert "None" not in text
    assert "What some users" not in text
    assert "Losses" not in text


@pytest.mark.parametrize("first", range(3))
def test_every_figure_that_may_be_null_may_be_null(first):
    """In every third row, so that rows with figures stand beside it."""
    report = fake_report()
    for row in report["rows"]:
        if row["name"] in list(FORMS)[first::3]:
            row.update({key: None for key in row if key not in ("name", "form", "target", "recipe")})
    for epochs in report["curves"].values():
        epochs[0] = dict.fromkeys(epochs[0])
    report["samples"][0].update(history=[], held_out=[], teacher=[], student=[])
    text = text_of(render_page(report))
    assert "None" not in text
    assert "nan" not in text


def test_sets_have_no_order_and_no_next_item():
    assert "History, most recent first" in text_of(plain())
    report = uncurved()
    report["split"]["ordered"] = False
    text = text_of(render_page(report))
    assert "most recent" not in text
    assert "taken next" not in text
    assert "held out" in text


def test_a_loss_by_distillation_is_marked():
    report = uncurved()
    report["rows"][4]["ndcg@10"] = 0.01
    assert "tile bad" in render_page(report)
    assert "tile bad" not in plain()


def test_the_files_are_written_and_equal_reports_give_equal_bytes(tmp_path):
    write_report(fake_report(), tmp_path / "new" / "one")
    write_report(fake_report(), tmp_path / "two")
    for name in ("report.json", "report.html"):
        assert (tmp_path / "new" / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert json.loads((tmp_path / "two" / "report.json").read_text("utf-8")) == fake_report()
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["report.html", "report.json"]


def test_a_faulty_report_leaves_the_old_files(tmp_path):
    write_report(uncurved(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ReportError, match=r"report\.k must be at least 1"):
        write_report(uncurved(k=0), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_teacher_is_named_with_what_it_was_chosen_by():
    assert "two_tower, the best by NDCG on the validation part: two_tower 0.1281, ease 0.1203." in text_of(plain())
    alone = uncurved(teacher={"name": "ease", "validation_ndcg": {}})
    assert "ease; no other was compared." in text_of(render_page(alone))


def test_the_list_of_a_sample_is_headed_by_its_own_file():
    assert "<h4>Android file, int8</h4>" in plain()
    report = uncurved()
    for sample in report["samples"]:
        sample["target"] = "micro"
    html = render_page(report)
    assert "<h4>Microcontroller file, int8</h4>" in html
    assert "<h4>Android file, int8</h4>" not in html


def test_what_was_measured_is_said_as_it_is():
    text = text_of(plain())
    for words in (
        "From a history to the scores of all items (signature score )",
        "for the microcontroller's file on no microcontroller",
        "For the Coral Edge TPU the host's lookup of the history is not included.",
        "95 % intervals of the mean over users (normal approximation)",
        "the best epoch is kept; pruning keeps its last",
    ):
        assert words in text
    assert "One answer" not in text


def test_a_comparison_has_its_table_and_its_picture() -> None:
    page = render_page(uncurved(comparison=fake_comparison()))
    assert "With and without each step" in page and "What each step brings" in page
    assert "Distillation, four bits" in page and "371 KiB" in page  # its memory
    assert "With and without each step" not in plain()


def test_head_and_tail_have_their_table_where_the_catalogue_was_cut() -> None:
    report = uncurved()
    for row in report["rows"]:
        row |= {"ndcg@10_head": 0.2, "recall@10_head": 0.3, "ndcg@10_tail": 0.0625, "recall@10_tail": None}
    report["rows"][-1]["saved_bytes"] = 9 * 1024
    report["vocabulary"] = {"items": 1200, "kept": 900, "tail_share": 0.125}
    check_report(report)
    text = text_of(render_page(report))
    assert "900 of 1,200 items keep a row" in text and "which 12.5 % of the test pairs are about" in text
    assert "Left out NDCG@10 NDCG@10 head Recall@10 head NDCG@10 tail Recall@10 tail" in text
    assert f"9.0 KiB 0.1231 {0.95 * 0.1231:.4f}–{1.05 * 0.1231:.4f} 0.2000 0.3000 0.0625 –" in text
    assert "Head and tail" not in text_of(plain())
