"""An edge box has numpy and LiteRT: a process that cannot import more recommends, and starts in under a second."""

import json
import subprocess
import sys

BLOCKED = ("tensorflow", "tf_keras", "keras", "pandas", "pyarrow", "scipy", "matplotlib")
CODE = """
import sys, time, json
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ImportError(name + " is not installed on an edge box")
sys.meta_path.insert(0, Blocker())
start = time.process_time()
from kdrec.runtime import Recommender
recommender = Recommender.load({folder!r})
found = recommender.recommend(["i4"], k=3)
print(json.dumps([found.items, time.process_time() - start]))
"""


def run(folder) -> tuple[list[str], float]:
    code = CODE.format(blocked=set(BLOCKED), folder=str(folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    items, seconds = json.loads(done.stdout)
    return items, seconds


def test_recommends_without_them_and_starts_at_once(android_bundle, micro_bundle, coral_bundle) -> None:
    for folder in (android_bundle, micro_bundle, coral_bundle):
        items, seconds = run(folder)
        assert len(set(items)) == 3
        assert seconds < 1.0  # of the processor, so that a busy machine does not count


def test_the_blocker_blocks() -> None:
    code = CODE.format(blocked=set(BLOCKED), folder="").partition("start =")[0] + "import pandas"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "pandas is not installed on an edge box" in done.stderr
