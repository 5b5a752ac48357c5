"""Which matrix costs how much: the files that are asked for, the recipe that follows, and what a measurement leaves."""

import json
from itertools import product
from pathlib import Path

import pytest
from small_log import small, write_small_log

from kdrec import sensitivity
from kdrec.compress import recipes
from kdrec.errors import DataError

GROUPS = ["item_table", "linear", "hidden", "residual"]


def test_each_question_is_asked_of_one_group():
    for row in sensitivity.questions(GROUPS):
        alone, all_but = recipes.get(row["alone"]), recipes.get(row["all_but"])
        if row["group"] == "activations":
            assert (alone.activations, all_but.activations) == ("int8", "float32")
            assert {alone.type_of(group) for group in GROUPS} == {"float32"}
            assert {all_but.type_of(group) for group in GROUPS} == {"int8"}
            continue
        others = [group for group in GROUPS if group != row["group"]]
        assert alone.type_of(row["group"]) == row["type"] and alone.activations == "float32"
        assert {alone.type_of(group) for group in others} == {"float32"}
        assert {all_but.type_of(group) for group in others} == {row["type"]}
        assert all_but.type_of(row["group"]) == {"int8": "float32", "int4": "int8"}[row["type"]]
    assert len(sensitivity.questions(GROUPS)) == 2 * len(GROUPS) + 1


def test_every_choice_of_groups_in_four_bits_is_a_candidate():
    names = sensitivity.candidates(GROUPS)
    chosen = {tuple(recipes.get(name).type_of(group) for group in GROUPS) for name in names}
    assert chosen == set(product(("int4", "int8"), repeat=4)) and len(names) == 16
    assert set(names) <= set(sensitivity.every_recipe(GROUPS))


def test_the_smallest_file_within_the_loss_is_chosen():
    files = {
        "float32": {"ndcg": 0.5, "bytes": 400}, "int8": {"ndcg": 0.5, "bytes": 100},
        "int8+item_table=int4": {"ndcg": 0.44, "bytes": 60}, "int8+linear=int4": {"ndcg": 0.49, "bytes": 90},
        "int8+item_table=int4+linear=int4": {"ndcg": 0.43, "bytes": 50},
    }  # fmt: skip
    for allowed, name in (
        (0.15, "int8+item_table=int4+linear=int4"), (0.13, "int8+item_table=int4"), (0.02, "int8+linear=int4"),
        (0.0, "int8"),
    ):  # fmt: skip
        assert sensitivity.chosen(files, GROUPS[:2], allowed) == name
    files["int8"]["ndcg"] = 0.4
    assert sensitivity.chosen(files, GROUPS[:2], 0.0) == "int8"


def test_a_loss_that_is_no_share_is_refused():
    with pytest.raises(DataError, match=r"allowed must lie in \[0, 1\), not 1.5; it is a share of the float32 file's"):
        sensitivity.sensitivity(small(Path("nowhere")), allowed=1.5)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_what_a_measurement_leaves(tmp_path: Path):
    from rich.console import Console

    from kdrec.report.sensitivity import sensitivity_table

    write_small_log(tmp_path)
    config = small(tmp_path, targets=("android",), hidden=0, sparsity=0.0)
    places = {"out": tmp_path / "out", "work": tmp_path / "work"}
    result = sensitivity.sensitivity(config, allowed=0.5, **places)
    assert json.loads((tmp_path / "out" / "sensitivity.json").read_text()) == result
    assert (tmp_path / "out" / "sensitivity.svg").read_text().count("</svg>") == 1
    files = result["files"]
    assert set(files) == set(sensitivity.every_recipe(["item_table", "linear"]))
    assert result["recipe"] == sensitivity.chosen(files, ["item_table", "linear"], 0.5)
    assert files["float32"]["lost"] == 0
    for file in files.values():
        assert file["lost"] == pytest.approx(files["float32"]["ndcg"] - file["ndcg"])
        assert file["lost_low"] <= file["lost"] <= file["lost_high"]
    table = (config.embedding_dim // 2) * 61  # bytes that four bits save of 61 rows
    saved = files["int8"]["bytes"] - files["int8+item_table=int4"]["bytes"]
    assert table - 256 < saved < table + 256  # the graph has two operators more
    console = Console(width=120)
    with console.capture() as captured:
        console.print(sensitivity_table(result))
    assert "item_table" in captured.get() and "All but it" in captured.get()
    said = []
    sensitivity.sensitivity(config, allowed=0.5, **places, progress=lambda *told: said.append(told))
    assert {note for _, _, _, note in said} == {"found finished"}
