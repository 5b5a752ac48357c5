import sys

import matplotlib
import pytest
from fake_report import FORMS, fake_comparison, fake_report

from kdrec.report import loss_curves, lost_by_stage, quality_against_bytes, training_curves
from kdrec.report.pictures import comparison
from kdrec.report.svg import inline_svg

PICTURES = (quality_against_bytes, training_curves, loss_curves, lost_by_stage)


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("report", [fake_report(), {**fake_report(()), "curves": {}}, fake_report(("int8_micro",))])
def test_every_picture_can_be_drawn(picture, report):
    assert inline_svg(picture(report), "name", "words").endswith("</svg>\n")


@pytest.mark.parametrize("picture", PICTURES)
def test_pictures_leave_no_global_state(picture):
    before = dict(matplotlib.rcParams)
    inline_svg(picture(fake_report()), "name", "words")
    assert dict(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_points_stand_at_their_bytes_and_quality():
    ax = quality_against_bytes(fake_report()).axes[0]
    points = {(round(float(c[0].get_xdata()[0]), 3), float(c[0].get_ydata()[0])) for c in ax.containers}
    expected = {(round(size / 1024, 3), ndcg) for _, _, _, size, ndcg, *_ in FORMS.values() if size}
    assert points == expected
    assert ax.get_xscale() == "log"


def test_teacher_and_baselines_are_lines():
    ax = quality_against_bytes(fake_report()).axes[0]
    levels = [line.get_ydata()[0] for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    assert sorted(levels) == [0.0041, 0.0448, 0.1262]


def test_bars_are_as_long_as_the_quality():
    ax = lost_by_stage(fake_report()).axes[0]
    assert [bar.get_width() for bar in ax.patches] == [0.1262, 0.1249, 0.1241, 0.1234, 0.1233, 0.1231, 0.0448, 0.0912]
    notes = [text.get_text() for text in ax.texts]
    assert notes[:2] == ["0.1262", "0.1249  −1.0 %"]


def test_a_step_goes_on_where_the_one_before_ended():
    report = fake_report()
    pruned = report["curves"].pop("pruned")
    report["curves"] |= {"shrunk": report["curves"]["student_distilled"][:3], "pruned": pruned}
    lines = {line.get_label(): line for line in training_curves(report).axes[0].lines}
    assert list(lines["Student, distilled and shrunk"].get_xdata()) == [21, 22, 23]
    assert list(lines["Student, distilled and pruned"].get_xdata()) == [24, 25, 26, 27]


def test_pruning_goes_on_where_the_distilled_student_ended():
    lines = {line.get_label(): line for line in training_curves(fake_report()).axes[0].lines}
    assert list(lines["Student, distilled"].get_xdata()) == list(range(1, 21))
    assert list(lines["Student, distilled and pruned"].get_xdata()) == [21, 22, 23, 24]


def test_losses_have_a_panel_a_training():
    panels = loss_curves(fake_report()).axes
    assert [ax.get_title() for ax in panels] == [
        "Teacher",
        "Student, not distilled",
        "Student, distilled",
        "Student, distilled and pruned",
    ]
    assert [len(ax.lines) for ax in panels] == [1, 1, 3, 3]


def test_svg_takes_the_pages_colour_and_ids_of_its_own():
    svg = inline_svg(lost_by_stage(fake_report()), "lost", "What was lost")
    assert "currentColor" in svg
    assert 'aria-label="What was lost"' in svg
    assert 'id="lost-' in svg
    assert "<metadata" not in svg
    assert "http" not in svg
    assert svg == inline_svg(lost_by_stage(fake_report()), "lost", "What was lost")


def test_training_is_drawn_at_the_k_that_it_logs():
    report = {**fake_report(()), "k": 5}
    ax = training_curves(report).axes[0]
    assert len(ax.lines) == 4 and ax.get_ylabel() == "NDCG@10, validation"
    small = {**report, "curves": {"student": [{"val_ndcg@3": 0.1}, {"val_ndcg@3": 0.2}]}}  # a catalogue of 3 items
    ax = training_curves(small).axes[0]
    assert list(ax.lines[0].get_ydata()) == [0.1, 0.2] and ax.get_ylabel() == "NDCG@3, validation"


def test_a_comparison_shows_each_variant_on_a_line_of_its_own() -> None:
    report = fake_report() | {"comparison": fake_comparison()}
    axes = comparison(report).axes[0]
    values = [line.get_xydata().tolist()[0] for line in axes.lines if line.get_marker() == "o"]
    assert values == [[row["ndcg@10"], place] for place, row in enumerate(report["comparison"])]
    assert [text.get_text() for text in axes.texts] == ["186 KiB", "176 KiB", "33 KiB"]
    labels = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    assert labels == ["nothing", "pruning", "distillation, four bits"]
