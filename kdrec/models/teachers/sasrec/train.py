"""The SASRec teacher: self-attention over an ordered history."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import DataError, TrainingError
from kdrec.models.teachers.base import Progress, Watch, check_pairs, check_positive, fit, is_ordered, validation_rows
from kdrec.models.teachers.sasrec.batches import SequenceBatches
from kdrec.models.teachers.sasrec.teacher import Sasrec, built

LARGE, SAMPLED = 20_000, 2_000  # a larger catalogue is sampled, so many items a batch


def sasrec(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    history_length: int = 50,
    embedding_dim: int = 64,
    blocks: int = 2,
    heads: int = 2,
    dropout: float = 0.2,
    negatives: int | None = None,
    epochs: int = 30,
    batch_size: int = 64,
    learning_rate: float = 0.005,
    validation: Split | None = None,
    patience: int = 5,
    checkpoint_folder: str | Path | None = None,
) -> Sasrec:
    """score_j = q · E_j: q is what a causal transformer makes of the history E_1 + P_1, …, at its last item.

    One pass over a user's history tells every item of it from those before it, by the softmax over all items. The table
    E is read and scored alike; blocks are normalised before, not after. Only order and ids are read: no users, features
    or context. Weights of pairs weigh the loss.

    Args:
        train: the pairs to learn from.
        seed: equal seeds give equal weights.
        progress: called with (epoch, epochs, logs) after each epoch.
        ordered: whether the pairs of a user are in their order; None: if `train` has times. Sets are refused.
        history_length: items that are read; of a longer history the last.
        embedding_dim: width of E and of every state.
        blocks: of attention and perceptron, one after the other.
        heads: of each attention; they divide embedding_dim.
        dropout: share of the entries of inputs, attention and perceptrons that is dropped in training.
        negatives: items drawn uniformly for each batch, over which the softmax is estimated, so that large catalogues
            fit into memory; 0: all items; None: all up to 20,000 items, 2,000 of more.
        epochs, batch_size, learning_rate: of the training, in users, by Adam with warm-up and cosine decay.
        validation: a split whose `valid` part chooses the epoch, by NDCG@10; None keeps the last epoch.
        patience: epochs without a better NDCG@10 before training stops.
        checkpoint_folder: keeps each epoch; a training that was cut goes on from there, with the same result.

    Returns:
        A teacher that reads only x["history"] and provides user_embedding and item_embedding.

    Raises:
        DataError: histories are sets.
        TrainingError: an option out of range, no pairs, checkpoints of another training, or a loss that became NaN
            (the last good epoch is kept).

    Source: Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018; the softmax over all items as in
    Klenitskiy and Vasilev, Turning Dross Into Gold Loss: is BERT4Rec really better than SASRec?, RecSys 2023.

    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)), times=list(range(5)))
    >>> teacher = sasrec(log, epochs=20, batch_size=3, embedding_dim=4, learning_rate=0.05)
    >>> scores = teacher({"history": np.array([[1]])})[0]
    >>> bool(scores[1] > scores[2])  # item 1 came after item 0
    True
    """
    if not is_ordered(train, ordered):
        raise DataError(
            "teacher 'sasrec' reads the order of histories, and they are sets here; use two_tower, ease or als, give "
            "the log times, or pass ordered=True if the pairs of each user are in their order"
        )
    check_positive(
        history_length=history_length, embedding_dim=embedding_dim, blocks=blocks, heads=heads, epochs=epochs,
        batch_size=batch_size, learning_rate=learning_rate,
    )  # fmt: skip
    if embedding_dim % heads:
        raise TrainingError(f"heads must divide embedding_dim, and {heads} does not divide {embedding_dim}; try 1 or 2")
    if not 0 <= dropout < 1:
        raise TrainingError(f"dropout must lie in [0, 1), not {dropout}; 0.2 is the default")
    if negatives is not None and negatives < 0:
        raise TrainingError(f"negatives must be at least 0, not {negatives}; 0 is the softmax over all items")
    check_pairs(train)
    from kdrec.models.teachers.sasrec.model import SasrecOptions

    if negatives is None:
        negatives = SAMPLED if train.n_items > LARGE else 0
    # The longest history has no item to tell after its last one, so that no further position would be learned.
    length = min(history_length, max(1, int(np.diff(train.indptr).max()) - 1))
    options = SasrecOptions(train.n_items, length, embedding_dim, blocks, heads, dropout, negatives, seed)
    teacher = built(options)
    batches = SequenceBatches(train, length, batch_size, negatives, seed)
    rows = None if validation is None else validation_rows(validation, length)
    watch = Watch(validation, patience, checkpoint_folder, progress)
    fit(teacher.model, batches, watch, rows, asdict(options), epochs=epochs, learning_rate=learning_rate)
    return teacher
