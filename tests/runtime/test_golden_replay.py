"""A bundle's golden vectors come back bit-equal from its oracle, and an altered answer is seen."""

import json
from dataclasses import replace

from kdrec.bundle import golden, open_bundle
from kdrec.runtime.judge import judge


def test_replay_is_equal(android_bundle, context_bundle, micro_bundle, coral_bundle) -> None:
    for folder in (android_bundle, context_bundle, micro_bundle, coral_bundle):
        check_replay(folder)


def check_replay(folder) -> None:
    bundle = open_bundle(folder)
    cases = json.loads(bundle.files["golden.json"])["cases"]
    assert len(cases) == 3
    assert golden.replay(bundle.files["golden.json"], judge(bundle.manifest, bundle.files).answers) == []


def test_an_android_bundle_has_its_own_top_k_in_the_golden_vectors(android_bundle) -> None:
    case = json.loads(open_bundle(android_bundle).files["golden.json"])["cases"][0]
    top = case["outputs"]["recommend"]["items"]
    assert top == case["outputs"]["score"]["top"][: len(top)]


def test_another_answer_is_seen(android_bundle) -> None:
    bundle = open_bundle(android_bundle)
    runner = judge(bundle.manifest, bundle.files).answers

    def wrong(cases):
        return [replace(answer, stored=answer.stored + 1) for answer in runner(cases)]

    differences = golden.replay(bundle.files["golden.json"], wrong)
    assert len(differences) == 3
    assert differences[0].startswith('case 0, score: expected {"sha256":')
