"""A structural alternative: the four-state model of S. aureus, CoNS, barrier and IL-4/13 by another group.

Miyano, Irvine and Tanaka 2022, JID Innov 2:100110: equations, protocol and log-normal parameters are theirs (MIT,
Tanaka-Group/AD_QSP_model), the code is ours. It has no gut, no emollient, no topical steroid of its own (the
steroid of its trials is inside the placebo effect) and bacteria on a log10 scale that is killed additively.
Where the authors' solver lets an extinct species run below zero, ours stops at zero and may regrow.

Method: Dormand and Prince's pair of order 5, steps that stop where a species dies out or returns. It shares no
code with the twin's own engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import NormalDist
from threading import Lock
from typing import Any, Literal, get_args

import numba as nb
import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.comparator import comparator_setting, miyano_rates
from biflora.twin import fingerprint
from biflora.twin.forecast import Arm

Array = NDArray[np.float64]
MiyanoArm = Literal[
    "placebo",
    "dupilumab",
    "s_hominis_a9",
    "s_hominis_a9_sensitive",
    "s_hominis_a9_resistant",
    "flucloxacillin",
    "s_aureus_eradication",
    "dupilumab_and_eradication",
]
ARMS: tuple[MiyanoArm, ...] = get_args(MiyanoArm)
(
    AGR_EXPRESSION, BARRIER_RECOVERY, PLACEBO_RECOVERY, S_AUREUS_GROWTH,
    CONS_GROWTH, IL4_BY_AGR, IL4_BASE, CONS_ON_AGR,
    IL4_ON_RECOVERY, BARRIER_ON_S_AUREUS, IL4_ON_PEPTIDES, BARRIER_LOSS,
    BARRIER_LOSS_BY_AGR, CONS_KILL_S_AUREUS, PEPTIDES_KILL_S_AUREUS, S_AUREUS_LOSS,
    S_AUREUS_KILL_CONS, PEPTIDES_KILL_CONS, CONS_LOSS, IL4_LOSS,
    A9_KILLS_SENSITIVE, A9_KILLS_RESISTANT, A9_KILLS_CONS, A9_ON_AGR,
    FLUCLOXACILLIN_KILLS_S_AUREUS, FLUCLOXACILLIN_KILLS_CONS,
) = range(26)  # fmt: skip
"""Places of the parameters: the keys of the table, in its order."""
BARRIER, S_AUREUS, CONS, IL4 = range(4)
PLACEBO, BLOCKADE, A9_SENSITIVE, A9_RESISTANT, FLUCLOXACILLIN, KILL = range(6)
"""Inputs: shares from 0 to 1, and the extra kill of S. aureus in log10 CFU/cm2 a week."""
DONE, TOO_MANY_STEPS, NOT_FINITE = 0, 1, 2
RELATIVE, ABSOLUTE = 1e-7, 1e-9
MAX_STEPS = 200_000
NOTHING = 1e-9
"""A log10 load, or its rate, this near zero is zero."""
HIGHEST_EASI, HIGHEST_SCORAD = 72.0, 103.0
_ONE_AT_A_TIME = Lock()

# Dormand and Prince 1980: row s adds to stage s the slopes before it; the last row is the step itself.
PLACES = np.array([
    [0, 0, 0, 0, 0, 0],
    [1 / 5, 0, 0, 0, 0, 0],
    [3 / 40, 9 / 40, 0, 0, 0, 0],
    [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
])  # fmt: skip
DOUBT = np.array([71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])


@dataclass(frozen=True, slots=True)
class MiyanoCourse:
    """Every virtual patient week by week under one arm."""

    arm: MiyanoArm
    states: Array
    """(n, weeks + 1, 4): barrier (share), S. aureus and CoNS (log10 CFU/cm2), IL-4/13 (relative)."""
    easi: Array
    """(n, weeks + 1); week 0 is untreated. NaN after a failure."""
    status: NDArray[np.int64]
    """0: done, 1: too many steps, 2: not finite."""


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def agr(s_aureus: float, cons: float, p: Array, a9: float) -> float:
    """Expression of agr, 0 to 1, by which S. aureus does harm; `a9` is the use of S. hominis A9."""
    return math.tanh(p[AGR_EXPRESSION] * s_aureus / ((1.0 + p[CONS_ON_AGR] * cons) * (1.0 + p[A9_ON_AGR] * a9)))


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def rates(y: Array, p: Array, u: Array, most: float, slope: Array) -> None:
    """Rates of change a week before the stop at zero; `p` in the order of the table, `most` the highest load."""
    s, a, h = y[BARRIER], max(y[S_AUREUS], 0.0), max(y[CONS], 0.0)
    a9 = max(u[A9_SENSITIVE], u[A9_RESISTANT])
    felt = (1.0 - u[BLOCKADE]) * y[IL4]
    q = agr(a, h, p, a9)
    weakened = 1.0 + p[IL4_ON_PEPTIDES] * felt
    recovery = p[BARRIER_RECOVERY] + u[PLACEBO] * p[PLACEBO_RECOVERY]
    loss = p[BARRIER_LOSS] + p[BARRIER_LOSS_BY_AGR] * q
    slope[BARRIER] = (1.0 - s) * recovery / (1.0 + p[IL4_ON_RECOVERY] * felt) - s * loss
    slope[S_AUREUS] = (
        p[S_AUREUS_GROWTH] * (1.0 - a / most) / (1.0 + p[BARRIER_ON_S_AUREUS] * s)
        - p[CONS_KILL_S_AUREUS] * h - p[PEPTIDES_KILL_S_AUREUS] / weakened - p[S_AUREUS_LOSS]
        - u[A9_SENSITIVE] * p[A9_KILLS_SENSITIVE] - u[A9_RESISTANT] * p[A9_KILLS_RESISTANT]
        - u[FLUCLOXACILLIN] * p[FLUCLOXACILLIN_KILLS_S_AUREUS] - u[KILL]
    )  # fmt: skip
    slope[CONS] = (
        p[CONS_GROWTH] * (1.0 - h / most)
        - p[S_AUREUS_KILL_CONS] * a - p[PEPTIDES_KILL_CONS] / weakened - p[CONS_LOSS]
        - a9 * p[A9_KILLS_CONS] - u[FLUCLOXACILLIN] * p[FLUCLOXACILLIN_KILLS_CONS]
    )  # fmt: skip
    slope[IL4] = p[IL4_BY_AGR] * q + p[IL4_BASE] - p[IL4_LOSS] * y[IL4]


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def advance(y: Array, p: Array, u: Array, most: float, weeks: float, first: float, k: Array, z: Array,
            raw: Array) -> tuple[int, float]:  # fmt: skip
    """Move `y` on by `weeks` under constant input; gives the status and a step for a warm start."""
    t, h, steps, last = 0.0, min(first, weeks), 0, first
    absent = np.zeros(4, np.bool_)
    while t < weeks:
        rates(y, p, u, most, raw)
        for i in range(4):
            absent[i] = False
        for i in (S_AUREUS, CONS):
            if y[i] <= NOTHING and raw[i] <= 0.0:
                y[i] = 0.0
                absent[i] = True
        accepted = False
        while not accepted:
            steps += 1
            if steps > MAX_STEPS:
                return TOO_MANY_STEPS, last
            whole = t + h > weeks * (1.0 - 1e-12)
            if whole:
                h = weeks - t
            for i in range(4):
                k[0, i] = 0.0 if absent[i] else raw[i]
            for stage in range(1, 7):
                for i in range(4):
                    place = y[i]
                    for j in range(stage):
                        place += h * PLACES[stage, j] * k[j, i]
                    z[i] = place
                rates(z, p, u, most, k[stage])
                if stage < 6:
                    for i in range(4):
                        if absent[i]:
                            k[stage, i] = 0.0
            total, shorten = 0.0, 1.0
            for i in range(4):
                wrong = 0.0
                for j in range(7):
                    wrong += DOUBT[j] * k[j, i]
                if not absent[i]:
                    total += (h * wrong / (ABSOLUTE + RELATIVE * max(abs(y[i]), abs(z[i])))) ** 2
            error = math.sqrt(total / 4.0)
            if not math.isfinite(error):
                h *= 0.2
                if h < 1e-12:
                    return NOT_FINITE, last
                continue
            factor = min(5.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.2))
            if error > 1.0:
                h *= factor
                if h < 1e-12:
                    return NOT_FINITE, last
                continue
            # a species that would die out, or return, within the step: end the step where it does
            for i in (S_AUREUS, CONS):
                if absent[i]:
                    if k[6, i] > NOTHING and raw[i] < -NOTHING:
                        shorten = min(shorten, raw[i] / (raw[i] - k[6, i]))
                elif z[i] < -NOTHING:
                    shorten = min(shorten, max(y[i], 0.0) / (max(y[i], 0.0) - z[i]))
            if shorten < 1.0 and h > 1e-9:
                h *= min(max(shorten, 0.01), 0.999)
                continue
            accepted = True
            t = weeks if whole else t + h
            last = max(h, 1e-6)
            for i in range(4):
                y[i] = z[i]
            for i in (S_AUREUS, CONS):
                y[i] = max(y[i], 0.0)
            h *= factor
    return DONE, last


@cache
def _compiled(print_of_source: int) -> Callable[..., Any]:
    """The parallel kernel; the fingerprint in its closure keeps a changed model from running as an old one."""

    # fmt: off
    def kernel(start: Array, p: Array, u: Array, most: float, span: float, course: Array,
               status: NDArray[np.int64]) -> int:
        # fmt: on
        for n in nb.prange(p.shape[0]):
            k, z, raw, y = np.empty((7, 4)), np.empty(4), np.empty(4), np.empty(4)
            for i in range(4):
                y[i] = start[n, i]
                course[n, 0, i] = y[i]
            h = 0.01
            for w in range(u.shape[1]):
                code, h = advance(y, p[n], u[n, w], most, span, h, k, z, raw)
                status[n] = code
                if code != DONE:
                    break
                for i in range(4):
                    course[n, w + 1, i] = y[i]
        return print_of_source

    try:
        compiled: Callable[..., Any] = nb.njit(kernel, parallel=True, cache=True, error_model="numpy")
    except RuntimeError:  # no folder on this machine may hold Numba's cache: compile for this process only
        compiled = nb.njit(kernel, parallel=True, error_model="numpy")
    return compiled


def follow(start: Array, parameters: Array, inputs: Array, span: float) -> tuple[Array, NDArray[np.int64]]:
    """States (n, spans + 1, 4) and a status each, under inputs (n, spans, 6) that last `span` weeks each."""
    n, spans = inputs.shape[:2]
    course, status = np.full((n, spans + 1, 4), np.nan), np.zeros(n, np.int64)
    kernel = _compiled(int(fingerprint.of_source(("miyano.py",))[:12], 16))
    with _ONE_AT_A_TIME:
        kernel(
            np.ascontiguousarray(start), np.ascontiguousarray(parameters), np.ascontiguousarray(inputs),
            comparator_setting("miyano_burn_in_bacteria"), float(span), course, status,
        )  # fmt: skip
    return course, status


def draw(n: int, seed: int) -> Array:
    """Parameters (n, 26) of virtual patients, in the table's order; a longer draw begins with a shorter one."""
    rows = tuple(miyano_rates().values())
    middle, spread = np.array([row.ln_mu for row in rows]), np.array([row.ln_sigma for row in rows])
    standard: Array = np.random.default_rng([seed, 2022]).standard_normal((n, len(rows)))
    return np.exp(middle + spread * standard)


