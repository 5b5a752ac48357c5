"""Figures and names as a reader wants them."""

from typing import Any

MISSING = "–"

_ROWS = {
    "random": "Random order",
    "popularity": "Most popular items",
    "teacher": "Teacher",
    "student": "Student, not distilled",
    "student_distilled": "Student, distilled",
    "pruned_alone": "Student, pruned and not distilled",
    "distilled_later": "Student, distilled after that",
    "shrunk": "Student, distilled and shrunk",
    "small_table": "Student, item table replaced",
    "cut": "Student, fewer items",
    "pruned": "Student, distilled and pruned",
    "clustered": "Student, clustered",
    "quantized": "Student, trained under rounding",
    "fusion": "Teacher and student together",
}
_TARGETS = {"android": "Android", "micro": "Microcontroller", "coral_edgetpu": "Coral Edge TPU"}
_METRICS = {"ndcg": "NDCG", "hr": "hit rate", "mrr": "MRR", "map": "MAP", "f1": "F1", "auc": "AUC"}


def row_name(row: dict[str, Any]) -> str:
    """A row's name for people.

    >>> row_name({"name": "int8_android", "form": "file", "target": "android", "recipe": "int8"})
    'Android file, int8'
    >>> row_name({"name": "int8_ethos_u55", "form": "file", "target": "ethos_u55", "recipe": "int8"})
    'Ethos U55 file, int8'
    """
    if row["form"] == "file" and row["target"]:
        target = _TARGETS.get(row["target"], row["target"].replace("_", " ").title())
        return f"{target} file" + (f", {row['recipe']}" if row["recipe"] else "")
    return stage_name(row["name"])


def stage_name(name: str) -> str:
    """A name of the code for people.

    >>> stage_name("teacher_cache"), stage_name("assistant_128")
    ('Teacher cache', 'Assistant, 128 wide')
    """
    kind, _, width = name.rpartition("_")
    if kind == "assistant" and width.isdigit():
        return f"Assistant, {width} wide"
    return _ROWS.get(name) or name.replace("_", " ").capitalize()


def metric_name(name: str) -> str:
    """A metric's name for people.

    >>> metric_name("ndcg@10"), metric_name("val_recall@5"), metric_name("recall@10_tail")
    ('NDCG@10', 'Val recall@5', 'Recall@10 tail')
    """
    base, at, k = name.partition("@")
    words = _METRICS.get(base, base.replace("_", " "))
    return words[:1].upper() + words[1:] + at + k.replace("_", " ")


def kib(size: float | None) -> str:
    """Bytes in KiB: one decimal below 10 KiB, none above.

    >>> kib(47_104), kib(3_000), kib(None)
    ('46 KiB', '2.9 KiB', '–')
    """
    if size is None:
        return MISSING
    return f"{size / 1024:,.1f} KiB" if size < 10 * 1024 else f"{size / 1024:,.0f} KiB"


def mib(size: float) -> str:
    """Bytes in MiB.

    >>> mib(3 * 2**30)
    '3,072 MiB'
    """
    return f"{size / 2**20:,.0f} MiB"


def percent(share: float | None) -> str:
    """A share in percent, one decimal.

    >>> percent(0.978), percent(None)
    ('97.8 %', '–')
    """
    return MISSING if share is None else f"{100 * share:.1f} %"


def change(new: float, old: float) -> str:
    """How much `new` differs from `old`, signed, in percent of `old`.

    >>> change(0.99, 1.0), change(1.2, 1.0), change(1.0, 0.0)
    ('−1.0 %', '+20.0 %', '–')
    """
    if not old:
        return MISSING
    difference = 100 * (new / old - 1)
    return f"{'−' if difference < 0 else '+'}{abs(difference):.1f} %"


def quality(value: float | None) -> str:
    """A metric's value, four decimals.

    >>> quality(0.12345)
    '0.1235'
    """
    return MISSING if value is None else f"{value:.4f}"


def count(value: float | None) -> str:
    """A whole number with thousands apart.

    >>> count(12345)
    '12,345'
    """
    return MISSING if value is None else f"{value:,.0f}"


def microseconds(value: float | None) -> str:
    """A latency in µs, one decimal below 10.

    >>> microseconds(3.14), microseconds(1234.5)
    ('3.1 µs', '1,234 µs')
    """
    if value is None:
        return MISSING
    return f"{value:,.1f} µs" if value < 10 else f"{value:,.0f} µs"


def named(value: str | None) -> str:
    """A name, as it is.

    >>> named("ai-edge-litert 2.0.3"), named(None)
    ('ai-edge-litert 2.0.3', '–')
    """
    return MISSING if value is None else value


def left_to_cpu(placement: dict[str, dict[str, int]] | None) -> str:
    """What a compiler for an NPU left to the CPU.

    >>> left_to_cpu({"GATHER": {"cpu": 4, "npu": 0}, "ADD": {"cpu": 0, "npu": 2}}), left_to_cpu(None)
    ('4 GATHER of 6 operators', '–')
    >>> left_to_cpu({"ADD": {"cpu": 0, "npu": 2}})
    'none of 2 operators'
    """
    if placement is None:
        return MISSING
    left = [f"{place['cpu']} {name}" for name, place in placement.items() if place["cpu"]]
    return (
        f"{', '.join(left) or 'none'} of {sum(place['cpu'] + place['npu'] for place in placement.values())} operators"
    )


def part_of(size: float, whole: float) -> str:
    """`size` as a part of `whole`.

    >>> part_of(46, 1840), part_of(90, 100), part_of(300, 100)
    ('1/40 of', '90 % of', '3.0 times')
    """
    ratio = whole / size
    if ratio < 1:
        return f"{1 / ratio:.1f} times"
    return f"1/{ratio:.0f} of" if ratio >= 1.5 else f"{100 / ratio:.0f} % of"
