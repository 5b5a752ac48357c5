"""What is written for the browser, and what is refused."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kdrec import targets
from kdrec.bundle.items import Items
from kdrec.bundle.read import open_bundle
from kdrec.bundle.write import write_bundle
from kdrec.cli import app
from kdrec.config import Config
from kdrec.errors import TargetError
from kdrec.pack import export_jobs
from kdrec.targets.web.backends.page import page

DEMO = Path(__file__).parents[3] / "tflite_models/demo"


def export(source: Path, out: Path):
    arguments = ["export", str(source), "--target", "web", "--backend", "page", "--out", str(out)]
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "500"})


def test_a_page_and_its_bundle_are_written(tmp_path: Path) -> None:
    out = tmp_path / "page"
    done = export(DEMO / "android", out)
    assert done.exit_code == 0, done.output
    names = {path.name for path in out.iterdir()}
    assert {"index.html", "page.css", "recommender.js", "package.json", "README.md"} < names
    assert open_bundle(out).manifest == open_bundle(DEMO / "android").manifest
    for name in ("index.html", *(name for name in names if name.endswith(".js"))):
        text = (out / name).read_text()
        assert set(re.findall(r'(?:from|src=|href=|import\() ?"\.?/?([\w.]+)"', text)) <= names
        assert not re.search(r"https?:|//cdn", text)
    readme = (out / "README.md").read_text()
    assert '["I0000", "I0001"], { k: 5 }' in readme and "`context` (daypart)" in readme and "2.5.3" in readme


def test_the_policy_knows_the_import_map() -> None:
    text = page(b"", open_bundle(DEMO / "android"))["index.html"].decode()
    import_map = re.search(r'<script type="importmap">(.*?)</script>', text)
    assert import_map is not None and set(json.loads(import_map[1])["imports"]) == {
        "@litertjs/core",
        "@litertjs/wasm-utils",
    }
    assert f"'sha256-{base64.b64encode(hashlib.sha256(import_map[1].encode()).digest()).decode()}'" in text
    assert hashlib.sha256((DEMO / "android/manifest.json").read_bytes()).hexdigest() in text


def test_what_npm_installed_stays(tmp_path: Path) -> None:
    out = tmp_path / "page"
    export(DEMO / "android", out)
    (out / "node_modules/@litertjs/core").mkdir(parents=True)
    (out / "node_modules/@litertjs/core/package.json").write_text("{}")
    (out / "node_modules/core").symlink_to("@litertjs/core")
    (out / "package-lock.json").write_text("locked")
    (out / "page.css").write_text("old")
    assert export(DEMO / "android", out).exit_code == 0
    assert (out / "node_modules/core/package.json").read_text() == "{}"
    assert (out / "node_modules/core").is_symlink()
    assert (out / "package-lock.json").read_text() == "locked" and (out / "page.css").read_text() != "old"


def test_a_name_cannot_become_markup() -> None:
    bundle = open_bundle(DEMO / "android")
    named = replace(bundle, manifest=replace(bundle.manifest, name="<script>alert(1)</script> $name"))
    text = page(b"", named)["index.html"].decode()
    assert "<script>alert" not in text and text.count("&lt;script&gt;alert(1)&lt;/script&gt; $name") == 2


def test_a_bundle_of_the_target_itself_is_taken(tmp_path: Path) -> None:
    bundle = open_bundle(DEMO / "android")
    write_bundle(tmp_path / "web", bundle.files, replace(bundle.manifest, target="web"))
    assert export(tmp_path / "web", tmp_path / "page").exit_code == 0
    assert open_bundle(tmp_path / "page").manifest.target == "web"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("micro", "manifest.json must name the target web, it names micro; give the bundle that"),
        ("coral_edgetpu", "manifest.json must name the target web, it names coral_edgetpu; give the bundle that"),
        ("android/model.tflite", "a page needs titles and checksums beside the file; give the folder of a bundle"),
    ],
)
def test_what_is_refused(source: str, message: str, tmp_path: Path) -> None:
    done = export(DEMO / source, tmp_path / "page")
    assert done.exit_code == 2 and message in done.output
    assert not (tmp_path / "page").exists()


def test_ids_that_javascript_would_round_are_refused() -> None:
    bundle = open_bundle(DEMO / "android")
    for last in (2**53 - 1, 2**53):
        items = Items.of([*range(len(bundle.items.ids) - 1), last], bundle.items.titles, [])
        if last < 2**53:
            assert "index.html" in page(b"", replace(bundle, items=items))
        else:
            with pytest.raises(
                TargetError, match="ids must be at most 9007199254740991 .*, received 9007199254740992; make"
            ):
                page(b"", replace(bundle, items=items))


def test_devices_that_share_a_file_are_exported_alike() -> None:
    """All that export is told of them is equal, and equal jobs give equal bytes."""
    jobs = export_jobs(Config(targets=("android", "web", "linux_arm64")))
    assert len({replace(job, name="") for job in jobs}) == 1
    shared = {(one, other) for one in targets.names() for other in targets.names() if shares(one, other)}
    ethos = {"micro", "ethos_u55", "ethos_u65", "ethos_u85"}
    assert ("android", "web") in shared and ("linux_arm64", "web") in shared and ("micro", "web") not in shared
    assert ("coral_edgetpu", "micro") not in shared
    assert all(one == other or {one, other} <= ethos or not {one, other} & ethos for one, other in shared)


def shares(one: str, other: str) -> bool:
    return targets.get(one).has_file_of(targets.get(other))
