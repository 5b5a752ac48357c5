"""The page as a reader has it: searching, tapping, keys, light and dark, narrow screens, and nothing sent."""

from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from matplotlib.image import imread
from site_of_files import Site, serving

from kdrec.runtime import Recommender

DEMO = Path(__file__).parents[3] / "tflite_models/demo"

pytestmark = pytest.mark.slow

LISTED = "[...document.querySelectorAll('#list small')].map((each) => each.textContent)"
CHOSEN = "[...document.querySelectorAll('#history button')].map((each) => each.firstChild.textContent)"
OPTIONS = "[...document.querySelectorAll('[role=option] small')].map((each) => each.textContent)"


def expected(history: list[str], **options) -> list[str]:
    return list(Recommender.load(DEMO / "android").recommend(history, **options).items)


def lists(page: Browser, history: list[str], **options) -> None:
    """The page shows Python's list, at once or soon."""
    wanted = expected(history, **options)
    page.wait(f"JSON.stringify({LISTED}) === JSON.stringify({wanted})")


def test_a_reader_chooses_by_keys_alone(page: Browser, site: Site) -> None:
    page.open(site.address + "index.html")
    lists(page, [])
    assert page.js("document.getElementById('heading').textContent") == "Most popular"
    page.press("Tab")
    assert page.js("document.activeElement.id") == "search"
    page.type("tîn BREAD")  # words in any order, case and accents aside
    found = page.js(OPTIONS)
    assert found[0] == "I0001" and len(found) == 8
    page.press("ArrowDown")
    assert page.js("document.getElementById('search').getAttribute('aria-activedescendant')") == "option-1"
    page.press("Enter")
    lists(page, [found[1]])
    assert page.js("document.getElementById('heading').textContent") == "Recommended"
    page.type("I0007")
    page.press("Enter")
    lists(page, [found[1], "I0007"])
    page.type("no such thing")
    assert page.js("document.getElementById('options').innerText") == "No item of this name"
    page.press("Escape")
    assert page.js("document.getElementById('search').value") == ""
    page.press("Tab")  # the most recent item; Enter removes it
    page.press("Enter")
    lists(page, [found[1]])
    assert page.js("document.activeElement.id") == "search"
    page.js("document.querySelectorAll('#list button')[3].focus()")
    page.press("Enter")  # the fourth of the list; the next one stands in its place
    lists(page, [found[1], expected([found[1]])[3]])
    assert page.js("document.activeElement === document.querySelectorAll('#list button')[3]")


def test_a_reader_taps(page: Browser) -> None:
    first = expected([])[2]
    page.js("document.querySelectorAll('#list button')[2].click()")
    lists(page, [first])
    second = expected([first])[0]
    page.js("document.querySelector('#list button').click()")
    lists(page, [first, second])
    titles = Recommender.load(DEMO / "android").recommend([], candidates=[second, first], k=2).titles
    assert sorted(page.js(CHOSEN)) == sorted(titles)
    page.js("{ const daypart = document.querySelector('select'); daypart.value = '2';"
            "daypart.dispatchEvent(new Event('change')) }")  # fmt: skip
    lists(page, [first, second], context={"daypart": "evening"})
    page.js("document.getElementById('clear').click()")
    lists(page, [])
    assert page.js(CHOSEN) == []


def test_nothing_is_sent(page: Browser, site: Site) -> None:
    site.asked.clear()
    page.open(site.address + "index.html")
    page.js("document.querySelector('#list button').click()")
    page.wait("document.getElementById('heading').textContent === 'Recommended'")
    wanted = page.requests()
    assert wanted and all(address.startswith(site.address) for address in wanted)
    assert set(site.asked) <= {address.removeprefix(site.address[:-1]) for address in wanted}  # the others it had kept
    assert not any("?" in path for path in site.asked)
    assert page.complaints() == []


def test_the_browser_refuses_what_would_leave_the_server(page: Browser, site: Site, tmp_path: Path) -> None:
    """A page without the policy reaches another server, this one does not."""
    (tmp_path / "seen").write_text("")
    with serving(tmp_path) as elsewhere:
        send = f"fetch('{elsewhere.address}seen', {{ mode: 'no-cors' }}).then(() => 'sent', () => 'refused')"
        assert page.js(send) == "refused" and elsewhere.asked == []
        assert any("Content Security Policy" in complaint for complaint in page.complaints())
        site.replaced = {"/bare.html": b"<!doctype html><body data-state=ready>"}
        page.open(site.address + "bare.html")
        assert page.js(send) == "sent" and elsewhere.asked == ["/seen"]


@pytest.mark.parametrize("width", [320, 1100])
def test_the_page_fits_in_light_and_in_dark(page: Browser, tmp_path: Path, width: int) -> None:
    lightness = {}
    for scheme in ("light", "dark"):
        page.picture(tmp_path / f"{scheme}.png", width, 800, scheme)
        picture = imread(tmp_path / f"{scheme}.png")[..., :3]
        assert picture.shape == (800, width, 3)
        assert (np.ptp(picture.reshape(800, -1), axis=1) > 0.3).mean() > 0.3  # rows with writing
        lightness[scheme] = float(np.median(picture))
        assert page.js("document.documentElement.scrollWidth") == width
    assert lightness["light"] > 0.9 and lightness["dark"] < 0.2


def test_a_page_that_cannot_start_says_why(browser: Browser, site: Site) -> None:
    site.replaced = {"/manifest.json": b"{}"}
    browser.open(site.address + "index.html")
    assert browser.js("document.body.dataset.state") == "failed"
    assert "manifest.json was altered: its sha256 must be" in browser.js(
        "document.getElementById('status').textContent"
    )
