"""Who gets which arm: permuted blocks from a seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def permuted_blocks(sizes: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Arm numbers in order of entry; each block holds every arm that is not full once, in random order.

    After k whole blocks every arm has exactly k patients; the sizes are met exactly.
    """
    left = np.array(sizes, dtype=np.int64)
    order: list[npt.NDArray[np.int64]] = []
    while left.any():
        block = np.flatnonzero(left > 0)
        order.append(rng.permutation(block))
        left[block] -= 1
    return np.concatenate(order) if order else np.empty(0, dtype=np.int64)
