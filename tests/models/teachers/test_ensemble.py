import json

import numpy as np
import pytest

from kdrec.config import Config
from kdrec.data.interactions import Interactions
from kdrec.data.splits import given
from kdrec.errors import DataError, UnknownNameError
from kdrec.evaluation.ranking import evaluate
from kdrec.models import teachers
from kdrec.models.teachers.als import als
from kdrec.models.teachers.base import load
from kdrec.models.teachers.ease import ease
from kdrec.models.teachers.ensemble import Ensemble, ensemble
from kdrec.models.teachers.ensemble.weights import _unlikelihood, candidates, likeliest, reached, searched
from kdrec.models.teachers.external import as_teacher
from kdrec.preflight import check_teacher_options

USERS, ITEMS = 40, 9
RNG = np.random.default_rng(3)
TAKEN = RNG.random((USERS, ITEMS)) < 0.5
HELD_OUT = TAKEN & (RNG.random((USERS, ITEMS)) < 0.3)
NOISE = RNG.normal(size=(USERS, ITEMS)).astype(np.float32)
HINT = (5.0 * (HELD_OUT + 0.5 * RNG.normal(size=(USERS, ITEMS))) + 20.0).astype(np.float32)


def log(taken):
    who, what = np.nonzero(taken)
    return Interactions(who, what, np.arange(USERS), np.arange(ITEMS))


TRAIN = log(TAKEN & ~HELD_OUT)
SPLIT = given(TRAIN, log(HELD_OUT), log(np.zeros_like(TAKEN)))


def known(scores):
    """A teacher that answers from a table."""
    return as_teacher(lambda x: scores[x["user"]], ITEMS)


def rows(users=range(USERS)):
    users = np.asarray(users, np.int32)
    history = np.where((TAKEN & ~HELD_OUT)[users], np.arange(1, ITEMS + 1), 0)
    return {"user": users, "history": history.astype(np.int32)}


def slow_standardised(scores):
    """(s − mean) / deviation over the unseen items, row by row."""
    table = np.zeros((USERS, ITEMS))
    for user in range(USERS):
        unseen = scores[user][~(TAKEN & ~HELD_OUT)[user]].astype(np.float64)
        table[user] = (scores[user] - unseen.mean()) / unseen.std()
    return table


def test_scores_are_the_weighted_sum_of_standardised_ones():
    expected = 0.25 * slow_standardised(NOISE) + 0.5 * slow_standardised(HINT)
    got = Ensemble([known(NOISE), known(HINT)], [0.25, 0.5])(rows())
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    equal = Ensemble([known(NOISE), known(HINT)])(rows())
    np.testing.assert_allclose(equal, 0.5 * (slow_standardised(NOISE) + slow_standardised(HINT)), atol=1e-4)


def test_the_size_and_the_height_of_a_members_scores_do_not_matter():
    once, changed = (Ensemble([known(NOISE), known(hint)])(rows()) for hint in (HINT, 1000.0 * HINT - 77.0))
    np.testing.assert_allclose(once, changed, atol=1e-3)


def test_a_member_that_has_no_opinion_adds_none():
    flat = known(np.full((USERS, ITEMS), 0.1, np.float32))
    np.testing.assert_allclose(Ensemble([flat, known(HINT)], [1, 1])(rows()), Ensemble([known(HINT)], [1])(rows()))


def test_who_has_seen_everything_is_judged_by_everything():
    x = {"user": np.array([0], np.int32), "history": np.arange(1, ITEMS + 1)[None]}
    expected = (HINT[0] - HINT[0].mean()) / HINT[0].std()
    np.testing.assert_allclose(Ensemble([known(HINT)])(x)[0], expected, rtol=1e-3, atol=1e-5)


def test_a_member_of_weight_0_is_left_out():
    never = as_teacher(lambda x: pytest.fail("asked"), ITEMS)
    teacher = Ensemble([never, known(HINT)], [0.0, 2.0])
    assert teacher.weights == [2.0] and teacher(rows()).shape == (USERS, ITEMS)


