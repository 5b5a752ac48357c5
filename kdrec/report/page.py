"""report.html: one file, no request to anywhere."""

import json
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from kdrec.report import pictures, rows
from kdrec.report.devices import device_table
from kdrec.report.headline import headline, is_better_distilled
from kdrec.report.pareto import pareto
from kdrec.report.rows import Row, find, main_file, ndcg
from kdrec.report.svg import inline_svg
from kdrec.report.table import COMPARED, HEAD_AND_TAIL, MAIN, OF_DEVICES, Column, all_names, columns
from kdrec.report.words import (
    change,
    count,
    kib,
    metric_name,
    mib,
    microseconds,
    part_of,
    percent,
    quality,
    row_name,
    stage_name,
)

_HISTORY_SHOWN = 10


def render_page(report: dict[str, Any]) -> str:
    """The page as HTML; titles and other texts of the data are escaped.

    Args:
        report: the content of report.json, checked.
    """
    home = files("kdrec.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    file = main_file(report)
    return environment.from_string(home.joinpath("page.html").read_text("utf-8")).render(
        report=report,
        css=Markup(home.joinpath("page.css").read_text("utf-8")),
        headline=headline(report),
        tiles=_tiles(report, file),
        main=_table(report, columns(report, (*MAIN, *(name for name in OF_DEVICES if name in all_names(report))))),
        all=_table(report, columns(report, all_names(report))),
        head_and_tail=_head_and_tail(report),
        comparison=_comparison(report),
        devices=device_table(report),
        pictures=_pictures(report),
        samples=[_sample(sample, report) for sample in report["samples"]],
        teacher=_teacher(report["teacher"]),
        held_out="taken next" if report["split"]["ordered"] else "held out",
        stages=_stages(report["stages"]),
        config={name: json.dumps(value, ensure_ascii=False) for name, value in report["config"].items()},
        count=count,
        percent=percent,
        metric_name=metric_name,
    )


def _tiles(report: dict[str, Any], file: Row | None) -> list[dict[str, str]]:
    """The figures that a reader takes away; only those that the run has."""
    if file is None:
        return []
    teacher, popularity = find(report, "teacher"), find(report, "popularity")
    distilled, alone = find(report, "student_distilled"), find(report, "student")
    tiles = []
    if file["bytes"] is not None:
        beside = f"{part_of(file['bytes'], teacher['bytes'])} the teacher" if teacher and teacher["bytes"] else ""
        tiles.append({"name": "File", "value": kib(file["bytes"]), "note": beside, "kind": ""})
    value, best = ndcg(report, file), ndcg(report, teacher)
    if value is not None and best:
        note = f"of the teacher's NDCG@{report['k']}"
        tiles.append({"name": "Keeps", "value": percent(value / best), "note": note, "kind": ""})
    if distilled and alone and (new := ndcg(report, distilled)) is not None and (old := ndcg(report, alone)):
        kind = "" if is_better_distilled(report) else "bad"
        tiles.append(
            {
                "name": "Distillation",
                "value": change(new, old),
                "note": "against the same student without it",
                "kind": kind,
            }
        )
    if value is not None and (popular := ndcg(report, popularity)):
        kind = "" if value > popular else "bad"
        tiles.append(
            {
                "name": "Popularity",
                "value": f"× {value / popular:.1f}",
                "note": "what the most popular items reach",
                "kind": kind,
            }
        )
    if file["latency_us_p50"] is not None:
        tiles.append(
            {
                "name": "Latency",
                "value": microseconds(file["latency_us_p50"]),
                "note": "history to all scores, median, this machine",
                "kind": "",
            }
        )
    return tiles


def _table(report: dict[str, Any], chosen: list[Column]) -> dict[str, Any]:
    lines = []
    for row in report["rows"]:
        cells = []
        for column in chosen:
            low, high = (row.get(f"{column.key}{end}") for end in ("_low", "_high"))
            below = "" if low is None or high is None else f"{low:.4f}–{high:.4f}"
            if column.key == "name" and row["name"] != column.cell(row).lower():
                below = row["name"]
            bar = 100 * min(row["keep"], 1) if column.key == "keep" and row["keep"] is not None else None
            cells.append({"text": column.cell(row), "below": below, "bar": bar})
        lines.append({"form": row["form"], "name": row["name"], "cells": cells})
    return {"headings": [column.heading for column in chosen], "rows": lines}


def _head_and_tail(report: dict[str, Any]) -> dict[str, Any] | None:
    """The table of what a smaller catalogue costs; None for a report of a whole one."""
    return _table(report, columns(report, HEAD_AND_TAIL)) if "vocabulary" in report else None


def _comparison(report: dict[str, Any]) -> dict[str, Any] | None:
    """The table of `kdrec compare`; None for a report of a run."""
    if not report.get("comparison"):
        return None
    compared = {**report, "rows": report["comparison"]}
    return _table(compared, columns(compared, COMPARED))


def _pictures(report: dict[str, Any]) -> dict[str, dict[str, str]]:
    drawn = {
        "lost": (
            "What was lost at each stage",
            "From teacher to file, with the student that had no teacher and popularity for comparison.",
            pictures.lost_by_stage(report),
        ),
        "size": (
            "Quality against bytes",
            "Up and to the left is better. The bars are 95 % intervals of the mean over users.",
            pictures.quality_against_bytes(report),
        ),
    }
    if report.get("comparison"):
        drawn["comparison"] = (
            "What each step brings",
            "The same data and teacher; to the right is better. Grey are those without distillation; the bars are 95 % "
            "intervals of the mean over users.",
            pictures.comparison(report),
        )
    if report.get("search"):
        drawn["search"] = (
            "The search",
            f"Its {len(report['search']['trials'])} trials, each judged on the validation part by the file that it "
            "wrote; search.html has them all. Up and to the left is better.",
            pareto(report["search"]),
        )
    if any(report["curves"].values()):
        drawn["training"] = (
            "Training",
            "Quality on the validation part: the best epoch is kept; pruning keeps its last, when all is pruned.",
            pictures.training_curves(report),
        )
        drawn["losses"] = (
            "Losses",
            "Compare shapes, not heights: each training minimises a loss of its own.",
            pictures.loss_curves(report),
        )
    return {
        name: {"title": title, "note": note, "svg": Markup(inline_svg(figure, name, title))}
        for name, (title, note, figure) in drawn.items()
    }


def _teacher(teacher: dict[str, Any]) -> str:
    """Which teacher, and what it was chosen by."""
    reached = sorted(teacher["validation_ndcg"].items(), key=lambda entry: -entry[1])
    if not reached:
        return f"{teacher['name']}; no other was compared."
    listed = ", ".join(f"{name} {quality(value)}" for name, value in reached)
    return f"{teacher['name']}, the best by NDCG on the validation part: {listed}."


def _sample(sample: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    shown = next((row for row in rows.files(report) if row["target"] == sample["target"]), None)
    teacher, student, held_out = (set(sample[name]) for name in ("teacher", "student", "held_out"))
    lists = [
        [{"title": title, "shared": title in other, "held_out": title in held_out} for title in sample[name]]
        for name, other in (("teacher", student), ("student", teacher))
    ]
    recent = list(reversed(sample["history"]))
    return {
        "user": sample["user"],
        "history": recent[:_HISTORY_SHOWN],
        "older": max(len(recent) - _HISTORY_SHOWN, 0),
        "held_out": sample["held_out"],
        "teacher": lists[0],
        "student": lists[1],
        "file_name": row_name(shown) if shown else "Student",
        "shared": sum(item["shared"] for item in lists[1]),
    }


def _stages(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    longest = max((stage["seconds"] for stage in stages), default=0) or 1
    return [
        {
            "name": stage_name(stage["name"]),
            "seconds": f"{stage['seconds']:,.1f} s",
            "bar": 100 * stage["seconds"] / longest,
            "memory": mib(stage["peak_memory_bytes"]),
            "cached": stage["cached"],
        }
        for stage in stages
    ]
