"""What students that attend and remember learn, how they prune, and what their int8 files answer."""

import numpy as np
import pytest
import tf_keras as keras

from kdrec.compress import recipes
from kdrec.compress.prune import prunable, pruning_step, strip, zero_share
from kdrec.export import ExportJob, export_all
from kdrec.losses.softmax import Softmax
from kdrec.models.students.history import history
from kdrec.runtime.host import Host
from kdrec.runtime.interpreter import LiteRtFile
from kdrec.runtime.micro_interpreter import MicroFile
from kdrec.tflite.sizes import sizes
from kdrec.tflite.verify import run
from kdrec.tflite.views import read

pytestmark = pytest.mark.slow

LENGTH = 6
CYCLE = 12  # the rule: after item i comes item i + 1, whatever came before


def random_histories(rng, rows, items=CYCLE, length=LENGTH):
    """(rows, length) right-aligned tokens, of every length from 1, each item at most once."""
    filled = np.zeros((rows, length), np.int32)
    for row in filled:
        n = rng.integers(1, length + 1)
        row[length - n :] = rng.choice(items, n, replace=False) + 1
    return filled


@pytest.fixture(scope="module", params=["attention", "rnn"])
def follower(request):
    """A student that has learned the rule."""
    student = history(
        CYCLE, embedding_dim=8, history_length=LENGTH, encoder=request.param, encoder_options=OPTIONS[request.param],
        hidden=16, tied=False, seed=1,
    )  # fmt: skip
    x = random_histories(np.random.default_rng(0), 600)
    student.compile(keras.optimizers.Adam(0.02), loss=Softmax())
    student.fit({"history": x}, (x[:, -1:] % CYCLE) + 1, batch_size=50, epochs=25, verbose=0)
    return student


OPTIONS = {"attention": {"heads": 2}, "rnn": {"steps": 4}}
FRESH = random_histories(np.random.default_rng(5), 60)


def test_the_last_item_is_found_behind_others(follower):
    scores = follower.predict({"history": FRESH}, verbose=0)
    assert np.array_equal(scores.argmax(axis=1), FRESH[:, -1] % CYCLE)


@pytest.fixture(scope="module")
def files(follower):
    """The follower's int8 files by target."""
    int8 = recipes.get("int8")
    one = {"signatures": ("score",), "topk": None, "one_subgraph": True}
    jobs = [
        ExportJob("android", int8, topk=3),
        ExportJob("micro", int8, **one),
        ExportJob("coral_edgetpu", int8, **one, lookup="host", max_fc_outputs=2560),
    ]
    calibration = {"history": random_histories(np.random.default_rng(6), 80)}
    return {exported.job.name: exported for exported in export_all(follower, jobs, calibration)}


def scores_of(exported):
    """(rows, CYCLE) float, by LiteRT and, before an Edge TPU's part, by the host."""
    calls = [{"history": row[np.newaxis]} for row in FRESH]
    if exported.host is not None:
        edges = LiteRtFile(exported.files["model.tflite"]).ends("score").inputs
        calls = list(map(Host(exported.host, exported.files, edges), calls))
    return run(exported.model, "score", calls)["scores"]


@pytest.mark.parametrize("target", ["android", "micro", "coral_edgetpu"])
def test_int8_files_say_what_the_float_student_says(follower, files, target):
    expected, received = follower.predict({"history": FRESH}, verbose=0), scores_of(files[target])
    assert 0 < np.sqrt(np.mean((received - expected) ** 2)) / np.std(expected) < 0.03
    assert np.array_equal(received.argmax(axis=1), FRESH[:, -1] % CYCLE)


def test_the_micro_file_runs_in_tensorflow_lite_micro(follower, files, require):
    require("tflite-micro")
    expected, received = (
        follower.predict({"history": FRESH}, verbose=0),
        MicroFile(files["micro"].model).run({"history": FRESH}),
    )
    assert 0 < np.sqrt(np.mean((received.scores - expected) ** 2)) / np.std(expected) < 0.03
    assert np.array_equal(received.scores.argmax(axis=1), FRESH[:, -1] % CYCLE)


def test_files_keep_the_rules_of_their_targets_and_hold_no_loop(files):
    from kdrec import targets
    from kdrec.targets.base import check

    for name, exported in files.items():
        found = check(exported.model, targets.get(name))
        assert [str(one) for one in found if not one.is_warning] == []
        assert not {"WHILE", "VAR_HANDLE", "READ_VARIABLE"} & set(read(exported.model).operator_counts())


def test_the_bytes_of_a_graph_are_bounded(follower, files):
    per_step = {"android": 1200, "micro": 1000, "coral_edgetpu": 1000}
    for name, exported in files.items():
        steps = OPTIONS["rnn"]["steps"] if "history_gru" in [layer.name for layer in follower.layers] else 0
        assert sizes(exported.model, CYCLE).overhead < 7 * 1024 + steps * per_step[name]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("encoder", sorted(OPTIONS))
def test_pruned(encoder):
    x = {"history": random_histories(np.random.default_rng(0), 64)}
    student = history(
        CYCLE, embedding_dim=8, history_length=LENGTH, hidden=16, encoder=encoder, encoder_options=OPTIONS[encoder]
    )
    pruned = prunable(student, 0.5, begin_step=0, end_step=4, frequency=1)
    np.testing.assert_allclose(pruned(x), student(x), atol=1e-6)
    pruned.compile(keras.optimizers.Adam(0.03), loss=Softmax())
    curve = pruned.fit(
        x, x["history"][:, -1:] % CYCLE + 1, batch_size=64, epochs=8, verbose=0, callbacks=[pruning_step()]
    ).history["loss"]
    assert curve[-1] < curve[0]
    stripped = strip(pruned)
    assert 0.49 <= zero_share(stripped) <= 0.55
    assert [layer.name for layer in stripped.layers] == [layer.name for layer in student.layers]
    np.testing.assert_allclose(stripped(x), pruned(x), atol=1e-6)
