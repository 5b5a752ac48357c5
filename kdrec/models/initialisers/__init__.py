from functools import partial
from importlib import import_module

from kdrec import variants

names = partial(variants.names, __name__)
get = partial(variants.get, __name__)


def needs(name: str) -> frozenset[str]:
    """The fields of a teacher that an initialiser reads: `scores`, `item_embedding`, or none.

    >>> sorted(needs("item_svd"))
    ['item_embedding']
    """
    return import_module(get(name).__module__).NEEDS
