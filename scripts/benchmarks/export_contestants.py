"""One contestant's conversion of one student, and a look at the file that it gave."""

import gzip
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras
from speed_worker import Run, serve

from kdrec.models.students.history import history

Calibration = Mapping[str, np.ndarray]


def setup(given: dict[str, Any]) -> Mapping[str, Run]:
    """`convert` writes the file, `look` says what it is; the student and all imports are there already."""
    student = random_student(given)
    rng = np.random.default_rng(1)
    calibration = histories(given, rng, given["calibration_rows"])
    compared = histories(given, rng, given["compared_rows"])["history"]
    convert, file = CONTESTANTS[given["contestant"]](student, given), Path(given["file"])

    def converted(count: int) -> dict[str, Any]:
        try:
            file.write_bytes(convert(calibration))
        except Exception as error:  # what a converter says is the result
            return {"error": f"{type(error).__name__}: {str(error)[:1000]}"}
        return {}

    comparable = given["contestant"] != "tensorflow_example"  # whose layers are its own
    return {
        "convert": converted,
        "look": lambda count: look(file, student, compared if comparable else None, given["k"]),
    }


def random_student(given: Mapping[str, Any]) -> keras.Model:
    """A student of random weights, whose items' norms vary as those of trained ones do."""
    sizes = {name: given[name] for name in ("embedding_dim", "history_length", "hidden")}
    student, rng = history(given["n_items"], **sizes), np.random.default_rng(0)
    layer = student.get_layer("item_table")
    table = rng.normal(size=layer.get_weights()[0].shape).astype(np.float32) / np.sqrt(given["embedding_dim"])
    table *= rng.lognormal(0.0, 0.3, (len(table), 1)).astype(np.float32)
    table[0] = 0
    layer.set_weights([table])
    residual = student.get_layer("residual")
    residual.set_weights([rng.normal(0.0, 0.1, weight.shape) for weight in residual.get_weights()])
    return student


