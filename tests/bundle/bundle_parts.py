"""A small manifest and the files that go with it; the model is any bytes, for nothing here runs it."""

from kdrec.bundle import DataSource, HistoryInput, Items, Manifest, SignatureSpec, TensorSpec
from kdrec.bundle.host import HostAttention, HostInput, HostPart, HostTable
from kdrec.tflite.oldest_runtime import MeasuredRuntime, Runtime

ITEMS = Items.of(ids=[7, 9, 4], titles=["Tent", "Kettle", "Säge"], popular=[2, 0])
FILES = {
    "model.tflite": b"\x00" * 40,
    "items.json": ITEMS.to_json(),
    "golden.json": b'{"cases":[],"oracle":"litert"}',
}
RUNTIME = MeasuredRuntime(Runtime("tflite-runtime", "2.14.0"), Runtime("ai-edge-litert", "2.0.3"))
ATTENTION = HostAttention(HostTable("scores.npy", 0.25, 0), (1.0, 0.5, 0.0, -1.0), 4.0)  # two heads
HOST = HostPart(
    HostTable("host_table.npy", 0.5, 0),
    {
        "device_input": HostInput("weighted_mean", (1.0, 0.5), 0.5, {"daypart": HostTable("daypart.npy", 0.25, 0)}),
        "attended": HostInput("attention", power=0.5, attention=ATTENTION),
        "rows": HostInput("lookup"),
        "context": HostInput("context", context_tables={"daypart": HostTable("daypart.npy", 0.25, 0)}),
    },
)


def manifest(**fields) -> Manifest:
    history = TensorSpec("int32", (1, 2))
    scores = TensorSpec("int8", (1, 3), scale=0.125, zero_point=-3)
    return Manifest(
        **{
            "name": "tiny",
            "target": "android",
            "recipe": "int8",
            "kdrec": "0.1.0",
            "libraries": {"tensorflow": "2.21.0"},
            "data": DataSource("tiny", "ab" * 32, 3),
            "history": HistoryInput(2, ordered=True),
            "context": {"daypart": ("evening", "morning")},
            "files": {},
            "signatures": {"score": SignatureSpec("model.tflite", {"history": history}, {"scores": scores})},
            "oracle": "litert",
            "metrics": {"ndcg@10": 0.25},
            **fields,
        }
    )
