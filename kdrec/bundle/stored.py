"""Which files of a bundle a device stores."""

from collections.abc import Mapping


def stored(files: Mapping[str, bytes], model_file: str) -> dict[str, bytes]:
    """The files of a bundle that a device stores: no documents or scripts, and a compiled model for what it is made of.

    >>> sorted(stored({"compile.sh": b"", "model.tflite": b"", "host_table.npy": b""}, "model.tflite"))
    ['host_table.npy', 'model.tflite']
    >>> sorted(stored({"vela.json": b"", "model.tflite": b"", "model_vela.tflite": b""}, "model.tflite"))
    ['model_vela.tflite']
    """
    models = {name: content for name, content in files.items() if not name.endswith((".json", ".sh"))}
    compiled = [name for name in models if name.endswith(".tflite") and name != model_file]
    return {name: content for name, content in models.items() if not compiled or name != model_file}
