from functools import partial

from kdrec import variants

names = partial(variants.names, __name__)
get = partial(variants.get, __name__)
