import json
import os

import numpy as np
import pytest

from kdrec.data.features import Categorical
from kdrec.data.interactions import Interactions
from kdrec.distill import cache_files, cache_plan
from kdrec.distill.teacher_cache import TeacherCache, fingerprint
from kdrec.errors import BundleError, DataError, OutputError, UnknownNameError

N_ITEMS = 7
LISTS = [[0, 1, 2, 3], [4], [6, 5, 0]]
USERS = np.array([0, 0, 1, 2, 2], np.int32)
CUTS = np.array([2, 4, 1, 0, 3], np.int32)


def log(context=None):
    users = np.repeat(np.arange(3), [len(row) for row in LISTS])
    items = np.concatenate(LISTS)
    return Interactions(users, items, np.arange(3), np.arange(N_ITEMS), context=context or {})


class Table:
    """A teacher whose score of item j after a history is (sum of its tokens) + (j · 3 mod 7); keeps its inputs."""

    name = "table"
    provides = frozenset({"user_embedding"})

    def __init__(self):
        self.shown = []

    def __call__(self, x):
        self.shown.append(x)
        return x["history"].sum(axis=1)[:, None] + (np.arange(N_ITEMS) * 3 % 7)[None] * 1.0

    def user_embedding(self, x):
        return x["history"].sum(axis=1)[:, None] * np.array([1.0, 0.5])


def write(folder, **options):
    return TeacherCache.write(folder / "cache", Table(), log(), USERS, CUTS, **options)


def test_dense_rows_are_the_answers_to_the_cut_histories(tmp_path):
    cache = write(tmp_path, batch_size=2, needs={"scores", "user_embedding"})
    assert cache.fields == {"scores", "user_embedding"}
    sums = np.array([1 + 2, 1 + 2 + 3 + 4, 5, 0, 7 + 6 + 1])  # of tokens, position + 1
    rows = np.array([4, 0, 3])
    batch = cache.batch(rows)
    assert batch["teacher_scores"].dtype == np.float16
    assert np.array_equal(batch["teacher_scores"], sums[rows][:, None] + np.array([0, 3, 6, 2, 5, 1, 4]))
    assert np.array_equal(batch["teacher_user_embedding"], sums[rows][:, None] * np.array([1.0, 0.5]))
    assert len(cache) == 5


def test_top_list_leaves_the_history_out(tmp_path):
    cache = write(tmp_path, dense=False, top=3, batch_size=2)
    assert cache.fields == {"top_items", "top_scores"}
    batch = cache.batch(np.arange(5))
    # Best first, items are 2 4 6 1 3 5 0.
    assert batch["teacher_top_items"].tolist() == [[2, 4, 6], [4, 6, 5], [2, 6, 1], [2, 4, 6], [2, 4, 1]]
    assert batch["teacher_top_scores"][0].tolist() == [3 + 6, 3 + 5, 3 + 4]
    assert (batch["teacher_top_items"].dtype, batch["teacher_top_scores"].dtype) == (np.int32, np.float16)


def test_top_list_is_as_long_as_every_row_can_fill(tmp_path):
    assert write(tmp_path, dense=False).batch(np.arange(5))["teacher_top_items"].shape == (5, N_ITEMS - 4)


def test_a_shorter_history_is_shown_but_all_of_it_is_left_out(tmp_path):
    teacher = Table()
    cache = TeacherCache.write(tmp_path / "c", teacher, log(), USERS, CUTS, history_length=1, dense=False, top=1)
    assert teacher.shown[0]["history"].tolist() == [[2], [4], [5], [0], [1]]
    assert cache.batch(np.array([1]))["teacher_top_items"].tolist() == [[4]]


def test_context_is_that_of_the_event_after_the_cut(tmp_path):
    hours = Categorical([0, 1, 2, 0, 1, 2, -1, 1], ["evening", "morning", "night"])
    teacher = Table()
    TeacherCache.write(tmp_path / "c", teacher, log({"hour": hours}), USERS, CUTS)
    # User 0 has events 0 … 3: after two comes code 2, after four none; user 2 has events 5 … 7.
    assert teacher.shown[0]["hour"].tolist() == [3, 0, 0, 3, 0]


