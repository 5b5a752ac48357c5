"""Generated C, compiled and run on cases, and what it must answer."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
WARNINGS = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")
SANITIZED = ("-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@dataclass(frozen=True)
class Case:
    """A call: item numbers, some of them unknown, and values of context."""

    history: tuple[int, ...]
    context: tuple[int, ...]
    exclude: tuple[int, ...]
    k: int


@dataclass(frozen=True)
class Answer:
    """What the program wrote: nothing at all for a history without a known item."""

    logits: tuple[int, ...]
    items: tuple[int, ...]
    scores: tuple[int, ...]


def cases_h(cases: Sequence[Case]) -> bytes:
    numbers = [
        number
        for case in cases
        for part in ((len(case.history), len(case.exclude), case.k), case.context, case.history, case.exclude)
        for number in part
    ]
    n_context = len(cases[0].context)
    most = max(max(len(case.history), len(case.exclude), case.k) for case in cases)
    given = " ".join(f"context[{number}]," for number in range(n_context))
    return (
        f"#include <stddef.h>\n#include <stdint.h>\n#define N_CASES {len(cases)}\n#define N_CONTEXT {n_context}\n"
        f"#define MOST {most}\n#define CONTEXT {given}\n"
        f"static const int32_t cases[] = {{{','.join(map(str, numbers))}}};\n"
    ).encode()


def sources(files: dict[str, bytes], cases: Sequence[Case]) -> dict[str, bytes]:
    """All that a compiler needs to run the cases."""
    own = {name: files[name] for name in ("recommender.h", "recommender.c")}
    return {**own, "driver.c": (HERE / "driver.c").read_bytes(), "cases.h": cases_h(cases)}


def run_here(files: dict[str, bytes], cases: Sequence[Case], folder: Path, options: Sequence[str] = SANITIZED):
    """The answers of a program for this computer."""
    folder.mkdir(exist_ok=True)
    for name, content in sources(files, cases).items():
        (folder / name).write_bytes(content)
    command = ["gcc", *WARNINGS, *options, "-DRECOMMENDER_LOGITS", "driver.c", "recommender.c", "-o", "program"]
    subprocess.run(command, cwd=folder, check=True)
    return answers(subprocess.run([folder / "program"], capture_output=True, text=True, check=True).stdout)


def answers(text: str) -> list[Answer]:
    lines = [tuple(int(number) for number in line.split()) for line in text.splitlines()]
    return [Answer(*lines[at : at + 3]) for at in range(0, len(lines), 3)]


def random_cases(rng: np.random.Generator, model, n: int, unknown: bool = True) -> list[Case]:
    """Histories of any length, with unknown items; context beyond its range; exclusions up to all items."""
    found = []
    for _ in range(n):
        beyond = 3 if unknown else 0
        history = rng.integers(-beyond, model.known + beyond, rng.integers(0, 2 * model.length + 2))
        context = tuple(int(rng.integers(-beyond, size + beyond)) for size in model.context)
        exclude = rng.integers(-1, model.n_items + 1, rng.integers(0, model.n_items + 1))
        k = int(rng.integers(0, model.n_items + 3))
        found.append(Case(tuple(history.tolist()), context, tuple(exclude.tolist()), k))
    return found


def file_inputs(model, case: Case) -> list[np.ndarray] | None:
    """What the file is given for a case; None without a known item."""
    tokens = [item + 1 for item in case.history if 0 <= item < model.known][-model.length :]
    if not tokens:
        return None
    history = np.zeros(model.length, np.int32)
    history[model.length - len(tokens) :] = tokens
    context = [value if 0 <= value < size else 0 for value, size in zip(case.context, model.context, strict=True)]
    return [history, *(np.int32(value) for value in context)]


def ask_micro(folder: Path, models: Sequence, cases: Sequence[Sequence[Case]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Scores and queries that TensorFlow Lite Micro gives to the cases that have a known item."""
    folder.mkdir(exist_ok=True)
    for number, (model, own) in enumerate(zip(models, cases, strict=True)):
        rows = [inputs for inputs in (file_inputs(model, case) for case in own) if inputs is not None]
        (folder / f"{number:05}.tflite").write_bytes(model.content)
        np.savez(folder / f"{number:05}.npz", *(np.array(column) for column in zip(*rows, strict=True)))
    subprocess.run([sys.executable, HERE / "micro_outputs.py", folder], check=True, capture_output=True)
    loaded = [np.load(folder / f"{number:05}.out.npz") for number in range(len(models))]
    return [(held["scores"], held["queries"]) for held in loaded]


def expected(model, case: Case, query: np.ndarray) -> tuple[list[int], list[int]]:
    """The list of a case by its definition: int32 sums, high first, equal ones by number; and the sums."""
    sums = model.scoring.astype(np.int64) @ (query.astype(np.int64) - model.query_zero).reshape(-1) + model.bias
    ranked = sorted(set(range(model.n_items)) - set(case.exclude), key=lambda item: (-sums[item], item))[: case.k]
    return ranked, [int(sums[item]) for item in ranked]
