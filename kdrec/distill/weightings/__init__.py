from importlib import import_module

from kdrec import variants


def names() -> list[str]:
    """The weightings, sorted by name."""
    return variants.names(__name__)


def get(name: str):
    """The class around a weighting's formula: `uncertainty` names the function, `Uncertainty` the class."""
    formula = variants.get(__name__, name)
    return getattr(
        import_module(formula.__module__), "".join(part.capitalize() for part in formula.__name__.split("_"))
    )
