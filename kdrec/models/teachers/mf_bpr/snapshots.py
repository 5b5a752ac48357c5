"""Keeps what a model was like after its epochs 1, 2, 4, 8, …: what a student may follow from easy to hard."""

from pathlib import Path

import numpy as np
import tf_keras as keras

from kdrec.models.teachers.base import chosen, read_npz


class Snapshots(keras.callbacks.Callback):
    """The trainable weights after each epoch whose number is a power of two.

    Args:
        folder: where they survive a killed training; None keeps them in memory only.
    """

    def __init__(self, folder: str | Path | None):
        super().__init__()
        self.folder = None if folder is None else Path(folder)
        self._kept: dict[int, list[np.ndarray]] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        done = epoch + 1
        if done & (done - 1):
            return
        self._kept[done] = [weight.numpy() for weight in self.model.trainable_weights]
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = self.folder / ".snapshot.npz"
            np.savez(temporary, allow_pickle=False, **{f"w{i}": weight for i, weight in enumerate(self._kept[done])})
            temporary.replace(self._place(done))

    def before(self, epoch: int, count: int) -> list[list[np.ndarray]]:
        """At most `count` states before an epoch (counted from 0), evenly chosen, the earliest first."""
        kept = [2**power for power in range(epoch.bit_length())]
        return [self._of(done) for done in chosen([*kept, epoch + 1], min(count, len(kept)) + 1)[:-1]]

    def _of(self, done: int) -> list[np.ndarray]:
        if done not in self._kept:  # of an epoch before the training was cut
            arrays = read_npz(self._place(done))
            self._kept[done] = [arrays[f"w{i}"] for i in range(len(arrays))]
        return self._kept[done]

    def _place(self, done: int) -> Path:
        assert self.folder is not None
        return self.folder / f"snapshot-{done:04d}.npz"
