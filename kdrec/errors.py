"""Every error that kdrec raises on purpose. Each message names the argument, the rule, the value and the way out."""


class KdrecError(Exception):
    """Base of all errors that kdrec raises on purpose; the command line prints it without a traceback."""

    __init__ = Exception.__init__  # so that TensorFlow, which rebuilds errors raised in a compiled step, keeps the type


class DataError(KdrecError, ValueError):
    """The interaction log, a feature table or a split is not what it must be."""


class UnknownNameError(KdrecError, ValueError):
    """A name (of a loss, teacher, target …) that no module carries."""


class TrainingError(KdrecError, ValueError):
    """Training cannot start or cannot go on, for example because a loss is NaN."""


class ConversionError(KdrecError, ValueError):
    """The TensorFlow Lite converter refused the model or died."""


class BundleError(KdrecError, ValueError):
    """A bundle is incomplete, altered, or of a schema that this version does not know."""


class TargetError(KdrecError, ValueError):
    """A file breaks a rule of the device it is meant for."""


class RuntimeFileError(KdrecError, ValueError):
    """A .tflite file cannot be read or run."""


class LogError(KdrecError, ImportError):
    """What a run is to be logged to is not installed."""


class OutputError(KdrecError, OSError):
    """An output folder cannot be written, or holds something that kdrec did not write."""
