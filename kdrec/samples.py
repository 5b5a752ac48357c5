"""A few users, what they took, and what teacher and file would recommend them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kdrec.data.histories import inputs
from kdrec.data.splits import Split
from kdrec.evaluation.item_lists import ItemLists
from kdrec.evaluation.top_k import top_k

USERS = 4


def shown_target(targets: Sequence[str]) -> str:
    """The target whose file is shown: android if there is one, else the first.

    >>> shown_target(("micro", "android")), shown_target(("micro", "coral_edgetpu"))
    ('android', 'micro')
    """
    return "android" if "android" in targets else targets[0]


def side_by_side(split: Split, teacher: Any, form: Any, target: str, k: int) -> list[dict[str, Any]]:
    """Recommendations with titles for a few users of the test part, spread evenly over them.

    Args:
        split: whose test part is shown.
        teacher: x -> scores (rows, n_items).
        form: a shipped file, with `scorer` and `history_length`.
        target: of that file.
        k: length of the lists.

    Returns:
        One entry a user, as `samples` of report.json: titles of history, held-out items and both lists.
    """
    users = split.users("test")
    users = users[np.linspace(0, len(users) - 1, min(USERS, len(users))).astype(int)]
    source = split.history_source("test")
    histories = [source.items[source.indptr[user] : source.indptr[user + 1]] for user in users]
    seen = ItemLists.of(histories)
    lists = {
        "teacher": top_k(teacher(inputs(split, "test", users, None)), k, seen),
        "student": top_k(form.scorer(inputs(split, "test", users, form.history_length)), k, seen),
    }
    titles = np.array(split.train.titles(), dtype=object)
    held_out = [split.test.items[split.test.indptr[user] : split.test.indptr[user + 1]] for user in users]
    return [
        {
            "user": str(split.train.user_ids[user]),
            "target": target,
            "history": titles[histories[row]].tolist(),
            "held_out": titles[held_out[row]].tolist(),
            **{name: titles[items[row][items[row] >= 0]].tolist() for name, items in lists.items()},  # −1 fills up
        }
        for row, user in enumerate(users)
    ]
