"""The Cortex-M machines that qemu emulates, one a kind of core."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """An emulated board.

    Args:
        core: for people, and the name in `MACHINES`.
        name: of qemu's machine.
        cpu: of gcc's -mcpu.
        flash: bytes that a program may take.
        ram: bytes of it.
        more: further options of the compiler.
    """

    core: str
    name: str
    cpu: str
    flash: int = 512 * 1024
    ram: int = 16 * 1024
    more: tuple[str, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """The compiler's options for this core."""
        return (f"-mcpu={self.cpu}", "-mthumb", *self.more)


MACHINES = {
    machine.core: machine
    for machine in (
        Machine("Cortex-M0", "microbit", "cortex-m0", flash=256 * 1024),
        Machine("Cortex-M3", "mps2-an385", "cortex-m3"),
        Machine("Cortex-M4", "mps2-an386", "cortex-m4"),
        Machine("Cortex-M7", "mps2-an500", "cortex-m7"),
        Machine("Cortex-M55", "mps3-an547", "cortex-m55", more=("-mfloat-abi=hard",)),
    )
}
RAM_ORIGIN = 0x20000000
