from importlib import import_module

from kdrec import variants


def names() -> list[str]:
    """The losses, sorted by name."""
    return variants.names(__name__)


def get(name: str):
    """The class around a loss's formula: `softened_kl` names the function, `SoftenedKl` in the same file the class."""
    formula = variants.get(__name__, name)
    return getattr(
        import_module(formula.__module__), "".join(part.capitalize() for part in formula.__name__.split("_"))
    )
