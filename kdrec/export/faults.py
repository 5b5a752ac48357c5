"""What a failure of the TensorFlow Lite converter means, and the way out of it."""

import re
import signal

LAST_LINES = 8  # of the converter's complaints that an error repeats
LAST_CHARACTERS = 1000  # of what it said of one conversion
NO_OPERATOR = re.compile(r"^(?:TF Select|Custom) ops: (.+?)\s*$", re.MULTILINE)
NO_MEMORY = re.compile(r"MemoryError|bad_alloc|out of memory|OOM when|annot allocate|ailed to allocate|pthread_create")
NOISE = re.compile(
    r"^[IW]\d{4} |failed call to cuInit|^\s*@ +0x|^\s*$|WARNING|Warning|warnings\.warn|^fully_quantize"
    r"|\[migration guide\]|^\s+(TF 2|for details)"
)
MORE_MEMORY = "free some memory, convert for fewer targets at once, or give the student a smaller table"


def refused(said: str) -> str:
    """Why the converter raised, in a sentence with the way out.

    Args:
        said: the type and the words of what it raised.

    >>> refused("ConverterError: 'tf.Det' …\\nTF Select ops: Det, StringLength\\nDetails:\\n …")
    'LiteRT has no operator for Det, StringLength; build it of other TensorFlow functions, or do that before the model'
    >>> refused("ValueError: a scale is missing")
    'the TensorFlow Lite converter refused it: ValueError: a scale is missing; the recipe float32 asks least of it'
    """
    missing = dict.fromkeys(name for listed in NO_OPERATOR.findall(said) for name in listed.split(", "))
    if missing:
        names = ", ".join(missing)
        return (
            f"LiteRT has no operator for {names}; build it of other TensorFlow functions, or do that before the model"
        )
    if NO_MEMORY.search(said):
        return f"the TensorFlow Lite converter ran out of memory; {MORE_MEMORY}"
    shortened = said if len(said) <= LAST_CHARACTERS else f"… {said[-LAST_CHARACTERS:]}"
    return f"the TensorFlow Lite converter refused it: {shortened}; the recipe float32 asks least of it"


def died(code: int, complaints: str) -> str:
    """How the converter's process ended, with the way out, and its last words.

    Args:
        code: as `subprocess` gives it: a signal's number, negative, or an exit status.
        complaints: all that it wrote.

    >>> died(-9, "")
    "the converter's process was ended by SIGKILL, often for lack of memory; free some memory, ..."
    """
    if code >= 0:
        how = f"ended with exit status {code}"
    elif NO_MEMORY.search(complaints) or -code == signal.SIGKILL:
        often = ", often" if -code == signal.SIGKILL else ""
        how = f"was ended by {signal.Signals(-code).name}{often} for lack of memory; {MORE_MEMORY}"
    else:
        how = (
            f"was ended by {signal.Signals(-code).name}; in int8, recurrent layers need unroll=True, and the recipe "
            "float32 asks least of the converter"
        )
    return with_last_words(f"the converter's process {how}", complaints)


def with_last_words(sentence: str, complaints: str) -> str:
    """A sentence and the last lines of what a process wrote, without notices and addresses."""
    lines = [line for line in complaints.splitlines() if not NOISE.search(line)][-LAST_LINES:]
    return "\n  ".join([f"{sentence}; it last said:", *lines]) if lines else sentence
