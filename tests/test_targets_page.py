"""The page of targets is made from the code, and holds what the code has."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from kdrec import targets
from kdrec.targets.base import manual

TREE = Path(__file__).parents[1]
PAGE = (TREE / "docs" / "targets.md").read_text()
TARGETS = [targets.get(name) for name in targets.names()]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("targets_script", TREE / "scripts" / "targets.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_code_says(script: ModuleType) -> None:
    assert script.page() == PAGE, "run scripts/targets.py"


def test_every_link_leads_to_a_section() -> None:
    headings = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)
    assert len(set(headings)) == len(headings)
    assert set(re.findall(r"\]\(#(\w+)\)", PAGE)) == set(headings)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_device_has_its_line_its_facts_and_its_rules(target) -> None:
    assert f"| [{target.name}](#{target.name}) | {target.title} | {target.proof} | {target.not_proven} |" in PAGE
    section = PAGE.partition(f"### {target.name}\n")[2].partition("\n### ")[0]
    for source in target.sources.values():
        assert source in section
    for operator in target.ops:
        assert re.search(rf"\b{operator}\b", section)
    for row in manual(target):
        rule = PAGE.partition(f"### {row.rule}\n")[2].partition("\n### ")[0].partition("\n## ")[0]
        assert f"\n{row.message}\n\n{row.way_out}\n\n{row.source}\n" in rule
        assert f"{target.name}{' (warns)' if row.is_warning else ''}" in rule
    assert all(f"`{recipe}`" in section for recipe in (*target.recipes, *target.mixes))


def test_limits_read_as_numbers_and_words(script: ModuleType) -> None:
    assert [script.told(value) for value in (None, False, True, 2560, "host")] == ["", "", "yes", "2,560", "host"]
    assert script.table(["a", "b"], [["1|2", ""]]) == "| a | b |\n| --- | --- |\n| 1\\|2 |  |"
