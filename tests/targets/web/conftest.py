from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser
from site_of_files import Site, serving

from kdrec.bench.web import npm
from kdrec.device_code import write_code

RESET = """
    document.getElementById("clear").click();
    for (const select of document.querySelectorAll("select")) {
        select.value = "";
        select.dispatchEvent(new Event("change"));
    }
"""
DEMO = Path(__file__).parents[3] / "tflite_models/demo"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, require) -> Iterator[Site]:
    """The page of the demo's Android bundle, whose file is the one that the target web has, as a server has it."""
    require("chromium")
    require("@litertjs/core")
    folder = tmp_path_factory.mktemp("site") / "page"
    write_code(DEMO / "android", folder, "web", "page")
    npm.link("@litertjs/core", folder / "node_modules")
    with serving(folder) as site:
        yield site


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser, site: Site) -> Browser:
    """The page with nothing chosen; it is loaded once, for compiling WebAssembly takes most of the time."""
    site.replaced.clear()
    if not browser.js("document.body.dataset.state === 'ready' && location.pathname === '/index.html'"):
        browser.open(site.address + "index.html")
    browser.js(RESET)
    return browser
