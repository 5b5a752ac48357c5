"""The layer table: who may import whom, read off the source."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kdrec

ROOT = Path(kdrec.__file__).parent
KERAS = {"tensorflow", "tf_keras", "numpy"}
# The last two are for models and files of others: a Keras 3 model, a Parquet file of scores.
TEACHERS = {"tensorflow_recommenders", "implicit", "threadpoolctl", "scipy", "keras", "pyarrow"}

# Layer -> the layers of kdrec and the packages of the world that it may import, beside itself and Python's own.
TABLE: dict[str, tuple[set[str], set[str]]] = {
    "data": (set(), {"numpy", "pandas", "pyarrow"}),
    "schedules": (set(), {"tensorflow"}),
    "losses": ({"schedules"}, KERAS),
    "models": ({"data", "losses"}, KERAS | TEACHERS),
    "distill": ({"losses", "schedules", "data"}, KERAS),
    "compress": (set(), KERAS | {"tensorflow_model_optimization"}),
    "loggers": (set(), KERAS | {"tensorboard", "mlflow", "wandb"}),
    "tflite": (set(), {"numpy", "flatbuffers", "ai_edge_litert"}),
    "bundle": ({"tflite"}, {"numpy", "flatbuffers", "ai_edge_litert"}),
    # Runtime measures an arena; LiteRT is for programs that are written out.
    "targets": ({"tflite", "bundle", "runtime"}, {"numpy", "ai_edge_litert"}),
    "export": ({"compress", "tflite", "bundle"}, KERAS),
    "runtime": ({"tflite", "bundle"}, {"numpy", "ai_edge_litert", "tflite_micro"}),
    "evaluation": ({"data"}, {"numpy"}),
    "bench": (
        {"evaluation", "runtime", "bundle", "tflite"},
        {"numpy", "ai_edge_litert", "tflite_micro", "rich", "matplotlib"},
    ),
    "report": ({"evaluation", "runtime", "bundle"}, {"numpy", "matplotlib", "jinja2", "markupsafe", "rich"}),
}
# Leaves that import no layer; every layer may import them.
OPEN = {"converter", "errors", "variants", "files", "legacy_keras", "threads", "training"}
# All others join the layers and may import them all: the command line and the modules at the top of the package.
JOINING = {path.stem for path in ROOT.glob("*.py")} - OPEN | {"cli", "search"}
OPEN_WORLD = {"training": KERAS, "legacy_keras": {"tensorflow"}, "threads": {"tensorflow"}}


def imported(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    """Every module that a source imports, at its top or inside a function; relative ones begin with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((f"{base}.{alias.name}", node) for alias in node.names)


