"""A bundle's file, timed with histories of its own."""

from dataclasses import replace
from typing import Any

import numpy as np

from kdrec.bench.latency import BenchResult, bench
from kdrec.bundle import golden
from kdrec.bundle.manifest import GOLDEN
from kdrec.bundle.read import Bundle
from kdrec.errors import BundleError
from kdrec.runtime.host import Host
from kdrec.runtime.inputs import batch_of, checked
from kdrec.runtime.interpreter import Edge


def bench_bundle(bundle: Bundle, signature: str | None = None, **options: Any) -> BenchResult:
    """Measure the .tflite file of a bundle through LiteRT, as `bench` does, with the inputs of its golden vectors.

    They are histories of the log, from the shortest to full ones, and take turns: what a device is asked. Where a host
    computes a part, the file is asked with what the host makes of them, and the host is not timed.

    Args:
        bundle: verified.
        signature, options: of `bench`.

    Raises:
        BundleError, DataError: the golden vectors are none, or not of the manifest's inputs.
        RuntimeFileError: as of `bench`.
    """
    cases = golden_inputs(bundle)
    result = bench(bundle.folder / bundle.manifest.signatures["score"].file, signature, inputs=cases, **options)
    return replace(result, inputs=f"{len(cases)} of {GOLDEN}")


def golden_inputs(bundle: Bundle) -> list[dict[str, np.ndarray]]:
    """The inputs of a bundle's golden vectors as its file takes them, which is alike for all its signatures.

    Raises:
        BundleError, DataError: they are none, or not of the manifest's inputs.
    """
    manifest = bundle.manifest
    specs, length, rare = manifest.signatures["score"].inputs, manifest.history.length, manifest.history.rare
    names = list(specs) if manifest.host is None else ["history", *manifest.context]
    last_of = {name: len(values) for name, values in manifest.context.items()}
    cases = [
        checked(batch_of([case]), names, length, rare or manifest.data.n_items, last_of)[1]
        for case in golden.asked(bundle.files[GOLDEN])
    ]
    if not cases:
        raise BundleError(f"{GOLDEN} must have at least one case, it has none; export the bundle again")
    if manifest.host is None:
        return cases
    edges = {
        name: Edge(np.dtype(spec.dtype), spec.shape, spec.scale or 0.0, spec.zero_point or 0)
        for name, spec in specs.items()
    }
    host = Host(manifest.host, bundle.files, edges)
    return [host(case) for case in cases]
