"""A batch as plain numpy, and the parts of the list losses written slowly from their formulas."""

import numpy as np
import tensorflow as tf
from fake_teacher import ITEMS, ROWS, case

EACH_ITEM_ONCE = tf.tile(tf.range(ITEMS)[None], [ROWS, 1])  # "draws" that make an estimate exact


class Rows:
    """A batch as plain numpy, its lists spoilt by one padded and one seen entry, which no loss may count."""

    def __init__(self, seed=0, scale=1.0):
        self.case = case(seed, scale)
        teacher, self.seen = self.case.teacher, self.case.batch.seen.numpy()
        self.scores = self.case.student["scores"].numpy().astype(np.float64)
        self.top_scores = teacher["top_scores"].numpy().astype(np.float64)
        self.top_items = teacher["top_items"].numpy().copy()
        self.top_items[0, 2] = np.flatnonzero(self.seen[0])[0]
        self.top_items[1, -1] = -1
        self.drawn = np.random.default_rng(seed).integers(0, ITEMS, (ROWS, 8))

    def unseen(self, row):
        return [item for item in range(ITEMS) if not self.seen[row, item]]

    def listed(self, row):
        return [item for item in self.top_items[row] if item >= 0 and not self.seen[row, item]]

    def contrasts(self, row, drawn):
        return [item for item in drawn[row] if item not in self.top_items[row] and not self.seen[row, item]]


def log_sum(values):
    values = np.asarray(values, np.float64)
    return values.max() + np.log(np.sum(np.exp(values - values.max()))) if len(values) else -np.inf


def slow_plackett_luce(ranked, others):
    terms = [log_sum([*ranked[k:], *others]) - ranked[k] for k in range(len(ranked))]
    return np.mean(terms) if terms else 0.0
