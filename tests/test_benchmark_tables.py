"""The benchmarks' tables say what their result files hold, and say so when an aim was missed."""

import doctest
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmark_script import BENCHMARKS, cells, script


def spread(mean: float, deviation: float | None = None) -> dict[str, float | None]:
    return {"mean": mean, "deviation": deviation}


def row(method: str, left_out: bool = False, row_bytes: float = 20.0) -> dict[str, Any]:
    """A student that reaches 0.2, its file 0.15, where the teacher reaches 0.25."""
    measured = {"float_test_recall@50": spread(0.2, 0.01), "int8_test_recall@50": spread(0.15)}
    measured |= {
        "int8_test_ndcg@10": spread(0.05, 0.002),
        "file_bytes": spread(10240.0),
        "row_bytes": spread(row_bytes),
    }
    setting = {"embedding_dim": 20, "tied": True, "left_out": left_out}
    return {"method": method, "setting": setting, "seeds": 3, **measured}


QUALITY = {
    "metrics": ["recall@50", "ndcg@10"],
    "published": [{"method": "theirs", "recall@50": 0.1788, "row_bytes": 40}, {"method": "other", "ndcg@10": 0.1}],
    "als": [{"method": "ALS", "factors": 16, "float_test_recall@50": 0.12}],
    "teacher": {"float_test_recall@50": 0.25, "float_test_ndcg@10": 0.08},
    "teacher_left_out": {"float_test_recall@50": 0.3, "float_test_ndcg@10": 0.09},
    "rows": [row("rd"), row("kdrec's recipe", row_bytes=8.0), row("kdrec's recipe", left_out=True)],
}


def small_row(method: str, recipe: str, most_bytes: int | None, vocabulary: int | None) -> dict[str, Any]:
    """A file of 10 KiB that reaches 0.2, where the teacher reaches 0.25."""
    measured = {"int8_test_recall@50": spread(0.2, 0.01), "int8_test_ndcg@10": spread(0.05)}
    sizes = {"file_bytes": spread(10240.0), "gzip_bytes": spread(9216.0), "row_bytes": spread(10.0)}
    made = {"method": method, "recipe": recipe, "most_bytes": most_bytes, "vocabulary": vocabulary}
    return {**made, "setting": {"embedding_dim": 20, "hidden": 64}, "seeds": 2, **measured, **sizes}


SMALL = {
    "metrics": QUALITY["metrics"], "teacher": QUALITY["teacher"],
    "rows": [small_row("rounded", "int8", None, None), small_row("trained", "int8", 40960, 1500)],
}  # fmt: skip


def test_a_small_file_says_what_it_has_and_keeps() -> None:
    heads, _, teacher, *rows = map(cells, script("small_table").table(SMALL).splitlines())
    assert len(heads) == len(teacher) == len(rows[0]) == len(rows[1])
    assert teacher[7:] == ["0.2500", "100 %", "0.0800", ""]
    assert rows[0] == [
        "int8, rounded", "20", "64", "all", "10", "10.0", "9.0", "0.2000 ± 0.0100", "80.0 %", "0.0500", "2",
    ]  # fmt: skip
    assert rows[1][0].startswith("**at most 40 KiB**") and rows[1][3] == "1,500"


def test_small_files_are_drawn_a_panel_a_set_and_a_line_a_way() -> None:
    figure = script("small_table").picture({"citeulike": SMALL, "ml_1m": SMALL})
    assert [axes.get_title() for axes in figure.axes] == ["CiteULike", "MovieLens-1M"]
    for axes in figure.axes:
        assert len(axes.lines) == 3  # two ways and the teacher
        assert [tuple(line.get_xydata()[0]) for line in axes.lines[:2]] == [(10.0, 0.2)] * 2


def test_a_student_stands_under_its_teacher_and_keeps_its_share() -> None:
    *lines, blank, caption = script("table").table(QUALITY).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert blank == "" and "the training items only" in caption
    found = {line[0]: line[1:] for line in map(cells, lines[2:])}
    unseen = ", users left out of training"
    assert list(found) == [
        "*theirs*", "*other*", "ALS", "**teacher**", "rd", "kdrec's recipe", "**teacher**" + unseen,
        "kdrec's recipe" + unseen,
    ]  # fmt: skip
    known = ["20", "yes", "20", "10", "0.2000 ± 0.0100", "0.1500", "60.0 %", "0.0500 ± 0.0020", "3"]
    assert found["rd"] == known  # 0.15 of 0.25
    assert found["kdrec's recipe" + unseen][6] == "50.0 %"  # 0.15 of 0.3
    assert found["*theirs*"][2:5] == ["40", "", "0.1788"] and found["*other*"][4] == ""
    assert found["ALS"][:5] == ["16", "yes", "64", "", "0.1200"]  # float32


