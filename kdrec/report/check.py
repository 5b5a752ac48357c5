"""report.json against its schema, `report.schema.json` beside this file."""

import json
import math
import re
from functools import cache
from importlib.resources import files
from typing import Any

from kdrec.errors import KdrecError

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


class ReportError(KdrecError, ValueError):
    """A report is not what its schema says."""


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of report.json, with a description of each field.

    >>> schema()["properties"]["k"]["description"]
    'The k of every name@k.'
    """
    return json.loads(files("kdrec.report").joinpath("report.schema.json").read_text("utf-8"))


def check_report(report: dict[str, Any]) -> None:
    """Refuse a report that breaks the schema, names a row twice, or lacks NDCG@k and recall@k at its own k.

    Args:
        report: the content of report.json.

    Raises:
        ReportError: with the place in the report, the rule and the value received.

    >>> check_report({"schema": 2})
    Traceback (most recent call last):
      ...
    kdrec.report.check.ReportError: report has no 'kdrec'; its schema requires it
    """
    _check(report, schema(), "report")
    names: set[str] = set()
    for place, row in enumerate(report["rows"]):
        if row["name"] in names:
            raise ReportError(f"report.rows[{place}].name {row['name']!r} is there twice; a name stands for one row")
        names.add(row["name"])
        for metric in (f"ndcg@{report['k']}", f"recall@{report['k']}"):
            if metric not in row:
                raise ReportError(
                    f"report.rows[{place}] ({row['name']}) has no {metric!r}, though report.k is {report['k']}"
                )


def _check(value: Any, rule: dict[str, Any], place: str) -> None:
    """The words of JSON Schema that report.schema.json uses."""
    if "enum" in rule and value not in rule["enum"]:
        raise ReportError(f"{place} must be one of {rule['enum']}, not {value!r}")
    if "type" in rule:
        _check_type(value, rule["type"], place)
    if isinstance(value, float) and not math.isfinite(value):
        raise ReportError(f"{place} must be finite, not {value}; use null for a figure that does not exist")
    if "minimum" in rule and value is not None and value < rule["minimum"]:
        raise ReportError(f"{place} must be at least {rule['minimum']}, not {value}")
    if "pattern" in rule and value is not None and not re.search(rule["pattern"], value):
        raise ReportError(f"{place} must match {rule['pattern']}, not {value!r}")
    if isinstance(value, dict):
        _check_object(value, rule, place)
    elif isinstance(value, (list, tuple)):
        if len(value) < rule.get("minItems", 0):
            raise ReportError(f"{place} must hold at least {rule['minItems']}, not {len(value)}")
        for position, item in enumerate(value):
            _check(item, rule.get("items", {}), f"{place}[{position}]")


def _check_type(value: Any, types: str | list[str], place: str) -> None:
    allowed = [types] if isinstance(types, str) else types
    for name in allowed:
        if isinstance(value, _TYPES[name]) and (not isinstance(value, bool) or name == "boolean"):
            return
    raise ReportError(f"{place} must be {' or '.join(allowed)}, not {value!r}")


def _check_object(value: dict[str, Any], rule: dict[str, Any], place: str) -> None:
    for name in rule.get("required", ()):
        if name not in value:
            raise ReportError(f"{place} has no {name!r}; its schema requires it")
    for name, item in value.items():
        if not isinstance(name, str):
            raise ReportError(f"{place} must have names that are strings, not {name!r}")
        rules = [rule["properties"][name]] if name in rule.get("properties", {}) else []
        rules += [one for pattern, one in rule.get("patternProperties", {}).items() if re.search(pattern, name)]
        if not rules:
            other = rule.get("additionalProperties", {})
            if other is False:
                raise ReportError(f"{place} has an unknown field {name!r}; it may have {', '.join(rule['properties'])}")
            rules = [other]
        for one in rules:
            _check(item, one, f"{place}.{name}")
