from pathlib import Path

import numpy as np
import pytest

N_ITEMS, DIM, LENGTH = 51, 8, 5


@pytest.fixture(scope="session")
def two_signatures(tmp_path_factory) -> Path:
    """A float file with the signatures `embed` and `score` over one (51, 8) table."""
    import tensorflow as tf

    table = np.random.default_rng(0).normal(size=(N_ITEMS, DIM)).astype(np.float32)
    history = tf.TensorSpec((1, LENGTH), tf.int32, name="history")

    class Model(tf.Module):
        def __init__(self):
            self.table = tf.Variable(table)

        @tf.function(input_signature=[history])
        def score(self, history):
            query = tf.reduce_mean(tf.gather(self.table, history), 1)
            return {"scores": tf.matmul(query, self.table, transpose_b=True)}

        @tf.function(input_signature=[history])
        def embed(self, history):
            return {"query": tf.reduce_mean(tf.gather(self.table, history), 1)}

    model, folder = Model(), tmp_path_factory.mktemp("files")
    tf.saved_model.save(model, str(folder / "saved"), signatures={"score": model.score, "embed": model.embed})
    path = folder / "two.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved")).convert())
    return path


@pytest.fixture(scope="session")
def no_signature(two_signatures) -> Path:
    """The same graphs as an old file would hold them: `embed` first, and no signatures."""
    from kdrec.tflite.read import parse
    from kdrec.tflite.write import pack

    model = parse(two_signatures)
    model.signatureDefs = None
    path = two_signatures.with_name("none.tflite")
    path.write_bytes(pack(model))
    return path
