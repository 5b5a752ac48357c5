"""The sample app as a signed APK, built without Gradle: a minute, so it is built only where it is asked for."""

import os
import struct
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from kotlin import DEMO, JNA

TREE = Path(__file__).parents[3]
MODEL = "assets/recommender/model.tflite"


def data_offset(path: Path, entry: zipfile.ZipInfo) -> int:
    """Where the bytes of an entry begin: after its header of 30 bytes, its name and its extra field."""
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        header = file.read(30)
    n_name, n_extra = struct.unpack("<HH", header[26:30])
    return entry.header_offset + 30 + n_name + n_extra


@pytest.mark.slow
def test_the_model_lies_in_it_ready_to_be_mapped(require, tmp_path) -> None:
    if "apk" not in os.environ.get("KDREC_REQUIRE", "").split(","):
        pytest.skip("takes a minute and fetches 15 MB; KDREC_REQUIRE=apk builds it")
    for tool in ("aapt2", "zipalign", "apksigner", "javac", "zip", "run_kotlin_kernel", str(JNA)):
        require(tool)
    apk = tmp_path / "app.apk"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run([TREE / "scripts/apk", DEMO, apk], check=True, env={**os.environ, "PATH": path})
    subprocess.run(["apksigner", "verify", "--min-sdk-version", "26", apk], check=True)
    with zipfile.ZipFile(apk) as held:
        model = held.getinfo(MODEL)
        assert model.compress_type == zipfile.ZIP_STORED
        assert data_offset(apk, model) % 4 == 0
        assert sha256(held.read(MODEL)).digest() == sha256((DEMO / "model.tflite").read_bytes()).digest()
        for name in ("manifest.json", "items.json", "golden.json"):
            assert held.read(f"assets/recommender/{name}") == (DEMO / name).read_bytes()
        classes = held.read("classes.dex")
        assert classes.startswith(b"dex\n") and held.read("classes2.dex").startswith(b"dex\n")
        names = held.namelist()
    for name in (b"Lkdrec/sample/MainActivity;", b"Lkdrec/android/LiteRtModel;", b"Lkdrec/core/Recommender;"):
        assert name in classes
    assert [name for name in names if name.startswith("lib/")] == []  # no LiteRT: it is not to be run
