"""The versions of the libraries that a run is made with, and of those that took part in one file."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from kdrec.config import Config

ALWAYS = ("ai-edge-litert", "numpy", "tensorflow", "tf-keras")
PRUNING = "tensorflow-model-optimization"
OF_TEACHER = {"als": "implicit", "two_tower": "tensorflow-recommenders"}
OF_ORACLE = {"tflite-micro": "tflite-micro"}
COMPILERS = ("ethos-u-vela",)


def installed() -> dict[str, str]:
    """The version of each library that kdrec works with, by name; an optional one that is not installed is left out.

    >>> "tensorflow" in installed()
    True
    """
    return versions({*ALWAYS, PRUNING, *OF_TEACHER.values(), *OF_ORACLE.values(), *COMPILERS})


def taking_part(config: Config, oracle: str, others: Iterable[str] = ()) -> dict[str, str]:
    """The version of each library that a file was trained, written and judged with, by name.

    Args:
        config: with the teachers that the file's student listened to.
        oracle: the interpreter that judges the file.
        others: packages that the target adds.

    >>> "tensorflow-model-optimization" in taking_part(Config(sparsity=0.0, quantize_epochs=0), "litert")
    False
    """
    wanted = {*ALWAYS, *others}
    if config.sparsity > 0 or config.quantize_epochs > 0:
        wanted.add(PRUNING)
    names = [(OF_TEACHER, teacher) for teacher in config.teachers] + [(OF_ORACLE, oracle)]
    wanted |= {table[name] for table, name in names if name in table}
    return versions(wanted)


def versions(names: set[str]) -> dict[str, str]:
    """The version of each package of these that is installed, by name."""
    found = {}
    for name in sorted(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
