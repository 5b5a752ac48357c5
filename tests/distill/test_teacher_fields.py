"""What losses are told of the teachers: stored, from a table, asked, or derived; and what is refused by name."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from kdrec.distill.distiller import Distiller
from kdrec.distill.several_caches import SeveralCaches
from kdrec.distill.teacher_fields import completed, longest_top, teacher_reader
from kdrec.errors import TrainingError
from kdrec.losses.base import DistillationLoss
from kdrec.losses.feature_matching import FeatureMatching
from kdrec.losses.rank_softmax import RankSoftmax
from kdrec.losses.score_mse import ScoreMse
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history

ROWS, ITEMS, LENGTH, WIDTH = 5, 7, 3, 2
RNG = np.random.default_rng(0)
USERS, TABLE = RNG.normal(size=(ROWS, WIDTH)), RNG.normal(size=(ITEMS, WIDTH))
SCORES = USERS @ TABLE.T
HISTORY = np.stack([RNG.permutation(ITEMS)[:LENGTH] + 1 for _ in range(ROWS)]).astype(np.int32)
LABELS = np.concatenate([np.zeros((ROWS, 1), np.int32), -HISTORY], axis=1)
SEEN = np.zeros((ROWS, ITEMS), bool)
np.put_along_axis(SEEN, HISTORY - 1, True, axis=1)
RANKED = np.argsort(np.where(SEEN, np.inf, -SCORES), axis=1)[:, : ITEMS - LENGTH]


class Needs:
    def __init__(self, *needs):
        self.needs = frozenset(needs)


def told(x, needs, tables=None, teachers=(None,), top=3):
    tables = [{}] * len(teachers) if tables is None else tables
    return teacher_reader(list(teachers), tables, {"loss Mine": Needs(*needs)}, top)(x, tf.constant(SEEN))


def test_fields_and_tables_are_told_in_the_promised_types():
    x = {
        "history": HISTORY, "teacher_scores": SCORES.astype(np.float16), "teacher_row": np.arange(ROWS, dtype=np.int64),
        "teacher_snapshot_items": np.zeros((ROWS, 2, 3), np.int16),
    }  # fmt: skip
    tables = {"item_users": np.zeros((ITEMS, 2), np.int64), "item_counts": np.arange(ITEMS), "unasked": np.ones(3)}
    needs = ("scores", "row", "snapshot_items", "item_users", "item_counts")
    (fields,) = told(x, needs, [tables])
    assert {name: value.dtype for name, value in fields.items()} == {
        "scores": tf.float32, "row": tf.int32, "snapshot_items": tf.int32, "item_users": tf.int32,
        "item_counts": tf.float32,
    }  # fmt: skip
    assert np.array_equal(fields["scores"], SCORES.astype(np.float16))


def test_top_list_is_derived_from_scores_over_unseen_items():
    (fields,) = told({"teacher_scores": SCORES.astype(np.float32)}, ("top_items", "top_scores"))
    assert fields.keys() == {"top_items", "top_scores"}
    assert np.array_equal(fields["top_items"], RANKED[:, :3]) and fields["top_items"].dtype == tf.int32
    assert np.allclose(fields["top_scores"], np.take_along_axis(SCORES, RANKED[:, :3], axis=1))
    (fields,) = told({"teacher_scores": SCORES}, ("top_items",), top=100)  # more than there are unseen
    assert fields["top_items"].shape == (ROWS, ITEMS)
    assert np.array_equal(fields["top_items"][:, : ITEMS - LENGTH], RANKED)
    assert np.all(fields["top_items"][:, ITEMS - LENGTH :] == -1)


def test_scores_are_the_product_of_the_embeddings():
    (fields,) = told({"teacher_user_embedding": USERS}, ("scores", "top_items"), [{"item_embedding": TABLE}])
    assert np.allclose(fields["scores"], SCORES, atol=1e-6)
    assert np.array_equal(fields["top_items"], RANKED[:, :3])


def test_what_is_stored_is_not_derived_again():
    listed = {"top_items": tf.constant([[6, 5]] * ROWS), "top_scores": tf.constant([[9.0, 8.0]] * ROWS)}
    fields = completed(listed, {"scores", "top_items"}, tf.constant(SEEN), 3)
    assert fields["scores"].numpy().tolist() == [[8, 8, 8, 8, 8, 8, 9]] * ROWS
    assert np.array_equal(fields["top_items"], listed["top_items"])
    both = {"scores": tf.constant(SCORES, tf.float32), "top_items": listed["top_items"]}
    fields = completed(both, {"top_scores"}, tf.constant(SEEN), 3)
    assert np.allclose(fields["top_scores"], SCORES[:, [6, 5]])


def test_longest_top_list_of_the_losses_is_made():
    losses = [RankSoftmax(top=4), RankSoftmax(top=6), SoftenedKl()]
    assert longest_top(losses) == 6
    assert longest_top([SoftenedKl()], default=9) == 9


def test_what_cannot_be_had_is_refused_by_name():
    x = {"history": HISTORY, "teacher_scores": SCORES}
    with pytest.raises(
        TrainingError, match="loss Mine needs the teacher's item_users, row, but it gives scores; choose another loss"
    ):
        told(x, ("scores", "row", "item_users"))
    with pytest.raises(TrainingError, match="loss Mine needs teacher 2's row, but it gives scores"):
        told({**x, "teacher2_scores": SCORES, "teacher_row": np.arange(ROWS)}, ("row",), teachers=(None, None))
    with pytest.raises(TrainingError, match="loss Mine needs the teacher's top_scores, but it gives top_items"):
        told({"teacher_top_items": RANKED}, ("top_scores",))
    with pytest.raises(TrainingError, match="batch holds 'teacher2_scores', the answer of teacher 2, and there are 1;"):
        told({**x, "teacher2_scores": SCORES}, ("scores",))
    with pytest.raises(
        TrainingError, match="scores of the teacher must have one column an item of the student, 7, not 6"
    ):
        told({"teacher_scores": SCORES[:, 1:]}, ("scores",))
    assert told({"history": HISTORY}, ("row",)) == [{}]  # a batch of validation has no teacher
    with pytest.raises(TrainingError, match=r"tables must have one dict a teacher \(2\), not 1"):
        Distiller([None, None], a_student(), SoftenedKl(), tables={"item_counts": np.ones(ITEMS)})
    with pytest.raises(TrainingError, match=r"teacher_weights must have one value a teacher \(1\), not 2"):
        Distiller(lambda x: SCORES, a_student(), SoftenedKl(), teacher_weights=[0.5, 0.5])


def a_student(seed=1):
    return history(ITEMS, embedding_dim=4, history_length=LENGTH, hidden=5, seed=seed)


def judged(distiller, x):
    distiller.compile(keras.optimizers.SGD(0.0), loss=Softmax())
    return distiller.evaluate(x, LABELS, batch_size=ROWS, return_dict=True, verbose=0)["distillation_loss"]


def test_several_teachers_are_weighed():
    x = {"history": HISTORY, "teacher_scores": SCORES, "teacher2_scores": -2 * SCORES}
    student = a_student()
    said = student({"history": HISTORY}).numpy()
    first, second = (
        float(np.mean([np.mean((t[~s] - q[~s]) ** 2) for t, s, q in zip(scores, SEEN, said, strict=True)]))
        for scores in (SCORES, -2 * SCORES)
    )
    loss = ScoreMse()
    equal = judged(Distiller([None, None], student, loss, student_loss_weight=0), x)
    assert equal == pytest.approx(0.5 * first + 0.5 * second, rel=1e-4)
    weighed = Distiller(None, student, loss, [2.0], teacher_weights=[0.3, 1.5])  # used as given
    assert judged(weighed, x) == pytest.approx(2 * (0.3 * first + 1.5 * second), rel=1e-4)
    live = Distiller([None, lambda x: -2 * SCORES], student, loss, teacher_weights=[0.3, 1.5])
    stored = {name: x[name] for name in ("history", "teacher_scores")}
    assert judged(live, stored) == pytest.approx(0.3 * first + 1.5 * second, rel=1e-4)


def test_each_teacher_has_a_projection_of_its_own_and_all_share_a_temperature():
    x = {"history": HISTORY, "teacher_user_embedding": USERS, "teacher2_user_embedding": np.ones((ROWS, 3))}
    x |= {"teacher_scores": SCORES, "teacher2_scores": SCORES}
    losses = [FeatureMatching(), SoftenedKl(temperature=3.0)]
    distiller = Distiller(None, a_student(), losses, teacher_weights=[0.5, 0.5])
    distiller.build_losses(x, LABELS)
    assert distiller.distillation_losses[0].projection.kernel.shape == (4, WIDTH)
    assert distiller.more_losses[0][0].projection.kernel.shape == (4, 3)
    assert len(distiller.trainable_variables) == len(distiller.student.trainable_variables) + 2
    losses[1].temperature.assign(5.0)
    assert float(distiller.more_losses[0][1].temperature) == 5.0


def test_several_caches_are_asked_like_one():
    class Cache:
        def __init__(self, name):
            self.name, self.tables, self.checked = name, {name: TABLE}, []

        def batch(self, rows):
            return {f"teacher_{self.name}": rows}

        def check_answers(self, *what):
            self.checked.append(what)

    caches = [Cache("scores"), Cache("row")]
    several = SeveralCaches(caches)
    assert several.batch(np.array([1])).keys() == {"teacher_scores", "teacher2_row"}
    assert [table.keys() for table in several.tables] == [{"scores"}, {"row"}]
    several.check_answers("log", "users", "cuts")
    assert [cache.checked for cache in caches] == [[("log", "users", "cuts")]] * 2


def test_live_numpy_teacher_tells_its_widths_before_the_first_batch():
    class Teacher:
        provides = frozenset({"user_embedding", "item_embedding"})
        item_embedding = TABLE

        def user_embedding(self, x):
            return np.ones((len(x["history"]), WIDTH))

        def __call__(self, x):
            raise AssertionError("nobody asked for scores")

    class Widths(DistillationLoss):
        needs = frozenset({"user_embedding", "item_embedding"})

        def call(self, student, teacher, batch):
            assert teacher["user_embedding"].shape[1:] == (WIDTH,) and teacher["item_embedding"].shape == (ITEMS, WIDTH)
            return tf.reduce_sum(tf.matmul(teacher["user_embedding"], teacher["item_embedding"], transpose_b=True), 1)

    distiller = Distiller(Teacher(), a_student(), Widths(), student_loss_weight=0)
    assert judged(distiller, {"history": HISTORY}) == pytest.approx(TABLE.sum(), rel=1e-4)
