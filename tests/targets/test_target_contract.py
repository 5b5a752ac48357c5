"""Every device in the folder: complete data, rules that explain themselves, operators that the schema knows."""

from dataclasses import fields

import pytest
from handmade import CODES, build, dense

from kdrec import targets
from kdrec.compress import recipes
from kdrec.errors import UnknownNameError
from kdrec.targets.base import estimate, manual
from kdrec.targets.base.check import explain

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
        assert target.title and target.source and target.proof and target.not_proven
        assert target.accelerated_ops >= target.narrow_ops
        assert target.finish is not None or not target.packages

    def test_every_limit_has_a_source(self, target) -> None:
        """What differs from a target without limits, and is not one of its own lists."""
        limits = {"lookup", "max_fc_outputs", "max_constant_bytes", "one_subgraph", "topk"}
        limits |= {"accelerated_ops", "narrow_ops", "finish", "min_runtime"}
        default = {each.name: each.default for each in fields(target)}
        set_ones = {name for name in limits if getattr(target, name) not in (default[name], frozenset())}
        assert set_ones - set(target.sources) == set()
        assert set(target.sources) - {each.name for each in fields(target)} == set()
        assert all(target.sources.values())

    def test_estimates_say_what_they_count(self, target) -> None:
        content = build(dense())
        found = estimate(content, target)
        assert [each.name for each in found] == [each.__name__ for each in target.estimates]
        assert all((each.bytes > 0 or each.name == "streamed_parameters") and not each.measured for each in found)
        assert all(explain(each)[0].endswith(".") for each in target.estimates)

    def test_every_rule_is_a_row_of_the_manual(self, target) -> None:
        rows = manual(target)
        assert len(rows) == len(target.rules) + len(target.advice) == len({row.rule for row in rows})
        for row in rows:
            assert row.message.endswith(".") and "\n" not in row.message
            assert row.way_out.startswith("Way out: ") and row.way_out.endswith(".")
            assert row.source.startswith("Source: ") and row.source.endswith(".")
        assert [row.is_warning for row in rows].count(True) == len(target.advice)


def test_the_devices_of_today() -> None:
    ethos = {"ethos_u55", "ethos_u65", "ethos_u85"}
    assert {"android", "coral_edgetpu", "linux_arm64", "micro", "web"} | ethos <= set(targets.names())


def test_an_unknown_device_lists_those_there() -> None:
    with pytest.raises(UnknownNameError, match="targets has no 'toaster'; it has android, coral_edgetpu, .*micro, web"):
        targets.get("toaster")
