"""Weights and activations in int8, with ranges measured on training histories: what microcontrollers and NPUs run."""

from kdrec.compress.recipes.base import Recipe

int8 = Recipe("int8", weights="int8", activations="int8")
