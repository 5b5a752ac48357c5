"""A recommender for the browser: an ES module on LiteRT.js, a page that uses it, and the bundle beside them."""

import base64
import hashlib
import html
import json
from importlib.resources import files
from string import Template

from kdrec.bundle.manifest import NAME
from kdrec.bundle.read import Bundle
from kdrec.errors import TargetError
from kdrec.files import canonical_json, sha256_of

COPIED = (
    *("recommender.js", "bundle.js", "errors.js", "inputs.js", "model.js", "ranking.js", "golden.js"),
    *("page.js", "combobox.js", "search.js", "page.css", "package.json"),
)
MODULES = ("core", "wasm-utils")  # of @litertjs: the second is imported by the first
LARGEST = 2**53 - 1  # integers beyond it lose digits in JavaScript


def page(content: bytes, bundle: Bundle | None = None) -> dict[str, bytes]:
    """The files of a static web page that recommends without any server's help.

    Args:
        content: of the .tflite file, which is the bundle's.
        bundle: that it is from.

    Returns:
        Content by file name: the page, the module `recommender.js` with what it imports, `package.json`, which names
        the version of LiteRT.js, `README.md`, and every file of the bundle as it is.

    Raises:
        TargetError: no bundle, or its ids are integers that JavaScript cannot hold.
    """
    if bundle is None:
        raise TargetError("a page needs titles and checksums beside the file; give the folder of a bundle")
    outside = [item for item in (*bundle.items.ids, *bundle.items.rare) if type(item) is int and abs(item) > LARGEST]
    if outside:
        raise TargetError(
            f"ids must be at most {LARGEST} for a browser, whose numbers lose digits beyond, received {outside[0]}; "
            f"make the ids of the log texts"
        )
    home = files("kdrec.targets.web.backends.page")
    manifest = (bundle.folder / NAME).read_bytes()
    package = json.loads(home.joinpath("package.json").read_text("utf-8"))
    import_map = _import_map()
    filled = {
        "index.html": {
            "name": html.escape(bundle.manifest.name),
            "manifest_sha256": sha256_of(manifest),
            "import_map": import_map,
            "policy": _policy(import_map),
        },
        "README.md": {
            "litert": package["dependencies"]["@litertjs/core"],
            "example": json.dumps(list(bundle.items.ids[:2]), ensure_ascii=False),
            "context": f" ({', '.join(bundle.manifest.context)})" if bundle.manifest.context else "",
            "signatures": ", ".join(f"`{name}`" for name in sorted(bundle.manifest.signatures)),
        },
    }
    written = {name: Template(home.joinpath(name).read_text("utf-8")).substitute(filled[name]) for name in filled}
    return {
        **{name: home.joinpath(name).read_bytes() for name in COPIED},
        **{name: text.encode() for name, text in written.items()},
        **bundle.files,
        NAME: manifest,
    }


def _import_map() -> str:
    """Where a browser finds what npm installed."""
    return canonical_json(
        {"imports": {f"@litertjs/{name}": f"./node_modules/@litertjs/{name}/dist/index.js" for name in MODULES}}
    )


def _policy(import_map: str) -> str:
    """A Content-Security-Policy under which nothing but the page's own server is reached.

    >>> "connect-src 'self'" in _policy("{}")
    True
    """
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{digest}'",
            "connect-src 'self'",
            "style-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