Entered = tuple[Array, NDArray[np.int64]]


def baseline(parameters: Array) -> Entered:
    """Untreated states (n, 4) at the end of the authors' burn-in, and a status each."""
    bacteria = comparator_setting("miyano_burn_in_bacteria")
    begin = (
        comparator_setting("miyano_burn_in_barrier"),
        bacteria,
        bacteria,
        comparator_setting("miyano_burn_in_il4"),
    )
    n = parameters.shape[0]
    untreated = np.zeros((n, 1, KILL + 1))
    course, status = follow(np.tile(begin, (n, 1)), parameters, untreated, comparator_setting("miyano_burn_in"))
    return course[:, -1], status


def simulate(parameters: Array, arm: MiyanoArm, weeks: int, entered: Entered | None = None) -> MiyanoCourse:
    """Follow every virtual patient for whole weeks under one arm, from her `baseline` (found when not given).

    Every arm has the placebo effect from week 0 on. S. hominis A9 is used without pause (in its trial: one week).
    Raises ValueError for an arm that the model does not have.
    """
    start, before = entered or baseline(parameters)
    inputs = _inputs(parameters, arm, weeks)
    states, after = follow(start, parameters, inputs, 1.0)
    a9 = inputs[:, :, (A9_SENSITIVE, A9_RESISTANT)].max(axis=2)
    easi = np.column_stack([
        easi_of(states[:, week], parameters, a9[:, week - 1] if week else np.zeros(len(parameters)))
        for week in range(weeks + 1)
    ])  # fmt: skip
    return MiyanoCourse(arm, states, easi, np.where(before != DONE, before, after))


