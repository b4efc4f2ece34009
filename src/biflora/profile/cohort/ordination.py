"""Principal coordinates of a distance matrix, with what they explain and what cannot be drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.profile.cohort.distances import Distances

Numbers = NDArray[np.float64]
ALL_AXES_UP_TO = 2_000
"""Samples up to which every axis is computed; beyond, only those asked for (a matter of time, not of accuracy)."""
NEGLIGIBLE = 1.4901161193847656e-08
"""Eigenvalues below this share of the largest are rounding (the square root of the double's epsilon, as vegan)."""


@dataclass(frozen=True)
class Ordination:
    """Where each sample stands on the first axes."""

    samples: tuple[str, ...]
    coordinates: Numbers
    """Shape (samples, axes)."""
    eigenvalues: Numbers
    """Of the axes kept."""
    proportion_explained: Numbers
    """Of the axes kept; what they are shares of is said in `remark`."""
    negative_share: float | None
    """Sum of the negative eigenvalues over the sum of all their sizes; none: not computed."""
    remark: str


def centred(matrix: Numbers) -> Numbers:
    """Gower's centred matrix of distances. Shape (samples, samples)."""
    a = -0.5 * np.square(matrix)
    means = a.mean(axis=0)
    a -= means[None, :]
    a -= means[:, None]
    a += means.mean()
    return a


def all_axes(matrix: Numbers) -> tuple[Numbers, Numbers]:
    """(eigenvalues, coordinates) of all axes that are not rounding, largest first, negative ones last."""
    from scipy.linalg import eigh

    eigenvalues, vectors = eigh(centred(matrix), overwrite_a=True, check_finite=True, driver="evd")
    held = np.abs(eigenvalues) > max(NEGLIGIBLE, NEGLIGIBLE * eigenvalues[-1])
    eigenvalues, vectors = eigenvalues[held][::-1], vectors[:, held][:, ::-1]
    return eigenvalues, vectors * np.sqrt(np.abs(eigenvalues))


def ordinate(distances: Distances, axes: int = 10) -> Ordination:
    """Principal coordinates (classical scaling). Raises TrialistMust for fewer than three samples."""
    n = len(distances.samples)
    if n < 3:
        raise TrialistMust("An ordination needs at least three samples.")
    axes = max(1, min(axes, n - 1))
    if n <= ALL_AXES_UP_TO:
        eigenvalues, coordinates = all_axes(distances.matrix)
        positive = float(eigenvalues[eigenvalues > 0].sum())
        negative = float(-eigenvalues[eigenvalues < 0].sum())
        kept = min(axes, int((eigenvalues > 0).sum()))
        share = negative / (positive + negative) if positive + negative > 0 else 0.0
        remark = "Proportions are of the sum of all positive eigenvalues."
        if share > 0:
            remark += (
                f" Negative eigenvalues hold {100 * share:.1f} % of all: this distance cannot be drawn without "
                "some distortion."
            )
        return Ordination(
            distances.samples, _signed(coordinates[:, :kept]), eigenvalues[:kept],
            eigenvalues[:kept] / max(positive, np.finfo(float).tiny), share, remark,
        )  # fmt: skip
    from scipy.sparse.linalg import eigsh

    matrix = centred(distances.matrix)
    total = float(np.trace(matrix))
    # A start of its own, so that the same distances give the same axes.
    start = np.random.default_rng(0).standard_normal(n)
    eigenvalues, vectors = eigsh(matrix, k=axes, which="LA", v0=start)
    order = np.argsort(eigenvalues)[::-1]
    eigenvalues, vectors = eigenvalues[order], vectors[:, order]
    kept = int((eigenvalues > 0).sum())
    coordinates = vectors[:, :kept] * np.sqrt(eigenvalues[:kept])
    return Ordination(
        distances.samples, _signed(coordinates), eigenvalues[:kept], eigenvalues[:kept] / total, None,
        "Proportions are of the sum of all eigenvalues, negative ones counted as negative; with more than "
        f"{ALL_AXES_UP_TO:,} samples the negative ones are not computed.",
    )  # fmt: skip


def _signed(coordinates: Numbers) -> Numbers:
    """An axis has no direction of its own; its largest coordinate is made positive, so that plots repeat."""
    largest = np.argmax(np.abs(coordinates), axis=0)
    signs = np.sign(coordinates[largest, np.arange(coordinates.shape[1])])
    found: Numbers = coordinates * np.where(signs == 0, 1.0, signs)
    return found