def test_joint_embeddings_multiply_to_the_scores():
    teacher = Ensemble([als(TRAIN, factors=4), als(TRAIN, factors=3, seed=1)], [0.7, 0.3])
    assert teacher.provides == {"user_embedding", "item_embedding"}
    assert teacher.item_embedding.shape == (ITEMS, 4 + 3 + 1)
    product = teacher.user_embedding(rows()) @ teacher.item_embedding.T
    np.testing.assert_allclose(product, teacher(rows()), rtol=1e-3, atol=1e-4)


def test_item_embedding_is_that_of_the_members_that_have_one():
    factors = als(TRAIN, factors=4)
    teacher = Ensemble([ease(TRAIN), factors])
    assert teacher.provides == {"item_embedding"}
    np.testing.assert_allclose(teacher.item_embedding, factors.item_embedding / factors.item_embedding.std(), rtol=1e-5)
    with pytest.raises(DataError, match="teacher 'ensemble' gives scores only, no user_embedding"):
        teacher.user_embedding(rows())
    with pytest.raises(DataError, match="teacher 'ensemble' has no item_embedding; add a member that has"):
        Ensemble([ease(TRAIN)]).item_embedding  # noqa: B018


def test_snapshots_are_ensembles_of_the_members_snapshots():
    kept, plain = als(TRAIN, factors=4, snapshots=2), ease(TRAIN)
    teacher = Ensemble([kept, plain], [0.6, 0.4])
    states = teacher.snapshots(3)
    assert teacher.provides == {"item_embedding", "snapshots"} and states[-1] is teacher
    for state, earlier in zip(states, kept.snapshots(3), strict=True):
        assert np.array_equal(state(rows()), Ensemble([earlier, plain], [0.6, 0.4])(rows()))
    with pytest.raises(DataError, match="teacher 'ensemble' keeps no snapshots"):
        Ensemble([plain]).snapshots(2)


def test_a_saved_ensemble_of_paths_answers_alike(tmp_path):
    np.save(tmp_path / "hint.npy", HINT)
    ease(TRAIN).save(tmp_path / "mine")
    teacher = ensemble(TRAIN, members=[str(tmp_path / "hint.npy"), str(tmp_path / "mine"), "als"], weights=[3, 2, 1])
    expected = teacher(rows())
    teacher.save(tmp_path / "teacher")
    (tmp_path / "hint.npy").unlink()
    loaded = load(tmp_path / "teacher")
    assert np.array_equal(loaded(rows()), expected) and loaded.weights == teacher.weights == [
        1 / 2,
        1 / 3,
        1 / 6,
    ]


def test_members_may_have_been_trained_before():
    told = []
    members = [known(NOISE), "als", lambda x: HINT[x["user"]]]
    teacher = ensemble(
        TRAIN, members=members, options={"als": {"factors": 2}}, weights="validation", validation=SPLIT,
        progress=lambda done, total, logs: told.append(sorted(logs)),
    )  # fmt: skip
    assert told[-1] == ["weight als", "weight external", "weight function"]
    equal = ensemble(TRAIN, members=members, weights=[1, 0, 1])
    assert np.array_equal(equal(rows()), Ensemble([known(NOISE), known(HINT)])(rows()))
    assert teacher.n_items == ITEMS


def test_members_get_their_options_and_what_they_take(monkeypatch, tmp_path):
    told = []

    def fake(train, *, seed=0, progress=None, ordered=None, width=1, validation=None, checkpoint_folder=None):
        told.append((seed, ordered, width, validation, checkpoint_folder))
        return known(HINT)

    real = teachers.get
    monkeypatch.setattr(teachers, "get", lambda name: fake if name == "two_tower" else real(name))
    ensemble(
        TRAIN, members="two_tower,als,two_tower", options={"two_tower": {"width": 7}}, seed=5, ordered=False,
        validation=SPLIT, checkpoint_folder=tmp_path,
    )  # fmt: skip
    assert told == [
        (5, False, 7, SPLIT, tmp_path / "member_0"),
        (6, False, 7, SPLIT, tmp_path / "member_2"),
    ]


def test_what_weights_reach_is_what_the_evaluation_says():
    members, weights = [known(NOISE), known(HINT)], np.array([0.8, 0.2])
    judged = evaluate(Ensemble(members, weights), SPLIT, "valid", ks=(1, 3)).metrics
    asked = candidates(members, SPLIT, USERS, seed=0)
    for metric in ("ndcg@1", "ndcg@3", "recall@3"):
        assert reached(asked, weights, metric) == pytest.approx(judged[metric], abs=1e-6)