def _inputs(parameters: Array, arm: MiyanoArm, weeks: int) -> Array:
    u = np.zeros((parameters.shape[0], weeks, KILL + 1))
    u[:, :, PLACEBO] = 1.0
    if arm in ("dupilumab", "dupilumab_and_eradication"):
        u[:, :, BLOCKADE] = comparator_setting("miyano_dupilumab_blockade")
    if arm == "s_aureus_eradication":
        u[:, :, KILL] = comparator_setting("miyano_eradication_kill")
    elif arm == "dupilumab_and_eradication":
        u[:, :, KILL] = comparator_setting("miyano_eradication_kill_beside_dupilumab")
    elif arm == "flucloxacillin":
        u[:, : round(comparator_setting("miyano_flucloxacillin")), FLUCLOXACILLIN] = 1.0
    elif arm == "s_hominis_a9":
        sensitive = carries_sensitive_strain(parameters)
        u[sensitive, :, A9_SENSITIVE] = 1.0
        u[~sensitive, :, A9_RESISTANT] = 1.0
    elif arm in ("s_hominis_a9_sensitive", "s_hominis_a9_resistant"):
        u[:, :, A9_SENSITIVE if arm == "s_hominis_a9_sensitive" else A9_RESISTANT] = 1.0
    elif arm not in ("placebo", "dupilumab"):
        raise ValueError(f"no arm {arm!r} in this model; choose one of {', '.join(ARMS)}")
    return u


