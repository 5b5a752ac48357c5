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
from kdrec.errors import KdrecError, RuntimeFileError, TargetError

if TYPE_CHECKING:
    from kdrec.targets.base import Estimate, Target, Violation


def check(
    file: File,
    target: Annotated[
        str | None, typer.Option(help=f"Device: {found('targets')}; by default the one that a bundle names.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a .tflite file against the rules of a device, and size it; exit status 1 when it breaks one."""
    from kdrec import targets
    from kdrec.targets import base

    path = model_file(file)
    device = targets.get(target or target_of(path))
    content = content_of(path)
    violations, sizes = base.check(content, device), base.estimate(content, device)
    broken = any(not violation.is_warning for violation in violations)
    figures, notes = ({}, []) if broken else asked_tools(content, path, device)
    if as_json:
        print_json(
            {
                "file": str(path),
                "target": device.name,
                "violations": [asdict(each) for each in violations],
                "estimates": {
                    each.name: {"bytes": each.bytes, "limit": each.limit, "parts": each.parts} for each in sizes
                },
                "tools": figures,
                "notes": notes,
            }
        )
    else:
        show(path, device, violations)
        show_sizes(sizes, figures, notes)
        show_verdict(path, device, violations)
    raise typer.Exit(1 if broken else 0)


def asked_tools(content: bytes, path: Path, device: "Target") -> tuple[dict[str, float], list[str]]:
    """What the device's own tools say of a file that keeps its rules, and notes of what they could not say."""
    from kdrec.runtime import micro_process

    try:
        if device.finish is not None and device.packages:
            return dict(device.finish(content).figures), []
        if device.oracle == "tflite-micro" and micro_process.is_installed():
            return {"arena_bytes": micro_process.arena_bytes(content, str(path))}, []
    except KdrecError as error:
        return {}, [str(error)]
    return {}, []


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


def show_sizes(sizes: "list[Estimate]", figures: dict[str, float], notes: list[str]) -> None:
    """What the file takes of the device: a line each that is counted, and what its interpreter or compiler says."""
    console = output()
    for each in sizes:
        limit = "" if each.limit is None else f" of {each.limit:,}"
        console.print(f"estimate {each.name}: {each.bytes:,} bytes{limit}")
        for part in each.parts:
            console.print(f"  {escape(part)}")
    if figures:
        console.print("the device's tools say: " + ", ".join(f"{name} {value:,.0f}" for name, value in figures.items()))
    for note in notes:
        console.print(f"[yellow]the device's tools[/]: {escape(note)}")


def show_verdict(path: Path, device: "Target", violations: "list[Violation]") -> None:
    broken = len({violation.rule for violation in violations if not violation.is_warning})
    verdict = f"breaks {broken} of" if broken else "keeps"
    output().print(f"{escape(str(path))} {verdict} the {len(device.rules)} rules of {device.title}")
