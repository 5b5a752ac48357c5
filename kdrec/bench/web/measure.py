"""How fast an exported page recommends in Chromium on this machine."""

import json
import queue
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from kdrec.bench.web import npm
from kdrec.bench.web.chromium import check_installed, showing
from kdrec.bench.web.site import serving
from kdrec.errors import RuntimeFileError

LITERTJS = "@litertjs/core"
# What LiteRT.js fetches says how it runs: it takes the first where the browser has relaxed SIMD.
KINDS = {"litert_wasm_internal.wasm": "relaxed SIMD, 1 thread", "litert_wasm_compat_internal.wasm": "1 thread"}


@dataclass(frozen=True)
class Call:
    """One kind of call.

    Args:
        name: a signature of the file, or `recommend()` of the page's module.
        batch: how many calls the browser's clock saw as one.
        latency_us_p50, latency_us_p90: percentiles over the batches, in microseconds a call.
    """

    name: str
    batch: int
    latency_us_p50: float
    latency_us_p90: float


@dataclass(frozen=True)
class InBrowser:
    """What a page costs in a browser.

    Args:
        browser: and its version.
        runtime: and how it runs, as far as the files say that it fetched.
        cases: golden histories that took turns.
        memory_bytes: all of WebAssembly's memory, the runtime's among it.
        calls: the signature; and `recommend()`, where none was asked for.
    """

    browser: str
    runtime: str
    cases: int
    memory_bytes: int
    calls: tuple[Call, ...]


def measure(
    folder: Path, signature: str | None = None, runs: int = 200, warmup: int = 20, timeout: float = 300.0
) -> InBrowser:
    """Time an exported page's bundle with LiteRT.js in Chromium without a window.

    The page is served by this process to this machine alone, with a script of kdrec's in place of its own, which posts
    what it found. A browser's clock is coarse, so calls are timed in batches that take at least 20 of its steps. A call
    of a signature goes from JavaScript's arrays to JavaScript's arrays, through WebAssembly's memory and back; one of
    `recommend()` from ids to the list of ten with titles, the history left out.

    Args:
        folder: that `kdrec export --backend page` wrote, to be thrown away afterwards: its script is replaced.
        signature: to call; None takes `recommend` if the file has it, else `score`, and then `recommend()`.
        runs: batches that are timed, of each call.
        warmup: calls before; the browser gets at least half a second more to finish compiling.
        timeout: seconds after which the browser is given up.

    Raises:
        RuntimeFileError: Chromium or LiteRT.js is not installed or cannot start, the page failed, or took too long.
    """
    check_installed()
    wanted = json.loads((folder / "package.json").read_text())["dependencies"][LITERTJS]
    package = npm.link(LITERTJS, folder / "node_modules", wanted)
    (folder / "page.js").write_bytes(files("kdrec.bench.web").joinpath("bench.js").read_bytes())
    (folder / "asked.json").write_text(json.dumps({"signature": signature, "runs": runs, "warmup": warmup}))
    with serving(folder) as site, showing(site.address) as browser:
        until = time.monotonic() + timeout
        while True:
            try:
                content = site.answers.get(timeout=0.2)
                break
            except queue.Empty:
                pass
            if browser.has_ended():
                raise RuntimeFileError(f"Chromium ended before it answered: {browser.last_words()}")
            if time.monotonic() > until:
                raise RuntimeFileError(
                    f"the page in Chromium did not finish {runs} runs in {timeout:g} seconds; ask for fewer runs"
                )
        runtime = f"LiteRT.js {json.loads((package / 'package.json').read_text())['version']}"
        return read_answer(content, runtime, site.asked)


def read_answer(content: bytes, runtime: str, asked: Sequence[str]) -> InBrowser:
    """What the page posted, as figures.

    Args:
        content: its JSON.
        runtime: name and version.
        asked: paths that the page fetched.

    Raises:
        RuntimeFileError: the page says why it failed, or the answer is no such JSON.

    >>> read_answer(b'{"error": "TypeError: odd"}', "", ())
    Traceback (most recent call last):
      ...
    kdrec.errors.RuntimeFileError: the page in Chromium failed: TypeError: odd
    """
    try:
        told: dict[str, Any] = json.loads(content)
        said = told.get("error")
        found = None if said is not None else _figures(told, runtime, asked)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise RuntimeFileError(
            f"the page in Chromium gave no figures but {content[:80]!r}; export the page again"
        ) from error
    if found is None:
        raise RuntimeFileError(f"the page in Chromium failed: {said}")
    return found


def _figures(told: dict[str, Any], runtime: str, asked: Sequence[str]) -> InBrowser:
    kind = next((kind for name, kind in KINDS.items() if any(path.endswith(f"/{name}") for path in asked)), "")
    return InBrowser(
        browser=f"Chromium {told['browser']}",
        runtime=", ".join(filter(None, (runtime, kind))),
        cases=int(told["cases"]),
        memory_bytes=int(told["memory_bytes"]),
        calls=tuple(_call(name, found) for name, found in told["calls"].items()),
    )


def _call(name: str, found: dict[str, Any]) -> Call:
    p50, p90 = (float(value) for value in np.percentile(found["microseconds"], [50, 90]))
    return Call(name, int(found["batch"]), p50, p90)
