"""Chips of which a datasheet says what current their core takes while it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A chip.

    Args:
        name: of its maker.
        core: the name in `MACHINES` of what it runs.
        milliamperes: supply current at `megahertz`, code in flash, peripherals off, typical.
        megahertz: its clock then.
        volts: its supply then.
        source: document, revision and table.
    """

    name: str
    core: str
    milliamperes: float
    megahertz: float
    volts: float
    source: str

    def microjoules(self, instructions: float) -> float:
        """An estimate of the energy of so many instructions: a cycle each, which flatters every real core.

        charge of a cycle = current / clock; energy = instructions · charge · voltage

        >>> round(Part("P", "Cortex-M3", 4.0, 16.0, 3.0, "").microjoules(200_000), 6)
        150.0
        """
        return instructions * self.milliamperes / self.megahertz * self.volts * 1e-3


PARTS = {
    part.core: part
    for part in (
        Part(
            "STM32L100RB", "Cortex-M3", 3.9, 16.0, 3.6,
            "STM32L100C6, STM32L100R8/RB datasheet, DocID024295 Rev 1, table 15: run mode from flash, range 2, 16 MHz",
        ),
    )
}  # fmt: skip
