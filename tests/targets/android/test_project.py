"""What is exported: the files fit each other, as far as that can be read off them."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from kotlin import DEMO
from typer.testing import CliRunner

from kdrec.bundle.read import open_bundle
from kdrec.bundle.signatures import TensorSpec
from kdrec.cli import app
from kdrec.errors import TargetError
from kdrec.targets.android.backends.library import library

ANDROID = "{http://schemas.android.com/apk/res/android}"
ASSETS = "recommender/src/main/assets/recommender"
MODULES = ("app", "recommender")


def read(project: Path, path: str) -> str:
    return (project / path).read_text()


def test_the_command_writes_it_and_writes_over_it(tmp_path) -> None:
    out = tmp_path / "project"
    command = ["export", str(DEMO), "--target", "android", "--backend", "library", "--out", str(out)]
    for _ in range(2):
        done = CliRunner().invoke(app, command, env={"COLUMNS": "300"})
        assert done.exit_code == 0, done.output
    assert str(out / "recommender/consumer-rules.pro") in done.output
    (out / "app/build").mkdir()
    (out / "app/build/app.apk").write_bytes(b"years")
    done = CliRunner().invoke(app, command, env={"COLUMNS": "300"})
    assert done.exit_code == 2
    assert "holds something else, for example app/build/app.apk, and would lose it" in " ".join(done.output.split())


def test_the_bundle_is_in_the_assets(project) -> None:
    for name in ("model.tflite", "manifest.json", "items.json"):
        assert (project / ASSETS / name).read_bytes() == (DEMO / name).read_bytes()
    assert len(list((project / ASSETS).iterdir())) == 3  # golden vectors are for debug builds
    assert (project / "app/src/debug/assets/recommender/golden.json").read_bytes() == (
        DEMO / "golden.json"
    ).read_bytes()


def test_the_catalog_has_what_the_builds_name_and_nothing_else(project) -> None:
    catalog = tomllib.loads(read(project, "gradle/libs.versions.toml"))
    entries = {**catalog["libraries"], **{f"plugins.{name}": entry for name, entry in catalog["plugins"].items()}}
    assert {entry["version"]["ref"] for entry in entries.values()} == set(catalog["versions"])
    scripts = [
        read(project, path) for path in ("build.gradle.kts", *(f"{module}/build.gradle.kts" for module in MODULES))
    ]
    named = {name for script in scripts for name in re.findall(r"\blibs\.([a-z.]+[a-z])", script)}
    assert named == {name.replace("-", ".") for name in entries}
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in catalog["versions"].values())


def test_the_modules_are_those_of_the_settings(project) -> None:
    included = re.findall(r'":(\w+)"', read(project, "settings.gradle.kts"))
    assert sorted(included) == sorted(MODULES)
    assert 'project(":recommender")' in read(project, "app/build.gradle.kts")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_keeps_the_model_uncompressed_for_android_7_and_later(project, module) -> None:
    script = read(project, f"{module}/build.gradle.kts")
    assert re.search(r'androidResources \{\s+noCompress \+= "tflite"', script) and "minSdk = 24" in script
    assert script.count("{") == script.count("}") and script.count("(") == script.count(")")
    namespace = re.search(r'namespace = "([\w.]+)"', script)[1]
    sources = list((project / module / "src/main/kotlin").rglob("*.kt"))
    assert any(f"package {namespace}\n" in path.read_text() for path in sources)


def test_the_rules_for_r8_keep_litert_and_are_handed_on(project) -> None:
    assert "-keep class com.google.ai.edge.litert.** { *; }" in read(project, "recommender/consumer-rules.pro")
    assert 'consumerProguardFiles("consumer-rules.pro")' in read(project, "recommender/build.gradle.kts")


def test_packages_are_where_their_folders_are_and_the_core_is_plain_kotlin(project) -> None:
    for module in MODULES:
        home = project / module / "src/main/kotlin"
        for path in home.rglob("*.kt"):
            package = re.search(r"^package ([\w.]+)$", path.read_text(), re.MULTILINE)[1]
            assert package == ".".join(path.parent.relative_to(home).parts)
            if package == "kdrec.core":
                imports = re.findall(r"^import ([\w.]+)", path.read_text(), re.MULTILINE)
                assert [name for name in imports if not name.startswith(("java.", "kotlin."))] == [], path


def test_the_app_has_the_screen_and_the_texts_that_it_names(project) -> None:
    manifest = ElementTree.parse(project / "app/src/main/AndroidManifest.xml").getroot()
    (activity,) = manifest.iter("activity")
    name = activity.get(f"{ANDROID}name")
    source = read(project, f"app/src/main/kotlin/{name.replace('.', '/')}.kt")
    layout = ElementTree.parse(project / "app/src/main/res/layout/main.xml").getroot()
    strings = {
        entry.get("name") for entry in ElementTree.parse(project / "app/src/main/res/values/strings.xml").getroot()
    }
    ids = {entry.get(f"{ANDROID}id", "").removeprefix("@+id/") for entry in layout.iter()} - {""}
    used = re.findall(r"\bR\.(\w+)\.(\w+)", source.replace("android.R.", "android."))
    assert {name for kind, name in used if kind == "id"} == ids
    xml = read(project, "app/src/main/res/layout/main.xml") + read(project, "app/src/main/AndroidManifest.xml")
    assert {name for kind, name in used if kind == "string"} | set(re.findall(r"@string/(\w+)", xml)) == strings
    assert ("layout", "main") in used


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda signatures: {**signatures, "recommend": None}, "must have the signature 'recommend' for the generator"),
        (
            lambda signatures: {**signatures, "score": with_end(signatures["score"], "outputs", "scores", "int16")},
            "'score' must return 'scores' in float32 for the generator library, it returns int16; run kdrec with",
        ),
        (
            lambda signatures: {**signatures, "score": with_end(signatures["score"], "inputs", "history", "int64")},
            "'score' must take 'history' in int32 for the generator library, it takes int64",
        ),
    ],
)
def test_what_the_kotlin_does_not_read_is_refused(change, message) -> None:
    bundle = open_bundle(DEMO)
    signatures = {name: each for name, each in change(bundle.manifest.signatures).items() if each}
    with pytest.raises(TargetError, match=message):
        library(b"", replace(bundle, manifest=replace(bundle.manifest, signatures=signatures)))


def with_end(signature, side: str, name: str, dtype: str):
    ends = getattr(signature, side)
    return replace(signature, **{side: {**ends, name: TensorSpec(dtype, ends[name].shape)}})


def test_a_file_alone_has_no_titles(tmp_path) -> None:
    command = [
        "export",
        str(DEMO / "model.tflite"),
        "--target",
        "android",
        "--backend",
        "library",
        "--out",
        str(tmp_path / "p"),
    ]
    done = CliRunner().invoke(app, command, env={"COLUMNS": "300"})
    assert done.exit_code == 2
    assert "needs titles, popular items and checksums: give the folder of a bundle" in " ".join(done.output.split())