def carries_sensitive_strain(parameters: Array) -> NDArray[np.bool_]:
    """Whose S. aureus the A9 strain kills: the lot is the rank of a parameter that no A9 arm uses."""
    row = miyano_rates()["flucloxacillin_kills_cons"]
    border = NormalDist(row.ln_mu, row.ln_sigma).inv_cdf(comparator_setting("miyano_a9_sensitive"))
    return np.asarray(np.log(parameters[:, FLUCLOXACILLIN_KILLS_CONS]) < border)


def easi_of(states: Array, parameters: Array, a9: Array) -> Array:
    """EASI (n,) of states (n, 4): half from agr expression, half from the lost barrier."""
    silenced = (1.0 + parameters[:, CONS_ON_AGR] * states[:, CONS]) * (1.0 + parameters[:, A9_ON_AGR] * a9)
    expressed = np.tanh(parameters[:, AGR_EXPRESSION] * states[:, S_AUREUS] / silenced)
    return np.asarray(HIGHEST_EASI * (2.0 * expressed + 2.0 * (1.0 - states[:, BARRIER])) / 4.0)


def easi_75(course: MiyanoCourse, week: int = 16) -> float:
    """Share whose EASI is better by more than 75 % at that week; a failed trajectory counts as not better."""
    return float(np.mean(course.easi[:, week] < 0.25 * course.easi[:, 0]))


def week_16_table(n: int = 4000, seed: int = 2026) -> dict[MiyanoArm, float]:
    """EASI-75 at week 16 under every arm, as a share, in the same virtual patients."""
    parameters = draw(n, seed)
    entered = baseline(parameters)
    return {arm: easi_75(simulate(parameters, arm, 16, entered)) for arm in ARMS}