def test_auto_keeps_all_scores_up_to_a_size(tmp_path, monkeypatch):
    size = len(USERS) * N_ITEMS * 2
    monkeypatch.setattr(cache_plan, "DENSE_BYTES", size)
    assert write(tmp_path).fields == {"scores"}
    monkeypatch.setattr(cache_plan, "DENSE_BYTES", size - 1)
    assert write(tmp_path).fields == {"top_items", "top_scores"}


def test_is_read_memory_mapped(tmp_path):
    assert isinstance(write(tmp_path).arrays["scores"], np.memmap)


def test_two_writes_give_equal_bytes_and_progress_counts_rows(tmp_path):
    calls = []
    first = write(tmp_path / "a", batch_size=2, progress=lambda done, rows: calls.append((done, rows)))
    second = write(tmp_path / "b")
    for file in sorted(path.name for path in first.folder.iterdir()):
        assert (first.folder / file).read_bytes() == (second.folder / file).read_bytes()
    assert calls == [(2, 5), (4, 5), (5, 5)]


def test_what_is_not_needed_is_not_asked_for(tmp_path):
    def silent(x):
        raise AssertionError("scores were asked for")

    silent.provides, silent.user_embedding = frozenset({"user_embedding"}), Table().user_embedding
    cache = TeacherCache.write(tmp_path / "c", silent, log(), USERS, CUTS, needs={"user_embedding", "item_counts"})
    assert cache.fields == {"user_embedding", "item_counts"} and len(cache) == 5


def test_a_top_list_stands_beside_all_scores_when_both_are_needed(tmp_path):
    cache = write(tmp_path, needs={"scores", "top_items", "row"}, top=2)
    assert cache.fields == {"scores", "top_items", "top_scores", "row"}
    batch = cache.batch(np.array([3, 1]))
    assert batch["teacher_row"].tolist() == [3, 1] and batch["teacher_row"].dtype == np.int32
    assert batch["teacher_top_items"].tolist() == [[2, 4], [4, 6]]
    assert batch["teacher_scores"].shape == (2, N_ITEMS)
    listed = np.take_along_axis(batch["teacher_scores"], batch["teacher_top_items"], axis=1)
    assert np.array_equal(batch["teacher_top_scores"], listed)


def test_what_follows_from_the_fields_is_there_and_all_else_is_refused(tmp_path):
    cache = write(tmp_path, dense=False)
    cache.check_has({"scores", "top_items", "top_scores"})
    with pytest.raises(DataError, match=r"cache has no item_users, row, it holds top_items, top_scores; write it"):
        cache.check_has({"top_items", "row", "item_users"})
    write(tmp_path / "b", needs={"scores"}).check_has({"top_items", "top_scores"})
    with pytest.raises(DataError, match=r"again with needs=\['row', 'scores', 'user_embedding'\]"):
        write(tmp_path / "c", needs={"row", "user_embedding"}).check_has({"scores"})


def test_needs_that_cannot_be_met_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="needs has no 'embedding'; a teacher cache holds scores, top_items"):
        write(tmp_path, needs={"embedding"})
    with pytest.raises(DataError, match="needs must name a field of scores, .*, and is empty"):
        write(tmp_path, needs=())
    with pytest.raises(
        DataError,
        match="need 'item_embedding' cannot be met by teacher 'table', which provides scores, "
        "user_embedding; use a loss that does without, or a teacher that provides item_embedding$",
    ):
        write(tmp_path, needs={"scores", "item_embedding"})
    with pytest.raises(DataError, match="need 'snapshot_items' .* provides snapshots; als and ease .* snapshots=2"):
        write(tmp_path, needs={"snapshot_items"})
    with pytest.raises(
        DataError, match="need 'user_embedding' cannot be met by teacher 'function', which provides sco"
    ):
        TeacherCache.write(tmp_path / "c", lambda x: None, log(), USERS, CUTS, needs={"user_embedding"})


