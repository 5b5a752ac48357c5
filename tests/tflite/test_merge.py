import numpy as np
import pytest

from kdrec.tflite.merge import merge
from kdrec.tflite.read import parse
from kdrec.tflite.strip import strip
from kdrec.tflite.verify import run
from kdrec.tflite.views import read
from kdrec.tflite.write import pack


@pytest.mark.slow
def test_a_merged_file_answers_as_each_file_did(apart):
    whole = pack(strip(merge([parse(each.content) for each in apart])))
    assert list(read(whole).signatures) == ["score", "embed"]
    for each, (signature, output) in zip(apart, (("score", "scores"), ("embed", "query")), strict=True):
        before, after = (run(content, signature, each.cases)[output] for content in (each.content, whole))
        np.testing.assert_array_equal(after, before)
    assert len(whole) < sum(len(pack(strip(parse(each.content)))) for each in apart)  # equal constants are one