def test_few_candidates_hold_the_best_the_held_out_and_some_that_stand_for_the_others(monkeypatch):
    monkeypatch.setattr("kdrec.models.teachers.ensemble.weights.POOL", 1)
    monkeypatch.setattr("kdrec.models.teachers.ensemble.weights.DRAWN", 2)
    monkeypatch.setattr("kdrec.models.teachers.ensemble.weights.BATCH", 7)
    batches = candidates([known(NOISE), known(HINT)], SPLIT, USERS, seed=0)
    users = SPLIT.users("valid")
    assert [len(batch.held_out) for batch in batches] == [7] * (len(users) // 7) + [len(users) % 7] * (
        len(users) % 7 > 0
    )
    noise, hint = slow_standardised(NOISE), slow_standardised(HINT)
    told = [row for batch in batches for row in zip(*batch.scores, batch.held_out, batch.stands_for, strict=True)]
    for user, (of_noise, of_hint, held_out, stands_for) in zip(users, told, strict=True):
        kept, unseen = stands_for > 0, np.flatnonzero(~(TAKEN & ~HELD_OUT)[user])
        items = np.abs(noise[user] - of_noise[kept][:, None]).argmin(axis=1)  # whose scores these are
        np.testing.assert_allclose(of_hint[kept], hint[user][items], atol=1e-4)
        assert np.array_equal(held_out[kept], HELD_OUT[user][items])
        wanted = {unseen[table[user][unseen].argmax()] for table in (NOISE, HINT)} | set(np.flatnonzero(HELD_OUT[user]))
        others = set(unseen) - wanted
        assert wanted <= set(items) <= set(unseen) and len(set(items)) == len(items)
        assert len(set(items) - wanted) == min(2, len(others)) and stands_for.sum() == pytest.approx(len(unseen))
        assert all(stands_for[kept][item == items] == 1.0 for item in wanted)


def test_a_sample_of_users_is_drawn_by_the_seed():
    one, same, other = (
        np.concatenate([batch.scores[0, :, 0] for batch in candidates([known(NOISE)], SPLIT, 10, seed)])
        for seed in (0, 0, 1)
    )
    assert len(one) == 10 and np.array_equal(one, same) and not np.array_equal(one, other)


@pytest.mark.parametrize("metric", ["ndcg@3", "recall@2"])
def test_no_other_share_of_one_member_reaches_more_on_validation(metric):
    asked = candidates([known(NOISE), known(HINT), known(-HINT)], SPLIT, USERS, seed=0)
    weights = searched(asked, 3, metric)
    best = reached(asked, weights, metric)
    assert weights.sum() == pytest.approx(1.0) and best > reached(asked, np.ones(3), metric)
    assert best >= max(reached(asked, alone, metric) for alone in np.eye(3))
    for one in np.eye(3):
        rest = weights * (1.0 - one)
        for share in (0.0, 0.1, 0.5) if rest.any() else ():
            assert reached(asked, share * one + (1.0 - share) * rest / rest.sum(), metric) <= best


def slow_unlikelihood(weights):
    """Mean over users and their held-out items of −log softmax over all unseen items."""
    summed = weights[0] * slow_standardised(NOISE) + weights[1] * slow_standardised(HINT)
    values = []
    for user in np.flatnonzero(HELD_OUT.any(axis=1)):
        unseen = ~(TAKEN & ~HELD_OUT)[user]
        total = np.log(np.exp(summed[user][unseen]).sum())
        values.append(np.mean([total - summed[user][item] for item in np.flatnonzero(HELD_OUT[user])]))
    return np.mean(values)


def test_learned_weights_make_validation_items_likeliest():
    asked = candidates([known(NOISE), known(HINT)], SPLIT, USERS, seed=0)
    value, gradient = _unlikelihood(asked, np.array([0.4, 0.9]))
    assert value == pytest.approx(slow_unlikelihood([0.4, 0.9]), rel=1e-5)
    for member, step in enumerate(1e-4 * np.eye(2)):
        rise = slow_unlikelihood([0.4, 0.9] + step) - slow_unlikelihood([0.4, 0.9] - step)
        assert gradient[member] == pytest.approx(rise / 2e-4, abs=1e-4)
    grid = [(first, second) for first in np.arange(0, 2, 0.1) for second in np.arange(0, 4, 0.1) if first + second > 0]
    first, second = min(grid, key=slow_unlikelihood)
    np.testing.assert_allclose(
        likeliest(asked, 2, ""), [first / (first + second), second / (first + second)], atol=0.05
    )


