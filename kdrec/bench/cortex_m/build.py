"""C becomes a program for an emulated Cortex-M, and runs there."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from kdrec.bench.cortex_m.machines import RAM_ORIGIN, Machine
from kdrec.errors import RuntimeFileError

COMPILER, EMULATOR = "arm-none-eabi-gcc", "qemu-system-arm"
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-ffreestanding", "-ffunction-sections", "-fdata-sections")
BOARD = ("board.c", "board.h", "board.ld")


class Program:
    """A program in a folder of its own, compiled for a machine; a context manager that removes it.

    Args:
        machine: what it is for.
        sources: content by file name; those that end in .c are compiled, those in .o linked, `board.h` may be included.
        options: further ones of the compiler.

    Raises:
        RuntimeFileError: compiler or emulator are not installed, or the compiler refused the sources.
    """

    def __init__(self, machine: Machine, sources: Mapping[str, bytes], options: Sequence[str] = ()):
        check_tools()
        self.machine = machine
        self._temporary = tempfile.TemporaryDirectory(prefix="kdrec-cortex-m-")
        self.folder = Path(self._temporary.name)
        try:
            self._compile(sources, options)
        except BaseException:
            self._temporary.cleanup()
            raise

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *error: object) -> None:
        self._temporary.cleanup()

    def _compile(self, sources: Mapping[str, bytes], options: Sequence[str]) -> None:
        home = files("kdrec.bench.cortex_m")
        for name, content in {**{name: home.joinpath(name).read_bytes() for name in BOARD}, **sources}.items():
            (self.folder / name).write_bytes(content)
        memory = {
            "flash_origin": 0,
            "flash_length": self.machine.flash,
            "ram_origin": RAM_ORIGIN,
            "ram_length": self.machine.ram,
        }
        self._call(
            COMPILER, *FLAGS, *self.machine.flags, *options,
            *sorted({name for name in sources if name.endswith((".c", ".o"))} | {"board.c"}),
            "-nostdlib", "-Wl,--gc-sections", "-Wl,-T,board.ld",
            *(f"-Wl,--defsym={name}={size}" for name, size in memory.items()), "-lgcc", "-o", "program.elf",
        )  # fmt: skip

    def run(self, timeout: float = 60.0) -> str:
        """What it writes, with one instruction a nanosecond of its clock.

        Raises:
            RuntimeFileError: it ended by a fault, or not at all.
        """
        return self._call(
            EMULATOR, "-M", self.machine.name, "-display", "none", "-serial", "null", "-monitor", "none",
            "-semihosting-config", "enable=on,target=native", "-icount", "shift=0", "-kernel", "program.elf",
            timeout=timeout,
        )  # fmt: skip

    def sections(self) -> dict[str, int]:
        """Bytes of each section of the program."""
        listed = self._call("arm-none-eabi-size", "-A", "program.elf")
        return {name: int(size) for name, size in re.findall(r"^(\.\w+)\s+(\d+)", listed, re.MULTILINE)}

    def _call(self, *command: str, timeout: float = 60.0) -> str:
        return _call(self.machine, self.folder, *command, timeout=timeout)


def compiled(machine: Machine, source: str, files: Mapping[str, bytes], options: Sequence[str] = ()) -> bytes:
    """The object that a source becomes for a machine, to be linked into several programs.

    Args:
        machine: what it is for.
        source: its name.
        files: it and what it includes, by name.
        options: further ones of the compiler.

    Raises:
        RuntimeFileError: compiler or emulator are not installed, or the compiler refused the source.
    """
    check_tools()
    with tempfile.TemporaryDirectory(prefix="kdrec-cortex-m-") as temporary:
        folder = Path(temporary)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        _call(machine, folder, COMPILER, *FLAGS, *machine.flags, *options, "-c", source, "-o", "object.o")
        return (folder / "object.o").read_bytes()


def _call(machine: Machine, folder: Path, *command: str, timeout: float = 60.0) -> str:
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise RuntimeFileError(
            f"{command[0]} for {machine.core} took longer than {timeout:g} seconds; give it less to do"
        ) from error
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip() or f"status {ended.returncode}"
        raise RuntimeFileError(f"{command[0]} for {machine.core} failed: {said}; mend the sources")
    # Semihosting writes to the error stream of qemu's console.
    return ended.stdout + ended.stderr


def tools() -> str:
    """Compiler and emulator with their versions, as they call themselves.

    Raises:
        RuntimeFileError: as of `check_tools`.
    """
    check_tools()
    said = (subprocess.run([tool, "--version"], capture_output=True, text=True) for tool in (COMPILER, EMULATOR))
    return ", ".join(each.stdout.partition("\n")[0] for each in said)


def check_tools() -> None:
    """Compiler and emulator are on the path.

    Raises:
        RuntimeFileError: one is not; the message names its Debian package.
    """
    for tool, package in ((COMPILER, "gcc-arm-none-eabi"), (EMULATOR, "qemu-system-arm")):
        if shutil.which(tool) is None:
            raise RuntimeFileError(f"{tool} is not installed: apt-get install -y {package}")
