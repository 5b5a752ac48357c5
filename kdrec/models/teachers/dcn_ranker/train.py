"""The deep & cross teacher: explicit products of a user's side with an item's, pair by pair."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import TrainingError, UnknownNameError
from kdrec.models.teachers.base import Progress, Watch, check_pairs, check_positive, fit, is_ordered, validation_rows
from kdrec.models.teachers.dcn_ranker.teacher import DcnRanker, built
from kdrec.models.teachers.two_tower.batches import PairBatches
from kdrec.models.teachers.two_tower.features import tower_features

WATCHED = 2_000  # users whose held-out pairs choose the epoch: each is scored against every item


def dcn_ranker(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    history_length: int = 50,
    embedding_dim: int = 64,
    towers: Sequence[int] = (128,),
    cross_layers: int = 2,
    projection_dim: int | None = 32,
    layers: Sequence[int] = (64,),
    loss: str = "softmax",
    negatives: int = 64,
    epochs: int = 5,
    batch_size: int = 128,
    learning_rate: float = 0.003,
    user_dropout: float = 0.5,
    validation: Split | None = None,
    patience: int = 2,
    checkpoint_folder: str | Path | None = None,
) -> DcnRanker:
    """score = w · deep(x_n), x_{i+1} = x_0 ⊙ (W_i x_i + b_i) + x_i, x_0 = [u; v] of a user's side u and an item's v.

    u is made of user, user features, history and context, v of item id and item features, as in `two_tower`; but they
    meet in the layers of a deep & cross network, not in a product alone. Each pair is told from items of other pairs
    and items drawn uniformly; logits are corrected by −log of how often an item is drawn, so that scores come out as
    log-probabilities, up to a constant a row in the softmax.

    A score costs a pass of its pair through the network: the first matrix is applied to each side once, every further
    cross layer takes 4 · embedding_dim · projection_dim multiplications, a deep layer the product of its widths. By
    default these are 16,000, where a product of vectors takes 64: a teacher for catalogues of thousands of items.

    Args:
        train: the pairs to learn from, with features and context; weights of pairs weigh the loss.
        seed: equal seeds give equal weights.
        progress: called with (epoch, epochs, logs) after each epoch.
        ordered: histories are what came before, rather than all other items; None: if `train` has times.
        history_length: tokens that the user's side reads.
        embedding_dim: width of either side.
        towers: widths of the hidden layers that either side passes before they meet.
        cross_layers: how many of them; with n, scores are polynomials of degree n + 1 of the sides.
        projection_dim: rank of the matrices of the cross layers after the first; None: full.
        layers: widths of the deep layers after the cross layers; none: the score is a weighing of x_n.
        loss: "softmax", of a pair among its negatives, or "bce", −log σ of the pair and −log(1 − σ) of each negative.
        negatives: items that a pair is told from; half of other pairs, half drawn uniformly.
        epochs, batch_size, learning_rate: of the training, by Adam with warm-up and cosine decay.
        user_dropout: share of examples whose user id is hidden, so that unseen users are answered by their history.
        validation: a split whose `valid` part, of at most 2,000 users, chooses the epoch, by NDCG@10; None keeps the
            last epoch.
        patience: epochs without a better NDCG@10 before training stops.
        checkpoint_folder: keeps each epoch; a training that was cut goes on from there, with the same result.

    Returns:
        A teacher that gives scores only, and answers to any history.

    Raises:
        UnknownNameError: another loss.
        DataError, TrainingError: an option out of range, no pairs, checkpoints of another training, or a loss that
            became NaN (the last good epoch is kept).

    Source: Wang et al., DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank
    Systems, WWW 2021; Gutmann and Hyvärinen, Noise-contrastive Estimation, AISTATS 2010 (the correction).

    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)))
    >>> teacher = dcn_ranker(log, epochs=20, batch_size=5, embedding_dim=4, negatives=4, learning_rate=0.02)
    >>> scores = teacher({"history": np.array([[0, 1]])})[0]
    >>> bool(scores[1] > scores[2])  # who took item 0 took item 1
    True
    """
    from kdrec.models.teachers.dcn_ranker.model import LOSSES, DcnOptions

    if loss not in LOSSES:
        raise UnknownNameError(f"loss of teacher 'dcn_ranker' has no {loss!r}; it has {', '.join(LOSSES)}")
    check_positive(
        history_length=history_length, embedding_dim=embedding_dim, cross_layers=cross_layers, negatives=negatives,
        projection_dim=1 if projection_dim is None else projection_dim, epochs=epochs, batch_size=batch_size,
        learning_rate=learning_rate,
    )  # fmt: skip
    if not 0 <= user_dropout <= 1:
        raise TrainingError(f"user_dropout must lie in [0, 1], not {user_dropout}; 0.5 is the default")
    check_pairs(train)
    ordered = is_ordered(train, ordered)
    length = min(history_length, int(np.diff(train.indptr).max()))
    options = DcnOptions(
        n_users=train.n_users,
        n_items=train.n_items,
        context={name: column.n_tokens for name, column in train.context.items()},
        history_length=length,
        ordered=ordered,
        embedding_dim=embedding_dim,
        towers=tuple(towers),
        cross_layers=cross_layers,
        projection_dim=projection_dim,
        layers=tuple(layers),
        loss=loss,
        negatives=negatives,
        seed=seed,
    )
    teacher = built(
        options,
        tower_features(train.user_features, train.n_users).with_unknown(),
        tower_features(train.item_features, train.n_items).with_unknown(),
        noise(train, negatives),
    )
    drawn = batch_size * (negatives - negatives // 2)
    batches = PairBatches(train, ordered, length, batch_size, drawn, user_dropout, seed)
    rows = None if validation is None else validation_rows(validation, length, WATCHED)
    watch = Watch(validation, patience, checkpoint_folder, progress)
    fit(teacher.model, batches, watch, rows, asdict(options), epochs=epochs, learning_rate=learning_rate)
    return teacher


def noise(train: Interactions, negatives: int) -> np.ndarray:
    """(n_items + 1,) how likely a negative is each item: half are items of other pairs, half are drawn uniformly.

    >>> log = Interactions([0, 1, 2], [0, 0, 1], list(range(3)), list(range(4)))
    >>> noise(log, negatives=2).astype(float).round(3).tolist()
    [0.0, 0.458, 0.292, 0.125, 0.125]
    """
    others = negatives // 2
    shares = np.concatenate([[0.0], train.item_counts() / len(train)])
    uniform = np.concatenate([[0.0], np.full(train.n_items, 1 / train.n_items)])
    return ((others * shares + (negatives - others) * uniform) / negatives).astype(np.float32)