def test_the_picture_shows_each_row_of_known_users_once() -> None:
    figure = script("table").picture({"citeulike": QUALITY, "ml_1m": QUALITY})
    assert [axes.get_title() for axes in figure.axes] == ["CiteULike", "MovieLens-1M"]
    drawn = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}
    assert drawn["each method, int8 file"] == [[20.0, 0.15]]
    assert drawn["kdrec's recipe, int8 file"] == [[8.0, 0.15]]
    assert figure.axes[0].collections[0].get_offsets().tolist() == [[40.0, 0.1788]]


def compared(what: str, median: float, **aim: Any) -> dict[str, Any]:
    return {"what": what, "of": "slow", "to": "fast", "median": median, "least": 1.0, "greatest": 9.0, **aim}


STAGE = {"imports_mib": 600.4, "peak_mib": 1234.5, "seconds": 3.0, "cpu_seconds": 4.0}
TIMES = {"slow": {"median": 250.0, "peak_mib": 300.0}, "fast": {"median": 62.54, "peak_mib": 200.0}}
SPEED: dict[str, Any] = {
    "machine": {"processor": "an Arm", "cores": 4, "threads": 2, "python": "3.11.7", "versions": {"numpy": "2.0"}},
    "parts": {
        "live": {
            "unit": "ms a step",
            "measured": TIMES,
            "ratios": [
                compared("als", 3.997, at_least=3.0, met=True),
                compared("two_tower", 2.5, at_least=3.0, met=False),
            ],
        },
        "caches": {"measured": {"als/scores": {"median": 0.5}, "ease/scores": {"median": 4.0}}},
        "memory": {"stages": {"imports": STAGE | {"children_mib": 0.0}, "export": STAGE | {"children_mib": 700.0}}},
    },
}


def test_a_missed_aim_is_said() -> None:
    lines = script("speed_table").ratios_table(SPEED).splitlines()
    assert cells(lines[3]) == ["als", "250 ms", "62.5 ms", "4.00 (1.00 to 9.00)", "≥ 3"]
    assert cells(lines[4])[4] == "≥ 3, missed"
    assert len({line.count("|") for line in lines}) == 1


def test_a_rate_is_a_thousand_by_the_milliseconds() -> None:
    assert script("speed_table").caches_table(SPEED).splitlines()[-1] == "| scores | 2,000 | 250 |"


def test_memory_of_a_stage_and_of_what_it_started() -> None:
    lines = script("speed_table").memory_table(SPEED).splitlines()
    assert lines[2:] == ["| imports alone | 600 | 1,234 |  |", "| export | 600 | 1,234 | 700 |"]


def test_tables_of_the_parts_that_were_measured() -> None:
    table = script("speed_table")
    assert table.tables(SPEED).count("| --- |") == 3
    only = {**SPEED, "parts": {"memory": SPEED["parts"]["memory"]}}
    assert table.tables(only).count("| --- |") == 1
    assert table.tables(only).endswith("an Arm, 4 cores, 2 threads; Python 3.11.7, numpy 2.0.")


def test_ratios_are_taken_round_by_round() -> None:
    rounds = script("speed_rounds")
    assert doctest.testmod(rounds).failed == 0
    slow, fast = [{"seconds": 6.0}, {"seconds": 3.0}], [{"seconds": 2.0}, {"seconds": 3.0}]
    missed = rounds.ratio({"a": slow, "b": fast}, "a live teacher", "a", "b", at_least=3.0)
    assert (missed["median"], missed["greatest"], missed["met"]) == (2.0, 3.0, False)
    assert "met" not in rounds.ratio({"a": slow, "b": fast}, "anything", "a", "b")


