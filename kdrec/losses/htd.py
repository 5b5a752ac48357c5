"""Hierarchical Topology Distillation: how groups lie to each other, and inside each group how its members do."""

from typing import Any

import tensorflow as tf
import tf_keras as keras

from kdrec.errors import TrainingError
from kdrec.losses.base import DistillationLoss, check_at_least, check_positive
from kdrec.losses.de import Experts, cooled, de
from kdrec.losses.ftd import by_row, cosines, entities_of


def htd(teacher_entities, student_entities, groups) -> tf.Tensor:
    """(1/|G|) Σ_g (cos(e_i, P_g) − cos(e'_i, P'_g))² + (1/|g_i|) Σ_{j∈g_i} (cos(e_i, e_j) − cos(e'_i, e'_j))², row i.

    P_g is the mean of the entities of group g, in the teacher's space and in the student's; G are the groups that have
    an entity, g_i is that of entity i. Only the coarse relations cross the groups, which asks less of a small student
    than all of them do (Kang et al., KDD 2021, arXiv:2106.08700, with entities against prototypes). Means in
    place of the paper's sums leave the value's size to batch and groups.

    Args:
        teacher_entities: (n, teacher width) e.
        student_entities: (n, student width) e'.
        groups: (n, groups), 1 at the group of each entity and 0 elsewhere.

    Returns:
        (n,) float32, at least 0; 0 where the student's entities are the teacher's, turned or scaled.

    >>> alone = tf.eye(2)  # each entity its own group: cosines 0 and 1 within, 0 against 1 across
    >>> htd(tf.constant([[1.0, 0.0], [0.0, 1.0]]), tf.constant([[3.0], [2.0]]), alone).numpy().tolist()
    [0.5, 0.5]
    """
    sizes = tf.reduce_sum(groups, axis=0)  # (groups,)
    of_prototypes = [cosines(each, _means(each, groups)) for each in (teacher_entities, student_entities)]
    across = tf.reduce_sum(tf.square(of_prototypes[0] - of_prototypes[1]), axis=1)
    together = tf.matmul(groups, groups, transpose_b=True)  # (n, n) 1 within a group
    within = tf.reduce_sum(together * tf.square(cosines(teacher_entities) - cosines(student_entities)), axis=1)
    return across / tf.reduce_sum(tf.cast(sizes > 0, tf.float32)) + within / tf.reduce_sum(together, axis=1)


def _means(entities: tf.Tensor, groups: tf.Tensor) -> tf.Tensor:
    """The mean of each group, 0 for an empty one: (n, width), (n, groups) -> (groups, width)."""
    totals = tf.matmul(groups, tf.cast(entities, tf.float32), transpose_a=True)
    return tf.math.divide_no_nan(totals, tf.reduce_sum(groups, axis=0)[:, tf.newaxis])


@keras.utils.register_keras_serializable("kdrec")
class Htd(DistillationLoss):
    """γ · `htd` + (1 − γ) · the loss of the assignment, of the rows' queries and an item for each row; γ = `share`.

    The groups are learnt: a selector puts an entity, by the teacher's embedding, on one of G distillation paths, small
    networks that rebuild this embedding from the student's (the loss of `de`), so that a group holds entities that one
    path serves. The assignment learns by the paths alone; τ of its Gumbel softmax falls over the training. Paths
    never ship. A row's value depends on the other rows of its batch, also on those that weigh nothing.
    """

    needs = frozenset({"user_embedding", "item_embedding"})
    reads = frozenset({"query", "item_embedding"})
    rows_alone = False

    def __init__(
        self, groups: int = 20, share: float = 0.5, temperature: float = 1.0, end_temperature: float = 0.01,
        seed: int = 0, **kwargs: Any,
    ):  # fmt: skip
        check_at_least("groups", groups, 1)
        if not 0 < share < 1:
            raise TrainingError(f"share must lie between 0 and 1, both left out, not {share}")
        check_positive("temperature", temperature)
        check_positive("end_temperature", end_temperature)
        super().__init__(**kwargs)
        self.groups, self.share, self.seed = groups, share, seed
        self.temperature, self.end_temperature = temperature, end_temperature
        self.paths: Experts | None = None

    def get_config(self) -> dict:
        own = {name: getattr(self, name) for name in ("groups", "share", "temperature", "end_temperature", "seed")}
        return {**super().get_config(), **own}

    def call(self, student, teacher, batch):
        known, learnt = entities_of(student, teacher, batch, self.seed)
        if self.paths is None:  # the widths are known with the first batch
            self.paths = Experts(self.groups, known.shape[-1], learnt.shape[-1], self.seed, name="paths")
        temperature = cooled(self.temperature, self.end_temperature, batch.progress)
        rebuilt, assigned = self.paths(known, learnt, [~self.seed, batch.step], temperature)
        groups = tf.one_hot(tf.argmax(assigned, axis=1), self.groups)
        topology = htd(known, learnt, groups)
        return by_row(self.share * topology + (1.0 - self.share) * de(known, rebuilt, assigned))
