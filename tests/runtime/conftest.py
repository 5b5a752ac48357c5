from pathlib import Path

import pytest
import tiny_models

from kdrec.bundle import DataSource, HistoryInput, Items, Manifest, golden, write_bundle
from kdrec.bundle.host import HostInput, HostPart, HostTable
from kdrec.runtime.interpreter import LiteRtFile
from kdrec.runtime.judge import judge

ITEMS = Items.of(
    ids=[f"i{n}" for n in range(tiny_models.N_ITEMS)],
    titles=[f"Item {n}" for n in range(tiny_models.N_ITEMS)],
    popular=[7, 2, 5],
)
CASES = [{"history": row.tolist()} for row in tiny_models.histories(3, seed=9)]


def bundle(folder: Path, target: str, model: bytes, files: dict | None = None, cases=None, **fields) -> Path:
    manifest = Manifest(
        **{
            "name": "tiny",
            "target": target,
            "recipe": "float32",
            "kdrec": "0.1.0",
            "libraries": {"tensorflow": "2.21.0"},
            "data": DataSource("tiny", "ab" * 32, tiny_models.N_ITEMS),
            "history": HistoryInput(tiny_models.LENGTH, ordered=True),
            "context": {},
            "files": {},
            "signatures": LiteRtFile(model).specs(),
            "oracle": "litert",
            **fields,
        }
    )
    contents = {"model.tflite": model, "items.json": ITEMS.to_json(), **(files or {})}
    contents["golden.json"] = golden.make(manifest.oracle, cases or CASES, judge(manifest, contents).answers)
    write_bundle(folder, contents, manifest)
    return folder


@pytest.fixture(scope="session")
def android_model() -> bytes:
    return tiny_models.android()


@pytest.fixture(scope="session")
def micro_model() -> bytes:
    return tiny_models.micro()


@pytest.fixture(scope="session")
def android_bundle(tmp_path_factory, android_model) -> Path:
    return bundle(tmp_path_factory.mktemp("bundles") / "android", "android", android_model)


@pytest.fixture(scope="session")
def context_bundle(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "context"
    cases = [{**case, "daypart": [n]} for n, case in enumerate(CASES)]
    model = tiny_models.android(with_context=True)
    return bundle(folder, "android", model, cases=cases, context={"daypart": ("evening", "morning")})


@pytest.fixture(scope="session")
def micro_bundle(tmp_path_factory, micro_model) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "micro"
    return bundle(folder, "micro", micro_model, recipe="int8", oracle="tflite-micro")


@pytest.fixture(scope="session", params=["weighted_mean", "lookup"])
def coral_bundle(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / f"coral-{request.param}"
    table, scale = tiny_models.host_table()
    if request.param == "weighted_mean":
        model = tiny_models.coral((1, tiny_models.WIDTH), (7, 5))
        spec = HostInput("weighted_mean", tuple(tiny_models.WEIGHTS.tolist()), power=0.0)
    else:
        model = tiny_models.coral((1, tiny_models.LENGTH, tiny_models.WIDTH), (5, 7))
        spec = HostInput("lookup")
    host = HostPart(HostTable("host_table.npy", scale, 0), {"device_input": spec})
    return bundle(folder, "coral_edgetpu", model, {"host_table.npy": table}, recipe="int8", host=host)
