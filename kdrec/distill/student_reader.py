"""What the losses read of the student, from one forward pass."""

import re
from collections.abc import Callable, Collection
from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.distill.live_teacher import Fields, inputs_of
from kdrec.errors import TrainingError

WRAPPED = re.compile(
    r"^(prune_low_magnitude|prune_rows|cluster|quant)_"
)  # how names begin of layers that TFMOT has wrapped
TABLE, OWN_TABLE = "item_table", "item_scores"  # layers of a student: reads and scores, or scores alone
SCORES = "scores"  # the layer that scores with what `item_table` holds
SPREAD = "every_item"  # the layer of a student whose rare items share a row


def student_reader(student: keras.Model, reads: Collection[str], query_layer: str) -> Callable[[Any, bool], Fields]:
    """A function (inputs, training) -> the student's `scores` and the fields that losses read beside them.

    `query` (rows, d) is the output of `query_layer`, and `item_embedding` (n_items, d) what multiplies it: the table of
    layer `item_scores` or, in a tied student, the rows that layer `scores` makes of what `item_table` holds; items that
    share a row have it all. Gradients flow into both. Layers that are pruned, clustered or rounded are found by their
    own names.

    Raises:
        TrainingError: a layer that is read does not exist.
    """
    if not reads:
        return lambda x, training: {"scores": student(inputs_of(student, x), training=training)}
    layers = {WRAPPED.sub("", layer.name): layer for layer in student.layers}
    outputs = {"scores": student.output}
    if "query" in reads:
        outputs["query"] = _layer(layers, query_layer, f"query_layer {query_layer!r}").output
    if "item_embedding" not in reads:
        return _outputs_of(student, outputs)
    each_item = layers[SPREAD].spread if SPREAD in layers else tf.identity
    if OWN_TABLE in layers:
        read, own = _outputs_of(student, outputs), layers[OWN_TABLE]
        holder = getattr(own, "layer", own)  # whose table is what its wrapper made of it in the same forward pass
        return lambda x, training: {
            **read(x, training), "item_embedding": each_item(tf.convert_to_tensor(holder.shipped(holder.table)))
        }  # fmt: skip
    outputs["held"] = _layer(layers, TABLE, f"item table {TABLE!r} or {OWN_TABLE!r}").output[1:]
    tied, scorer = _outputs_of(student, outputs), _layer(layers, SCORES, f"item scores {SCORES!r}")

    def read_tied(x: Any, training: bool) -> Fields:
        fields = tied(x, training)
        fields["item_embedding"] = each_item(scorer.items(fields.pop("held")))
        return fields

    return read_tied


def _outputs_of(student: keras.Model, outputs: dict[str, Any]) -> Callable[[Any, bool], Fields]:
    model = keras.Model(student.inputs, outputs)
    return lambda x, training: model(list(inputs_of(student, x).values()), training=training)


def _layer(layers: dict[str, keras.layers.Layer], name: str, told: str) -> keras.layers.Layer:
    if name not in layers:
        raise TrainingError(f"{told} is not a layer of the student; its layers are {', '.join(layers)}")
    return layers[name]
