"""Debian's Chromium without a window, driven by its DevTools protocol over two pipes."""

import base64
import json
import os
import select
import shlex
import subprocess
import time
from pathlib import Path
from typing import Any

from kdrec.bench.web.chromium import FLAGS

PATIENCE = 60.0  # seconds for one answer, WebAssembly's compilation among them


class Browser:
    """One tab.

    Args:
        profile: an empty folder for what the browser stores.
    """

    def __init__(self, profile: Path):
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        # It reads descriptor 3 and writes 4; bash, unlike sh, moves descriptors of two digits there.
        run = f'exec chromium {shlex.join(FLAGS)} --user-data-dir="$0" --remote-debugging-pipe about:blank'
        self._process = subprocess.Popen(
            ["bash", "-c", f"{run} 3<&{to_browser} 4>&{from_browser}", str(profile)],
            pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._rest, self._number, self._session = b"", 0, None
        self.events: list[dict] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._out)
        os.close(self._in)

    def call(self, method: str, **parameters: Any) -> dict:
        """The result of one command of the protocol; what happens meanwhile is put to `events`."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + PATIENCE
        while True:
            said = self._next(until)
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]
            self.events.append(said)

    def js(self, code: str) -> Any:
        """The value of an expression in the tab; a promise is waited for."""
        done = self.call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until an expression is true."""
        self.js(
            f"new Promise((done) => {{ const look = () => ({condition}) ? done(true) : setTimeout(look, 20); look() }})"
        )

    def open(self, address: str) -> None:
        """Load a page, and wait until it says `ready` or `failed`."""
        self.events.clear()
        self.call("Page.navigate", url=address)
        self.wait("['ready', 'failed'].includes(document.body?.dataset.state)")

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """A key of the keyboard, down and up."""
        code = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def picture(self, path: Path, width: int, height: int, scheme: str) -> None:
        """A picture of the page at a width, light or dark."""
        self.look(width, height, scheme)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def look(self, width: int, height: int, scheme: str) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last page was opened."""
        sent = [event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in sent]

    def complaints(self) -> list[str]:
        """Errors of scripts, of the network and of the Content-Security-Policy, since the last page was opened.

        What scripts print is none: LiteRT's log goes to `console.error`.
        """
        found = []
        for event in self.events:
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(str(event["params"]["exceptionDetails"]))
            elif event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
                found.append(event["params"]["entry"]["text"])
        return found

    def _next(self, until: float) -> dict:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"Chromium did not answer within {PATIENCE} s"
            part = os.read(self._in, 1 << 16)
            assert part, "Chromium ended"
            self._rest += part
        said, _, self._rest = self._rest.partition(b"\0")
        return json.loads(said)
