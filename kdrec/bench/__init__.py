"""What a .tflite file costs and holds."""

from kdrec.bench.console import console_bench, console_inspection
from kdrec.bench.inspect import Inspection, inspect_file
from kdrec.bench.latency import BenchResult, bench

__all__ = ["BenchResult", "Inspection", "bench", "console_bench", "console_inspection", "inspect_file"]
