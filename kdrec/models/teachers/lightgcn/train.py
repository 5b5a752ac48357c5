"""LightGCN: matrix factorisation whose vectors spread over the graph of who took what."""

from dataclasses import asdict
from pathlib import Path

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import UnknownNameError
from kdrec.models.teachers.base import Progress, Watch, is_ordered
from kdrec.models.teachers.lightgcn.graph import adjacency, tables
from kdrec.models.teachers.lightgcn.teacher import LightGcn
from kdrec.models.teachers.mf_bpr.batches import FactorBatches
from kdrec.models.teachers.mf_bpr.train import check_options, trained

NEGATIVES = {"bpr": 1, "softmax": 1024}
BATCH, BATCHES = 2048, 100  # of a large log, batches grow: each costs a pass over the whole graph


def lightgcn(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    embedding_dim: int = 64,
    graph_layers: int = 3,
    loss: str = "softmax",
    temperature: float = 0.1,
    negatives: int | None = None,
    regularization: float = 0.0001,
    epochs: int = 20,
    batch_size: int | None = None,
    learning_rate: float = 0.01,
    recency: float | None = 8.0,
    snapshots: int = 0,
    validation: Split | None = None,
    patience: int = 5,
    checkpoint_folder: str | Path | None = None,
) -> LightGcn:
    """score_j = u · c_j, means over the layers 0 … K of E_k = A E_(k−1), E_0 a table of all users and items.

    A is the symmetric, normalised adjacency: a user and an item taken are joined with 1 / √(|N_u| |N_i|), N the
    neighbours. A user's layers 1 … K are sums over the history, so any history is answered; the row of E_0 is 0 for an
    unknown user. Each training step spreads the whole table.

    Args:
        train: the pairs to learn from; weights of pairs weigh the loss, not the graph.
        seed: equal seeds give equal tables.
        progress: called with (epoch, epochs, logs) after each epoch.
        ordered: whether histories are ordered by time; None: if `train` has times.
        embedding_dim: width of the table.
        graph_layers: K.
        loss: "bpr", −log σ(u · c_i − u · c_j) with j drawn from what the user has not taken, as published; "softmax",
            of the item among items drawn for the batch, all vectors of length 1.
        temperature: of the softmax; "bpr" does not read it.
        negatives: items drawn, for each pair ("bpr") or for each batch ("softmax"); None: 1 or 1,024.
        regularization: of the squares of the rows of E_0 that a batch names.
        epochs, learning_rate: of the training, by Adam with warm-up and cosine decay.
        batch_size: pairs a step; None: 2,048, or a hundredth of the pairs if that is more.
        recency: in an ordered history, after how many items the weight of an item is halved; None: never.
        snapshots: how many earlier states are kept, for a loss that follows them, of those after epochs 1, 2, 4, 8, …
        validation: a split whose `valid` part chooses the epoch, by NDCG@10; None keeps the last epoch.
        patience: epochs without a better NDCG@10 before training stops.
        checkpoint_folder: keeps each epoch; a training that was cut goes on from there, with the same result.

    Returns:
        A teacher that provides user_embedding, item_embedding and, if kept, snapshots, and answers to any history.

    Raises:
        UnknownNameError: another loss.
        DataError: an option out of range, or more snapshots than the epochs have.
        TrainingError: no pairs to learn from, checkpoints of another training, or a loss that became NaN (the last
            good epoch is kept).

    Source: He et al., LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation, SIGIR 2020.

    >>> import numpy as np
    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)))
    >>> teacher = lightgcn(log, epochs=20, batch_size=5, embedding_dim=4, negatives=3)
    >>> scores = teacher({"history": np.array([[0, 1]])})[0]
    >>> bool(scores[1] > scores[2])  # who took item 0 took item 1
    True
    """
    if loss not in NEGATIVES:
        raise UnknownNameError(f"loss of teacher 'lightgcn' has no {loss!r}; it has {', '.join(NEGATIVES)}")
    negatives = NEGATIVES[loss] if negatives is None else negatives
    batch_size = max(BATCH, len(train) // BATCHES) if batch_size is None else batch_size
    check_options(
        train, regularization, snapshots, epochs, embedding_dim=embedding_dim, graph_layers=graph_layers,
        temperature=temperature, negatives=negatives, batch_size=batch_size, learning_rate=learning_rate,
        recency=1.0 if recency is None else recency,
    )  # fmt: skip
    from kdrec.models.teachers.lightgcn.model import LightGcnModel
    from kdrec.models.teachers.mf_bpr.model import FactorOptions

    options = FactorOptions(train.n_users, train.n_items, embedding_dim, loss, regularization, seed)
    scale = temperature if loss == "softmax" else None
    batches = FactorBatches(train, batch_size, negatives, shared=loss == "softmax", seed=seed)
    watch = Watch(validation, patience, checkpoint_folder, progress)
    told = {**asdict(options), "graph_layers": graph_layers, "temperature": scale}
    final, earlier = trained(
        LightGcnModel(options, adjacency(train), graph_layers, scale),
        batches,
        epochs,
        learning_rate,
        watch,
        told,
        snapshots,
    )
    return LightGcn(
        tables(train, graph_layers, *final), [tables(train, graph_layers, *state) for state in earlier],
        recency=recency if is_ordered(train, ordered) else None, temperature=scale,
    )  # fmt: skip
