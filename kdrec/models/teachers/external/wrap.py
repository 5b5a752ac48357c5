"""Any scorer as a teacher: a callable, a saved model, a file of scores or embeddings."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.errors import DataError
from kdrec.models.teachers.base.teacher import META, Inputs, Progress, Teacher, load
from kdrec.models.teachers.external.networks import fed, is_network, read_network
from kdrec.models.teachers.external.tables import TABLES, read_table

Scorer = Callable[[Inputs], Any]


def external(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    path: str | Path | None = None,
) -> Teacher:
    """A teacher that is trained already, read from a path for the catalogue of `train`.

    Args:
        train: gives the number of items and users.
        seed, ordered: not read.
        progress: called with (1, 1, {}) at the end.
        path: what `as_teacher` takes.
    """
    if path is None:
        raise DataError("path must name the teacher 'external': a saved model, or a file of scores or embeddings")
    teacher = as_teacher(path, train.n_items, n_users=train.n_users)
    if progress is not None:
        progress(1, 1, {})
    return teacher


def as_teacher(thing: Any, n_items: int, name: str = "external", n_users: int | None = None) -> Teacher:
    """Any scorer as a teacher; it is asked for scores, never for its class.

    Args:
        thing: one of
            a teacher, or the folder that one was saved to;
            a callable from x to scores (rows, n_items): a function, a Keras 2 or Keras 3 model, a SavedModel;
            a path to a saved Keras model (.keras, .h5) or a SavedModel folder. A model is fed its inputs by name; a
            history is cut or padded on the left to the length it reads; a single input of another name is the history;
            a path to scores (.npy, .npz with `scores`, .parquet), (users, items), or to embeddings (.npz or .parquet
            with `user_embedding` (users, d) and `item_embedding` (items, d)). These answer to x["user"] alone.
        n_items: items in the catalogue.
        name: of a callable, in errors.
        n_users: users of the log, of whom a file of scores must have a row each; None leaves that unchecked.

    Raises:
        DataError: a path that holds none of these, or scores for another catalogue or for other users.

    >>> teacher = as_teacher(lambda x: np.eye(3)[x["history"][:, -1] - 1], n_items=3)
    >>> teacher({"history": np.array([[0, 2]])}).tolist()
    [[0.0, 1.0, 0.0]]
    """
    if isinstance(thing, str | Path):
        return _from_path(Path(thing), n_items, n_users)
    if isinstance(thing, Teacher):
        return check_catalogue(thing, n_items, thing.name)
    if not callable(thing):
        raise DataError(
            f"teacher must be a callable from x to scores (rows, {n_items}), or a path, not {type(thing).__name__}"
        )
    return External(fed(thing), n_items, name)


def _from_path(path: Path, n_items: int, n_users: int | None = None) -> Teacher:
    if (path / META).exists():
        return check_catalogue(load(path), n_items, str(path))
    if not path.exists():
        raise DataError(f"teacher {path} does not exist; name a saved model, or a file of scores or embeddings")
    if path.suffix in TABLES:
        table = read_table(path)
        check_width(table.width, n_items, str(path))
        check_rows(table.rows, n_users, str(path))
        return External(table, n_items, path.name, path, table.user_embedding, table.item_embedding)
    if is_network(path):
        return External(read_network(path), n_items, path.name, path)
    raise DataError(
        f"teacher {path} must be a saved model (.keras, .h5, a folder with saved_model.pb), a folder that a teacher "
        f"was saved to, or a file of scores or embeddings ({', '.join(TABLES)})"
    )


def check_width(width: int, n_items: int, name: str) -> None:
    """A teacher that knows its catalogue must know this one."""
    if width != n_items:
        raise DataError(
            f"scores of teacher {name!r} must match the catalogue: expected shape (rows, {n_items}) (rows, n_items), "
            f"received (rows, {width}); the teacher must know the items of this log, in their order"
        )


def check_rows(rows: int, n_users: int | None, name: str) -> None:
    """A file that knows its users must know these."""
    if n_users is not None and rows != n_users:
        raise DataError(
            f"teacher {name!r} must have one row a user: expected {n_users} rows, received {rows}; give the scores of "
            f"the users of this log, in the order of their ids, after its filters"
        )


def check_catalogue(teacher: Teacher, n_items: int, name: str) -> Teacher:
    """The teacher, if it knows this catalogue."""
    check_width(teacher.n_items, n_items, name)
    return teacher


@final
class External(Teacher):
    """Somebody else's scorer; one that was read from a path is saved by copying what is there.

    Args:
        scorer: x -> scores.
        n_items: items in the catalogue.
        name: in errors.
        path: where it was read from; None for a callable, whose answers can be kept in a teacher cache only.
        user_embedding: x -> (rows, d), or None.
        item_embedding: (items, d), or None.
    """

    def __init__(
        self,
        scorer: Scorer,
        n_items: int,
        name: str = "external",
        path: Path | None = None,
        user_embedding: Scorer | None = None,
        item_embedding: np.ndarray | None = None,
    ):
        super().__init__(n_items)
        self.name, self.scorer, self.path = name, scorer, path
        self._user_embedding = user_embedding
        embeddings = {"user_embedding": user_embedding, "item_embedding": item_embedding}
        self.provides = frozenset(field for field, given in embeddings.items() if given is not None)
        if item_embedding is not None:
            self.item_embedding = item_embedding

    def _scores(self, x: Inputs) -> Any:
        return self.scorer(x)

    def user_embedding(self, x: Inputs) -> np.ndarray:
        """The row of each user, (rows, d) float32, if a file holds embeddings."""
        if self._user_embedding is None:
            return super().user_embedding(x)
        return self._user_embedding(x)

    def _write(self, folder: Path) -> dict[str, Any]:
        if self.path is None:
            raise DataError(
                f"teacher {self.name!r} is a callable, which cannot be saved; write a teacher cache from it, or save "
                f"the model and name its path"
            )
        source = f"source{self.path.suffix}"
        if self.path.is_dir():
            shutil.copytree(self.path, folder / source)
        else:
            shutil.copyfile(self.path, folder / source)
        return {"name": "external", "source": source}


def restore(folder: Path, meta: dict[str, Any]) -> Teacher:
    """The teacher that `save` wrote."""
    return _from_path(folder / meta["source"], meta["n_items"])
