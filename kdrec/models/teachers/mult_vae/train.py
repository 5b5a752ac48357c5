"""The Mult-VAE teacher: an autoencoder of histories."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import TrainingError
from kdrec.models.teachers.base import Progress, Watch, check_pairs, check_positive, fit, validation_rows
from kdrec.models.teachers.base.held_out import LONGEST_SEEN
from kdrec.models.teachers.mult_vae.batches import HiddenBatches, each_once
from kdrec.models.teachers.mult_vae.teacher import MultVae


def mult_vae(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    embedding_dim: int = 64,
    hidden: int = 512,
    tied: bool = True,
    hidden_share: Sequence[float] | None = (0.1, 0.7),
    dropout: float = 0.5,
    beta: float = 0.0,
    annealing: float = 0.5,
    epochs: int = 40,
    batch_size: int = 512,
    learning_rate: float = 0.005,
    validation: Split | None = None,
    patience: int = 10,
    checkpoint_folder: str | Path | None = None,
) -> MultVae:
    """score_j = q · E_j with s = n^(−1/2) Σ_i E_i over the n items of a history and q = sA + a + relu(sV + v)W.

    By default this is an autoencoder that denoises: a random share of a user's items is hidden, and these are to be
    told from the rest, by the softmax over all items but the rest (multinomial likelihood). One table is read and
    scored alike. With `beta` it is variational: q is drawn from N(mean, variance) in training, the formula above its
    mean. As published, it is `tied=False, hidden=600, embedding_dim=200, hidden_share=None, learning_rate=0.001` with
    a small `beta`, two towers of tanh layers whose input and target are the whole history.

    Args:
        train: the pairs to learn from; weights of pairs weigh the items that are to be told.
        seed: equal seeds give equal weights.
        progress: called with (epoch, epochs, logs) after each epoch.
        ordered: not read, a history is a set here.
        embedding_dim: width of what a history is encoded as.
        hidden: width of the hidden layer, of each side if `tied` is False; 0: none.
        tied: one table for reading and scoring; else two, a decoder with a hidden layer, and a bias an item.
        hidden_share: least and greatest share of a user's items that are hidden, drawn anew each time, one item at
            least. None: nothing is hidden, and the items that were read are to be told too.
        dropout: share of the items read that is dropped in training.
        beta: weight of KL(N(mean, variance) ‖ N(0, 1)) against the mean over the items of a row; a published 0.2 stands
            against their sum, and is 0.2 / (items a user) here. 0: nothing is drawn.
        annealing: share of the training in which the weight rises from 0 to beta.
        epochs, batch_size, learning_rate: of the training, in users, by Adam with warm-up and cosine decay.
        validation: a split whose `valid` part chooses the epoch, by NDCG@10; None keeps the last epoch.
        patience: epochs without a better NDCG@10 before training stops.
        checkpoint_folder: keeps each epoch; a training that was cut goes on from there, with the same result.

    Returns:
        A teacher that reads only x["history"], of any length, and provides user_embedding and item_embedding.

    Raises:
        DataError: an option that is not positive.
        TrainingError: another option out of range, no pairs, checkpoints of another training, or a loss that became
            NaN (the last good epoch is kept).

    Source: Liang et al., Variational Autoencoders for Collaborative Filtering, WWW 2018, arXiv:1802.05814.

    >>> import numpy as np
    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)))
    >>> teacher = mult_vae(log, epochs=20, batch_size=3, embedding_dim=4, dropout=0.0)
    >>> scores = teacher({"history": np.array([[1]])})[0]
    >>> bool(scores[1] > scores[2])  # who took item 0 took item 1
    True
    """
    check_positive(
        embedding_dim=embedding_dim, annealing=annealing, epochs=epochs, batch_size=batch_size,
        learning_rate=learning_rate,
    )  # fmt: skip
    if not 0 <= dropout < 1:
        raise TrainingError(f"dropout must lie in [0, 1), not {dropout}; 0.5 is the default")
    for name, value in (("hidden", hidden), ("beta", beta)):
        if value < 0:
            raise TrainingError(f"{name} must be at least 0, not {value}; leave it out for the default")
    share = None if hidden_share is None else share_of(hidden_share)
    check_pairs(train)
    from kdrec.models.teachers.mult_vae.model import VaeOptions
    from kdrec.models.teachers.mult_vae.networks import network

    batches = HiddenBatches(train, share, batch_size, seed)
    options = VaeOptions(
        n_items=train.n_items,
        embedding_dim=embedding_dim,
        hidden=hidden,
        tied=tied,
        dropout=dropout,
        unseen_only=share is not None,
        beta=beta,
        annealing_steps=max(1, round(annealing * epochs * batches.steps_per_epoch)),
        seed=seed,
    )
    rows = None if validation is None else validation_rows(validation, LONGEST_SEEN)
    if rows is not None:
        rows["history"] = each_once(rows["history"])
    model = network(options)
    watch = Watch(validation, patience, checkpoint_folder, progress)
    fit(model, batches, watch, rows, asdict(options), epochs=epochs, learning_rate=learning_rate)
    return MultVae(model)


def share_of(given: Sequence[float]) -> tuple[float, float]:
    """The least and the greatest share.

    Raises:
        TrainingError: they are not two, or out of order.
    """
    if not isinstance(given, Sequence) or len(given) != 2 or not 0 < given[0] <= given[1] < 1:
        raise TrainingError(
            f"hidden_share must be two shares, 0 < least <= greatest < 1, not {given!r}; (0.1, 0.7) is the default, "
            f"and None hides nothing"
        )
    return given[0], given[1]
