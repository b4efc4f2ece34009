"""The gut–skin model: one rate function and the scores that it is seen through.

Time is in days, loads per cm2, the gut per kg of stool. The combination of oral and topical has no parameter
of its own: each lever enters one equation, and whatever they do together follows from the states.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from biflora.twin import state as at

Array = NDArray[np.float64]
STRAIN_UNIT = 1e5
"""CFU/cm2 in one unit of the applied strain."""
REFERENCE_BIFIDO = 4.0
"""Share (%) at which resident Bifidobacterium ferments at `bifido_ferment`."""


@nb.njit(inline="never", error_model="numpy", fastmath=False)  # type: ignore[untyped-decorator, unused-ignore]
def logistic(x: float) -> float:
    """1 / (1 + exp(-x)) without overflow."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    z = math.exp(x)
    return z / (1.0 + z)


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def rates(y: Array, p: Array, u: Array, dy: Array) -> None:
    """Write the rate of change per day of every state into `dy`."""
    a, c, strain, b, tone, g = (
        y[at.S_AUREUS_LN],
        y[at.CONS_LN],
        y[at.STRAIN],
        y[at.BARRIER],
        y[at.TONE],
        y[at.REGULATION],
    )
    steroid, f, prob, pool, prod, but = (
        y[at.STEROID], y[at.BIFIDO], y[at.PROBIOTIC], y[at.POOL], y[at.PRODUCERS], y[at.BUTYRATE],
    )  # fmt: skip

    # skin microbes
    residents = math.exp(c)
    commensals = residents + STRAIN_UNIT * strain
    inhibition = commensals / (p[at.COMMENSAL_HALF_KILL] + commensals)
    virulence = logistic(
        p[at.QUORUM_SLOPE] * (a - p[at.QUORUM_THRESHOLD] - p[at.QUORUM_BLOCK] * (inhibition - 0.5))
    )
    room = 1.0 - commensals * math.exp(-p[at.STAPHYLOCOCCUS_CAPACITY])
    dy[at.S_AUREUS_LN] = (
        p[at.S_AUREUS_GROWTH]
        * (1.0 - math.exp(a - p[at.S_AUREUS_CAPACITY]))
        / (1.0 + p[at.BARRIER_ON_S_AUREUS] * b)
        - p[at.PEPTIDE_KILL] * b / (1.0 + tone / p[at.TONE_ON_PEPTIDES])
        - p[at.COMMENSAL_KILL] * inhibition
        - p[at.STRAIN_SUSCEPTIBLE] * p[at.STRAIN_KILL] * strain / (strain + p[at.STRAIN_HALF_KILL])
        + p[at.IMMIGRATION] * math.exp(-a)
    )
    dy[at.CONS_LN] = (
        p[at.CONS_GROWTH] * room
        - p[at.VIRULENCE_ON_CONS] * virulence
        - p[at.CONS_LOSS]
        + p[at.IMMIGRATION] * math.exp(-c)
    )
    dy[at.STRAIN] = p[at.TOPICAL_DOSE] * u[at.USE_TOPICAL] + strain * (
        p[at.STRAIN_GROWTH] * room - p[at.STRAIN_LOSS] - p[at.VIRULENCE_ON_STRAIN] * virulence
    )

    # barrier, immune tone, treatment in skin
    dy[at.BARRIER] = (
        p[at.BARRIER_REPAIR] * p[at.FILAGGRIN]
        * (1.0 + p[at.EMOLLIENT_GAIN] * u[at.USE_EMOLLIENT] + p[at.STEROID_ON_BARRIER] * steroid)
        * (1.0 - b) / (1.0 + tone / p[at.TONE_ON_BARRIER])
        - (p[at.BARRIER_WEAR] + p[at.VIRULENCE_WEAR] * virulence + p[at.SCRATCH_WEAR] * tone / (1.0 + tone)) * b
    )  # fmt: skip
    drive = (
        p[at.TONE_FLOOR] + p[at.VIRULENCE_DRIVE] * virulence + p[at.BARRIER_DRIVE] * (1.0 - b)
        + p[at.TOPICAL_IRRITATION] * u[at.USE_TOPICAL]
    ) * u[at.DRIVE]  # fmt: skip
    hold = (1.0 + p[at.REGULATION_GAIN] * g) * (1.0 + p[at.STEROID_MAX] * steroid / (p[at.STEROID_HALF] + steroid))
    dy[at.TONE] = p[at.TONE_RATE] * (drive / hold - p[at.TONE_DECAY] * tone)
    link = u[at.GUT_LINK]
    reaching = link * but + (1.0 - link) * u[at.BUTYRATE_HELD]
    gut = p[at.GUT_RESPONDER] * p[at.GUT_REACH] * (
        p[at.BUTYRATE_GAIN] * reaching / (p[at.BUTYRATE_HALF] + reaching)
        + link * p[at.PROBIOTIC_GAIN] * prob / (p[at.PROBIOTIC_HALF] + prob)
    )  # fmt: skip
    # a harmful gut lowers regulation towards zero and never below
    dy[at.REGULATION] = p[at.REGULATION_TURNOVER] * ((1.0 + gut if gut >= 0.0 else math.exp(gut)) - g)
    dy[at.STEROID] = p[at.STEROID_DOSE] * u[at.USE_STEROID] - p[at.STEROID_CLEARANCE] * steroid

    # gut
    supply = pool / (p[at.CROSS_FEEDING_HALF] + pool)
    dy[at.BIFIDO] = (
        p[at.BIFIDO_GROWTH] * f * (1.0 - f / p[at.BIFIDO_CAPACITY])
        - p[at.BIFIDO_LOSS] * f
        + p[at.BIFIDO_HELP] * prob / (1.0 + prob)
    )
    dy[at.PROBIOTIC] = p[at.ORAL_DOSE] * u[at.USE_ORAL] + prob * (
        p[at.PROBIOTIC_GROWTH] * (1.0 - (f / p[at.BIFIDO_CAPACITY] + prob) / 3.0) - p[at.TRANSIT]
    )
    dy[at.POOL] = (
        p[at.BIFIDO_FERMENT] * f / REFERENCE_BIFIDO
        + p[at.PROBIOTIC_FERMENT] * prob
        - p[at.CROSS_FEEDING] * prod * supply
        - p[at.POOL_CLEARANCE] * pool
    )
    dy[at.PRODUCERS] = prod * (p[at.PRODUCER_GROWTH] * supply - p[at.PRODUCER_CROWDING] * prod)
    dy[at.BUTYRATE] = p[at.BUTYRATE_BASAL] + p[at.BUTYRATE_YIELD] * prod * supply - p[at.BUTYRATE_CLEARANCE] * but


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def severity(y: Array, p: Array) -> float:
    """Share of the worst disease, 0-1: broken barrier and type-2 tone."""
    w = p[at.BARRIER_WEIGHT]
    return float(w * (1.0 - y[at.BARRIER]) + (1.0 - w) * y[at.TONE] / (y[at.TONE] + p[at.TONE_HALF]))


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def shifted(share: float, shift: float) -> float:
    """`share` moved by `shift` on the logit scale."""
    share = min(max(share, 1e-6), 1.0 - 1e-6)
    return float(logistic(math.log(share / (1.0 - share)) + shift))


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def scorad(y: Array, p: Array, kept: float) -> float:
    """SCORAD, 0-103 points; `kept` is what the placebo response leaves of the score."""
    return float(103.0 * shifted(severity(y, p), p[at.SCORAD_SHIFT]) * kept)


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def placebo_kept(day: float, p: Array) -> float:
    """What the placebo response leaves of a score after `day` days in care; 1 before."""
    if day <= 0.0:
        return 1.0
    return float(1.0 - p[at.PLACEBO_GAIN] * (1.0 - math.exp(-day / p[at.PLACEBO_DAYS])))


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def see(y: Array, p: Array, kept: float, seen: NDArray[np.float32]) -> None:
    """Write the observables, in the order of `observe.OBSERVED`, into `seen`."""
    share = severity(y, p)
    seen[0] = 103.0 * shifted(share, p[at.SCORAD_SHIFT]) * kept
    seen[1] = 72.0 * shifted(share, p[at.EASI_SHIFT]) ** p[at.EASI_POWER] * kept
    seen[2] = y[at.S_AUREUS_LN] / math.log(10.0)
    seen[3] = math.log10(math.exp(y[at.CONS_LN]) + STRAIN_UNIT * y[at.STRAIN])
    seen[4] = p[at.TEWL_FLOOR] + p[at.TEWL_SPAN] * (1.0 - y[at.BARRIER])
    counted = y[at.BIFIDO] + p[at.PROBIOTIC_SHARE] * y[at.PROBIOTIC]
    seen[5] = 100.0 * counted / (100.0 + counted)
    seen[6] = y[at.BUTYRATE]
    seen[7] = 83.0 * shifted(share, p[at.SCORAD_SHIFT] + p[at.OSCORAD_SHIFT]) * kept