class Noting:
    """A worker that notes who runs."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def run(self, name: str, count: int, warm: int) -> dict[str, float]:
        self.ran.append(name)
        return {"seconds": float(len(self.ran))}


def test_contestants_take_turns_and_begin_in_turn() -> None:
    worker = Noting()
    taken = script("speed_rounds").in_turns(dict.fromkeys("abc", worker), rounds=4)
    assert "".join(worker.ran) == "abcbcacababc"
    assert [answer["seconds"] for answer in taken["c"]] == [3.0, 5.0, 7.0, 12.0]


def test_the_process_that_starts_the_others_stays_small() -> None:
    """A process begins with the peak memory of the one that started it: this one must not import TensorFlow."""
    told = "import sys; sys.path.insert(0, sys.argv[1]); import speed, export; print('tensorflow' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", told, str(BENCHMARKS)], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


def conversion(seconds: float, sha256: str = "a") -> dict[str, Any]:
    facts = {"before_mib": 600.0, "peak_mib": 100 * seconds, "sha256": sha256, "kept": 0.9, "operators": {"GATHER": 1}}
    return {"seconds": seconds, "file_bytes": 3072, "gzip_bytes": 2048, **facts}


def test_a_conversion_counts_by_its_median_and_a_failed_one_by_its_error() -> None:
    summary = script("export").summary
    found = summary([conversion(3.0), conversion(1.0), conversion(2.0, sha256="b")])
    assert (found["seconds"], found["peak_mib"]["median"]) == ({"median": 2.0, "least": 1.0, "greatest": 3.0}, 200.0)
    assert (found["same_bytes"], summary([conversion(1.0)] * 2)["same_bytes"]) == (False, True)
    assert summary([conversion(1.0), {"error": "no memory", "peak_mib": 9.0}]) == {
        "error": "no memory",
        "peak_mib": 9.0,
    }


def test_exports_stand_by_the_size_of_the_catalogue() -> None:
    figures = script("export").summary([conversion(2.0)]) | {
        "latency_us_p50": {"median": 12.34}, "run_mib": {"median": 4.0},
    }  # fmt: skip
    settings = {
        "embedding_dim": 32, "history_length": 50, "k": 10, "rounds": 3, "latency_rounds": 5,
    }  # fmt: skip
    contestants = {
        "kdrec_int8": figures,
        "tfrs_brute_force": {"error": "MemoryError: a | b\nmore"},
        "numpy": {"latency_us_p50": {"median": 20.0}},
        "floor": {"latency_us_p50": {"median": 10.0}},
    }
    found = {"machine": SPEED["machine"], "settings": settings, "sizes": {"1000000": contestants}}
    *lines, _, caption = script("export_table").table(found).splitlines()
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert cells(lines[2])[0] == "**1,000,000 items**"
    assert cells(lines[3]) == ["kdrec, int8", "2.0", "200", "3.0", "2.0", "4.0", "12.3", "1.2"]
    assert cells(lines[5])[-3:] == ["", "20.0", "2.0"]
    assert lines[4].startswith("| TFRS BruteForce, float32 | MemoryError: a \\| b |")
    assert "the 10 best items" in caption and caption.endswith("numpy 2.0.")


def test_every_contestant_of_an_export_begins_a_round_in_its_turn() -> None:
    export = script("export")
    assert [next(export.turned(number)) for number in range(8)] == [*export.CONTESTANTS, export.CONTESTANTS[0]]
    assert set(script("export_table").NAMES) == {*export.CONTESTANTS, "numpy"}


def test_an_export_is_so_many_times_as_fast_and_small_as_the_best_of_the_others() -> None:
    def file(us: float, file_bytes: int) -> dict[str, Any]:
        return {"latency_us_p50": {"median": us}, "file_bytes": file_bytes}

    others = {"tfrs_brute_force": file(80.0, 900), "plain_int8": file(30.0, 260), "plain_int8_scores": file(25.0, 250)}
    said = script("export_table").ratios({"kdrec_int8": file(10.0, 100), **others})
    assert "8.0 times as fast and 9.0 times as small as BruteForce" in said
    assert "2.5 times as fast and 2.5 times as small as the better plain int8 file" in said


def test_files_are_timed_with_a_full_history_of_items_by_the_name_of_their_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def signature(name: str) -> SimpleNamespace:
        return SimpleNamespace(inputs={name: None})

    export = script("export")
    for there, expected in (
        ({"serving_default": "queries"}, "queries"),
        ({"a": "x", "recommend": "history"}, "history"),
    ):
        signatures = {key: signature(name) for key, name in there.items()}
        monkeypatch.setattr(export, "read", lambda _, found=signatures: SimpleNamespace(signatures=found))
        ((name, tokens),) = export.a_history(BENCHMARKS / "export.py", 3, 50).items()
        assert (name, tokens.shape, tokens.dtype) == (expected, (1, 50), "int32")
        assert set(tokens[0]) == {1, 2, 3}


def test_memory_counts_a_process_and_what_it_starts() -> None:
    """A process that holds 64 MiB starts another one that holds 96 MiB."""
    hold = "import sys, subprocess as s; held = b'x' * ({} << 20); {}; sys.stdin.read()"
    child = hold.format(96, "print('ready', flush=True)")
    told = hold.format(64, f"s.Popen([sys.executable, '-c', {child!r}])")
    process = subprocess.Popen([sys.executable, "-c", told], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdin is not None
    try:
        process.stdout.readline()
        with script("export_memory").PeakOfTree(process.pid) as peak:
            pass
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
    assert 160 < peak.mib < 260


def test_the_table_of_generated_c_names_what_was_not_measured() -> None:
    cost = {"flash": 2000, "ram": 500, "instructions": 1234.5, "machine": "board"}
    student = {"hidden": 8, "file_bytes": 3000, "arena_bytes": 4000, "cores": {"M0": cost}}
    lines = script("micro_c_table").table({"students": [student, {**student, "hidden": 0}]}).splitlines()
    assert lines[0].startswith("| 8 hidden units | flash, B |") and lines[5].startswith("| no hidden layer | ")
    assert lines[2] == "| C on M0 (board) | 2,000 | 500 | 1,234 |"
    assert lines[3] == "| TensorFlow Lite Micro: the file, the arena | 3,000 | 4,000 | not measured |"


def test_the_table_of_runtimes_names_one_that_refuses() -> None:
    row = {"runtime": "old==1.0", "cases": 16, "equal": 3, "overlap": 0.99375, "difference": 0.0125}
    refused = {"runtime": "older==0.9", "refused": "no such operator"}
    lines = script("min_runtime_table").table({"recipe": "int8", "runtimes": [row, refused]}).splitlines()
    assert cells(lines[2]) == ["old 1.0", "3 of 16", "99.4 %", "1.25 %"]
    assert cells(lines[3])[:2] == ["older 0.9", "refused: no such operator"]


def test_the_matrix_of_devices_shows_what_each_runs_as_and_names_what_is_missing() -> None:
    form = {"place": "this machine", "bytes": 2048, "ram_bytes": 512, "ram_kind": "arena", "latency_us_p50": 1.25}
    form |= {"instructions": None, "said": ""}
    code = {**form, "form": "C on M3", "place": "qemu, board", "latency_us_p50": None, "instructions": 12_345}
    broken = {**form, "form": "C on M4", "place": "qemu, other", "said": "no | compiler"}
    slow = {**form, "form": "LiteRT, 1 thread, no XNNPACK"}
    golden = {"oracle": "litert", "cases": 16, "different": 1}
    found = {
        "machine": {"processor": "a processor", "libraries": {"library": "1.0"}, "tools": "gcc 1"},
        "devices": [
            {"target": "micro", "bundle": "micro", "golden": golden, "forms": [{**form, "form": "LiteRT"}, slow, code]},
            {"target": "web", "bundle": "android", "golden": {**golden, "said": "not there"}, "forms": [broken]},
        ],
        "without": ["toaster"],
    }
    table = script("devices_table")
    lines = table.table(found).splitlines()
    proof = table.targets.get("micro").proof
    assert cells(lines[2]) == ["`micro`", "LiteRT", "2,048", "512 arena", "1.2 µs", "15 of 16 equal, litert", proof]
    assert cells(lines[3]) == ["", "C on M3 (qemu, board)", "2,048", "512 arena", "12,345 instructions", "", ""]
    assert lines[4].startswith(
        "| `web`, the file of `android` | C on M4 (qemu, other) | – | – | no \\| compiler | not there |"
    )
    assert lines[6].endswith("among the demo's: toaster. a processor; library 1.0; gcc 1.")
    assert "WebAssembly" not in lines[6]
    page = {**form, "form": "LiteRT.js", "place": "Chromium 9", "ram_kind": "wasm"}
    found["devices"][1]["forms"] = [page]
    lines = table.table(found).splitlines()
    assert "LiteRT.js (Chromium 9) | 2,048 | 512 wasm | 1.2 µs" in lines[4] and "all of WebAssembly's" in lines[6]


def test_a_device_has_the_forms_that_it_runs() -> None:
    devices = script("devices")
    names = ("LiteRT, 1 thread", "LiteRT.js 1", "TensorFlow Lite Micro", "C on Cortex-M3")
    forms = [devices.Measured("model", name, "here") for name in names]
    kept = {
        target: [names.index(form.form) for form in devices.of_its_own(devices.targets.get(target), forms)]
        for target in ("android", "linux_arm64", "web", "micro", "ethos_u55")
    }
    assert kept == {
        "android": [0, 2, 3], "linux_arm64": [0, 2, 3], "web": [1], "micro": [2, 3], "ethos_u55": [2],
    }  # fmt: skip


def test_a_device_without_a_bundle_has_the_one_whose_file_it_takes(tmp_path) -> None:
    devices = script("devices")
    chosen = {name: devices.bundle_for(devices.targets.get(name), devices.DEMO) for name in devices.targets.names()}
    assert {name: place.name for name, place in chosen.items()} == {
        **{name: "android" for name in ("android", "linux_arm64", "web")},
        **{name: "micro" for name in ("micro", "ethos_u55", "ethos_u65", "ethos_u85")},
        "coral_edgetpu": "coral_edgetpu",
    }
    assert devices.bundle_for(devices.targets.get("micro"), tmp_path) is None
