"""Weights stored as int8, activations quantized on the device as they come: no calibration, float outputs."""

from kdrec.compress.recipes.base import Recipe

dynamic_int8 = Recipe("dynamic_int8", weights="int8", activations="float32")
