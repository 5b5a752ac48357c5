"""The exported page in Chromium as a form of a model: what it measures, what is missing, and that the browser ends."""

import json
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kdrec import every_form as forms
from kdrec.bench.forms import Measured
from kdrec.bench.web import chromium, npm
from kdrec.bench.web.measure import Call, measure, read_answer
from kdrec.bench.web.site import serving
from kdrec.cli import app
from kdrec.device_code import write_code
from kdrec.errors import RuntimeFileError

DEMO = Path(__file__).parents[2] / "tflite_models" / "demo"
ANSWER = {"browser": "9", "cases": 3, "memory_bytes": 7, "calls": {"score": {"batch": 2, "microseconds": [1, 2, 3]}}}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    write_code(DEMO / "android", tmp_path / "page", "web", "page")
    return tmp_path / "page"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where everything is stored, so that the processes of this test are known by it, and Chromium has its socket.

    The path of a socket has to be short, which `tmp_path` is not; pytest makes that before, elsewhere.
    """
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield folder


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if npm had LiteRT.js; its files are not needed, for no page is ever shown."""
    (tmp_path / "npm/@litertjs/core").mkdir(parents=True)
    (tmp_path / "npm/@litertjs/core/package.json").write_text('{"version": "1.2.3"}')
    monkeypatch.setattr(npm, "home", lambda: tmp_path / "npm")


