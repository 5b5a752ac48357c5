"""A chain of students: what each learns from, that it can be cut, and a student as a teacher."""

import numpy as np
import pytest
import tf_keras as keras

from kdrec.data.sampled import sampled_histories
from kdrec.data.sets.demo import demo
from kdrec.data.splits import leave_last_out
from kdrec.distill import asking
from kdrec.distill.asking import ask_teacher, needs_of, stored_top
from kdrec.distill.chain import StudentTeacher, chain, fitted
from kdrec.distill.rows import rows_of
from kdrec.distill.teacher_cache import TeacherCache
from kdrec.distill.train import train
from kdrec.errors import DataError
from kdrec.losses.de import De
from kdrec.losses.feature_matching import FeatureMatching
from kdrec.losses.hetcomp import Hetcomp
from kdrec.losses.rrd import Rrd
from kdrec.losses.softened_kl import SoftenedKl
from kdrec.models.students.history import history
from kdrec.models.teachers.als import als
from kdrec.models.teachers.ease import ease

pytestmark = pytest.mark.usefixtures("eagerly_in_module")

OPTIONS = {"student_loss_weight": 0.2, "epochs": 2, "batch_size": 128, "cuts_per_user": 4}


@pytest.fixture(scope="module")
def split():
    return leave_last_out(demo(users=50, items=40))


def builders(split, *widths):
    names = {name: len(column.vocabulary) for name, column in split.train.context.items()}
    return [
        lambda width=width: history(
            split.train.n_items, embedding_dim=width, history_length=5, hidden=4, context=names
        )
        for width in widths
    ]  # fmt: skip


def weights(students):
    return [weight for student in students for weight in student.get_weights()]


@pytest.mark.parametrize("tied", [True, False])
def test_a_student_says_as_a_teacher_what_it_says_as_a_student(split, tied):
    student = history(40, embedding_dim=6, history_length=5, tied=tied, context={"daypart": 4})
    teacher = StudentTeacher(student, ordered=True)
    x = {"history": np.array([[0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0, 9]], np.int32), "user": np.arange(2)}
    x["daypart"] = np.array([1, 3], np.int32)
    expected = student.predict({"history": x["history"][:, -5:], "daypart": x["daypart"]}, verbose=0)
    np.testing.assert_allclose(teacher(x), expected, rtol=1e-5, atol=1e-6)
    assert teacher.user_embedding(x).shape == (2, 6) and teacher.item_embedding.shape == (40, 6)
    np.testing.assert_allclose(teacher.user_embedding(x) @ teacher.item_embedding.T, expected, rtol=1e-5, atol=1e-6)


def test_a_longer_set_is_read_all_over():
    """In seven places five are read; of three tokens all."""
    rows = np.array([[1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 5, 6, 7]])
    assert fitted(rows, 5, ordered=False).tolist() == [[2, 3, 5, 6, 7], [0, 0, 5, 6, 7]]
    assert fitted(rows, 9, ordered=False).tolist() == [[0, 0, *row] for row in rows.tolist()]
    assert fitted(rows, 9, ordered=True).tolist() == [[0, 0, *row] for row in rows.tolist()]
    many = np.random.default_rng(0).permuted(np.tile(np.arange(1, 41), (3, 1)), axis=1)
    many[1, :30] = 0
    for row, left in zip(fitted(many, 12, ordered=False), many, strict=True):
        read = row[row > 0]
        assert len(set(read.tolist())) == min(12, np.count_nonzero(left)) == len(read)
        assert set(read.tolist()) <= set(left.tolist())


def test_what_is_stored_is_what_losses_and_weighting_read():
    assert needs_of([SoftenedKl(), De()]) == {"scores", "user_embedding", "item_embedding"}
    assert needs_of([FeatureMatching()], "teacher_confidence") == {"user_embedding", "scores"}
    assert stored_top([Rrd(top=10)]) == 200 and stored_top([Rrd(top=300)]) == 300


@pytest.mark.slow
def test_each_student_learns_from_the_one_before(split, tmp_path):
    teacher = ease(split.train, ordered=True)
    first, second = chain(split, teacher, builders(split, 8, 3), tmp_path, losses=lambda: [Rrd(top=10)], **OPTIONS)
    assert (first.get_layer("query").output_shape[1], second.get_layer("query").output_shape[1]) == (8, 3)
    rows = rows_of(split, 4)
    caches = [TeacherCache.open(tmp_path / f"cache-{number}") for number in (1, 2)]
    assert [cache.meta["teacher"] for cache in caches] == ["ease", "student"]
    for number, asked in ((0, teacher), (1, StudentTeacher(first, ordered=True))):
        expected = TeacherCache.write(
            tmp_path / "expected", asked, *rows[:3], needs={"top_items"}, scale=caches[number].meta["scale"]
        )
        assert np.array_equal(caches[number].arrays["top_items"], expected.arrays["top_items"])
    alone = chain(split, teacher, builders(split, 3), tmp_path / "alone", losses=lambda: [Rrd(top=10)], **OPTIONS)
    assert any((a != b).any() for a, b in zip(weights([second]), weights(alone), strict=True))


