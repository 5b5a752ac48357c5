"""What a generated recommender costs on a Cortex-M: flash, RAM and instructions, counted under emulation."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from kdrec.bench.cortex_m.build import Program, compiled
from kdrec.bench.cortex_m.machines import Machine

REPEATED, ROUNDS, K = 8, 500_000, 10  # as in measure.c
# A program that recommends and does nothing else; its lists are in the caller's hands.
SMALLEST = """
#include "recommender.h"
extern const int32_t given[], asked;
const int32_t given[{length}] = {{0}}, asked = 0;
volatile int32_t taken;
int main(void)
{{
    int32_t items[10], scores[10];
    taken = (int32_t)recommender_recommend(given, {length}, {context} given, {length}, items, scores, 10);
    return items[0];
}}
"""


@dataclass(frozen=True)
class Cost:
    """Of a recommender on a machine.

    Args:
        flash: bytes of code and constants that it adds to a program, the compiler's own functions too.
        static: bytes of RAM that it keeps.
        stack: bytes that a call takes at most, of those measured.
        instructions: of a top-10 for a full history, its items left out; mean over histories.
    """

    flash: int
    static: int
    stack: int
    instructions: float

    @property
    def ram(self) -> int:
        """Bytes beside the input: static, stack, and ten items with their scores."""
        return self.static + self.stack + K * 8


def measure(
    machine: Machine, sources: Mapping[str, bytes], histories: np.ndarray, n_context: int = 0, speed: str = "-O2"
) -> Cost:
    """Compile a recommender for a machine, run it there, and count.

    Args:
        machine: one of `MACHINES`.
        sources: `recommender.h` and `recommender.c`.
        histories: (histories, length) int32 item numbers.
        n_context: features of context; each is given as unknown.
        speed: the compiler's level of optimisation.

    Raises:
        RuntimeFileError: compiler or emulator are not installed, or the program ended by a fault.
    """
    own = {name: sources[name] for name in ("recommender.h", "recommender.c")}
    own["recommender.o"] = compiled(machine, "recommender.c", own, [speed])  # once for both programs
    del own["recommender.c"]
    context, length = "0, " * n_context, histories.shape[1]
    numbers = ",".join(str(number) for number in histories.reshape(-1).tolist())
    cases = (
        f"#define N_CASES {len(histories)}\n#define LENGTH {length}\n#define CONTEXT {context}\n"
        f"static const int32_t cases[] = {{{numbers}}};\n"
    )
    home = files("kdrec.bench.cortex_m")
    measured = {**own, "cases.h": cases.encode(), "measure.c": home.joinpath("measure.c").read_bytes()}
    with Program(machine, measured, [speed]) as program:
        calibrated, passed, stack = (int(word) for word in program.run().split())
    smallest = {**own, "main.c": SMALLEST.format(length=length, context=context).encode()}
    with Program(machine, smallest, [speed]) as program:
        sections = program.sections()
    with Program(machine, {"main.c": b"int main(void)\n{\n    return 0;\n}\n"}, [speed]) as program:
        empty = program.sections()
    each = 2 * ROUNDS / calibrated  # instructions a tick
    return Cost(
        flash=sections[".text"] + sections[".data"] - empty[".text"] - empty[".data"] - 4 * length - 4,
        static=sections[".bss"] + sections[".data"] - empty[".bss"] - empty[".data"] - 4,
        stack=stack,
        instructions=passed * each / (REPEATED * len(histories)),
    )
