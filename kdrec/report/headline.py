"""What a run found, in sentences computed from its rows."""

from typing import Any

from kdrec.report.rows import Row, find, interval, main_file, ndcg
from kdrec.report.words import change, kib, microseconds, part_of, percent, quality, row_name

_NOT_MEASURED_ON = {
    "android": "a phone",
    "micro": "a microcontroller",
    "coral_edgetpu": "an Edge TPU, and without the host's lookup of the history",
}


def headline(report: dict[str, Any]) -> list[str]:
    """The findings, the most important first; what does not hold is said, what is not known is left out.

    >>> def row(name, ndcg, form="keras", target=None, size=None):
    ...     return {"name": name, "form": form, "target": target, "recipe": target and "int8", "bytes": size,
    ...             "ndcg@10": ndcg, "latency_us_p50": None}
    >>> rows = [row("teacher", .2), row("int8_micro", .19, "file", "micro", 1024)]
    >>> headline({"k": 10, "rows": rows})
    ["The int8 Microcontroller file is 1.0 KiB and keeps 95.0 % of the teacher's NDCG@10 (0.1900 of 0.2000)."]
    """
    file = main_file(report)
    found = [] if file is None else [_file(report, file), _against_popularity(report, file)]
    found += [_distillation(report), "" if file is None else _latency(file)]
    return [sentence for sentence in found if sentence] or ["This run has no file and no student to compare."]


def is_better_distilled(report: dict[str, Any]) -> bool | None:
    """Whether the distilled student beats the one trained without a teacher; None when either is missing."""
    distilled, alone = ndcg(report, find(report, "student_distilled")), ndcg(report, find(report, "student"))
    return None if distilled is None or alone is None else distilled > alone


def intervals_overlap(report: dict[str, Any], first: Row, second: Row) -> bool | None:
    """Whether the 95 % intervals of two rows' NDCG@k overlap; None when either has none."""
    one, other = interval(report, first), interval(report, second)
    if one is None or other is None:
        return None
    return max(one[0], other[0]) <= min(one[1], other[1])


def _file(report: dict[str, Any], file: Row) -> str:
    teacher = find(report, "teacher")
    value, best = ndcg(report, file), ndcg(report, teacher)
    name, _, recipe = row_name(file).partition(", ")
    sentence, whose = f"The {recipe} {name}" if recipe else f"The {name}", "the teacher's"
    if file["bytes"] is not None:
        sentence += f" is {kib(file['bytes'])}"
        if teacher is not None and teacher["bytes"]:
            sentence, whose = f"{sentence}, {part_of(file['bytes'], teacher['bytes'])} the teacher,", "its"
        sentence += " and"
    if value is None:
        return f"{sentence} was not judged."
    if not best:
        return f"{sentence} reaches NDCG@{report['k']} {quality(value)}."
    return (
        f"{sentence} keeps {percent(value / best)} of {whose} NDCG@{report['k']} ({quality(value)} of {quality(best)})."
    )


def _against_popularity(report: dict[str, Any], file: Row) -> str:
    value, popular = ndcg(report, file), ndcg(report, find(report, "popularity"))
    if value is None or popular is None:
        return ""
    if value <= popular:
        return (
            f"It does not beat recommending the most popular items to everybody ({quality(popular)}): "
            "such a file should not ship."
        )
    if not popular:
        return "Recommending the most popular items to everybody finds nothing."
    return f"That is {value / popular:.1f} times what recommending the most popular items reaches ({quality(popular)})."


def _distillation(report: dict[str, Any]) -> str:
    distilled, alone = find(report, "student_distilled"), find(report, "student")
    new, old, best = ndcg(report, distilled), ndcg(report, alone), ndcg(report, find(report, "teacher"))
    if distilled is None or alone is None or new is None or old is None:
        return ""
    share = f" ({percent(old / best)} of the teacher)" if best else ""
    close = " Their 95 % intervals overlap." if intervals_overlap(report, distilled, alone) else ""
    if new > old:
        return (
            f"Without distillation a student of the same size reaches {quality(old)}{share}; "
            f"with it {quality(new)} ({change(new, old)}).{close}"
        )
    return (
        f"Distillation did not help in this run: without it a student of the same size reaches {quality(old)}{share}, "
        f"with it {quality(new)} ({change(new, old)}).{close}"
    )


def _latency(file: Row) -> str:
    if file["latency_us_p50"] is None:
        return ""
    device = _NOT_MEASURED_ON.get(file["target"], "the device itself")
    return (
        f"From a history to all scores it takes {microseconds(file['latency_us_p50'])} (median, LiteRT, one thread, "
        f"the machine that made this report; not {device})."
    )
