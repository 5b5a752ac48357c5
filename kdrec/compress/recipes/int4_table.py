"""As int8, but item rows have four bits a number: half the bytes an item, or twice the width; for LiteRT 1.3 on."""

from kdrec.compress.recipes.base import Recipe

int4_table = Recipe("int4_table", weights="int8", activations="int8", groups=(("item_table", "int4"),))
