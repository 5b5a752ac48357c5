import re

import pytest
from fake_report import FORMS, fake_report

from kdrec.report import headline
from kdrec.report.headline import intervals_overlap, is_better_distilled
from kdrec.report.rows import find, main_file, steps


def set_ndcg(report: dict, **values: float | None) -> dict:
    for name, value in values.items():
        row = find(report, name)
        row["ndcg@10"] = value
        for end, factor in (("_low", 0.99), ("_high", 1.01)):
            row[f"ndcg@10{end}"] = None if value is None else value * factor
    return report


def without(name: str) -> dict:
    return fake_report(tuple(form for form in FORMS if form != name))


def test_the_file_is_compared_with_the_teacher():
    report = fake_report()
    find(report, "int8_android")["bytes"] = 50 * 1024
    find(report, "teacher")["bytes"] = 40 * 50 * 1024
    set_ndcg(report, teacher=0.2, int8_android=0.15)
    assert headline(report)[0] == (
        "The int8 Android file is 50 KiB, 1/40 of the teacher, and keeps 75.0 % of its NDCG@10 (0.1500 of 0.2000)."
    )


def test_popularity_is_named_as_a_multiple():
    report = set_ndcg(fake_report(), popularity=0.05, int8_android=0.15)
    assert "3.0 times what recommending the most popular items reaches (0.0500)" in headline(report)[1]


def test_a_file_that_does_not_beat_popularity_should_not_ship():
    report = set_ndcg(fake_report(), popularity=0.2, int8_android=0.1)
    assert "does not beat recommending the most popular items" in headline(report)[1]
    assert "should not ship" in headline(report)[1]


def test_the_gain_of_distillation_is_a_sentence():
    report = set_ndcg(fake_report(), teacher=0.2, student=0.1, student_distilled=0.15)
    assert is_better_distilled(report) is True
    assert headline(report)[2] == (
        "Without distillation a student of the same size reaches 0.1000 (50.0 % of the teacher); "
        "with it 0.1500 (+50.0 %)."
    )


@pytest.mark.parametrize("distilled", [0.1, 0.08])
def test_distillation_that_does_not_help_is_said(distilled):
    report = set_ndcg(fake_report(), student=0.1, student_distilled=distilled)
    assert is_better_distilled(report) is False
    assert headline(report)[2].startswith("Distillation did not help in this run")


def test_overlapping_intervals_are_said():
    report = set_ndcg(fake_report(), student=0.1, student_distilled=0.101)
    assert intervals_overlap(report, find(report, "student"), find(report, "student_distilled")) is True
    assert headline(report)[2].endswith("Their 95 % intervals overlap.")
    apart = set_ndcg(fake_report(), student=0.1, student_distilled=0.2)
    assert intervals_overlap(apart, find(apart, "student"), find(apart, "student_distilled")) is False
    assert "overlap" not in headline(apart)[2]


@pytest.mark.parametrize("name", FORMS)
def test_any_row_may_be_missing(name):
    assert all(sentence.strip() and "None" not in sentence for sentence in headline(without(name)))


@pytest.mark.parametrize("name", FORMS)
def test_any_row_may_be_unjudged(name):
    assert all("None" not in sentence for sentence in headline(set_ndcg(fake_report(), **{name: None})))


def test_a_run_without_rows_says_so():
    assert headline(fake_report(())) == ["This run has no file and no student to compare."]


def test_the_main_file_is_androids_else_the_first():
    assert main_file(fake_report())["name"] == "int8_android"
    assert main_file(without("int8_android"))["name"] == "int8_coral_edgetpu"
    assert main_file(fake_report(("teacher",))) is None


def test_each_file_comes_from_the_last_keras_form():
    before = {step.row["name"]: step.before and step.before["name"] for step in steps(fake_report())}
    assert before == {
        "teacher": None,
        "student_distilled": "teacher",
        "pruned": "student_distilled",
        "int8_android": "pruned",
        "int8_coral_edgetpu": "pruned",
        "int8_micro": "pruned",
    }
    short = {step.row["name"]: step.before and step.before["name"] for step in steps(without("pruned"))}
    assert short["int8_android"] == "student_distilled"


def test_steps_stand_as_they_were_taken():
    report = fake_report()
    place = report["rows"].index(find(report, "pruned"))
    report["rows"][place:place] = [
        {**find(report, "student_distilled"), "name": name} for name in ("shrunk", "quantized")
    ]
    before = {step.row["name"]: step.before and step.before["name"] for step in steps(report)}
    assert [before[name] for name in ("shrunk", "quantized", "pruned")] == ["student_distilled", "shrunk", "quantized"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("int8_android", "From a history to all scores it takes 21 µs .*; not a phone"),
        ("int8_micro", "From a history to all scores it takes 20 µs .*; not a microcontroller"),
        ("int8_coral_edgetpu", "it takes 6.2 µs .*; not an Edge TPU, and without the host's lookup of the history"),
    ],
)
def test_latency_says_what_it_is_of(name, words):
    assert re.search(words, headline(fake_report((name,)))[-1])
