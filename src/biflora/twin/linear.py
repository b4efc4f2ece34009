"""Linear and Gaussian: what data do to a prior of independent standard normals, and to a drawn ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Learnt:
    """The posterior of coordinates whose prior is standard normal, under an information matrix."""

    information: Array
    """(coordinate, coordinate)."""

    @property
    def covariance(self) -> Array:
        return np.asarray(np.linalg.inv(np.eye(len(self.information)) + self.information))

    @property
    def directions(self) -> int:
        """How many directions the data inform better than the prior does."""
        return int(np.count_nonzero(np.linalg.eigvalsh(self.information) > 1.0))

    @property
    def shrinkage(self) -> Array:
        """(coordinate,) part of each prior variance that the data take away."""
        return np.asarray(np.clip(1.0 - np.diag(self.covariance), 0.0, 1.0))

    def best_of(self, places: Sequence[int]) -> float:
        """Shrinkage of the best-informed combination of these coordinates."""
        part = self.covariance[np.ix_(places, places)]
        return float(np.clip(1.0 - np.linalg.eigvalsh(part)[0], 0.0, 1.0))

    def of(self, gradient: Array) -> float:
        """Shrinkage of a quantity that depends on the coordinates by this gradient; 0 where it does not."""
        before = float(gradient @ gradient)
        after = float(gradient @ self.covariance @ gradient)
        return 0.0 if before <= 0.0 else float(np.clip(1.0 - after / before, 0.0, 1.0))


def information(jacobian: Array, noise: Array) -> Array:
    """Fisher information of data with this Jacobian (datum, coordinate) and noise covariance (datum, datum)."""
    return np.asarray(jacobian.T @ np.linalg.solve(noise, jacobian))


def covariance(values: Array, weights: Array | None = None) -> Array:
    """Covariance of the columns of `values` (draw, column)."""
    share = np.full(len(values), 1.0 / len(values)) if weights is None else weights / weights.sum()
    centred = values - share @ values
    return np.asarray((centred * share[:, None]).T @ centred)


def between_and_within(values: Array, groups: NDArray[np.int64]) -> tuple[Array, Array]:
    """Covariances of the groups' true means and of the draws about them (one-way, components of variance).

    What sampling adds to the covariance of the observed means is taken off; what then falls below zero is zero.
    """
    names, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.zeros((len(names), values.shape[1]))
    np.add.at(means, place, values)
    means /= sizes[:, None]
    about = values - means[place]
    within = about.T @ about / max(len(values) - len(names), 1)
    observed = np.cov(means, rowvar=False)
    between = np.atleast_2d(observed) - within * float(np.mean(1.0 / sizes))
    roots, vectors = np.linalg.eigh(0.5 * (between + between.T))
    return np.asarray((vectors * np.clip(roots, 0.0, None)) @ vectors.T), np.asarray(within)


def given(joint: Array, noise: Array, measured: Sequence[int]) -> Array:
    """The covariance of all columns once those `measured` are known up to `noise` (column, column)."""
    if not len(measured):
        return joint
    places = np.asarray(measured)
    inner = joint[np.ix_(places, places)] + noise[np.ix_(places, places)]
    return np.asarray(joint - joint[:, places] @ np.linalg.solve(inner, joint[places]))
