"""Generated C against its two oracles, over random models and inputs, with every warning and sanitizer on.

Logits: TensorFlow Lite Micro, byte for byte. Lists: the definition, on int32 sums of TensorFlow Lite Micro's query.
"""

import numpy as np
import pytest
from c_programs import Answer, Case, ask_micro, expected, file_inputs, random_cases, run_here
from random_models import random_model

from kdrec.targets.micro.backends.c import c

MODELS, CASES = 12, 30


@pytest.mark.slow
def test_logits_and_lists_are_those_of_the_oracles(tmp_path, require) -> None:
    require("gcc")
    require("tflite-micro")
    rng = np.random.default_rng(20)
    models = [random_model(rng) for _ in range(MODELS)]
    asked = [
        [*random_cases(rng, model, CASES), Case((0,), (0,) * len(model.context), (), model.n_items)] for model in models
    ]
    inside, compared = 0, 0
    for number, (model, cases, (scores, queries)) in enumerate(
        zip(models, asked, ask_micro(tmp_path / "micro", models, asked), strict=True)
    ):
        answers = run_here(c(model.content), cases, tmp_path / "c")
        rows = iter(zip(scores.reshape(len(scores), -1), queries, strict=True))
        for case, answer in zip(cases, answers, strict=True):
            if file_inputs(model, case) is None:
                assert answer == Answer((), (), ()), f"model {number}, {case}"
                continue
            logits, query = next(rows)
            assert answer.logits == tuple(logits.tolist()), f"model {number}, {case}"
            assert (list(answer.items), list(answer.scores)) == expected(model, case, query), f"model {number}, {case}"
            inside += int((np.abs(logits.astype(int) + 0.5) < 127).sum())
            compared += len(logits)
        assert next(rows, None) is None
    assert compared > 5000 and inside > compared / 2  # clamped scores alone would prove little