def browser_that(does: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in place of Chromium."""
    program = tmp_path / "browser"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(chromium, "BROWSER", str(program))


def running(part: str) -> list[int]:
    """Processes that have a text on their command line."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            if part.encode() in place.read_bytes():
                found.append(int(place.parent.name))
    return found


def have_ended(part: str) -> bool:
    """Whether processes are gone, of which the last may take a moment."""
    until = time.monotonic() + 10
    while running(part) and time.monotonic() < until:
        time.sleep(0.05)
    return not running(part)


@pytest.mark.slow
def test_chromium_times_the_file_and_the_page(require, monkeypatch, temporary) -> None:
    require("chromium")
    require("@litertjs/core")
    monkeypatch.setattr(forms, "FORMS", (forms.web,))
    done = CliRunner().invoke(app, ["bench", str(DEMO / "android"), "--every-form", "--runs", "9", "--json"])
    file, page = [Measured(**each) for each in json.loads(done.stdout)]
    assert not file.said and file.place == page.place and re.fullmatch(r"Chromium \d+", file.place)
    assert re.fullmatch(r"LiteRT\.js [\d.]+, (relaxed SIMD, )?1 thread", file.form)
    assert page.form == f"{file.form}, recommend()"
    assert file.bytes == (DEMO / "android/model.tflite").stat().st_size
    assert file.ram_kind == "wasm" and 2**20 < file.ram_bytes == page.ram_bytes < 2**28
    for each in (file, page):
        assert 1 < each.latency_us_p50 <= each.latency_us_p90 and each.inputs == "16 of golden.json"
    assert have_ended(temporary) and not os.listdir(temporary)


@pytest.mark.slow
def test_a_page_that_fails_says_why(require, page, temporary) -> None:
    require("chromium")
    require("@litertjs/core")
    (page / "recommender.js").unlink()
    with pytest.raises(RuntimeFileError, match="the page in Chromium failed: TypeError: .*recommender.js"):
        measure(page, timeout=60)
    assert have_ended(temporary) and not os.listdir(temporary)


@pytest.mark.usefixtures("installed")
def test_a_browser_that_does_not_answer_is_given_up_and_ended_with_its_helpers(page, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(chromium, "PATIENCE", 0.1)
    sleep = f"sleep 9999.{os.getpid()}"  # longer than any test may take
    browser_that(f'{sleep} & echo up > "{tmp_path}/up"; {sleep}', tmp_path, monkeypatch)
    with pytest.raises(RuntimeFileError, match="did not finish 7 runs in 0.5 seconds; ask for fewer runs"):
        measure(page, runs=7, timeout=0.5)
    assert (tmp_path / "up").exists() and have_ended(sleep.replace(" ", "\0"))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("does", "words"),
    [("echo one >&2; echo no display >&2; exit 3", "no display"), ('echo crash > "$HOME/report"; exit 3', "status 3")],
)
def test_a_browser_that_ends_is_an_error_with_its_last_words(
    does, words, page, tmp_path, monkeypatch, temporary
) -> None:
    monkeypatch.setenv("HOME", temporary)
    browser_that(does, tmp_path, monkeypatch)
    with pytest.raises(RuntimeFileError, match=f"Chromium ended before it answered: {words}$"):
        measure(page, timeout=60)
    assert not os.listdir(temporary)


@pytest.mark.parametrize("error", [BrokenPipeError, ConnectionResetError, ValueError])
def test_of_a_browser_that_ended_meanwhile_no_traceback_is_shown(error, tmp_path, capsys) -> None:
    with serving(tmp_path) as site:
        try:
            raise error("odd")
        except (OSError, ValueError):
            site.handle_error(None, site.server_address)
    assert ("odd" in capsys.readouterr().err) == (error is ValueError)


@pytest.mark.parametrize("length", [62, 63])
def test_a_path_too_long_for_a_socket_is_named(length, temporary, tmp_path, monkeypatch) -> None:
    browser_that("exit 3", tmp_path, monkeypatch)
    folder = Path(temporary, "a" * (length - len(temporary) - 1))
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    refused = pytest.raises(
        RuntimeFileError, match="TMPDIR must have at most 62 bytes .*, received '/.*a'; set a short"
    )
    with refused if length > 62 else nullcontext(), chromium.showing("about:blank"):
        pass


@pytest.mark.parametrize(
    ("browser", "home", "said"),
    [
        ("no-such-chromium", None, "no-such-chromium is not installed: apt-get install -y no-such-chromium"),
        ("sh", None, "@litertjs/core is not installed: npm install --global @litertjs/core@2.5.3"),
        ("sh", Path("/nowhere"), "@litertjs/core is not installed: npm install --global @litertjs/core@2.5.3"),
    ],
)
def test_what_is_missing_is_named_in_its_row(browser, home, said, monkeypatch) -> None:
    monkeypatch.setattr(chromium, "BROWSER", browser)
    monkeypatch.setattr(npm, "home", lambda: home)
    monkeypatch.setattr(forms, "FORMS", (forms.web,))
    assert forms.every_form(DEMO / "android") == [Measured("android", "LiteRT.js", "Chromium", said=said)]


@pytest.mark.parametrize("model", ["micro", "coral_edgetpu", "android/model.tflite"])
def test_files_of_no_page_have_no_such_form(model, monkeypatch) -> None:
    monkeypatch.setattr(forms, "FORMS", (forms.web,))
    assert forms.every_form(DEMO / model) == []


def test_an_answer_is_percentiles_and_how_the_page_ran() -> None:
    asked = ["/", "/node_modules/@litertjs/core/wasm/litert_wasm_internal.wasm"]
    found = read_answer(json.dumps(ANSWER).encode(), "LiteRT.js 1", asked)
    assert (found.browser, found.runtime) == ("Chromium 9", "LiteRT.js 1, relaxed SIMD, 1 thread")
    assert (found.cases, found.memory_bytes) == (3, 7)
    assert found.calls == (Call("score", 2, 2.0, 2.8),)  # 2 + (3 − 2) · 0.8
    assert read_answer(json.dumps(ANSWER).encode(), "R", ["/litert_wasm_compat_internal.wasm"]).runtime == "R, 1 thread"
    assert read_answer(json.dumps(ANSWER).encode(), "R", ["/other.wasm"]).runtime == "R"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff", b"", b"[]", b"{}", b'"error"', json.dumps({**ANSWER, "calls": {"score": {}}}).encode(),
        json.dumps({**ANSWER, "calls": {"score": {"batch": 1, "microseconds": []}}}).encode(),
        json.dumps({**ANSWER, "calls": {"score": {"batch": 1, "microseconds": ["fast"]}}}).encode(),
        json.dumps({**ANSWER, "cases": "many"}).encode(),
    ],
)  # fmt: skip
def test_an_answer_without_figures_is_refused(content) -> None:
    with pytest.raises(RuntimeFileError, match="the page in Chromium gave no figures but b.*; export the page again"):
        read_answer(content, "", ())
