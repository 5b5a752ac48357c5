"""What a .tflite file costs and holds."""

from kdrec.bench.bundles import bench_bundle
from kdrec.bench.console import console_bench, console_inspection
from kdrec.bench.forms import Measured, console_forms
from kdrec.bench.forms_picture import forms_picture
from kdrec.bench.inspect import Inspection, inspect_file
from kdrec.bench.latency import BenchResult, bench
from kdrec.bench.picture import bytes_picture, save_picture

__all__ = [
    "BenchResult",
    "Inspection",
    "Measured",
    "bench",
    "bench_bundle",
    "bytes_picture",
    "console_bench",
    "console_forms",
    "console_inspection",
    "forms_picture",
    "inspect_file",
    "save_picture",
]
