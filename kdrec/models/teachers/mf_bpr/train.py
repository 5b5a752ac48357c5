"""The matrix factorisation, and the training that factor models share."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import TrainingError
from kdrec.models.teachers.base import (
    Progress,
    Watch,
    check_pairs,
    check_positive,
    check_snapshots,
    fit,
    is_ordered,
    pair_matrix,
    validation_rows,
)
from kdrec.models.teachers.mf_bpr.batches import FactorBatches
from kdrec.models.teachers.mf_bpr.teacher import MfBpr, Tables

if TYPE_CHECKING:
    from kdrec.models.teachers.mf_bpr.model import FactorModel

RIDGE = 0.01  # of the fold-in, in units of the mean square of a coordinate of the histories' means


def mf_bpr(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    embedding_dim: int = 64,
    negatives: int = 1,
    regularization: float = 0.001,
    epochs: int = 30,
    batch_size: int = 1024,
    learning_rate: float = 0.01,
    recency: float | None = 8.0,
    snapshots: int = 0,
    validation: Split | None = None,
    patience: int = 5,
    checkpoint_folder: str | Path | None = None,
) -> MfBpr:
    """score_j = p_u · c_j, a row of a user table and one of an item table, trained so that taken items come first.

    The loss of a pair (u, i) is −log σ(p_u · c_i − p_u · c_j), j drawn uniformly from what u has not taken. A user who
    is unknown has p = x W, x the mean of the vectors of the history's items and W the ridge regression of the trained
    rows on the means of their own histories. In an ordered history, whoever the user is, (x' − x) W is added, x' the
    mean weighed by recency.

    Args:
        train: the pairs to learn from; weights of pairs weigh the loss.
        seed: equal seeds give equal tables.
        progress: called with (epoch, epochs, logs) after each epoch.
        ordered: whether histories are ordered by time; None: if `train` has times.
        embedding_dim: width of both tables.
        negatives: items drawn for each pair.
        regularization: of the squares of the rows that a batch names.
        epochs, batch_size, learning_rate: of the training, by Adam with warm-up and cosine decay.
        recency: in an ordered history, after how many items the weight of an item is halved; None: never.
        snapshots: how many earlier states are kept, for a loss that follows them, of those after epochs 1, 2, 4, 8, …
        validation: a split whose `valid` part chooses the epoch, by NDCG@10; None keeps the last epoch.
        patience: epochs without a better NDCG@10 before training stops.
        checkpoint_folder: keeps each epoch; a training that was cut goes on from there, with the same result.

    Returns:
        A teacher that provides user_embedding, item_embedding and, if kept, snapshots, and answers to any history.

    Raises:
        DataError: an option out of range, or more snapshots than the epochs have.
        TrainingError: no pairs to learn from, checkpoints of another training, or a loss that became NaN (the last
            good epoch is kept).

    Source: Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009.

    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)))
    >>> teacher = mf_bpr(log, epochs=30, batch_size=5, embedding_dim=4)
    >>> scores = teacher({"history": np.array([[0, 1]])})[0]
    >>> bool(scores[1] > scores[2])  # who took item 0 took item 1
    True
    """
    check_options(
        train, regularization, snapshots, epochs, embedding_dim=embedding_dim, negatives=negatives,
        batch_size=batch_size, learning_rate=learning_rate, recency=1.0 if recency is None else recency,
    )  # fmt: skip
    from kdrec.models.teachers.mf_bpr.model import FactorModel, FactorOptions

    options = FactorOptions(train.n_users, train.n_items, embedding_dim, "bpr", regularization, seed)
    batches = FactorBatches(train, batch_size, negatives, shared=False, seed=seed)
    watch = Watch(validation, patience, checkpoint_folder, progress)
    final, earlier = trained(FactorModel(options), batches, epochs, learning_rate, watch, asdict(options), snapshots)
    recency = recency if is_ordered(train, ordered) else None
    return MfBpr(tables(train, *final), [tables(train, *state) for state in earlier], recency=recency)


def tables(train: Interactions, users: np.ndarray, items: np.ndarray) -> Tables:
    """The tables of a teacher: rows without a training pair are zeros, and histories are mapped to users by ridge."""
    pairs = pair_matrix(train.users, train.items, (train.n_users, train.n_items))
    taken = np.diff(pairs.indptr)
    users = users * (taken > 0)[:, None]
    read = items * (train.item_counts() > 0)[:, None]
    means = (pairs @ read) / np.maximum(taken, 1)[:, None]  # (n_users, d)
    gram = means.T @ means
    gram += (RIDGE * np.trace(gram) / len(gram) + np.float32(1e-12)) * np.eye(len(gram), dtype=np.float32)
    return Tables(users, items, (read @ np.linalg.solve(gram, means.T @ users)).astype(np.float32))


def check_options(train: Interactions, regularization: float, snapshots: int, epochs: int, **positive: float) -> None:
    """Refuse options and logs that no factor model can be trained with."""
    check_positive(epochs=epochs, **positive)
    check_snapshots(snapshots, (int(epochs) - 1).bit_length())
    if regularization < 0:
        raise TrainingError(f"regularization must be at least 0, not {regularization}; leave it out for the default")
    check_pairs(train)


def trained(
    model: "FactorModel",
    batches: FactorBatches,
    epochs: int,
    learning_rate: float,
    watch: Watch,
    told: dict[str, Any],
    snapshots: int,
) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """Train a model of two tables.

    Args:
        model, batches, epochs, learning_rate: as they are.
        watch: validation, checkpoints and progress.
        told: options of the model.
        snapshots: how many earlier states are kept.

    Returns:
        The tables, and those of the snapshots, the earliest first.

    Raises:
        TrainingError: nothing to learn from, checkpoints of another training, or a loss that became NaN.
    """
    from kdrec.models.teachers.mf_bpr.snapshots import Snapshots

    train, validation = batches.train, watch.validation
    if len(batches.rows) == 0:
        raise TrainingError(
            "train must leave a user an item to learn against, and every user has taken every item; give a log with "
            "more items"
        )
    rows = None if validation is None else of_known_users(validation_rows(validation, 1), train)
    kept = Snapshots(watch.checkpoint_folder)
    best = fit(
        model, batches, watch, rows, {**told, "snapshots": snapshots}, epochs=epochs, learning_rate=learning_rate,
        callbacks=[kept] if snapshots else [],
    )  # fmt: skip
    final = [weight.numpy() for weight in model.trainable_weights]
    return final, kept.before(best, snapshots)


def of_known_users(rows: dict[str, np.ndarray], train: Interactions) -> dict[str, np.ndarray] | None:
    """The validation rows of users with training pairs; None if there is none."""
    known = np.diff(train.indptr)[rows["user"] - 1] > 0
    return {name: array[known] for name, array in rows.items()} if known.any() else None
