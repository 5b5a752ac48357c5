"""What a student is trained for: the losses that a configuration names, with their options and what they read."""

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import tf_keras as keras

from kdrec import losses
from kdrec.config import SCHEDULED, Config
from kdrec.distill import asking
from kdrec.distill.teacher_fields import SCORED
from kdrec.errors import DataError, UnknownNameError
from kdrec.losses.base import DistillationLoss, TemperedLoss
from kdrec.models import initialisers
from kdrec.schedules import Schedule, parse
from kdrec.values import described, fits

GIVEN = ("self", "kwargs", "seed", "item_counts")  # what a loss is not told by loss_options


def soft_losses(config: Config) -> list[DistillationLoss]:
    """The configuration's distillation losses, with their options; those with a temperature at its temperature.

    Raises:
        UnknownNameError: no loss of that name, one that compares with labels and not with a teacher, or an option that
            no loss of the configuration has.
        DataError: an option that is not of its type.
    """
    check_loss_options(config)
    return [_made(_soft(name), config) for name in config.losses]


def hard_loss(config: Config, item_counts: np.ndarray | None = None) -> keras.losses.Loss:
    """The configuration's loss on what users did, with its options.

    Args:
        config: names it, `student_loss`.
        item_counts: (n_items,) pairs of each item in training, for a loss that draws or corrects by popularity.

    Raises:
        UnknownNameError: no loss of that name, or one that compares with a teacher.
    """
    found = _hard(config.student_loss)
    known = {"item_counts": item_counts} if "item_counts" in inspect.signature(found.__init__).parameters else {}
    return _made(found, config, **known)


def needs(config: Config) -> frozenset[str]:
    """The fields of a teacher that its cache must hold."""
    found = asking.needs_of(soft_losses(config), config.weighting) | initialisers.needs(config.initialise)
    chooses = config.cuts_items and config.vocabulary_by == "teacher"
    return found | {"scores"} if chooses and not found & SCORED else found


def stored_top(config: Config) -> int:
    """How many items of a top list its cache must hold."""
    return asking.stored_top(soft_losses(config))


def options_of(config: Config, name: str) -> dict[str, Any]:
    """Those of `loss_options` that the loss of a name has."""
    known = _options(losses.get(name))
    return {option: value for option, value in config.loss_options.items() if option in known}


def at_the_end(config: Config) -> Config:
    """The same with every schedule at its last value, for what follows the training that it is for."""
    return replace(config, **{name: _last(getattr(config, name)) for name in SCHEDULED})


def check_loss_options(config: Config) -> None:
    """Every option must be one of a loss that the configuration names, and of its type.

    Raises:
        UnknownNameError: no loss of a name, or no loss that has the option.
        DataError: a value of another type.
    """
    named = {name: _soft(name) for name in config.losses} | {config.student_loss: _hard(config.student_loss)}
    known = {name: _options(loss) for name, loss in named.items()}
    every = sorted(set().union(*known.values()))
    for option, value in config.loss_options.items():
        if option not in every:
            raise UnknownNameError(
                f"loss_options of {', '.join(named)} has no {option!r}; it has {', '.join(every) or 'none'}"
            )
        for name, options in known.items():
            if option in options and not fits(value, options[option]):
                raise DataError(
                    f"loss_options {option} of {name!r} must be {described(options[option])}, not {value!r}"
                )


def _soft(name: str) -> type[DistillationLoss]:
    found = losses.get(name)
    if not issubclass(found, DistillationLoss):
        raise UnknownNameError(
            f"loss {name!r} compares with what users did, not with a teacher; it is the part that "
            f"student_loss_weight weighs: name it by student_loss, and choose another distillation loss"
        )
    return found


def _hard(name: str) -> type[keras.losses.Loss]:
    found = losses.get(name)
    if issubclass(found, DistillationLoss):
        soft = [other for other in losses.names() if not issubclass(losses.get(other), DistillationLoss)]
        raise UnknownNameError(
            f"student_loss {name!r} compares with a teacher, not with what users did; it is one of losses: choose one "
            f"of {', '.join(soft)}"
        )
    return found


def _options(loss: Any) -> dict[str, Any]:
    """The options of a loss and their types; `temperature` is one of the run where the loss follows that."""
    base = DistillationLoss if issubclass(loss, DistillationLoss) else keras.losses.Loss
    left_out = {*GIVEN, *inspect.signature(base.__init__).parameters}
    left_out |= {"temperature"} if issubclass(loss, TemperedLoss) else set()
    parameters = inspect.signature(loss.__init__).parameters
    return {name: parameter.annotation for name, parameter in parameters.items() if name not in left_out}


def _made(loss: Any, config: Config, **known: Any) -> Any:
    parameters = inspect.signature(loss.__init__).parameters
    given = {option: value for option, value in config.loss_options.items() if option in _options(loss)}
    given |= {"temperature": config.temperature} if issubclass(loss, TemperedLoss) else {}
    given |= {"seed": config.seed} if "seed" in parameters else {}
    return loss(**given, **known)


def _last(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_last(each) for each in value)
    parsed = parse(value) if value is not None else None
    return float(parsed(1.0)) if isinstance(parsed, Schedule) else value
