"""What a visit sees of a virtual patient: observables, their noise and their detection limits."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import ObservableRow
from biflora.knowledge.rates import observables as observable_table
from biflora.twin.forecast import Observable
from biflora.values import SourcedNumber

OBSERVED: tuple[str, ...] = (
    "scorad", "easi", "s_aureus_log10", "commensals_log10", "tewl", "bifidobacterium", "faecal_butyrate",
    "oscorad", "itch_nrs", "poem", "skin_ph", "s_aureus_share", "commensal_share", "tarc", "total_ige",
)  # fmt: skip
"""Order of the observables in every array."""
PLACE = {key: place for place, key in enumerate(OBSERVED)}
TAILS = 5.0
"""Degrees of freedom of the Student t noise of one measurement."""


def about(key: str) -> Observable:
    """Label, unit and direction of one observable as the forecast shows it."""
    row = observable_table()[key]
    smallest = None
    if row.smallest_important_difference is not None:
        smallest = SourcedNumber(
            value=row.smallest_important_difference, unit=row.unit,
            source=row.difference_source, verification=row.difference_verification,
        )  # fmt: skip
    return Observable(
        key=key, label=row.label, unit=row.unit, lower_is_better=row.lower_is_better,
        smallest_important_difference=smallest,
    )  # fmt: skip


def to_scale(row: ObservableRow, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values on the scale on which their noise has one size."""
    match row.scale:
        case "identity":
            return values
        case "log1p":
            return np.log1p(np.maximum(values, 0.0))
        case "log10":
            return np.log10(np.maximum(values, 1e-6))


def from_scale(row: ObservableRow, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The way back from `to_scale`, kept within the observable's range."""
    match row.scale:
        case "log1p":
            values = np.expm1(values)
        case "log10":
            values = 10.0**values
        case "identity":
            pass
    return np.clip(values, row.minimum, row.maximum)


def measured(
    latent: NDArray[np.float32], random: np.random.Generator, *, limits: bool = True
) -> NDArray[np.float32]:
    """`latent` (..., 8) as one measurement each would show it; below a detection limit: half of that limit.

    On a log scale half the limit is the limit less log10 2. Without `limits` the measurement reaches any depth.
    """
    table = observable_table()
    seen = np.empty_like(latent)
    for place, key in enumerate(OBSERVED):
        row = table[key]
        noise = random.standard_t(TAILS, size=latent.shape[:-1]) * row.noise_sd / math.sqrt(TAILS / (TAILS - 2.0))
        values = from_scale(row, to_scale(row, latent[..., place].astype(np.float64)) + noise)
        if limits and row.detection_limit is not None:
            half = row.detection_limit - math.log10(2.0) if key.endswith("log10") else row.detection_limit / 2.0
            values = np.where(values < row.detection_limit, half, values)
        seen[..., place] = values
    return seen
