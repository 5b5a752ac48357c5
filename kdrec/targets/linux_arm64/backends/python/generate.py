"""A recommender for Linux on Arm: one Python file, what it needs, and the bundle beside it."""

import shlex
from importlib.resources import files
from string import Template

from kdrec.bundle.manifest import NAME
from kdrec.bundle.read import Bundle
from kdrec.errors import TargetError

TEMPLATES = ("requirements.txt", "README.md")


def python(content: bytes, bundle: Bundle | None = None) -> dict[str, bytes]:
    """The files of a folder that recommends with numpy and LiteRT, and without kdrec.

    Args:
        content: of the .tflite file, which is the bundle's.
        bundle: that it is from.

    Returns:
        Content by file name: `recommend.py`, `requirements.txt` with the version of LiteRT that gave the golden
        vectors, `README.md`, and every file of the bundle as it is.

    Raises:
        TargetError: no bundle.
    """
    if bundle is None:
        raise TargetError("recommend.py needs titles and checksums beside the file; give the folder of a bundle")
    home = files("kdrec.targets.linux_arm64.backends.python")
    ids = list(bundle.items.ids[:2])
    version = bundle.manifest.libraries.get("ai-edge-litert")
    filled = {
        "litert": f"ai-edge-litert=={version}" if version else "ai-edge-litert",
        "example": shlex.join(word for item in ids for word in ("--history", str(item))),
        "ids": repr(ids),
        "context": f" ({', '.join(bundle.manifest.context)})" if bundle.manifest.context else "",
        "signatures": ", ".join(f"`{name}`" for name in sorted(bundle.manifest.signatures)),
    }
    return {
        "recommend.py": home.joinpath("recommend.py").read_bytes(),
        **{name: Template(home.joinpath(name).read_text("utf-8")).substitute(filled).encode() for name in TEMPLATES},
        **bundle.files,
        NAME: (bundle.folder / NAME).read_bytes(),
    }
