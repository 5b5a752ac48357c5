"""Every device in the folder: complete data, rules that explain themselves, operators that the schema knows."""

import pytest
from handmade import CODES

from kdrec import targets
from kdrec.compress import recipes
from kdrec.errors import UnknownNameError
from kdrec.targets.base import manual

TARGETS = [targets.get(name) for name in targets.names()]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
class TestTarget:
    def test_is_found_by_its_own_name(self, target) -> None:
        assert targets.get(target.name.replace("_", "-")) is target

    def test_operators_are_spelled_as_in_the_schema(self, target) -> None:
        assert target.ops - set(CODES) == set()
        assert target.unverified_ops <= target.ops
        assert "FULLY_CONNECTED" in target.ops

    def test_options_go_together(self, target) -> None:
        assert target.lookup in ("device", "host")
        assert target.oracle in ("litert", "tflite-micro")
        assert target.recipe in recipes.names()
        assert "score" in target.signatures
        assert ("recommend" in target.signatures) == (target.topk is not None)
        assert not target.one_subgraph or len(target.signatures) == 1
        assert ("GATHER" in target.ops) == (target.lookup == "device")
        assert target.title and target.source

    def test_every_rule_is_a_row_of_the_manual(self, target) -> None:
        rows = manual(target)
        assert len(rows) == len(target.rules) + len(target.advice) == len({row.rule for row in rows})
        for row in rows:
            assert row.message.endswith(".") and "\n" not in row.message
            assert row.way_out.startswith("Way out: ") and row.way_out.endswith(".")
        assert [row.is_warning for row in rows].count(True) == len(target.advice)


def test_the_three_devices_of_today() -> None:
    assert {"android", "coral_edgetpu", "micro"} <= set(targets.names())


def test_an_unknown_device_lists_those_there() -> None:
    with pytest.raises(UnknownNameError, match="targets has no 'toaster'; it has android, coral_edgetpu, micro"):
        targets.get("toaster")
