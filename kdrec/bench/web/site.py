"""A server of a folder's files on this machine, which is posted one answer."""

import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LONGEST = 1 << 24  # bytes of an answer


class Site(ThreadingHTTPServer):
    """Of one folder, for this machine alone.

    Args:
        folder: that is served.

    Attributes:
        address: of the folder.
        asked: paths that were asked for, in order.
        answers: what was posted.
    """

    def __init__(self, folder: Path):
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server_port}/"
        self.asked: list[str] = []
        self.answers: queue.Queue[bytes] = queue.Queue()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """No word of a browser that ended while it was answered: who ended it says why."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(SimpleHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        super().do_GET()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        self.server.answers.put(self.rfile.read(min(length, LONGEST)))
        self.send_response(204)
        self.end_headers()

    def end_headers(self) -> None:
        # A page that shares nothing with others is given a clock of 5 µs, where others have one of 100.
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing to stderr."""


@contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """A server while the block runs."""
    with Site(folder) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        try:
            yield site
        finally:
            site.shutdown()
