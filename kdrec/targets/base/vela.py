"""Arm's compiler Vela on a written file, in a process of its own: a file that kills it is an error here."""

import csv
import signal
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kdrec.errors import TargetError
from kdrec.files import canonical_json
from kdrec.targets.base.target import Finished
from kdrec.tflite.views import File, read

PACKAGE = "ethos-u-vela"
COMPILED, REPORT = "model_vela.tflite", "vela.json"  # what a bundle calls them
ON_NPU = "ethos-u"  # the operator that stands in a compiled file for all that the NPU runs
TIMEOUT = 600.0  # seconds; the demo's file takes one
# By `main` and not by the script `vela`, which is not on the path of an environment that was not entered.
COMMAND = (sys.executable, "-P", "-c", "import sys; from ethosu.vela.vela import main; sys.exit(main(sys.argv[1:]))")


def compiled(content: bytes, accelerator: str, timeout: float = TIMEOUT) -> Finished:
    """Compile a file for an NPU, with Vela's default system and memory of it.

    Args:
        content: of the int8 .tflite file.
        accelerator: as Vela spells it, `ethos-u55-128`.
        timeout: seconds that Vela may take.

    Returns:
        The compiled file and what Vela says of it: where each operator runs, SRAM, and cycles, which are its estimate.

    Raises:
        RuntimeFileError: the bytes are no readable .tflite file.
        TargetError: Vela is not installed, refused the file, died, or took too long.
    """
    written = read(content)
    try:
        compiler = f"{PACKAGE} {version(PACKAGE)}"
    except PackageNotFoundError:
        raise TargetError(
            f"Vela compiles for {accelerator}, and is not installed: pip install 'kdrec[ethos]'"
        ) from None
    with tempfile.TemporaryDirectory(prefix="kdrec-vela-") as temporary:
        folder = Path(temporary)
        (folder / "model.tflite").write_bytes(content)
        _run(folder, accelerator, timeout)
        try:
            result = (folder / COMPILED).read_bytes()
            (summary,) = folder.glob("model_summary_*.csv")
            (row,) = csv.DictReader(summary.read_text().splitlines())
            told = report(compiler, written, read(result), row)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TargetError(f"Vela for {accelerator} ended without a file and its figures ({error})") from error
    figures = {
        "compiled_bytes": len(result),
        "sram_bytes": told["sram_bytes"],
        "npu_cycles": told["cycles"],
        "npu_operators": sum(place["npu"] for place in told["operators"].values()),
        "cpu_operators": sum(place["cpu"] for place in told["operators"].values()),
    }
    return Finished({COMPILED: result, REPORT: (canonical_json(told) + "\n").encode()}, figures)


def _run(folder: Path, accelerator: str, timeout: float) -> None:
    options = ("--accelerator-config", accelerator, "--output-dir", str(folder))
    try:
        ended = subprocess.run(
            [*COMMAND, "model.tflite", *options],
            cwd=folder, capture_output=True, text=True, errors="replace", timeout=timeout,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise TargetError(f"Vela took longer than {timeout:g} seconds for {accelerator}; export fewer items") from error
    if ended.returncode < 0:
        raise TargetError(
            f"Vela died of {signal.Signals(-ended.returncode).name} on the file for {accelerator}; the file was "
            f"altered, or is not int8: `kdrec check` says which rule it breaks"
        )
    if ended.returncode:
        words = [line.strip() for line in (ended.stderr + ended.stdout).splitlines() if line.strip()]
        raise TargetError(
            f"Vela refused the file for {accelerator}: {(words or ['no reason given'])[-1]}; "
            f"`kdrec check` says which rule it breaks"
        )


def report(compiler: str, written: File, result: File, row: dict[str, str]) -> dict[str, Any]:
    """What a compiled file takes, in the words of vela.json.

    Args:
        compiler: its name and version.
        written, result: the file before and after.
        row: of Vela's summary; memory in KiB.
    """
    sizes = {f"{kind}_bytes": _kib(row[f"{kind}_memory_used"]) for kind in ("sram", "dram", "off_chip_flash")}
    return {
        "compiler": compiler,
        "accelerator": row["accelerator_configuration"],
        "system_config": row["system_config"],
        "memory_mode": row["memory_mode"],
        "clock_hz": int(float(row["core_clock"])),
        "bytes": result.n_bytes,
        **sizes,
        "macs": int(row["nn_macs"]),
        "cycles": int(row["cycles_total"]),
        "operators": operators(written, result),
    }


def operators(written: File, result: File) -> dict[str, dict[str, int]]:
    """By operator of the written file, how often it is left to the CPU in the compiled one, and how often it is not."""
    left = result.operator_counts()
    places = {}
    for name, times in written.operator_counts().items():
        on_cpu = min(times, left.get(name, 0))
        places[name] = {"cpu": on_cpu, "npu": times - on_cpu}
    return places


def _kib(text: str) -> int:
    return round(float(text) * 1024)
