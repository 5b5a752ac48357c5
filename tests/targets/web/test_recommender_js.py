"""The browser's recommender against Python's: LiteRT.js in Chromium, from the files that `kdrec export` wrote."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from site_of_files import Site

from kdrec.bundle.items import Items
from kdrec.errors import DataError
from kdrec.runtime import Recommender
from kdrec.runtime.order import best, best_of_top
from kdrec.tflite.oldest_runtime import MeasuredRuntime, Runtime

DEMO = Path(__file__).parents[3] / "tflite_models/demo"
IDS = Recommender.load(DEMO / "android").bundle.items.ids
GOLDEN = json.loads((DEMO / "android/golden.json").read_text())["cases"]

pytestmark = pytest.mark.slow

# Arguments of `recommend`, as Python spells them.
QUESTIONS: list[dict] = [
    *({"history": [IDS[token - 1] for token in case["inputs"]["history"] if token]} for case in GOLDEN),
    {"history": list(IDS[:70]), "k": 3},  # longer than the model reads
    {"history": ["I0012", "nothing", "I0007", "I0012"], "context": {"daypart": "evening"}},
    {"history": ["I0012"], "context": {"daypart": "noon"}, "exclude": ["I0980", "nowhere"]},
    {"history": ["I0012", "I0007"], "exclude_history": False, "k": 100},
    {"history": ["I0012", "I0007"], "k": 101},  # more than the file ranks itself
    {"history": ["I0012"], "k": 1199},
    {"history": ["I0012"], "candidates": [*IDS[40:90], "elsewhere"], "k": 20},
    {"history": []},
    {"history": ["nothing"], "exclude": ["I0042"], "k": 5},
    {"history": [], "k": 1100},
]
REFUSED: list[tuple[dict, str]] = [
    ({"history": "I0012"}, "history must be a list of item ids"),
    ({"history": [None]}, "history must hold item ids, integers or strings"),
    ({"history": ["I0012"], "k": 0}, "k must be an integer of at least 1, received 0; 10 is usual"),
    ({"history": ["I0012"], "k": 1200}, "k must be at most 1199, the items that may be listed of a catalogue of 1200"),
    ({"history": ["I0012"], "context": {"device": "tv"}}, "the model takes daypart; leave"),
]
SPELLED = {"exclude_history": "excludeHistory"}


def asked(page: Browser, questions: list[dict]) -> list[dict]:
    """What the module answers, or the message with which it refuses."""
    calls = [
        [question["history"], {SPELLED.get(name, name): value for name, value in question.items() if name != "history"}]
        for question in questions
    ]
    return page.js(f"""(async () => {{
        const {{ Recommender }} = await import("./recommender.js");
        const recommender = await Recommender.load();
        const answers = [];
        for (const [history, options] of {json.dumps(calls)}) {{
            answers.push(await recommender.recommend(history, options).catch((error) => ({{ error: error.message }})));
        }}
        recommender.close();
        return answers;
    }})()""")


def test_lists_are_those_of_python(page: Browser) -> None:
    """Items, titles, scores to the bit, what was unknown, and the fallback."""
    recommender = Recommender.load(DEMO / "android")
    for question, answer in zip(QUESTIONS, asked(page, QUESTIONS), strict=True):
        expected = recommender.recommend(**question)
        assert answer == {
            "items": list(expected.items),
            "titles": list(expected.titles),
            "scores": list(expected.scores),
            "unknown": list(expected.unknown),
            "unknownContext": list(expected.unknown_context),
            "fallback": expected.fallback,
        }


def test_what_python_refuses_is_refused(page: Browser) -> None:
    recommender = Recommender.load(DEMO / "android")
    answers = asked(page, [question for question, _ in REFUSED])
    for (question, message), answer in zip(REFUSED, answers, strict=True):
        with pytest.raises(DataError, match=message):
            recommender.recommend(**question)
        assert message in answer["error"]


def test_golden_vectors_come_back_to_the_bit(page: Browser) -> None:
    page.js("document.getElementById('check').click()")
    page.wait("document.getElementById('checked').textContent.includes('golden')")
    assert page.js("document.getElementById('checked').textContent") == (
        "16 of 16 lists are those of the bundle's golden vectors; 16 of 16 answers are equal to the bit."
    )


def test_another_answer_is_seen(page: Browser) -> None:
    """Golden vectors of which one score and one place were changed."""
    replayed = page.js("""(async () => {
        const { Recommender } = await import("./recommender.js");
        const { replay } = await import("./golden.js");
        const recommender = await Recommender.load();
        const golden = JSON.parse(new TextDecoder().decode(await recommender.bundle.read("golden.json")));
        golden.cases[3].outputs.recommend.scores[9] += 1e-6;
        golden.cases[5].outputs.score.top.reverse();
        recommender.bundle.read = async () => new TextEncoder().encode(JSON.stringify(golden));
        return replay(recommender);
    })()""")
    assert replayed == {"cases": 16, "equalBits": 15, "equalLists": 15}


def test_signatures_are_called_by_name(page: Browser) -> None:
    query = page.js("""(async () => {
        const { Recommender } = await import("./recommender.js");
        const recommender = await Recommender.load();
        const { query } = await recommender.run("embed", recommender.encode([1, 2], { daypart: 3 }));
        const refused = await recommender.run("train", {}).catch((error) => error.message);
        return [...query, refused];
    })()""")
    assert query.pop() == 'the file has no signature "train"'
    from kdrec.runtime.interpreter import LiteRtFile

    history = np.zeros((1, 50), np.int32)
    history[0, -2:] = 1, 2
    file = LiteRtFile((DEMO / "android/model.tflite").read_bytes())
    expected = file.run("embed", {"history": history, "daypart": np.array([3], np.int32)})["query"][0]
    np.testing.assert_array_equal(np.array(query, np.float32), expected)


def test_ranking_is_python_s_on_scores_that_tie(page: Browser) -> None:
    rng = np.random.default_rng(0)
    cases, expected = [], []
    for _ in range(300):
        n = int(rng.integers(1, 12))
        scores, allowed = rng.integers(-2, 3, n), rng.random(n) < 0.7
        allowed[rng.integers(n)] = True
        k = int(rng.integers(1, allowed.sum() + 1))
        top = np.argsort(-scores, kind="stable")[: rng.integers(1, n + 1)]
        shuffled = rng.permutation(top)
        cases.append([scores.tolist(), allowed.astype(int).tolist(), k, shuffled.tolist()])
        listed = best_of_top(shuffled, scores[shuffled].astype(float), allowed, k)
        expected.append([best(scores, allowed, k).tolist(), None if listed is None else listed.tolist()])
    assert any(listed is None for _, listed in expected) and any(listed for _, listed in expected)
    received = page.js(f"""(async () => {{
        const {{ best, bestOfTop }} = await import("./ranking.js");
        return {json.dumps(cases)}.map(([scores, allowed, k, top]) => {{
            const all = Float32Array.from(scores);
            const own = Float32Array.from(top, (position) => all[position]);
            const open = Uint8Array.from(allowed);
            return [best(all, open, k), bestOfTop(Int32Array.from(top), own, open, k)];
        }});
    }})()""")
    assert received == expected


def test_rare_items_share_a_token(page: Browser) -> None:
    items = Items.of([7, 9], ["Tent", "Kettle"], [], rare=[4, 5])
    tokens = page.js(f"""import("./inputs.js").then(({{ tokensOf }}) => [...tokensOf({items.to_json().decode()})])""")
    assert {item: token for item, token in tokens} == items.tokens()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("model.tflite", lambda old: old[:-1] + bytes([old[-1] ^ 1]), "model.tflite was altered: its sha256 must be "),
        (
            "items.json",
            lambda old: old[:-5],
            "items.json must have 39575 bytes, received 39570: it was cut or replaced",
        ),
        ("manifest.json", lambda old: old.replace(b'"length": 50', b'"length": 51'), "manifest.json was altered: its"),
    ],
)
def test_an_altered_file_is_named(page: Browser, site: Site, name, change, message) -> None:
    site.replaced = {f"/{name}": change((DEMO / "android" / name).read_bytes())}
    assert message in refused(page)


def refused(page: Browser, options: str = "{ manifestSha256: document.documentElement.dataset.manifest }") -> str:
    """The error with which a bundle is not loaded."""
    return page.js(f"""import("./recommender.js").then(({{ Recommender }}) => Recommender.load({options}))
        .then(() => "loaded", (error) => error.name + ": " + error.message)""")


def test_a_manifest_that_names_measured_runtimes(page: Browser, site: Site) -> None:
    named = MeasuredRuntime(Runtime("tflite-runtime", "2.14.0"), Runtime("ai-edge-litert", "2.0.3"))
    bundle = Recommender.load(DEMO / "android").bundle
    site.replaced = {"/manifest.json": replace(bundle.manifest, runtime=named).to_json()}
    assert refused(page, "{}") == "loaded"


def test_a_manifest_that_is_too_new_or_needs_a_host(page: Browser, site: Site) -> None:
    manifest = json.loads((DEMO / "android/manifest.json").read_text())
    said = []
    for change in ({"schema": 3}, {"host": {"table": {}}}):
        site.replaced = {"/manifest.json": json.dumps({**manifest, **change}).encode()}
        said.append(refused(page, "{}"))
    assert said == [
        "RecommenderError: manifest.json has schema 3, this page reads 2: export it again with a newer kdrec",
        "RecommenderError: the bundle must need no host part, and this one does; export one for the target web",
    ]
