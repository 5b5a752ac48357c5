"""A catalogue that is cut: what stands for each item, and what a history becomes."""

import numpy as np
import pytest

from kdrec.data.kept_items import KeptItems
from kdrec.errors import DataError

HISTORY = np.array([[0, 1, 2, 5], [3, 4, 2, 0]])  # tokens of a catalogue of five; items 1 and 4 keep a row


@pytest.mark.parametrize(
    ("bucket", "read"),
    [(False, [[0, 0, 1, 2], [0, 0, 0, 1]]), (True, [[0, 3, 1, 2], [0, 3, 3, 1]])],
)
def test_rare_items_are_skipped_without_a_gap_or_share_a_token(bucket: bool, read: list) -> None:
    kept = KeptItems(np.array([1, 4]), 5, bucket)
    assert kept.n_kept == 2 and kept.rows.tolist() == [3, 1, 3, 3, 2]
    assert kept.read(HISTORY).tolist() == read


def test_the_best_are_kept_in_the_order_of_the_catalogue() -> None:
    kept = KeptItems.best(np.array([1.0, 7.0, 7.0, 9.0, 7.0]), 3, bucket=False)
    assert kept.positions.tolist() == [1, 2, 3]


@pytest.mark.parametrize("bucket", [True, False])
def test_what_is_saved_is_read_again(tmp_path, bucket: bool) -> None:
    assert KeptItems.saved(tmp_path) is None
    kept = KeptItems(np.array([0, 2]), 4, bucket)
    kept.save(tmp_path)
    again = KeptItems.saved(tmp_path)
    assert again.rows.tolist() == kept.rows.tolist() and again.tokens.tolist() == kept.tokens.tolist()


@pytest.mark.parametrize("positions", [[], [1, 0], [0, 0], [-1, 1], [1, 3], [0, 1, 2]])
def test_positions_that_cut_nothing_or_no_catalogue_are_refused(positions: list[int]) -> None:
    with pytest.raises(DataError, match="positions must rise, lie from 0 to 2 and leave an item out, not"):
        KeptItems(np.array(positions, int), 3, bucket=False)
