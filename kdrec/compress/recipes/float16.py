"""Weights stored as float16, computed as float32: half the bytes."""

from kdrec.compress.recipes.base import Recipe

float16 = Recipe("float16", weights="float16", activations="float32")
