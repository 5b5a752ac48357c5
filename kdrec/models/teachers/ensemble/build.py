"""The ensemble teacher: trains its members, or reads them, and weighs them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kdrec.data.interactions import Interactions
from kdrec.data.splits import Split
from kdrec.errors import DataError, UnknownNameError
from kdrec.models.teachers.base import Progress, Teacher, check_positive
from kdrec.models.teachers.ensemble.members import MEMBERS, check_members, label, trained
from kdrec.models.teachers.ensemble.teacher import Ensemble, check_weights
from kdrec.models.teachers.ensemble.weights import METHODS, candidates, check_metric


def ensemble(
    train: Interactions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    ordered: bool | None = None,
    members: str | Sequence[str | Teacher] = MEMBERS,
    options: dict[str, Any] | None = None,
    weights: str | Sequence[float] = "equal",
    metric: str = "ndcg@10",
    sample: int = 4000,
    validation: Split | None = None,
    checkpoint_folder: str | Path | None = None,
) -> Ensemble:
    """score_j = Σ_m w_m (s_mj − μ_m) / σ_m: members' scores, standardised a row over its unseen items, and summed.

    Args:
        train: the pairs that members learn from.
        seed: of the members (a name that comes again gets the next seed), and of the sample.
        progress: called with (done, total, {}) after each member and, if weights are found, once more with those.
        ordered: whether histories are ordered by time; None: if `train` has times.
        members: names of teachers, or paths to saved ones or to files of scores; a list, or text with commas. In a
            list also teachers that were trained before, and other callables that give scores.
        options: options of members, by their names.
        weights: one number a member; "equal"; "validation": what reaches the best `metric` on validation items, by the
            share of one member after the other; "learned": what makes validation items likeliest in a softmax.
        metric: of weights="validation": ndcg@k or recall@k, among the best 100 items of each member, those held out and
            400 others.
        sample: users of the validation part, at most, by whom weights are found.
        validation: a split with validation items, for weights that are found and for members that take one.
        checkpoint_folder: a folder a member for those that keep checkpoints.

    Returns:
        A teacher that provides user_embedding if all members provide both embeddings, item_embedding and snapshots if
        one does. A member of weight 0 is left out.

    Raises:
        UnknownNameError: a member, an option of one, or a way to find weights that does not exist.
        DataError: weights that are not one a member, or that are to be found without validation items.

    Source: Montague and Aslam, Relevance Score Normalization for Metasearch, CIKM 2001.

    >>> log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], list(range(3)), list(range(3)))
    >>> teacher = ensemble(log, members="ease,als", options={"als": {"factors": 2}}, weights=[2, 1])
    >>> teacher.weights, [member.name for member in teacher.members]
    ([0.6666666666666666, 0.3333333333333333], ['ease', 'als'])
    """
    named = check_members(members, options)
    check_weighing(weights, len(named), validation)
    check_metric(metric)
    check_positive(sample=sample)
    total = len(named) + (weights in tuple(METHODS))
    found: list[Teacher] = []
    for number, (place, chosen) in enumerate(named):
        nth = [other for other, _ in named[:number]].count(place)
        folder = None if checkpoint_folder is None else Path(checkpoint_folder) / f"member_{number}"
        found.append(trained(place, chosen, train, seed + nth, ordered, validation, folder))
        if progress is not None:
            progress(number + 1, total, {})
    if not isinstance(weights, str):
        return Ensemble(found, [weight / sum(weights) for weight in weights])
    if weights == "equal" or validation is None:
        return Ensemble(found)
    asked = candidates(found, validation, sample, seed)
    best = METHODS[weights](asked, len(found), metric).tolist()
    if progress is not None:
        progress(
            total, total, {f"weight {label(place)}": weight for (place, _), weight in zip(named, best, strict=True)}
        )
    return Ensemble(found, best)


def check_weighing(weights: str | Sequence[float], members: int, validation: Split | None) -> None:
    """Weights must be one a member, or a way to find them, which may need validation items."""
    if not isinstance(weights, str):
        check_weights(weights, members)
        return
    if weights not in ("equal", *METHODS):
        raise UnknownNameError(
            f"weights has no {weights!r}; it has equal, {', '.join(METHODS)}, or one number a member"
        )
    if weights in METHODS and (validation is None or len(validation.valid) == 0):
        raise DataError(f"weights={weights!r} needs validation items, and there are none; give numbers, or 'equal'")
