"""No compression: the reference that the other recipes are compared with."""

from kdrec.compress.recipes.base import Recipe

float32 = Recipe("float32", weights="float32", activations="float32")
