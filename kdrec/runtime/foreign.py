"""A .tflite file of unknown origin in LiteRT, in a process of its own: a file that kills it is an error here."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from kdrec.errors import RuntimeFileError
from kdrec.runtime.interpreter import Edge, Ends, SignatureFile, check_threads, one_line
from kdrec.tflite.read import parse

WORKER = Path(__file__).with_name("litert_worker.py")
TIMEOUT = 300.0  # seconds; to load a file, and for one call
LONGEST_LINE = 1 << 20  # of an answer, before its arrays
PIECE = 1 << 20


class ForeignFile(SignatureFile):
    """One .tflite file, ready to run; the process ends with the object. Calls from several threads wait for each other.

    LiteRT crashes on some files that are whole, but ask for what it does not expect. A file of a verified bundle is run
    by `LiteRtFile`, without another process.

    Args:
        content: the file's bytes.
        name: of the file, for errors.
        num_threads: that LiteRT may use.
        timeout: seconds that loading may take, and each call.

    Raises:
        DataError: num_threads below 1.
        RuntimeFileError: the file is cut, altered or uses an op that LiteRT does not have, or killed its process.
    """

    def __init__(
        self, content: bytes, name: str = "model.tflite", num_threads: int = 1, timeout: float = TIMEOUT
    ) -> None:
        check_threads(num_threads)
        self.name, self._timeout = name, timeout
        self._lock = threading.Lock()
        try:
            parse(content)
        except ValueError as error:
            raise RuntimeFileError(f"{name} cannot be loaded: {one_line(error)}; export it again") from error
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # it is closed with the process
        self._held = bytearray()  # of an answer, read and not yet used
        # -P: the worker's folder, kdrec/runtime, must not shadow other modules.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(WORKER)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0,
        )  # fmt: skip
        self._end = weakref.finalize(self, _end, self._process, self._errors)
        told, _ = self._ask({"threads": num_threads}, {"file": np.frombuffer(content, np.uint8)})
        if "error" in told:
            self._end()
            raise RuntimeFileError(
                f"{name} cannot be loaded: {one_line(told['error'])}; export it again, or copy it again if it was "
                f"copied"
            )
        self.signatures = {key: Ends(*map(_edges, both)) for key, both in told["signatures"].items()}

    def _call(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        told, outputs = self._ask({"signature": signature}, inputs)
        if "error" in told:
            raise RuntimeFileError(f"{self.name}: LiteRT failed in {signature!r}: {one_line(told['error'])}")
        return outputs

    def _ask(
        self, message: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        told = {name: (str(array.dtype), array.shape) for name, array in arrays.items()}
        parts = [json.dumps({**message, "arrays": told}).encode() + b"\n"]
        parts += [np.ascontiguousarray(array).tobytes() for array in arrays.values()]
        with self._lock:
            if not self._end.alive:
                raise RuntimeFileError(f"{self.name} crashed LiteRT before; open the file again")
            try:
                _write(self._process.stdin, b"".join(parts))
                return self._answer()
            except (EOFError, BrokenPipeError):
                self._died()
            except RuntimeFileError:
                raise
            except (ValueError, KeyError, TypeError) as error:  # what crashed half may answer anything
                self._end()
                raise RuntimeFileError(
                    f"{self.name} made LiteRT's process answer what cannot be read ({one_line(error)}); the file was "
                    f"altered: export it again"
                ) from error

    def _answer(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        until = time.monotonic() + self._timeout
        while (end := self._held.find(b"\n")) < 0:
            if len(self._held) > LONGEST_LINE:
                raise ValueError("a line without end")
            self._read_more(until)
        message = json.loads(self._taken(end + 1))
        arrays = {}
        for name, (dtype, shape) in message["arrays"].items():
            sizes = tuple(int(size) for size in shape)
            size = np.dtype(dtype).itemsize * int(np.prod(sizes, dtype=np.int64))
            while len(self._held) < size:
                self._read_more(until)
            arrays[name] = np.frombuffer(self._taken(size), dtype).reshape(sizes)
        return message, arrays

    def _taken(self, size: int) -> bytes:
        """The first bytes that were read, which are then no longer held."""
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def _read_more(self, until: float) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        ready, _, _ = select.select([pipe], [], [], max(until - time.monotonic(), 0))
        if not ready:
            self._end()
            raise RuntimeFileError(
                f"{self.name} took LiteRT longer than {self._timeout:g} seconds; give a smaller file"
            )
        part = os.read(pipe.fileno(), PIECE)
        if not part:
            raise EOFError
        self._held += part

    def _died(self) -> NoReturn:
        code = self._process.wait(self._timeout)
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines() or ["no reason given"]
        self._end()
        how = f"crashed LiteRT ({signal.Signals(-code).name})" if code < 0 else f"ended LiteRT's process: {said[-1]}"
        raise RuntimeFileError(
            f"{self.name} {how}; the file was altered, or asks for what LiteRT cannot do: check it with "
            f"`kdrec inspect`, or export it again"
        )


def _edges(told: Mapping[str, Any]) -> dict[str, Edge]:
    return {
        name: Edge(np.dtype(dtype), tuple(shape), float(scale), int(zero_point))
        for name, (dtype, shape, scale, zero_point) in told.items()
    }


def _write(pipe: IO[bytes] | None, content: bytes) -> None:
    assert pipe is not None
    left = memoryview(content)
    while left:
        left = left[pipe.write(left) :]


def _end(process: subprocess.Popen, errors: IO[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, errors):
        if pipe is not None:
            pipe.close()
