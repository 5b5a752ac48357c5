"""Objects become the bytes of a .tflite file: equal objects, equal bytes."""

import hashlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kdrec.tflite.read import IDENTIFIER

DATA_ALIGNMENT = 16  # bytes; the schema's force_align, which flatbuffers' Python does not apply


def pack(model: schema.ModelT) -> bytes:
    """Write a model, with every equal part stored once.

    Three signatures over one encoder repeat most of their shapes, scales, options and operators; a flatbuffer is a
    tree of offsets, so equal parts may share one place.

    Args:
        model: what `kdrec.tflite.read.parse` gave, changed or not.

    Returns:
        The bytes of the file; constants begin at multiples of 16 bytes, which microcontrollers need.
    """
    builder = _SharingBuilder(1024 + sum(0 if buffer.data is None else len(buffer.data) for buffer in model.buffers))
    plain = model.buffers
    model.buffers = [_aligned(buffer) for buffer in plain]
    try:
        builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    finally:
        model.buffers = plain
    return bytes(builder.Output())


class _AlignedBufferT(schema.BufferT):
    def Pack(self, builder):
        builder.StartVector(1, len(self.data), DATA_ALIGNMENT)
        builder.head -= len(self.data)
        builder.Bytes[builder.head : builder.head + len(self.data)] = self.data.tobytes()
        data = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


def _aligned(buffer: schema.BufferT) -> schema.BufferT:
    if buffer.data is None or len(buffer.data) == 0:
        return schema.BufferT()
    return _AlignedBufferT(data=np.asarray(buffer.data, np.uint8))


class _SharingBuilder(flatbuffers.Builder):
    """A builder that takes back what it has just written when the same is already there."""

    def __init__(self, size: int):
        super().__init__(size)
        self.vtables: dict[tuple, int] = {}
        self._written: dict[tuple, int] = {}
        self._fields: list[tuple] = []

    def _share(self, key: tuple, start: int, place: int) -> int:
        known = self._written.setdefault(key, place)
        if known != place:
            self.head = len(self.Bytes) - start
            self.vtables = {layout: at for layout, at in self.vtables.items() if at <= start}
        return known

    def StartObject(self, numfields):
        self._fields, self._start = [], self.Offset()
        super().StartObject(numfields)

    def PrependSlot(self, flags, o, x, d):
        self._fields.append((o, flags.__name__, x))
        super().PrependSlot(flags, o, x, d)

    def PrependUOffsetTRelativeSlot(self, o, x, d):
        self._fields.append((o, "offset", x))
        super().PrependUOffsetTRelativeSlot(o, x, d)

    def EndObject(self):
        n_fields = len(self.current_vtable)
        return self._share(("table", n_fields, *self._fields), self._start, super().EndObject())

    def StartVector(self, elemSize, numElems, alignment):
        self._start, self._extent, self._holds_offsets = self.Offset(), (elemSize, numElems, alignment), False
        return super().StartVector(elemSize, numElems, alignment)

    def PrependUOffsetTRelative(self, off):
        self._holds_offsets = True
        super().PrependUOffsetTRelative(off)

    def EndVector(self, numElems=None):
        elem_size, length, alignment = self._extent
        place = super().EndVector()
        if self._holds_offsets:
            return place
        content = hashlib.sha256(memoryview(self.Bytes)[self.head : self.head + 4 + elem_size * length]).digest()
        return self._share(("vector", elem_size, alignment, content), self._start, place)

    def CreateString(self, s, encoding="utf-8", errors="strict"):
        content = s.encode(encoding, errors) if isinstance(s, str) else bytes(s)
        # A string is a vector that ends in a zero, so it never shares with a plain one: alignment 0 marks it.
        self._start, self._extent, self._holds_offsets = self.Offset(), (1, len(content), 0), False
        return super().CreateString(content, encoding, errors)