def histories(given: Mapping[str, Any], rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """(rows, length) right-aligned tokens of random items, of every length from 1."""
    length, tokens = given["history_length"], np.zeros((rows, given["history_length"]), np.int32)
    for row in tokens:
        n = rng.integers(1, length + 1)
        row[length - n :] = rng.integers(1, given["n_items"] + 1, n)
    return {"history": tokens}


def kdrec(recipe: str) -> Callable[..., Callable[[Calibration], bytes]]:
    """kdrec's file for Android: the signatures recommend, score and embed."""

    def prepared(student: keras.Model, given: Mapping[str, Any]) -> Callable[[Calibration], bytes]:
        from kdrec.compress import recipes
        from kdrec.export import ExportJob, export

        job = ExportJob("android", recipes.get(recipe), topk=given["k"])
        return lambda calibration: export(student, job, calibration).model

    return prepared


def plain(int8: bool, int8_scores: bool = False) -> Callable[..., Callable[[Calibration], bytes]]:
    """TensorFlow's converter as its guide says: of the student with top_k behind its scores."""

    def prepared(student: keras.Model, given: Mapping[str, Any]) -> Callable[[Calibration], bytes]:
        def convert(calibration: Calibration) -> bytes:
            scores, items = tf.math.top_k(student.output, given["k"])
            model = keras.Model(student.inputs, {"items": items, "scores": scores})
            converter = tf.lite.TFLiteConverter.from_keras_model(model)
            if int8:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.representative_dataset = lambda: calls(calibration)
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            if int8_scores:
                converter.inference_output_type = tf.int8
            return converter.convert()

        return convert

    return prepared


def calls(calibration: Calibration) -> Iterator[dict[str, np.ndarray]]:
    for row in calibration["history"]:
        yield {"history": row[np.newaxis]}


def brute_force(student: keras.Model, given: Mapping[str, Any]) -> Callable[[Calibration], bytes]:
    """TensorFlow Recommenders' BruteForce over the float table, saved as its guide says and converted."""
    import tensorflow_recommenders as tfrs

    def convert(calibration: Calibration) -> bytes:
        query = keras.Model(student.inputs, student.get_layer("query").output)
        index = tfrs.layers.factorized_top_k.BruteForce(query, k=given["k"])
        index.index(tf.constant(student.get_layer("item_table").get_weights()[0][1:]))
        index({"history": calibration["history"][:1]})
        with tempfile.TemporaryDirectory() as folder:
            tf.saved_model.save(index, folder)
            return tf.lite.TFLiteConverter.from_saved_model(folder).convert()

    return convert


def example(student: keras.Model, given: Mapping[str, Any]) -> Callable[[Calibration], bytes]:
    """The architecture of TensorFlow's on-device recommendation example, its encoder a bag of words, float32.

    One table reads the history, another one scores; the query goes through one hidden layer, and the 100 best are in
    the graph. Source: tensorflow/examples, lite/examples/recommendation/ml/model.
    """

    class Example(tf.Module):
        def __init__(self) -> None:
            rows, width = student.get_layer("item_table").get_weights()[0], given["embedding_dim"]
            self.context, self.labels = tf.Variable(rows), tf.Variable(rows[1:])
            self.layers = [keras.layers.Dense(units, "relu") for units in (given["hidden"], width)]

        @tf.function(input_signature=[tf.TensorSpec((1, given["history_length"]), tf.int32, name="history")])
        def serve(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
            mask = tf.cast(history != 0, tf.float32)[:, :, tf.newaxis]
            total, count = tf.reduce_sum(tf.gather(self.context, history) * mask, axis=1), tf.reduce_sum(mask, axis=1)
            query = tf.where(count != 0, total / count, tf.zeros_like(total))
            for layer in self.layers:
                query = layer(query)
            scores, items = tf.math.top_k(tf.squeeze(tf.matmul(query, self.labels, transpose_b=True)), 100)
            return {"top_prediction_ids": items, "top_prediction_scores": tf.math.sigmoid(scores)}

    def convert(calibration: Calibration) -> bytes:
        module = Example()
        return tf.lite.TFLiteConverter.from_concrete_functions([module.serve.get_concrete_function()], module).convert()

    return convert


CONTESTANTS: dict[str, Callable[..., Callable[[Calibration], bytes]]] = {
    "kdrec_int8": kdrec("int8"), "kdrec_int4_table": kdrec("int4_table"), "plain_float32": plain(int8=False),
    "plain_int8": plain(int8=True), "plain_int8_scores": plain(int8=True, int8_scores=True),
    "tfrs_brute_force": brute_force, "tensorflow_example": example,
}  # fmt: skip


def look(file: Path, student: keras.Model, compared: np.ndarray | None, k: int) -> dict[str, Any]:
    """The file after gzip, its operators, and the share of the float student's k best items that it gives, too."""
    from kdrec.tflite.views import read

    content = file.read_bytes()
    viewed = read(content)
    operators = sorted(Counter(operator.name for graph in viewed.subgraphs for operator in graph.operators).items())
    kept = None
    if compared is not None:
        lists = zip(best_of_file(content, compared), best_of_student(student, compared, k), strict=True)
        kept = float(np.mean([len(set(ours) & set(exact)) / k for ours, exact in lists]))
    return {"gzip_bytes": len(gzip.compress(content, mtime=0)), "kept": kept, "operators": dict(operators)}


def best_of_student(student: keras.Model, compared: np.ndarray, k: int) -> list[list[int]]:
    query = keras.Model(student.inputs, student.get_layer("query").output)(compared).numpy()
    items = student.get_layer("item_table").get_weights()[0][1:]
    return [np.argsort(-(items @ one), kind="stable")[:k].tolist() for one in query]


def best_of_file(content: bytes, compared: np.ndarray) -> list[list[int]]:
    """What the output of integers says: positions of items, in every contestant's file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    names = list(interpreter.get_signature_list())
    runner = interpreter.get_signature_runner("recommend" if "recommend" in names else names[0])
    answers = [runner(history=row[np.newaxis]) for row in compared]
    items = next(name for name, values in answers[0].items() if values.dtype == np.int32)
    return [answer[items][0].tolist() for answer in answers]


if __name__ == "__main__":
    serve(setup)
