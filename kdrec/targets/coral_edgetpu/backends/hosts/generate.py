"""Host runners for an Edge TPU, in Python and in C++, beside the bundle that they run."""

from importlib.resources import files
from string import Template

from kdrec.bundle.manifest import NAME
from kdrec.bundle.read import Bundle
from kdrec.errors import TargetError
from kdrec.targets.base.on_chip import placed
from kdrec.targets.base.subject import Subject, subject
from kdrec.targets.coral_edgetpu.backends.hosts.numbers import numbers
from kdrec.targets.coral_edgetpu.prepare import SCRIPT, script
from kdrec.targets.coral_edgetpu.target import ON_CHIP

AS_THEY_ARE = (
    *("recommend.py", "main.cc", "manifest.h"),
    *("recommender.h", "recommender.cc", "host.h", "host.cc", "device.h", "device.cc", "litert.cc", "tflite.cc"),
)
FILLED_IN = ("manifest.cc", "README.md")


def hosts(content: bytes, bundle: Bundle | None = None) -> dict[str, bytes]:
    """A folder that recommends: the bundle, a host in Python, one in C++, and the compiler's command.

    Args:
        content: of the bundle's .tflite file.
        bundle: with a host part; a file alone does not say how its inputs are made.

    Returns:
        Content by file name.

    Raises:
        TargetError: there is no bundle, or its device takes or gives something else than int8.
        RuntimeFileError: the file is no .tflite file.
    """
    if bundle is None or bundle.manifest.host is None:
        raise TargetError(
            "the hosts of an Edge TPU need the whole bundle, whose manifest says what the host computes; give the "
            "folder that `kdrec run --target coral_edgetpu` wrote"
        )
    looked_at = subject(content)
    home = files("kdrec.targets.coral_edgetpu.backends.hosts")
    filled = {**numbers(bundle, looked_at), **_said(bundle, looked_at)}
    made = {name: Template(home.joinpath(name).read_text("utf-8")).substitute(filled).encode() for name in FILLED_IN}
    lines = [f"{item}\t{_plain(title)}" for item, title in zip(bundle.items.ids, bundle.items.titles, strict=True)]
    lines += [str(item) for item in bundle.items.rare]
    return {
        SCRIPT: script(),
        **bundle.files,  # its own script, if it has one: the manifest holds that one's checksum
        NAME: bundle.manifest.to_json(),
        **{name: home.joinpath(name).read_bytes() for name in AS_THEY_ARE},
        **made,
        "items.tsv": ("\n".join(lines) + "\n").encode(),
    }


def _said(bundle: Bundle, looked_at: Subject) -> dict[str, str]:
    """What the README leaves open."""
    command = next(line for line in script().decode().splitlines() if line.startswith("edgetpu_compiler"))
    constants = [each for each in placed(looked_at, ON_CHIP) if each.is_matrix]
    streamed = sum(each.bytes for each in constants if not each.on_chip)
    kept = "\n".join(f"- {each}" for each in constants)
    return {
        "command": command,
        "example": str(bundle.items.ids[0]),
        "kept": f"By estimate the chip keeps up to {ON_CHIP:,} bytes of parameters, and {streamed:,} are streamed at "
        f"every call:\n\n{kept}",
    }


def _plain(text: str) -> str:
    """A title without what would end its line."""
    return " ".join(text.split())
