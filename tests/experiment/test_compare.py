"""With and without each step: the variants, and what a comparison leaves."""

from pathlib import Path

import pytest
from small_log import small, write_small_log

from kdrec import compare
from kdrec.bundle.read import open_bundle
from kdrec.compression import before_distillation, check_steps
from kdrec.config import Config
from kdrec.errors import DataError, TrainingError
from kdrec.report.check import check_report
from kdrec.without_effect import check_training_effect


def test_every_variant_takes_its_own_steps():
    config = Config(quantize_epochs=3, assistants=(64,), sampled_histories=0.5, vocabulary=600, rare_items="bucket")
    found = compare.variants(config)
    assert len({config.to_json() for config in found.values()}) == len(found) == 15
    for name, config in found.items():
        steps = name.split(", ")
        assert (config.student_loss_weight < 1) == ("distillation" in steps)
        assert (config.sparsity > 0) == (config.vocabulary == 600) == ("pruning" in steps)
        check_training_effect(config)
        assert (config.recipe != "float32") == any(
            "quant" in step or "bits" in step or "round" in step for step in steps
        )
        assert (config.quantize_epochs > 0) == ("training under rounding" in name)
        assert (config.recipe == "int4_table") == ("four bits" in name)
        assert config.targets == ("android",)
        pruned = [step for step in before_distillation(config) if step != "vocabulary"]
        assert pruned == ["prune"] * name.startswith("pruning, distillation")
        check_steps(config)
        if {"pruning", "training under rounding"} <= set(steps):
            assert (config.steps.index("prune") < config.steps.index("quantize")) == (
                steps.index("pruning") < steps.index("training under rounding")
            )


def test_rows_of_one_length_are_not_pruned_after_rounding():
    found = compare.variants(Config(unit_rows=True))
    assert set(compare.variants(Config())) - set(found) == {"distillation, training under rounding, pruning"}
    for config in found.values():
        check_steps(config)


def test_training_under_rounding_is_as_long_as_pruning_unless_it_is_said():
    found = compare.variants(Config(prune_epochs=4))
    assert found["distillation, training under rounding"].quantize_epochs == 4


@pytest.mark.parametrize(
    "options, said",
    [
        ({"sparsity": 0.0}, "sparsity must be above 0 to compare with and without pruning"),
        ({"recipe": "float32"}, "recipe must round to compare with and without quantization, not 'float32'"),
        ({"student_loss_weight": 1.0}, "student_loss_weight must be below 1 to compare with and without distillation"),
    ],
)
def test_a_configuration_that_leaves_a_step_out_is_refused(options, said):
    with pytest.raises(DataError, match=said):
        compare.variants(Config(**options))


@pytest.mark.parametrize(
    "options, error, said",
    [
        ({"recipe": "float16"}, TrainingError, "recipe must round weights to int8 .* not 'float16'"),
        ({"embedding_dim": 7}, DataError, "embedding_dim must be even for recipe 'int4_table', not 7"),
        ({"embedding_dim": 8, "shrink_dim": 7}, DataError, "shrink_dim must be even for recipe 'int4_table', not 7"),
    ],
)
def test_a_variant_that_cannot_be_made_is_refused_before_the_first_is_trained(options, error, said, tmp_path):
    with pytest.raises(error, match=said):
        compare.compare(Config(**options), out=tmp_path / "out", work=tmp_path / "work")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_a_comparison_is_part_of_the_report(tmp_path: Path, monkeypatch):
    write_small_log(tmp_path)
    config = small(tmp_path, targets=("android",))
    names = ("nothing", "distillation, quantization")
    every = compare.variants(config)
    monkeypatch.setattr(compare, "variants", lambda _: {name: every[name] for name in names})
    out, work = tmp_path / "out", tmp_path / "work"
    report = compare.compare(config, out=out, work=work)
    check_report(report)
    assert [row["name"] for row in report["comparison"]] == list(names)
    plain, rounded = report["comparison"]
    assert plain["table_bytes"] == 4 * rounded["table_bytes"] and plain["peak_memory_bytes"] > 0
    assert (plain["recipe"], rounded["recipe"]) == ("float32", "int8")
    assert plain["keep"] == pytest.approx(plain["ndcg@10"] / report["rows"][2]["ndcg@10"])
    page = (out / "report.html").read_text()
    assert "With and without each step" in page and "Distillation, quantization" in page
    for name in names:
        bundle = open_bundle(work / "compare" / name.replace(", ", "-") / "android")
        assert (
            bundle.manifest.metrics["ndcg@10"] == next(r for r in report["comparison"] if r["name"] == name)["ndcg@10"]
        )
    again = []
    compare.compare(config, out=out, work=work, progress=lambda *told: again.append(told))
    assert {note for _, _, _, note in again} == {"found finished", ""}
