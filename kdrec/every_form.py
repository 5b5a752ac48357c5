"""A model in every form that this machine can run: what `kdrec bench --every-form` measures."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from kdrec import device_costs, targets
from kdrec.bench.bundles import bench_bundle
from kdrec.bench.forms import Measured
from kdrec.bench.latency import BenchResult, bench
from kdrec.bench.web.measure import measure
from kdrec.bundle.manifest import GOLDEN, NAME
from kdrec.bundle.read import Bundle, open_bundle
from kdrec.device_code import write_code
from kdrec.errors import KdrecError, RuntimeFileError
from kdrec.runtime import micro_process

HERE = "this machine"


@dataclass(frozen=True)
class Model:
    """A model to measure.

    Args:
        name: for people.
        path: of its .tflite file.
        bundle: that the file is from, verified, or None.
        signature: to time in LiteRT and LiteRT.js; None takes the one that `kdrec.bench.bench` takes.
        threads: the larger number of threads that LiteRT is given.
        runs: that are timed; in a browser batches of calls.
    """

    name: str
    path: Path
    bundle: Bundle | None
    signature: str | None = None
    threads: int = 2
    runs: int = 200


Forms: TypeAlias = Callable[[Model], Iterator[Measured]]


def every_form(path: str | Path, signature: str | None = None, threads: int = 2, runs: int = 200) -> list[Measured]:
    """Measure a file, or a bundle, in each form that it has here; what cannot run says why.

    Args:
        path: of a bundle's folder, which is verified, or of a .tflite file.
        signature, threads, runs: see `Model`.

    Raises:
        BundleError: the bundle is incomplete or altered.
        RuntimeFileError: there is no such file.
    """
    path = Path(path)
    bundle = open_bundle(path) if (path / NAME).is_file() else None
    file = path / bundle.manifest.signatures["score"].file if bundle else path
    if not file.is_file():
        raise RuntimeFileError(f"{file} does not exist; give a bundle's folder or the path of a .tflite file")
    name = bundle.manifest.target if bundle else file.name
    model = Model(name, file, bundle, signature, threads, runs)
    return [measured for forms in FORMS for measured in forms(model)]


def litert(model: Model) -> Iterator[Measured]:
    """LiteRT, with one thread and with several, with XNNPACK and with its own kernels alone."""
    size = model.path.stat().st_size
    for xnnpack in (True, False):
        for threads in dict.fromkeys((1, model.threads)):
            form = f"LiteRT, {threads} thread{'s' * (threads > 1)}{'' if xnnpack else ', no XNNPACK'}"
            try:
                found = timed(model, threads, xnnpack)
            except RuntimeFileError as error:
                yield Measured(model.name, form, HERE, size, said=str(error))
                continue
            yield Measured(
                model.name, form, HERE, size, found.peak_memory_bytes, "process", found.latency_us_p50,
                found.latency_us_p90, inputs=found.inputs,
            )  # fmt: skip


def timed(model: Model, threads: int, xnnpack: bool) -> BenchResult:
    """One measurement through LiteRT: a bundle is asked with its golden histories, a file with random ones."""
    options: dict[str, Any] = {"threads": threads, "runs": model.runs, "xnnpack": xnnpack}
    if model.bundle is not None:
        return bench_bundle(model.bundle, model.signature, **options)
    return bench(model.path, model.signature, **options)


def micro(model: Model) -> Iterator[Measured]:
    """TensorFlow Lite Micro, whose interpreter for a PC counts the arena; its speed there says nothing of a chip."""
    if model.bundle is None or model.bundle.manifest.oracle != "tflite-micro":
        return
    content, form = model.path.read_bytes(), "TensorFlow Lite Micro"
    try:
        arena = micro_process.arena_bytes(content, model.path.name)
        yield Measured(model.name, form, "its interpreter for a PC", len(content), arena, "arena")
    except KdrecError as error:
        yield Measured(model.name, form, HERE, len(content), said=str(error))


def generated_c(model: Model) -> Iterator[Measured]:
    """C without a runtime, on each core that its device is measured on."""
    if model.bundle is None:
        return
    try:
        for cost in device_costs.costs(model.bundle, targets.get(model.bundle.manifest.target).cores):
            yield Measured(
                model.name, f"C on {cost['core']}", f"qemu, {cost['machine']}", cost["flash_bytes"], cost["ram_bytes"],
                "static", instructions=cost["instructions"],
            )  # fmt: skip
    except KdrecError as error:
        yield Measured(model.name, "C on Cortex-M", "qemu", said=str(error))


def web(model: Model) -> Iterator[Measured]:
    """The page that is exported for the web, in Chromium: the file in LiteRT.js, and the page's `recommend()`."""
    if model.bundle is None or not is_for_the_web(model.bundle.manifest.target):
        return
    try:
        with tempfile.TemporaryDirectory(prefix="kdrec-page-") as temporary:
            folder = Path(temporary, "page")
            write_code(model.bundle.folder, folder, "web", "page")
            found = measure(folder, model.signature, model.runs)
    except KdrecError as error:
        yield Measured(model.name, "LiteRT.js", "Chromium", said=str(error))
        return
    size = model.path.stat().st_size
    for call in found.calls:
        form = f"{found.runtime}{', recommend()' if call.name == 'recommend()' else ''}"
        yield Measured(
            model.name, form, found.browser, size, found.memory_bytes, "wasm", call.latency_us_p50,
            call.latency_us_p90, inputs=f"{found.cases} of {GOLDEN}",
        )  # fmt: skip


def is_for_the_web(target: str) -> bool:
    """Whether a device's file is the one that the web page has."""
    return target in targets.names() and targets.get(target).has_file_of(targets.get("web"))


# A runtime more is a function more.
FORMS: tuple[Forms, ...] = (litert, micro, generated_c, web)
