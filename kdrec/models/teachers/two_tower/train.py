"""The two-tower teacher: a TensorFlow Recommenders retrieval model on ids, histories, context and all features."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import TrainingError
from kdrec.models.teachers.base import Progress, Watch, check_pairs, check_positive, fit, is_ordered, validation_rows
from kdrec.models.teachers.two_tower.batches import PairBatches
from kdrec.models.teachers.two_tower.features import tower_features
from kdrec.models.teachers.two_tower.teacher import TwoTower, built


def two_tower(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    history_length: int = 50,
    embedding_dim: int = 64,
    layers: Sequence[int] = (128,),
    epochs: int = 6,
    batch_size: int = 512,
    learning_rate: float = 0.003,
    temperature: float = 1.0,
    num_hard_negatives: int | None = None,
    remove_accidental_hits: bool = True,
    sampling_correction: bool = True,
    extra_negatives: int = 256,
    user_dropout: float = 0.5,
    validation: Split | None = None,
    patience: int = 2,
    checkpoint_folder: str | Path | None = None,
) -> TwoTower:
    """score_j = q · c_j / temperature: a query of user, history, context; a candidate of item id and features.

    Each pair is an example: its item is to win, in a softmax, against the other items of the batch and a few drawn
    uniformly. Scores are corrected by −log of how often an item is a candidate (logQ), so that popular items are not
    pushed down for being everywhere, and come out as log-probabilities up to a constant a row.

    Args:
        train: the pairs to learn from, with features and context; weights of pairs weigh the loss.
        seed: equal seeds give equal weights.
        progress: called with (epoch, epochs, logs) after each epoch.
        ordered: histories are what came before, rather than all other items; None: if `train` has times.
        history_length: tokens that the query reads.
        embedding_dim: width of both towers.
        layers: widths of the hidden layers of each tower.
        epochs, batch_size, learning_rate: of the training, by Adam with warm-up and cosine decay.
        temperature: of the softmax.
        num_hard_negatives: only so many candidates of the highest score count against a pair; None: all.
        remove_accidental_hits: a candidate that is the pair's own item does not count against it.
        sampling_correction: the logQ correction.
        extra_negatives: items drawn uniformly for each batch.
        user_dropout: share of examples whose user id is hidden, so that unseen users are answered by their history.
        validation: a split whose `valid` part chooses the epoch, by NDCG@10; None keeps the last epoch.
        patience: epochs without a better NDCG@10 before training stops.
        checkpoint_folder: keeps each epoch; a training that was cut goes on from there, with the same result.

    Returns:
        A teacher that provides user_embedding and item_embedding, and answers to any history.

    Raises:
        TrainingError: an option out of range, no pairs, checkpoints of another training, or a loss that became NaN
            (the last good epoch is kept).

    Source: Yi et al., Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations, RecSys 2019;
    Yang et al., Mixed Negative Sampling for Learning Two-tower Neural Networks in Recommendations, WWW 2020.

    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)))
    >>> teacher = two_tower(log, epochs=20, batch_size=5, embedding_dim=4, extra_negatives=3, learning_rate=0.05)
    >>> scores = teacher({"history": np.array([[0, 1]])})[0]
    >>> bool(scores[1] > scores[2])  # who took item 0 took item 1
    True
    """
    check_positive(
        history_length=history_length, embedding_dim=embedding_dim, epochs=epochs, batch_size=batch_size,
        learning_rate=learning_rate, temperature=temperature,
        num_hard_negatives=1 if num_hard_negatives is None else num_hard_negatives,
    )  # fmt: skip
    if not 0 <= user_dropout <= 1:
        raise TrainingError(f"user_dropout must lie in [0, 1], not {user_dropout}; 0.5 is the default")
    if extra_negatives < 0:
        raise TrainingError(f"extra_negatives must be at least 0, not {extra_negatives}; 256 is the default")
    check_pairs(train)
    from kdrec.models.teachers.two_tower.model import TwoTowerOptions

    ordered = is_ordered(train, ordered)
    length = min(history_length, int(np.diff(train.indptr).max()))
    batches = PairBatches(train, ordered, length, batch_size, extra_negatives, user_dropout, seed)
    options = TwoTowerOptions(
        n_users=train.n_users,
        n_items=train.n_items,
        context={name: column.n_tokens for name, column in train.context.items()},
        history_length=length,
        ordered=ordered,
        embedding_dim=embedding_dim,
        layers=tuple(layers),
        temperature=temperature,
        num_hard_negatives=num_hard_negatives,
        remove_accidental_hits=remove_accidental_hits,
        sampling_correction=sampling_correction,
        seed=seed,
    )
    teacher = built(
        options,
        tower_features(train.user_features, train.n_users).with_unknown(),
        tower_features(train.item_features, train.n_items).with_unknown(),
        batches.item_probabilities().astype(np.float32),
    )
    rows = None if validation is None else validation_rows(validation, length)
    watch = Watch(validation, patience, checkpoint_folder, progress)
    fit(teacher.model, batches, watch, rows, asdict(options), epochs=epochs, learning_rate=learning_rate)
    return teacher
