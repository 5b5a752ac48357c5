"""A file against the rules of a device."""

import inspect
from dataclasses import dataclass
from typing import Any

from kdrec.errors import RuntimeFileError, TargetError
from kdrec.targets.base.estimates import Estimate
from kdrec.targets.base.subject import subject
from kdrec.targets.base.target import Target
from kdrec.tflite.read import FAULTS, damaged


@dataclass(frozen=True)
class Violation:
    """A broken rule.

    Args:
        rule: its name.
        message: the rule in a sentence, and what was found.
        where: `file`, or graph and operator or tensor.
        way_out: what to do, a sentence that begins with `Way out:`.
        is_warning: the file runs, but not as well.
    """

    rule: str
    message: str
    where: str
    way_out: str
    is_warning: bool = False

    def __str__(self) -> str:
        kind = "warning, " if self.is_warning else ""
        return f"{self.where}: {self.message} [{kind}{self.rule}]. {self.way_out}"


@dataclass(frozen=True)
class ManualRow:
    """One rule of a device, for its page in the manual."""

    rule: str
    message: str
    way_out: str
    source: str
    is_warning: bool


def check(content: bytes, target: Target) -> list[Violation]:
    """Everything in a .tflite file that breaks a rule of a device, errors first.

    Args:
        content: the file's bytes.
        target: see `kdrec.targets.get`.

    Returns:
        Nothing when the file keeps every rule.

    Raises:
        RuntimeFileError: the bytes are no readable .tflite file.
    """
    looked_at = subject(content)
    found = []
    for rules, is_warning in ((target.rules, False), (target.advice, True)):
        for rule in rules:
            message, way_out, _ = explain(rule)
            try:
                found += [
                    Violation(rule.__name__, f"{message} Found: {finding.found}", finding.where, way_out, is_warning)
                    for finding in rule(looked_at, target)
                ]
            except (*FAULTS, ZeroDivisionError) as error:
                raise RuntimeFileError(
                    f"the file has an operator that rule {rule.__name__} cannot read ({error}); export the model again"
                ) from error
    return found


def require(content: bytes, target: Target) -> list[Violation]:
    """Check a file and refuse it when it breaks a rule.

    Returns:
        The warnings.

    Raises:
        TargetError: one line a violation.
        RuntimeFileError: the bytes are no readable .tflite file.
    """
    found = check(content, target)
    errors = [str(violation) for violation in found if not violation.is_warning]
    if errors:
        raise TargetError(
            f"the file must keep the rules of {target.title}, it breaks {len(errors)}:\n" + "\n".join(errors)
        )
    return found


def manual(target: Target) -> list[ManualRow]:
    """The rules of a device as rows of a table.

    >>> from kdrec import targets
    >>> manual(targets.get("micro"))[0].rule
    'known_ops'
    """
    rules = [(rule, False) for rule in target.rules] + [(rule, True) for rule in target.advice]
    return [ManualRow(rule.__name__, *explain(rule), is_warning) for rule, is_warning in rules]


def estimate(content: bytes, target: Target) -> list[Estimate]:
    """What a file takes of a device, in bytes, counted from the file.

    Raises:
        RuntimeFileError: the bytes are no readable .tflite file.
    """
    looked_at = subject(content)
    try:
        return [each(looked_at, target) for each in target.estimates]
    except FAULTS as error:
        raise damaged("the bytes given", f"its tensors cannot be sized ({error})") from error


def explain(rule: Any) -> tuple[str, str, str]:
    """A rule's message, its way out and its source: the paragraphs of its docstring, each without its line breaks.

    >>> from kdrec.targets.base.rules import one_subgraph
    >>> explain(one_subgraph)[0]
    'The file has exactly one graph.'
    """
    told = [" ".join(part.split()) for part in inspect.cleandoc(rule.__doc__ or "").split("\n\n")]
    message, way_out, source = [*told, "", "", ""][:3]
    return message, way_out, source