TOLD_AS: dict[Arm, MiyanoArm] = {
    "standard_care": "placebo",
    "oral": "placebo",
    "topical": "s_hominis_a9",
    "combination": "s_hominis_a9",
}
"""How our arms are told by this structure. It has no gut: oral is placebo because it cannot say more, which is
not evidence that oral does nothing. Standard care is the placebo arm of trials that gave a topical steroid."""


@dataclass(frozen=True, slots=True)
class MiyanoTold:
    """One patient of ours as this structure tells her."""

    scorad: Mapping[Arm, Array]
    """By arm: SCORAD-equivalent (draws, weeks + 1); draw i is the same virtual patient under every arm."""
    effective: float
    """Effective sample size."""
    gap_in_sd: float
    """How far the matched mean start lies from the wanted one, in its standard deviations."""

    @property
    def knows_such_a_patient(self) -> bool:
        """False when too few virtual patients are like her: nearly all of them are moderate to severe."""
        enough = self.effective >= comparator_setting("miyano_enough_patients")
        return enough and abs(self.gap_in_sd) <= comparator_setting("miyano_start_gap")


def scorad_equivalent(easi: Array) -> Array:
    """SCORAD with the same severity as that EASI, by an assumed power (`miyano_easi_power`)."""
    power = comparator_setting("miyano_easi_power")
    return np.asarray(HIGHEST_SCORAD * np.clip(easi / HIGHEST_EASI, 0.0, 1.0) ** (1.0 / power))


def reweighted_scorad(
    start_scorad: float, start_sd: float, arms: Sequence[Arm], weeks: int, n: int, seed: int
) -> MiyanoTold:
    """Weekly severity of virtual patients whose untreated severity spreads as Normal(start, sd), in n equal draws.

    Each counts by the density wanted at her untreated SCORAD-equivalent over the density there is, then n are
    drawn evenly by weight. Only the start is matched: what else is known of the patient does not enter.
    Raises ValueError when `start_sd` is not above zero.
    """
    if not start_sd > 0.0:
        raise ValueError("start_sd: give a standard deviation above zero")
    courses, done = _everybody(tuple(sorted({TOLD_AS[arm] for arm in arms})), weeks, n, seed)
    start = courses[TOLD_AS[arms[0]]][:, 0]
    weights = _match(start, done, start_scorad, start_sd)
    # systematic draws: one random offset, then every n-th part of the weight
    at = (np.arange(n) + np.random.default_rng([seed, 110100]).random()) / n
    chosen = np.minimum(np.searchsorted(np.cumsum(weights), at), n - 1)
    return MiyanoTold(
        scorad={arm: courses[TOLD_AS[arm]][chosen] for arm in arms},
        effective=float(1.0 / np.sum(weights**2)),
        gap_in_sd=float((weights[done] @ start[done] - start_scorad) / start_sd),
    )


@lru_cache(maxsize=4)
def _everybody(
    arms: tuple[MiyanoArm, ...], weeks: int, n: int, seed: int
) -> tuple[dict[MiyanoArm, Array], NDArray[np.bool_]]:
    """SCORAD-equivalents of all patients under these arms, and whose trajectories were finished."""
    parameters = draw(n, seed)
    entered = baseline(parameters)
    courses = {arm: simulate(parameters, arm, weeks, entered) for arm in arms}
    done = np.all([course.status == DONE for course in courses.values()], axis=0)
    return {arm: scorad_equivalent(course.easi) for arm, course in courses.items()}, np.asarray(done)


def _match(start: Array, done: NDArray[np.bool_], mean: float, sd: float) -> Array:
    """Weights that sum to 1 and turn the spread of `start` into Normal(mean, sd), failures left out."""
    held = start[done]
    width = 1.06 * held.std() * held.size**-0.2
    grid = np.linspace(0.0, HIGHEST_SCORAD, 413)
    there = np.exp(-0.5 * ((grid[:, None] - held[None, :]) / width) ** 2).mean(axis=1) / width
    wanted = -0.5 * ((held - mean) / sd) ** 2
    weights = np.zeros(start.size)
    weights[done] = np.exp(wanted - wanted.max()) / np.interp(held, grid, there)
    return np.asarray(weights / weights.sum())
