import copy
import math

import pytest
from fake_report import fake_report

from kdrec.errors import KdrecError
from kdrec.report import ReportError, check_report, schema


def changed(path: tuple, value) -> dict:
    report = fake_report()
    place = report
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return report


def test_a_whole_report_passes():
    check_report(fake_report())


def test_a_report_of_one_row_passes():
    check_report({**fake_report(("teacher",)), "curves": {}, "samples": [], "stages": []})


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("schema",), 2, r"report\.schema must be one of \[1\], not 2"),
        (("k",), 0, r"report\.k must be at least 1, not 0"),
        (("rows",), [], r"report\.rows must hold at least 1, not 0"),
        (("k",), True, r"report\.k must be integer, not True"),
        (("seed",), "0", r"report\.seed must be integer, not '0'"),
        (("rows", 2, "bytes"), 1.5, r"report\.rows\[2\]\.bytes must be integer or null, not 1\.5"),
        (("rows", 2, "ndcg@10"), math.nan, r"report\.rows\[2\]\.ndcg@10 must be finite, not nan; use null"),
        (("rows", 2, "ndcg@10"), -0.1, r"report\.rows\[2\]\.ndcg@10 must be at least 0, not -0\.1"),
        (("rows", 2, "name"), "Teacher!", r"report\.rows\[2\]\.name must match \^\[a-z0-9_\+=\]\+\$, not 'Teacher!'"),
        (("rows", 2, "name"), "random", r"report\.rows\[2\]\.name 'random' is there twice"),
        (("rows", 2, "form"), "onnx", r"form must be one of \['baseline', 'keras', 'file'\], not 'onnx'"),
        (("rows", 2, "ndgc"), 0.1, r"report\.rows\[2\] has an unknown field 'ndgc'; it may have name, target"),
        (("k",), 20, r"report\.rows\[0\] \(random\) has no 'ndcg@20', though report\.k is 20"),
        (("data", "users"), None, r"report\.data\.users must be integer, not None"),
        (("curves", "teacher", 0, "loss"), "low", r"report\.curves\.teacher\[0\]\.loss must be number or null"),
        (("samples", 0, "teacher"), [1], r"report\.samples\[0\]\.teacher\[0\] must be string, not 1"),
        (("config", "learning_rate"), math.inf, r"report\.config\.learning_rate must be finite, not inf"),
        (("config",), {1: 2}, r"report\.config must have names that are strings, not 1"),
    ],
)
def test_a_fault_is_refused_with_its_place(path, value, message):
    with pytest.raises(ReportError, match=message):
        check_report(changed(path, value))


@pytest.mark.parametrize("name", schema()["required"])
def test_every_part_is_required(name):
    report = fake_report()
    del report[name]
    with pytest.raises(ReportError, match=f"report has no '{name}'; its schema requires it"):
        check_report(report)


@pytest.mark.parametrize("name", schema()["properties"]["rows"]["items"]["required"])
def test_every_required_figure_of_a_row_is_required(name):
    report = fake_report()
    del report["rows"][3][name]
    with pytest.raises(ReportError, match=rf"report\.rows\[3\] has no '{name}'"):
        check_report(report)


def test_a_new_metric_passes_without_a_change_of_the_schema():
    check_report(changed(("rows", 0, "novelty@10"), 0.5))


def test_an_interval_may_reach_below_zero_and_a_metric_may_not():
    check_report(changed(("rows", 0, "ndcg@10_low"), -0.001))
    with pytest.raises(ReportError, match=r"ndcg@10_pessimistic must be at least 0, not -0\.001"):
        check_report(changed(("rows", 0, "ndcg@10_pessimistic"), -0.001))


def test_the_error_is_one_that_the_command_line_prints():
    assert issubclass(ReportError, KdrecError)
    assert issubclass(ReportError, ValueError)


def test_another_validator_agrees():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    good = fake_report()
    assert not list(validator.iter_errors(good))
    for path, value in ((("k",), 0), (("rows", 0, "ndgc"), 1), (("stages", 0, "cached"), 1)):
        bad = changed(path, value)
        assert list(validator.iter_errors(bad))
        with pytest.raises(ReportError):
            check_report(bad)


def test_checking_changes_nothing():
    report = fake_report()
    before = copy.deepcopy(report)
    check_report(report)
    assert report == before


def test_the_teacher_needs_a_name_and_numbers():
    with pytest.raises(ReportError, match=r"report\.teacher has no 'name'"):
        check_report(changed(("teacher",), {"validation_ndcg": {}}))
    with pytest.raises(ReportError, match=r"report\.teacher\.validation_ndcg\.ease must be number, not None"):
        check_report(changed(("teacher", "validation_ndcg", "ease"), None))
    check_report(changed(("teacher", "validation_ndcg"), {}))


def test_the_schema_says_what_is_measured():
    row = schema()["properties"]["rows"]["items"]
    (interval,) = (rule for pattern, rule in row["patternProperties"].items() if "_low" in pattern)
    assert interval["description"].startswith("95 % interval of the mean over users (normal approximation)")
    assert "the host's lookup is not included" in row["properties"]["latency_us_p50"]["description"]
    stage = schema()["properties"]["stages"]["items"]["properties"]
    assert "SIGKILL" in stage["seconds"]["description"]
