"""The page in a real browser: it draws, and it asks nobody for anything."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from fake_report import fake_report
from matplotlib.image import imread

from kdrec.report.write import write_report

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.mark.slow
def test_chromium_draws_the_page(tmp_path: Path, require) -> None:
    require("chromium")
    write_report(fake_report(), tmp_path)
    shot, profile = tmp_path / "shot.png", tmp_path / "profile"
    subprocess.run(
        ["chromium", *FLAGS, f"--user-data-dir={profile}", f"--screenshot={shot}", "--window-size=1000,3000",
         f"file://{tmp_path / 'report.html'}"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    picture = imread(shot)[..., :3]
    assert picture.shape == (3000, 1000, 3)
    rows = np.ptp(picture.reshape(3000, -1), axis=1) > 0.3  # a row with writing or a picture on it
    assert rows[:1000].mean() > 0.3 and rows[1000:2000].mean() > 0.3
    assert len(np.unique((picture * 255).astype(int).reshape(-1, 3), axis=0)) > 50
