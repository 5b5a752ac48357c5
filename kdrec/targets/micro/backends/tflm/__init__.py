from kdrec.targets.micro.backends.tflm.generate import tflm

__all__ = ["tflm"]
