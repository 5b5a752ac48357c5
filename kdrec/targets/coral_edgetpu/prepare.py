"""What a bundle for the Edge TPU carries beside its model: the compiler's command, and what will stay on the chip."""

from importlib.resources import files

from kdrec.targets.base.on_chip import placed
from kdrec.targets.base.subject import subject
from kdrec.targets.base.target import Finished

SCRIPT = "compile.sh"


def script() -> bytes:
    """The script that compiles a bundle's model where `edgetpu_compiler` is installed, and says so where it is not."""
    return files("kdrec.targets.coral_edgetpu").joinpath(SCRIPT).read_bytes()


def prepared(content: bytes, on_chip: int) -> Finished:
    """The compiler's script, and how much of a file the chip will keep between calls, an estimate.

    Args:
        content: of the int8 .tflite file.
        on_chip: bytes of parameters that the chip keeps.

    Raises:
        RuntimeFileError: the bytes are no readable .tflite file.
    """
    constants = placed(subject(content), on_chip)
    matrices = [each for each in constants if each.is_matrix]
    return Finished(
        {SCRIPT: script()},
        {
            "on_chip_bytes": sum(each.bytes for each in constants if each.on_chip),
            "streamed_bytes": sum(each.bytes for each in constants if not each.on_chip),
            "on_chip_matrices": sum(each.on_chip for each in matrices),
            "streamed_matrices": sum(not each.on_chip for each in matrices),
        },
    )
