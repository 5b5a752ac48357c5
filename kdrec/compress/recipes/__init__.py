from functools import partial

from kdrec import variants
from kdrec.compress.recipes.base import decode

names = partial(variants.names, __name__)
get = partial(decode, __name__)
