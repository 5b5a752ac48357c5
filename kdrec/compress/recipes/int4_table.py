"""As int8, but the item rows have four bits a number, two in a byte: half the bytes an item, or twice the width. For LiteRT 1.3 on."""

from kdrec.compress.recipes.base import Recipe

int4_table = Recipe("int4_table", weights="int8", activations="int8", table="int4")