def test_fingerprint_guards_data_and_rows(tmp_path):
    cache = write(tmp_path)
    right = fingerprint(log(), USERS, CUTS)
    assert TeacherCache.open(cache.folder, right).meta == cache.meta
    other = fingerprint(log(), USERS, CUTS - (CUTS > 3))
    assert other != right
    with pytest.raises(DataError, match=f"in use, {other}, and is {right}; write the cache again"):
        TeacherCache.open(cache.folder, other)


def test_a_damaged_cache_is_refused(tmp_path):
    folder = write(tmp_path).folder
    with pytest.raises(BundleError, match="holds no teacher cache: FileNotFoundError"):
        TeacherCache.open(tmp_path / "nothing")
    content = (folder / "scores.npy").read_bytes()
    (folder / "scores.npy").write_bytes(content[:-5])
    with pytest.raises(BundleError, match="scores.npy cannot be read: .*; write the cache again"):
        TeacherCache.open(folder)
    np.save(folder / "scores.npy", np.zeros((5, N_ITEMS), np.float32))
    with pytest.raises(BundleError, match=r"must be .*'float16'.*, and is .*'float32'"):
        TeacherCache.open(folder)
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps({**meta, "schema": 9}))
    with pytest.raises(BundleError, match="has schema 9, and this version reads 2"):
        TeacherCache.open(folder)
    (folder / "meta.json").write_text("{")
    with pytest.raises(BundleError, match="holds no teacher cache: JSONDecodeError"):
        TeacherCache.open(folder)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (np.zeros((5, N_ITEMS + 1)), r"expected shape \(5, 7\) \(rows, n_items\), received \(5, 8\)"),
        (np.full((5, N_ITEMS), 60_001.0), r"within ±60,000, where float16 can hold them, and one is 60001.0; divide"),
        (np.full((5, N_ITEMS), np.nan), "must be finite .* and one is nan"),
        (np.full((5, N_ITEMS), -np.inf), "must be finite .* and one is -inf"),
    ],
)
def test_wrong_scores_are_refused_and_the_old_cache_stays(tmp_path, scores, said):
    old = write(tmp_path)
    with pytest.raises(DataError, match=said):
        TeacherCache.write(old.folder, lambda x: scores, log(), USERS, CUTS)
    assert TeacherCache.open(old.folder).meta == old.meta
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_scores_at_the_limit_are_kept(tmp_path):
    cache = TeacherCache.write(tmp_path / "c", lambda x: np.full((5, N_ITEMS), 60_000.0), log(), USERS, CUTS)
    assert (cache.batch(np.arange(5))["teacher_scores"] == 60_000.0).all()


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(cache_files, "open_memmap", full)
    with pytest.raises(OutputError, match="no space left to write .*cache"):
        write(tmp_path)


def test_rows_that_cannot_be_answered_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"at least one row, not shapes \(0,\) and \(0,\)"):
        TeacherCache.write(tmp_path / "c", Table(), log(), USERS[:0], CUTS[:0])
    with pytest.raises(DataError, match=r"not shapes \(5,\) and \(4,\)"):
        TeacherCache.write(tmp_path / "c", Table(), log(), USERS, CUTS[1:])
    for name in ("top", "item_top", "snapshots"):
        with pytest.raises(DataError, match=f"{name} must be at least 1, not 0; leave it out for the default"):
            write(tmp_path, **{name: 0})
    everything = Interactions([0, 0], [0, 1], ["ann"], [10, 11])
    with pytest.raises(DataError, match="user 'ann' has 2 pairs of 2 items; leave the user out, or .* dense=True"):
        TeacherCache.write(tmp_path / "c", Table(), everything, np.array([0]), np.array([2]), dense=False)
