"""The gut–skin model: one rate function, its exact derivatives, and the scores that it is seen through.

Time is in days, loads per cm2, the gut per kg of stool. The combination of oral and topical has no parameter
of its own: each lever enters one equation, and whatever they do together follows from the states.

The same functions are compiled for CPU threads and, by `gpu.py`, for CUDA. `equations.py` reads the body of
`rates` for the printed equations and for SBML: there is no second copy of the model.
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
    a, c, strain = y[at.S_AUREUS_LN], y[at.CONS_LN], y[at.STRAIN]
    b, tone, g, steroid = y[at.BARRIER], y[at.TONE], y[at.REGULATION], y[at.STEROID]
    f, prob, pool, prod, but = y[at.BIFIDO], y[at.PROBIOTIC], y[at.POOL], y[at.PRODUCERS], y[at.BUTYRATE]

    # skin microbes
    aureus = math.exp(a)
    residents = math.exp(c)
    commensals = residents + STRAIN_UNIT * strain
    inhibition = commensals / (p[at.COMMENSAL_HALF_KILL] + commensals)
    virulence = logistic(
        p[at.QUORUM_SLOPE] * (a - p[at.QUORUM_THRESHOLD] - p[at.QUORUM_BLOCK] * (inhibition - 0.5))
    )
    room = 1.0 - commensals * math.exp(-p[at.STAPHYLOCOCCUS_CAPACITY])
    washed = p[at.WASH_KILL] * u[at.USE_WASH]
    dy[at.S_AUREUS_LN] = (
        p[at.S_AUREUS_GROWTH]
        * (1.0 - aureus * math.exp(-p[at.S_AUREUS_CAPACITY]))
        / (1.0 + p[at.BARRIER_ON_S_AUREUS] * b)
        - p[at.PEPTIDE_KILL] * b / (1.0 + tone / p[at.TONE_ON_PEPTIDES])
        - p[at.COMMENSAL_KILL] * inhibition
        - p[at.STRAIN_SUSCEPTIBLE] * p[at.STRAIN_KILL] * strain / (strain + p[at.STRAIN_HALF_KILL])
        - p[at.ANTISTAPH_KILL] * u[at.USE_ANTISTAPH]
        - washed
        + p[at.IMMIGRATION] / aureus
    )
    dy[at.CONS_LN] = (
        p[at.CONS_GROWTH] * (1.0 + p[at.PREBIOTIC_GAIN] * u[at.USE_PREBIOTIC]) * room
        - p[at.VIRULENCE_ON_CONS] * virulence
        - p[at.CONS_LOSS]
        - washed
        + p[at.IMMIGRATION] / residents
    )
    dy[at.STRAIN] = p[at.TOPICAL_DOSE] * u[at.USE_TOPICAL] + strain * (
        p[at.STRAIN_GROWTH] * room - p[at.STRAIN_LOSS] - p[at.VIRULENCE_ON_STRAIN] * virulence - washed
    )

    # barrier, itch and scratching, immune tone, treatment in skin
    itch = p[at.ITCH_WEIGHT] * (1.0 - b) + (1.0 - p[at.ITCH_WEIGHT]) * tone / (p[at.ITCH_HALF] + tone)
    repair = p[at.BARRIER_REPAIR] * p[at.FILAGGRIN] * (
        1.0 + p[at.EMOLLIENT_GAIN] * u[at.USE_EMOLLIENT] + p[at.LIPIDS_GAIN] * u[at.USE_LIPIDS]
        + p[at.STEROID_ON_BARRIER] * steroid
    )  # fmt: skip
    wear = p[at.BARRIER_WEAR] + p[at.VIRULENCE_WEAR] * virulence + p[at.SCRATCH_WEAR] * itch
    dy[at.BARRIER] = repair * (1.0 - b) / (1.0 + tone / p[at.TONE_ON_BARRIER]) - wear * b
    drive = (
        p[at.TONE_FLOOR] + p[at.VIRULENCE_DRIVE] * virulence + p[at.BARRIER_DRIVE] * (1.0 - b)
        + p[at.TOPICAL_IRRITATION] * u[at.USE_TOPICAL]
    ) * u[at.DRIVE]  # fmt: skip
    hold = (
        (1.0 + p[at.REGULATION_GAIN] * g)
        * (1.0 + p[at.STEROID_MAX] * steroid / (p[at.STEROID_HALF] + steroid))
        * (1.0 + p[at.CALM_MAX] * u[at.USE_CALM])
        * (1.0 + p[at.BLOCKADE_MAX] * u[at.USE_BLOCKADE])
    )
    dy[at.TONE] = p[at.TONE_RATE] * (drive / hold - p[at.TONE_DECAY] * tone)
    dy[at.MEMORY] = (tone - y[at.MEMORY]) / p[at.MEMORY_DAYS]
    dy[at.STEROID] = p[at.STEROID_DOSE] * u[at.USE_STEROID] - p[at.STEROID_CLEARANCE] * steroid

    # what regulation feels of the gut; a harmful gut lowers it towards zero and never below
    link = u[at.GUT_LINK]
    felt = link * but + (1.0 - link) * u[at.BUTYRATE_HELD]
    gut = p[at.GUT_RESPONDER] * p[at.GUT_REACH] * (
        p[at.BUTYRATE_GAIN] * felt / (p[at.BUTYRATE_HALF] + felt)
        + link * p[at.PROBIOTIC_GAIN] * prob / (p[at.PROBIOTIC_HALF] + prob)
    )  # fmt: skip
    dy[at.REGULATION] = p[at.REGULATION_TURNOVER] * ((1.0 + gut if gut >= 0.0 else math.exp(gut)) - g)

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
        + p[at.FIBRE_FERMENT] * u[at.USE_FIBRE]
        - p[at.CROSS_FEEDING] * prod * supply
        - p[at.POOL_CLEARANCE] * pool
    )
    dy[at.PRODUCERS] = prod * (p[at.PRODUCER_GROWTH] * supply - p[at.PRODUCER_CROWDING] * prod)
    dy[at.BUTYRATE] = (
        p[at.BUTYRATE_BASAL] * (1.0 + p[at.FIBRE_GAIN] * u[at.USE_FIBRE])
        + p[at.BUTYRATE_YIELD] * prod * supply
        - p[at.BUTYRATE_CLEARANCE] * but
    )


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def jacobian(y: Array, p: Array, u: Array, jac: Array) -> None:
    """Write the derivatives of `rates` by every state into `jac` (row: rate, column: state).

    Only places that are not always zero are written. A test holds them against differences of `rates`.
    """
    a, c, strain = y[at.S_AUREUS_LN], y[at.CONS_LN], y[at.STRAIN]
    b, tone, g, steroid = y[at.BARRIER], y[at.TONE], y[at.REGULATION], y[at.STEROID]
    f, prob, pool, prod, but = y[at.BIFIDO], y[at.PROBIOTIC], y[at.POOL], y[at.PRODUCERS], y[at.BUTYRATE]
    aureus, residents = math.exp(a), math.exp(c)
    commensals = residents + STRAIN_UNIT * strain
    half = p[at.COMMENSAL_HALF_KILL] + commensals
    inhibition = commensals / half
    inhibited = p[at.COMMENSAL_HALF_KILL] / (half * half)
    virulence = logistic(
        p[at.QUORUM_SLOPE] * (a - p[at.QUORUM_THRESHOLD] - p[at.QUORUM_BLOCK] * (inhibition - 0.5))
    )
    steep = p[at.QUORUM_SLOPE] * virulence * (1.0 - virulence)
    blocked = -steep * p[at.QUORUM_BLOCK] * inhibited  # virulence by commensals
    full = math.exp(-p[at.STAPHYLOCOCCUS_CAPACITY])
    room = 1.0 - commensals * full
    washed = p[at.WASH_KILL] * u[at.USE_WASH]
    crowd = math.exp(-p[at.S_AUREUS_CAPACITY]) * aureus
    guarded = 1.0 + p[at.BARRIER_ON_S_AUREUS] * b
    dulled = 1.0 + tone / p[at.TONE_ON_PEPTIDES]
    near = strain + p[at.STRAIN_HALF_KILL]

    jac[0, 0] = -p[at.S_AUREUS_GROWTH] * crowd / guarded - p[at.IMMIGRATION] / aureus
    jac[0, 1] = -p[at.COMMENSAL_KILL] * inhibited * residents
    jac[0, 2] = -p[at.COMMENSAL_KILL] * inhibited * STRAIN_UNIT - (
        p[at.STRAIN_SUSCEPTIBLE] * p[at.STRAIN_KILL] * p[at.STRAIN_HALF_KILL] / (near * near)
    )
    jac[0, 3] = (
        -p[at.S_AUREUS_GROWTH] * (1.0 - crowd) * p[at.BARRIER_ON_S_AUREUS] / (guarded * guarded)
        - p[at.PEPTIDE_KILL] / dulled
    )
    jac[0, 4] = p[at.PEPTIDE_KILL] * b / (p[at.TONE_ON_PEPTIDES] * dulled * dulled)

    growth = p[at.CONS_GROWTH] * (1.0 + p[at.PREBIOTIC_GAIN] * u[at.USE_PREBIOTIC])
    by_commensals = -growth * full - p[at.VIRULENCE_ON_CONS] * blocked
    jac[1, 0] = -p[at.VIRULENCE_ON_CONS] * steep
    jac[1, 1] = by_commensals * residents - p[at.IMMIGRATION] / residents
    jac[1, 2] = by_commensals * STRAIN_UNIT

    by_commensals = strain * (-p[at.STRAIN_GROWTH] * full - p[at.VIRULENCE_ON_STRAIN] * blocked)
    jac[2, 0] = -strain * p[at.VIRULENCE_ON_STRAIN] * steep
    jac[2, 1] = by_commensals * residents
    jac[2, 2] = by_commensals * STRAIN_UNIT + (
        p[at.STRAIN_GROWTH] * room - p[at.STRAIN_LOSS] - p[at.VIRULENCE_ON_STRAIN] * virulence - washed
    )

    itchy = p[at.ITCH_HALF] + tone
    itch = p[at.ITCH_WEIGHT] * (1.0 - b) + (1.0 - p[at.ITCH_WEIGHT]) * tone / itchy
    base = p[at.BARRIER_REPAIR] * p[at.FILAGGRIN]
    repair = base * (
        1.0 + p[at.EMOLLIENT_GAIN] * u[at.USE_EMOLLIENT] + p[at.LIPIDS_GAIN] * u[at.USE_LIPIDS]
        + p[at.STEROID_ON_BARRIER] * steroid
    )  # fmt: skip
    slowed = 1.0 + tone / p[at.TONE_ON_BARRIER]
    jac[3, 0] = -p[at.VIRULENCE_WEAR] * steep * b
    jac[3, 1] = -p[at.VIRULENCE_WEAR] * blocked * residents * b
    jac[3, 2] = -p[at.VIRULENCE_WEAR] * blocked * STRAIN_UNIT * b
    jac[3, 3] = (
        -repair / slowed
        - (p[at.BARRIER_WEAR] + p[at.VIRULENCE_WEAR] * virulence + p[at.SCRATCH_WEAR] * itch)
        + p[at.SCRATCH_WEAR] * p[at.ITCH_WEIGHT] * b
    )
    jac[3, 4] = -repair * (1.0 - b) / (p[at.TONE_ON_BARRIER] * slowed * slowed) - (
        p[at.SCRATCH_WEAR] * (1.0 - p[at.ITCH_WEIGHT]) * p[at.ITCH_HALF] / (itchy * itchy) * b
    )
    jac[3, 6] = base * p[at.STEROID_ON_BARRIER] * (1.0 - b) / slowed

    met = p[at.STEROID_HALF] + steroid
    regulated = 1.0 + p[at.REGULATION_GAIN] * g
    treated = 1.0 + p[at.STEROID_MAX] * steroid / met
    hold = (
        regulated * treated * (1.0 + p[at.CALM_MAX] * u[at.USE_CALM])
        * (1.0 + p[at.BLOCKADE_MAX] * u[at.USE_BLOCKADE])
    )  # fmt: skip
    drive = (
        p[at.TONE_FLOOR] + p[at.VIRULENCE_DRIVE] * virulence + p[at.BARRIER_DRIVE] * (1.0 - b)
        + p[at.TOPICAL_IRRITATION] * u[at.USE_TOPICAL]
    ) * u[at.DRIVE]  # fmt: skip
    pull = p[at.TONE_RATE] * u[at.DRIVE] / hold
    push = p[at.TONE_RATE] * drive / hold
    jac[4, 0] = pull * p[at.VIRULENCE_DRIVE] * steep
    jac[4, 1] = pull * p[at.VIRULENCE_DRIVE] * blocked * residents
    jac[4, 2] = pull * p[at.VIRULENCE_DRIVE] * blocked * STRAIN_UNIT
    jac[4, 3] = -pull * p[at.BARRIER_DRIVE]
    jac[4, 4] = -p[at.TONE_RATE] * p[at.TONE_DECAY]
    jac[4, 5] = -push * p[at.REGULATION_GAIN] / regulated
    jac[4, 6] = -push * p[at.STEROID_MAX] * p[at.STEROID_HALF] / (met * met * treated)

    link = u[at.GUT_LINK]
    felt = link * but + (1.0 - link) * u[at.BUTYRATE_HELD]
    reach = p[at.GUT_RESPONDER] * p[at.GUT_REACH]
    fed, taken = p[at.BUTYRATE_HALF] + felt, p[at.PROBIOTIC_HALF] + prob
    gut = reach * (p[at.BUTYRATE_GAIN] * felt / fed + link * p[at.PROBIOTIC_GAIN] * prob / taken)
    slope = p[at.REGULATION_TURNOVER] * (1.0 if gut >= 0.0 else math.exp(gut)) * reach * link
    jac[5, 5] = -p[at.REGULATION_TURNOVER]
    jac[5, 9] = slope * p[at.PROBIOTIC_GAIN] * p[at.PROBIOTIC_HALF] / (taken * taken)
    jac[5, 12] = slope * p[at.BUTYRATE_GAIN] * p[at.BUTYRATE_HALF] / (fed * fed)
    jac[6, 6] = -p[at.STEROID_CLEARANCE]
    jac[7, 4] = 1.0 / p[at.MEMORY_DAYS]
    jac[7, 7] = -1.0 / p[at.MEMORY_DAYS]

    offered = p[at.CROSS_FEEDING_HALF] + pool
    supply, supplied = pool / offered, p[at.CROSS_FEEDING_HALF] / (offered * offered)
    jac[8, 8] = p[at.BIFIDO_GROWTH] * (1.0 - 2.0 * f / p[at.BIFIDO_CAPACITY]) - p[at.BIFIDO_LOSS]
    jac[8, 9] = p[at.BIFIDO_HELP] / ((1.0 + prob) * (1.0 + prob))
    jac[9, 8] = -prob * p[at.PROBIOTIC_GROWTH] / (3.0 * p[at.BIFIDO_CAPACITY])
    jac[9, 9] = p[at.PROBIOTIC_GROWTH] * (1.0 - (f / p[at.BIFIDO_CAPACITY] + 2.0 * prob) / 3.0) - p[at.TRANSIT]
    jac[10, 8] = p[at.BIFIDO_FERMENT] / REFERENCE_BIFIDO
    jac[10, 9] = p[at.PROBIOTIC_FERMENT]
    jac[10, 10] = -p[at.CROSS_FEEDING] * prod * supplied - p[at.POOL_CLEARANCE]
    jac[10, 11] = -p[at.CROSS_FEEDING] * supply
    jac[11, 10] = prod * p[at.PRODUCER_GROWTH] * supplied
    jac[11, 11] = p[at.PRODUCER_GROWTH] * supply - 2.0 * p[at.PRODUCER_CROWDING] * prod
    jac[12, 10] = p[at.BUTYRATE_YIELD] * prod * supplied
    jac[12, 11] = p[at.BUTYRATE_YIELD] * supply
    jac[12, 12] = -p[at.BUTYRATE_CLEARANCE]


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
    itch = p[at.ITCH_WEIGHT] * (1.0 - y[at.BARRIER]) + (1.0 - p[at.ITCH_WEIGHT]) * y[at.TONE] / (
        y[at.TONE] + p[at.ITCH_HALF]
    )
    aureus = math.exp(y[at.S_AUREUS_LN])
    commensals = math.exp(y[at.CONS_LN]) + STRAIN_UNIT * y[at.STRAIN]
    everything = aureus + commensals + math.exp(p[at.OTHER_BACTERIA])
    seen[0] = 103.0 * shifted(share, p[at.SCORAD_SHIFT]) * kept
    seen[1] = 72.0 * shifted(share, p[at.EASI_SHIFT]) ** p[at.EASI_POWER] * kept
    seen[2] = y[at.S_AUREUS_LN] / math.log(10.0)
    seen[3] = math.log10(commensals)
    seen[4] = p[at.TEWL_FLOOR] + p[at.TEWL_SPAN] * (1.0 - y[at.BARRIER])
    counted = y[at.BIFIDO] + p[at.PROBIOTIC_SHARE] * y[at.PROBIOTIC]
    seen[5] = 100.0 * counted / (100.0 + counted)
    seen[6] = y[at.BUTYRATE]
    seen[7] = 83.0 * shifted(share, p[at.SCORAD_SHIFT] + p[at.OSCORAD_SHIFT]) * kept
    seen[8] = 10.0 * shifted(itch, p[at.ITCH_SHIFT]) * kept
    seen[9] = 28.0 * shifted(p[at.POEM_ITCH] * itch + (1.0 - p[at.POEM_ITCH]) * share, p[at.POEM_SHIFT]) * kept
    seen[10] = p[at.PH_FLOOR] + p[at.PH_SPAN] * (1.0 - y[at.BARRIER])
    seen[11] = 100.0 * aureus / everything
    seen[12] = 100.0 * commensals / everything
    seen[13] = p[at.TARC_AT_ONE] * y[at.TONE] ** p[at.TARC_POWER]
    seen[14] = p[at.IGE_AT_ONE] * y[at.MEMORY] ** p[at.IGE_POWER]
