"""Whether a sample is unlike everybody in its reference, and how far it is from the healthy ones.

Before any distance, all samples are brought to one depth (by drawing reads without replacement), so that a
shallow sample is not called novel for its depth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biflora.profile.table import Numbers

Integers = NDArray[np.int64]
SEED = 2026
"""The draw is the same each time, so that a sample always gets the same answer."""
LARGEST_DRAW = 900_000_000
"""NumPy's draw without replacement takes populations below 1e9."""


def whole_reads(counts: Numbers) -> Numbers:
    """Reads as whole numbers (tables of averaged replicates hold parts); what was seen stays seen."""
    return np.asarray(np.where(counts > 0, np.maximum(np.rint(counts), 1.0), 0.0))


def to_depth(counts: Numbers, depth: int) -> Numbers:
    """Each row's reads drawn without replacement down to `depth` (samples by taxa)."""
    rng = np.random.default_rng(SEED)
    drawn = np.zeros_like(counts)
    for line, row in enumerate(whole_reads(counts)):
        present = np.flatnonzero(row)
        reads = row[present].astype(np.int64)
        total = int(reads.sum())
        if total <= depth:
            drawn[line, present] = reads
        elif total < LARGEST_DRAW:
            drawn[line, present] = rng.multivariate_hypergeometric(reads, depth, method="marginals")
        else:
            drawn[line, present] = rng.multinomial(depth, reads / total)
    return drawn


def distances_between(one: Numbers, other: Numbers) -> Numbers:
    """Euclidean distances of the rows of `one` to those of `other`."""
    squares: Numbers = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def mean_of_nearest(distances: Numbers, neighbours: int) -> Numbers:
    """Mean of the smallest distances of each row."""
    few = min(neighbours, distances.shape[1])
    return np.asarray(np.partition(distances, few - 1, axis=1)[:, :few].mean(axis=1))


def leave_one_out(between: Numbers, neighbours: int) -> Numbers:
    """For each person the mean distance to the nearest others, from the distances of all to all."""
    others = between.copy()
    np.fill_diagonal(others, np.inf)
    return mean_of_nearest(others, min(neighbours, len(others) - 1))


def evenly_spaced(n: int, most: int) -> Integers:
    """Which of n persons a distance is measured to: all, or `most` of a larger reference, the same each time."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def novelty(sample: Numbers, persons: Numbers, *, neighbours: int, percentile: float) -> tuple[float, float]:
    """(the sample's mean distance to its nearest persons, that percentile of the persons' own distances).

    `sample` is one row, `persons` persons by taxa, both centred log-ratios: Aitchison distances.
    """
    own = leave_one_out(distances_between(persons, persons), neighbours)
    distance = mean_of_nearest(distances_between(sample[None, :], persons), neighbours)[0]
    return float(distance), float(np.percentile(own, percentile))


def false_alarms(persons: Numbers, *, neighbours: int, percentile: float) -> NDArray[np.bool_]:
    """Which persons would be called novel if each were a new sample and the others the reference."""
    between = distances_between(persons, persons)
    found = np.zeros(len(persons), dtype=bool)
    for person in range(len(persons)):
        others = np.delete(np.arange(len(persons)), person)
        own = leave_one_out(between[np.ix_(others, others)], neighbours)
        distance = mean_of_nearest(between[person, others][None, :], neighbours)[0]
        found[person] = distance > np.percentile(own, percentile)
    return found


def bray_curtis(one: Numbers, other: Numbers) -> Numbers:
    """Bray-Curtis dissimilarities of rows of shares (each summing to 1): half the summed differences."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(one, other, "cityblock") / 2)


def own_median_distances(persons: Numbers) -> Numbers:
    """Each person's median Bray-Curtis dissimilarity to the others (`persons` [persons, taxa], shares).

    The same as `numbers.indices.healthy_cut` asks for one by one, for many persons at once.
    """
    theirs = persons[:, (persons > 0).any(axis=0)]  # what only the sample has says nothing of the persons
    others = ~np.eye(len(persons), dtype=bool)
    between = bray_curtis(theirs, theirs)[others].reshape(len(persons), -1)
    return np.asarray(np.median(between, axis=1))