def test_a_member_that_is_always_wrong_gets_no_learned_weight():
    asked = candidates([known(NOISE - 5.0 * HELD_OUT), known(HINT)], SPLIT, USERS, seed=0)
    assert likeliest(asked, 2, "").tolist() == [0.0, 1.0]


@pytest.mark.parametrize("weights", ["validation", "learned"])
def test_weights_that_are_found_are_told(tmp_path, weights):
    for name, table in (("noise", NOISE), ("hint", HINT)):
        np.save(tmp_path / f"{name}.npy", table)
    told, paths = [], [str(tmp_path / f"{name}.npy") for name in ("noise", "hint")]
    teacher = ensemble(
        TRAIN, members=",".join(paths), weights=weights, validation=SPLIT,
        progress=lambda done, total, logs: told.append((done, total, logs)),
    )  # fmt: skip
    assert [(done, total) for done, total, _ in told] == [(1, 3), (2, 3), (3, 3)]
    assert sum(told[-1][2].values()) == pytest.approx(1.0)
    assert teacher.weights == [weight for weight in told[-1][2].values() if weight]
    assert told[-1][2][f"weight {paths[1]}"] > 0.5


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"members": ""}, DataError, "members must name at least one teacher, not ''; ease,als is the default"),
        ({"members": "ease,oracle"}, UnknownNameError, "members of an ensemble must be of als, .*; 'oracle' is none"),
        (
            {"options": {"als": {"l3": 1}}},
            UnknownNameError,
            "options of member 'als' has no 'l3'; it has alpha, factors",
        ),
        ({"options": {"two_tower": {}}}, UnknownNameError, "options has no 'two_tower'; it has the members ease, als"),
        ({"options": {"als": 3}}, DataError, "options of member 'als' must be an object of options, not 3"),
        (
            {"weights": "best"},
            UnknownNameError,
            "weights has no 'best'; it has equal, validation, learned, or one number",
        ),
        ({"weights": [1.0]}, DataError, r"weights must be one a member \(2\), not 1; 0 leaves a member out"),
        ({"weights": [1.0, -1.0]}, DataError, r"weights must be at least 0, one of them above, not \[1.0, -1.0\]"),
        ({"weights": [0, 0]}, DataError, r"weights must be at least 0, one of them above, not \[0, 0\]"),
        (
            {"weights": "learned"},
            DataError,
            "weights='learned' needs validation items, and there are none; give numbers",
        ),
        ({"metric": "auc"}, DataError, "metric must be ndcg@k or recall@k with a k of at least 1, not 'auc'"),
        ({"sample": 0}, DataError, "sample must be above 0, not 0"),
    ],
)
def test_wrong_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        ensemble(TRAIN, **options)


def test_members_must_be_of_one_catalogue():
    with pytest.raises(DataError, match=r"members must be of one catalogue, not of \[2, 9\] items"):
        Ensemble([known(HINT), as_teacher(lambda x: np.zeros((len(x["user"]), 2)), 2)])
    with pytest.raises(DataError, match="members must be at least one teacher, and there is none"):
        Ensemble([])


def config(**options):
    return Config(teacher="ensemble", teacher_options=options)


def test_a_configuration_names_members_and_their_options():
    check_teacher_options(config())
    check_teacher_options(config(members="als", options={"als": {"factors": 3}}, weights=[1]))
    check_teacher_options(
        Config.from_json(json.dumps({"teacher": "ensemble", "teacher_options": {"members": ["als"]}}))
    )
    with pytest.raises(UnknownNameError, match="'oracle' is none"):
        check_teacher_options(config(members="oracle"))
    with pytest.raises(DataError, match="teacher_options factors of 'als' must be an integer, not 'many'"):
        check_teacher_options(config(options={"als": {"factors": "many"}}))
    with pytest.raises(
        DataError, match="teacher_options members of 'ensemble' must be text or a list, each text or Teacher, not 3"
    ):
        check_teacher_options(config(members=3))
