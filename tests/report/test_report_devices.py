"""The table of what each file takes of its device; the page of a run has it, see tests/experiment."""

from fake_report import fake_devices, fake_report

from kdrec.report.check import check_report
from kdrec.report.devices import HEADINGS, device_table
from kdrec.report.table import table_markdown

MICRO = "Microcontroller file, int8"
DASH = "\N{EN DASH}"


def lines(report: dict) -> list[list[str]]:
    table = device_table(report)
    assert table is not None and table["headings"] == list(HEADINGS)
    assert all(len(row["cells"]) == len(HEADINGS) for row in table["rows"])
    return [[cell["text"] for cell in row["cells"]] for row in table["rows"]]


def test_each_file_is_shown_with_what_it_takes_of_its_device() -> None:
    report = fake_report() | {"devices": fake_devices()}
    check_report(report)
    found = lines(report)
    assert found[0] == ["Android file, int8", "LiteRT", "51 KiB", DASH, DASH, "21 µs", DASH, DASH]
    assert found[2:] == [
        [MICRO, "TensorFlow Lite Micro", "45 KiB", DASH, "9.6 KiB", "20 µs", DASH, DASH],
        [MICRO, "C on Cortex-M3", "40 KiB", "0.6 KiB", DASH, DASH, "207,573", "182 µJ"],
        [MICRO, "C on Cortex-M0", "40 KiB", "0.6 KiB", DASH, DASH, "403,033", DASH],
    ]
    (note,) = device_table(report)["notes"]
    assert "Energy is an estimate for the Chip 3" in note and "(its datasheet, table 1)" in note


def test_what_was_not_counted_is_named() -> None:
    report = fake_report() | {"devices": {"costs": [], "missing": {"micro": "some-gcc is not installed"}}}
    check_report(report)
    assert device_table(report)["notes"] == ["Not counted for micro: some-gcc is not installed"]
    assert device_table(fake_report())["notes"] == []


def test_a_file_for_an_npu_shows_what_its_compiler_says() -> None:
    report = fake_report()
    report["rows"][-1] |= {"compiled_bytes": 93 * 1024, "sram_bytes": 3 * 1024, "npu_cycles": 12_345}
    assert lines(report)[-1] == [
        MICRO, "compiled for the NPU", "93 KiB", "3.0 KiB", "9.6 KiB", "20 µs", "12,345 cycles", DASH,
    ]  # fmt: skip


def test_a_file_says_from_which_runtime_on_it_answers() -> None:
    report = fake_report()
    (row,) = (row for row in report["rows"] if row.get("target") == "android" and row["form"] == "file")
    row |= {"runs_from": "old-runtime 1.0", "equal_from": "new-runtime 2.0"}
    check_report(report)
    first, second = (each["cells"][1]["below"] for each in device_table(report)["rows"][:2])
    assert (first, second) == ("from old-runtime 1.0 on; its own code not counted", "its own code not counted")
    table = table_markdown(report, ["name", "runs_from", "equal_from"]).splitlines()
    assert table[0] == "| Model | Runs from | Equal from |"
    assert (
        "| Android file, int8 | old-runtime 1.0 | new-runtime 2.0 |" in table
        and f"| {MICRO} | {DASH} | {DASH} |" in table
    )


def test_without_files_there_is_no_table() -> None:
    assert device_table(fake_report(("popularity", "teacher"))) is None