def annotations_only(tree: ast.AST) -> set[ast.stmt]:
    """Imports under `if TYPE_CHECKING`: they never run."""
    blocks = (node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    return {statement for block in blocks for statement in block.body}


def violations(source: str, layer: str) -> list[str]:
    """What one file of a layer imports against the table."""
    tree = ast.parse(source)
    of_kdrec, of_world = TABLE.get(layer, (set(), OPEN_WORLD.get(layer, set())))
    ignored = annotations_only(tree)
    found = []
    for name, statement in imported(tree):
        if statement in ignored:
            continue
        top, _, rest = name.partition(".")
        if name.startswith("."):
            found.append(f"{ast.unparse(statement)!r} is relative; write it out from kdrec")
        elif name.startswith(("tf.keras", "tensorflow.keras", "pickle")):
            found.append(f"{ast.unparse(statement)!r} is not used here; tf_keras or np.load(allow_pickle=False) is")
        elif top == "kdrec":
            reached = rest.partition(".")[0]
            if reached not in of_kdrec | OPEN | {layer, "", "__version__"} and layer not in JOINING:
                found.append(f"{layer} may not import kdrec.{reached}; of kdrec it may import {sorted(of_kdrec)}")
        elif top not in of_world | sys.stdlib_module_names and layer not in JOINING:
            found.append(f"{layer} may not import {top}; of the world it may import {sorted(of_world)}")
    for node in ast.walk(tree):
        is_tf_keras = isinstance(node, ast.Attribute) and ast.unparse(node) in ("tf.keras", "tensorflow.keras")
        if is_tf_keras and layer != "legacy_keras":  # the one module that asks which Keras it is
            found.append("tf.keras may be Keras 3; import tf_keras as keras")
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("eval", "exec"):
            found.append(f"{ast.unparse(node)!r} runs text as code")
    return found


SOURCES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_layer_table(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert violations(path.read_text(), layer) == []


def test_every_folder_is_a_layer_of_the_table() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in SOURCES if path.parent != ROOT}
    assert folders - {"cli", "search"} == set(TABLE)


@pytest.mark.parametrize(
    ("source", "layer", "message"),
    [
        ("from kdrec.models import students", "data", "data may not import kdrec.models"),
        ("def late():\n    import tensorflow", "evaluation", "evaluation may not import tensorflow"),
        ("from . import files", "data", "is relative"),
        ("from tensorflow import keras", "models", "tf_keras"),
        ("import tensorflow as tf\ntf.keras.Model()", "models", "tf.keras may be Keras 3"),
        ("import pickle", "data", "allow_pickle=False"),
        ("eval('1')", "cli", "runs text as code"),
    ],
)
def test_a_violation_is_seen(source: str, layer: str, message: str) -> None:
    found = violations(source, layer)
    assert len(found) == 1 and message in found[0]


def test_imports_for_annotations_are_free() -> None:
    assert violations("if TYPE_CHECKING:\n    from kdrec.models import layers", "evaluation") == []


LOADED = """
import json, sys, time
start = time.process_time()
{code}
print(json.dumps([time.process_time() - start, sorted({{name.partition(".")[0] for name in sys.modules}})]))
"""
BARE = """
import typer
app = typer.Typer()
app.command()(lambda: None)
try: app(['--help'])
except SystemExit: pass
"""
HEAVY = {"tensorflow", "tf_keras", "keras", "pandas", "pyarrow", "numpy", "matplotlib", "scipy", "ai_edge_litert"}


@pytest.mark.parametrize(
    "code",
    [
        "import kdrec",
        "from kdrec.cli import main\nsys.argv = ['kdrec', '--help']\ntry: main()\nexcept SystemExit: pass",
        "from kdrec.cli import main\nsys.argv = ['kdrec', 'run', '--help']\ntry: main()\nexcept SystemExit: pass",
    ],
    ids=["import kdrec", "kdrec --help", "kdrec run --help"],
)
def test_starting_is_quick_and_loads_nothing_heavy(code: str) -> None:
    """The best of five against that of typer's smallest command, both in seconds of the processor."""
    spent, bare = [], []
    for _ in range(5):
        seconds, modules = started(code)
        assert HEAVY & modules == set()
        spent.append(seconds)
        bare.append(started(BARE)[0])
        if min(spent) < 5 * min(bare):
            return
    pytest.fail(f"starting took {min(spent):.2f} seconds, and a command that does nothing {min(bare):.2f}")


def started(code: str) -> tuple[float, set[str]]:
    """Seconds of the processor that a fresh Python spends on some code, and the packages that are loaded then."""
    done = subprocess.run([sys.executable, "-c", LOADED.format(code=code)], capture_output=True, text=True, check=True)
    spent, modules = json.loads(done.stdout.splitlines()[-1])
    return spent, set(modules)


def test_the_runtime_needs_no_tensorflow() -> None:
    """Numpy and LiteRT are all that an edge machine installs, so the others are hidden while it is imported."""
    hidden = sorted({"tensorflow", "tf_keras", "keras", "pandas", "pyarrow", "matplotlib", "scipy", "implicit"})
    code = f"import sys\nsys.modules.update(dict.fromkeys({hidden}))\nimport kdrec\nkdrec.Recommender"
    subprocess.run([sys.executable, "-c", code], check=True)
