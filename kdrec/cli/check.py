"""`kdrec check`: a file against the rules of a device."""

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from kdrec.cli.console import output, print_json
from kdrec.cli.model_file import File, model_file
from kdrec.cli.option_texts import found
from kdrec.errors import RuntimeFileError, TargetError

if TYPE_CHECKING:
    from kdrec.targets.base import Target, Violation


def check(
    file: File,
    target: Annotated[
        str | None, typer.Option(help=f"Device: {found('targets')}; by default the one that a bundle names.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a .tflite file against the rules of a device; exit status 1 when it breaks one."""
    from kdrec import targets
    from kdrec.targets import base

    path = model_file(file)
    device = targets.get(target or target_of(path))
    violations = base.check(content_of(path), device)
    broken = any(not violation.is_warning for violation in violations)
    if as_json:
        print_json({"file": str(path), "target": device.name, "violations": [asdict(each) for each in violations]})
    else:
        show(path, device, violations)
    raise typer.Exit(1 if broken else 0)


def target_of(path: Path) -> str:
    """The device that the bundle around a file names."""
    from kdrec.bundle import Manifest

    manifest = path.with_name("manifest.json")
    if not manifest.is_file():
        raise TargetError(
            f"{path} has no manifest.json beside it that names its device; give --target: {found('targets')}"
        )
    return Manifest.from_json(manifest.read_bytes()).target


def content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RuntimeFileError(f"{path} cannot be read: {error.strerror}; give the path of a .tflite file") from error


def show(path: Path, device: "Target", violations: "list[Violation]") -> None:
    """One paragraph a broken rule: where it is broken, and the way out."""
    from kdrec.targets.base import manual

    console = output()
    rules = {row.rule: row for row in manual(device)}
    for name, group in groupby(violations, lambda violation: violation.rule):
        rule = rules[name]
        kind = "[yellow]warning[/]" if rule.is_warning else "[bold red]violation[/]"
        console.print(f"{kind} {name}: {escape(rule.message)}")
        for violation in group:
            console.print(
                f"  {escape(violation.where)}: {escape(violation.message.removeprefix(rule.message).strip())}"
            )
        console.print(f"  {escape(rule.way_out)}")
    broken = len({violation.rule for violation in violations if not violation.is_warning})
    verdict = f"breaks {broken} of" if broken else "keeps"
    console.print(f"{escape(str(path))} {verdict} the {len(device.rules)} rules of {device.title}")
