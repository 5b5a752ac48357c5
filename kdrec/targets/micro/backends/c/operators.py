"""The operators that the generator knows: one small function each, of its name."""

from collections.abc import Callable

from kdrec.targets.micro.backends.c.arithmetic import add, batch_matmul, fully_connected, mul
from kdrec.targets.micro.backends.c.call import Call
from kdrec.targets.micro.backends.c.lookups import arg_max, gather, minimum, reshape, strided_slice
from kdrec.targets.micro.backends.c.values import Value

EMITTERS: dict[str, Callable[[Call], Value]] = {
    emitter.__name__.upper(): emitter
    for emitter in (add, arg_max, batch_matmul, fully_connected, gather, minimum, mul, reshape, strided_slice)
}
COMPUTED = ("ADD", "ARG_MAX", "BATCH_MATMUL", "FULLY_CONNECTED", "MUL")  # kept in memory; the others are expressions
