"""Weights stored as int8, the device computes in int16: finer activations at the bytes of int8; for LiteRT."""

from kdrec.compress.recipes.base import Recipe

int16x8 = Recipe("int16x8", weights="int8", activations="int16")