@pytest.mark.slow
def test_a_cut_chain_goes_on_and_ends_with_the_same_students(split, tmp_path, monkeypatch):
    teacher, told = als(split.train, ordered=True, factors=5), []
    losses = {"losses": lambda: [FeatureMatching(), SoftenedKl()]}  # the first has weights of its own
    whole = chain(split, teacher, builders(split, 6, 3), tmp_path / "whole", **losses, **OPTIONS)

    def cut(stage, done, total, note):
        told.append(stage)
        if (stage, done) == ("student-2", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chain(split, teacher, builders(split, 6, 3), tmp_path / "cut", progress=cut, **losses, **OPTIONS)
    assert list(dict.fromkeys(told)) == ["cache-1", "student-1", "cache-2", "student-2"]
    keras.utils.set_random_seed(9)
    monkeypatch.setattr(asking, "calibrated_scale", None)  # no cache is written again
    again = chain(split, teacher, builders(split, 6, 3), tmp_path / "cut", **losses, **OPTIONS)
    assert all(np.array_equal(a, b) for a, b in zip(weights(whole), weights(again), strict=True))


def test_sampled_histories_are_asked_about_too(split, tmp_path):
    sampled = sampled_histories(split.train, 40, ordered=True)
    teacher = ease(split.train, ordered=True)
    (student,) = chain(
        split, teacher, builders(split, 4), tmp_path, losses=lambda: [SoftenedKl()], sampled=sampled, **OPTIONS
    )
    assert len(TeacherCache.open(tmp_path / "cache-1")) == len(rows_of(split, 4).users) + 40
    (alone,) = chain(split, teacher, builders(split, 4), tmp_path / "b", losses=lambda: [SoftenedKl()], **OPTIONS)
    assert any((a != b).any() for a, b in zip(weights([student]), weights([alone]), strict=True))


def test_what_no_chain_is_is_refused(split, tmp_path):
    teacher = ease(split.train, ordered=True)
    with pytest.raises(DataError, match="students must build at least one student, not none"):
        chain(split, teacher, [], tmp_path, losses=lambda: [SoftenedKl()])
    with pytest.raises(DataError, match="need 'snapshot_items' cannot be met by teacher 'ease'"):
        chain(split, teacher, builders(split, 4), tmp_path, losses=lambda: [Hetcomp()], **OPTIONS)
    chain(split, teacher, builders(split, 4), tmp_path, losses=lambda: [SoftenedKl()], **OPTIONS)
    with pytest.raises(DataError, match="fingerprint of teacher cache .*cache-1 must be that of the data"):
        chain(split, teacher, builders(split, 4), tmp_path, losses=lambda: [SoftenedKl()], cuts_per_user=2)


def test_a_teacher_is_asked_for_what_the_losses_need(split, tmp_path):
    teacher = ease(split.train, ordered=True)
    cache = ask_teacher(tmp_path / "answers", teacher, split, [Rrd(top=10)], cuts_per_user=2)
    assert (cache.fields, len(cache)) == ({"top_items", "top_scores"}, len(rows_of(split, 2).users))
    student = history(split.train.n_items, embedding_dim=4, history_length=5)
    train(student, split, cache=cache, losses=[Rrd(top=10)], cuts_per_user=2, epochs=1)

    again = ask_teacher(tmp_path / "answers", None, split, [Rrd(top=10)], cuts_per_user=2, resume=True)
    assert np.array_equal(again.arrays["top_items"], cache.arrays["top_items"])
    with pytest.raises(DataError, match="must be that of the data and rows in use"):
        ask_teacher(tmp_path / "answers", teacher, split, [Rrd(top=10)], cuts_per_user=3, resume=True)
    with pytest.raises(DataError, match="has no item_embedding, user_embedding"):
        ask_teacher(tmp_path / "answers", teacher, split, [De()], cuts_per_user=2, resume=True)
    replaced = ask_teacher(tmp_path / "answers", teacher, split, [SoftenedKl()], cuts_per_user=2)
    assert "scores" in replaced.fields
