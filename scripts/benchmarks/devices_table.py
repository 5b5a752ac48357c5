"""The README's matrix of devices, from devices.json and what the code says of each."""

import json
from pathlib import Path
from typing import Any

from kdrec import targets

PLACE = Path(__file__).with_name("devices.json")
HEADS = ("device", "runs as", "bytes", "memory, B", "one call", "golden vectors", "what proves it")
DASH = "–"


def result() -> dict[str, Any]:
    """What devices.py wrote."""
    return json.loads(PLACE.read_text())


def table(found: dict[str, Any]) -> str:
    """A line a device and form, LiteRT as it is by default; a device's first says its golden vectors and proof."""
    lines = ["| " + " | ".join(HEADS) + " |", "| --- | --- | ---: | ---: | ---: | --- | --- |"]
    for device in found["devices"]:
        shown = [form for form in device["forms"] if not form["form"].endswith("no XNNPACK")]
        for number, form in enumerate(shown):
            told = ("", "", "") if number else (_name(device), _golden(device["golden"]), _proof(device["target"]))
            cells = (told[0], *_figures(form), *told[1:])
            lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, "", caption(found)])


def caption(found: dict[str, Any]) -> str:
    """What was measured, and where."""
    without = f"Without a file among the demo's: {', '.join(found['without'])}. " if found["without"] else ""
    on = found["machine"]
    kinds = {form["ram_kind"] for device in found["devices"] for form in device["forms"]}
    web = "In Chromium memory is all of WebAssembly's, and a call goes from JavaScript's arrays and back. "
    web = web if "wasm" in kinds else ""
    libraries = ", ".join(f"{name} {version}" for name, version in on["libraries"].items())
    return (
        "*Bytes of the file, or of flash for generated C. Memory: what a process holds at most beyond an idle one, the "
        "arena, static memory with stack and list, or SRAM as Vela estimates it. One call goes from a history to all "
        "scores: the median of 1,000 on one thread of this machine, which is no device, of three rounds the least; in "
        f"generated C to the ten best, in instructions that qemu counts. {web}Tests run more than this "
        f"table does.* {without}{on['processor']}; {libraries}; {on['tools']}."
    )


def _figures(form: dict[str, Any]) -> tuple[str, ...]:
    where = f" ({form['place']})" if form["place"].startswith(("qemu", "Chromium ")) else ""
    if form["said"]:
        return (form["form"] + where, DASH, DASH, form["said"])
    size, memory = (DASH if form[name] is None else f"{form[name]:,}" for name in ("bytes", "ram_bytes"))
    if form["latency_us_p50"] is not None:
        call = f"{form['latency_us_p50']:,.1f} µs"
    else:
        call = DASH if form["instructions"] is None else f"{form['instructions']:,} instructions"
    return (form["form"] + where, size, f"{memory} {form['ram_kind']}".strip(), call)


def _name(device: dict[str, Any]) -> str:
    shared = "" if device["bundle"] == device["target"] else f", the file of `{device['bundle']}`"
    return f"`{device['target']}`{shared}"


def _golden(golden: dict[str, Any]) -> str:
    """What the oracle answered.

    >>> _golden({"oracle": "litert", "cases": 16, "different": 0})
    '16 of 16 equal, litert'
    """
    if "said" in golden:
        return golden["said"]
    return f"{golden['cases'] - golden['different']} of {golden['cases']} equal, {golden['oracle']}"


def _proof(name: str) -> str:
    return targets.get(name).proof if name in targets.names() else DASH
