"""The page of methods is made from the code, and holds what the code has."""

import importlib.util
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from kdrec import losses, schedules
from kdrec.distill import weightings
from kdrec.models import encoders, initialisers, students, tables, teachers

TREE = Path(__file__).parents[1]
PAGE = (TREE / "docs" / "methods.md").read_text()
FOLDERS = (losses, teachers, students, encoders, tables, initialisers, schedules, weightings)
NAMES = [name for folder in FOLDERS for name in folder.names()]

DOCSTRING = """e^(−λ x), a falling curve (Ann et al., 2020, arXiv:2001.00001).

    It falls.

    Args:
        x: (rows,) places.
        decay, top: both
            at once.
        table: (n, d) an array
            of two lines.

    Returns:
        (rows,).

    Source: a book.

    >>> 1
    1
    """


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("methods", TREE / "scripts" / "methods.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_code_says(script: ModuleType) -> None:
    assert script.page() == PAGE, "run scripts/methods.py"


def test_every_method_has_a_section_that_its_table_links_to() -> None:
    headings = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted(NAMES)
    assert headings == re.findall(r"^\| \[\w+\]\(#(\w+)\) \|", PAGE, re.MULTILINE)
    assert max(Counter(headings).values()) == 1  # else two sections have one address


@pytest.mark.parametrize("name", NAMES)
def test_every_section_begins_with_a_formula(name: str) -> None:
    assert re.search(rf"^### {name}\n\n```\n\S.{{8,}}\n```$", PAGE, re.MULTILINE)


def test_a_docstring_is_taken_apart(script: ModuleType) -> None:
    found = script.parts(DOCSTRING.replace("\n    ", "\n"))
    assert list(found) == ["", "Args", "Returns", "Source"]
    assert found[""].startswith("e^(−λ x)") and found[""].endswith("It falls.")
    assert found["Source"].strip() == "a book."


def test_options_have_defaults_and_texts_and_arrays_are_none(script: ModuleType) -> None:
    def made(x, *, decay=0.5, top=3, width="wide", table=None, seed=0, **kwargs):
        """What takes the options."""

    described = script.parts(DOCSTRING.replace("\n    ", "\n"))["Args"]
    assert script.options(made, described) == (
        "- `x`, `width='wide'`, `table=None`\n"  # no text but a shape
        "- `decay=0.5`, `top=3`: both at once."
    )


def test_sources_are_links_and_indices_emphasise_nothing(script: ModuleType) -> None:
    assert script.marked("Σ_k and E_(k−1)\nof arXiv:2001.00001, doi:10.1000/a.b-1).") == (
        r"Σ_k and E\_(k−1) of [arXiv:2001.00001](https://arxiv.org/abs/2001.00001), "
        "[doi:10.1000/a.b-1](https://doi.org/10.1000/a.b-1))."
    )


def test_a_source_behind_the_formula_is_told_apart_from_it() -> None:
    kl = PAGE.split("### softened_kl\n")[1].split("###")[0]
    assert "```\nT² Σ_i p_i (log p_i − log q_i) with p = softmax(t/T), q = softmax(s/T)\n```" in kl
    assert "Source: Hinton et al., 2015, [arXiv:1503.02531](https://arxiv.org/abs/1503.02531).\n" in kl


def test_tables_say_what_a_method_asks_for() -> None:
    assert re.search(r"^\| \[rrd\]\(#rrd\) \| Relaxed Ranking Distillation: .* \| `top_items` \| – \|$", PAGE, re.M)
    assert re.search(r"^\| \[relation\].* \| `user_embedding` \| `query` \|$", PAGE, re.M)
    assert re.search(r"^\| \[item_svd\].* \| `item_embedding` \|$", PAGE, re.M)
