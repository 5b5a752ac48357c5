"""The process that holds LiteRT and somebody's file; foreign.py starts it by path, without kdrec.

A message is a line of JSON, and then the bytes of the arrays that its `arrays` name, one after the other. The first
message in is the file; the answer is its signatures. Every further one is a call, and is answered by its outputs.
"""

import json
import os
import sys
from typing import Any, BinaryIO

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def receive(source: BinaryIO) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """A message and its arrays; None at the end."""
    line = source.readline()
    if not line:
        return None
    message = json.loads(line)
    arrays = {}
    for name, (dtype, shape) in message.get("arrays", {}).items():
        size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(source.read(size), dtype).reshape(shape)
    return message, arrays


def send(to: BinaryIO, message: dict[str, Any], arrays: dict[str, np.ndarray] | None = None) -> None:
    told = {name: (str(array.dtype), array.shape) for name, array in (arrays or {}).items()}
    to.write(json.dumps({**message, "arrays": told}).encode() + b"\n")
    for array in (arrays or {}).values():
        to.write(np.ascontiguousarray(array).tobytes())
    to.flush()


def ends(details: dict[str, Any]) -> dict[str, Any]:
    """Type, shape, scale and zero point by name."""
    return {
        name: (np.dtype(each["dtype"]).name, [int(size) for size in each["shape"]], *map(float, each["quantization"]))
        for name, each in details.items()
    }


def main() -> None:
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what LiteRT prints must not stand between the answers
    first = receive(requests)
    if first is None:
        return
    message, arrays = first
    try:
        interpreter = Interpreter(model_content=arrays["file"].tobytes(), num_threads=message["threads"])
        runners = {key: interpreter.get_signature_runner(key) for key in interpreter.get_signature_list()}
        signatures = {
            key: (ends(runner.get_input_details()), ends(runner.get_output_details()))
            for key, runner in runners.items()
        }
        send(answers, {"signatures": signatures})
        while (called := receive(requests)) is not None:
            message, arrays = called
            try:
                send(answers, {}, runners[message["signature"]](**arrays))
            except (ValueError, RuntimeError) as error:
                send(answers, {"error": str(error)})
    except (ValueError, RuntimeError) as error:
        send(answers, {"error": str(error)})


if __name__ == "__main__":
    main()
