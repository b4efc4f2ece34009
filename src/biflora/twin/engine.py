"""The engine: an adaptive, L-stable Rosenbrock method (RODAS4, order 4), one trajectory per thread.

Every trajectory has a status instead of an exception, stops exactly where its input changes, is seen at visits
by dense output, and does the same arithmetic whatever the number of threads.
Method: Hairer and Wanner, Solving ODEs II, section IV.7.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from biflora.twin import fingerprint
from biflora.twin import state as at
from biflora.twin.model import jacobian, placebo_kept, rates, scorad, see
from biflora.twin.regimen import Timetable
from biflora.twin.structured import CORE, WORK, factorise, solve

Array = NDArray[np.float64]
Keys = NDArray[np.uint64]
N_STATES = len(at.STATES)
N_INPUTS = len(at.INPUTS)
N_SEEN = 15
DONE, TOO_MANY_STEPS, NOT_FINITE = 0, 1, 2
RELATIVE, ABSOLUTE = 1e-4, 1e-6
MAX_STEPS = 20_000
BOLDNESS = 3.5
"""How large the first step after a change of input is, by its guess; larger: more steps are taken back."""
DOSES_A_WEEK = 7
_ONE_AT_A_TIME = Lock()
"""Numba's portable thread pool may not be entered by two Python threads at once."""

# RODAS4 of Hairer and Wanner in the form with one matrix: stage s is placed by A and sloped by C of those before.
A10 = 1.544
A20, A21 = 0.9466785280815826, 0.2557011698983284
A30, A31, A32 = 3.314825187068521, 2.896124015972201, 0.9986419139977817
A40, A41, A42, A43 = 1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950
C10 = -5.6688
C20, C21 = -2.430093356833875, -0.2063599157091915
C30, C31, C32 = -0.1073529058151375, -9.594562251023355, -20.47028614809616
C40, C41, C42, C43 = 7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160
C50, C51, C52 = 8.083246795921522, -7.981132988064893, -31.52159432874371
C53, C54 = 16.31930543123136, -6.058818238834054
DENSE = np.array([
    [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662],
    [-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872],
])  # fmt: skip
GAMMA = 0.25
ADHERENCE = np.array([
    at.ADHERENCE_EMOLLIENT, at.ADHERENCE_STEROID, at.ADHERENCE_ORAL, at.ADHERENCE_ORAL, at.ADHERENCE_TOPICAL,
    at.ADHERENCE_TOPICAL, at.ADHERENCE_TOPICAL, at.ADHERENCE_TOPICAL, at.ADHERENCE_TOPICAL, at.ADHERENCE_WASH,
    at.ADHERENCE_BLOCKADE,
])  # fmt: skip
"""Place of the rate that says how faithfully each lever is pulled."""


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def uniform(key: int, week: int, lever: int) -> float:
    """A number in [0, 1) that belongs to this patient, week and lever (SplitMix64), whoever asks and when."""
    x = np.uint64(key) ^ (np.uint64(week * 64 + lever + 1) * np.uint64(0x9E3779B97F4A7C15))
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return float(x >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def taken(adherence: float, chance: float) -> float:
    """Share of the week's doses that were taken: a binomial count of seven, read from one uniform number."""
    if adherence >= 1.0 - 1e-9:
        return 1.0
    odds = adherence / (1.0 - adherence)
    mass = (1.0 - adherence) ** DOSES_A_WEEK
    below, count = mass, 0
    while chance > below and count < DOSES_A_WEEK:
        mass *= odds * (DOSES_A_WEEK - count) / (count + 1.0)
        below += mass
        count += 1
    return count / DOSES_A_WEEK


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def first_step(y: Array, f: Array, jac: Array, rtol: float) -> float:
    """A step that meets the tolerance when the motion `f` relaxes at the pace at which it bends (J f).

    With size x = |f|^2 / |J f| and pace |J f| / |f| a method of order 3 errs by x (pace h)^4.
    """
    moved, bent = 0.0, 0.0
    for i in range(N_STATES):
        scale = ABSOLUTE + rtol * abs(y[i])
        bend = 0.0
        for j in range(N_STATES):
            bend += jac[i, j] * f[j]
        moved += (f[i] / scale) ** 2
        bent += (bend / scale) ** 2
    moved, bent = math.sqrt(moved / N_STATES), math.sqrt(bent / N_STATES)
    if not (math.isfinite(moved) and math.isfinite(bent) and bent > 0.0):
        return math.inf
    return float(BOLDNESS * math.sqrt(moved) / bent**0.75)


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def advance(
    y: Array,
    p: Array,
    u: Array,
    day: float,
    until: float,
    first: float,
    rtol: float,
    started: float,
    seen: NDArray[np.float32],
    course: Array,
    want_seen: bool,
    want_states: bool,
    f0: Array,
    f1: Array,
    z: Array,
    k: Array,
    w: Array,
    jac: Array,
    shown: Array,
) -> tuple[int, float]:
    """Move `y` from `day` to `until` under constant input; visits in between are seen by dense output.

    Gives the status and the size of the next step, for a warm start.
    """
    n = N_STATES
    rates(y, p, u, f0)
    jacobian(y, p, u, jac)
    t, h = day, min(first, first_step(y, f0, jac, rtol), until - day)
    steps, last = 0, h
    visit = int(day / 7.0 + 1e-9) + 1
    fresh = False
    while t < until:
        steps += 1
        if steps > MAX_STEPS:
            return TOO_MANY_STEPS, last
        closing = t + h > until - 1e-9
        if closing:
            h = until - t
        elif t + 2.0 * h > until:  # two like steps to the end are better than one and a rest
            h = 0.5 * (until - t)
        if fresh:
            rates(y, p, u, f0)
            jacobian(y, p, u, jac)
            fresh = False
        if not factorise(jac, 1.0 / (h * GAMMA), w):
            h *= 0.25
            if h < 1e-10:
                return NOT_FINITE, last
            continue
        inverse = 1.0 / h
        for i in range(n):
            k[0, i] = f0[i]
        solve(jac, w, k[0])
        # the stages stand one by one, because LLVM makes vector code of a sum only when its length is written out
        for i in range(n):
            z[i] = y[i] + A10 * k[0, i]
        rates(z, p, u, f1)
        for i in range(n):
            k[1, i] = f1[i] + C10 * k[0, i] * inverse
        solve(jac, w, k[1])
        for i in range(n):
            z[i] = y[i] + A20 * k[0, i] + A21 * k[1, i]
        rates(z, p, u, f1)
        for i in range(n):
            k[2, i] = f1[i] + (C20 * k[0, i] + C21 * k[1, i]) * inverse
        solve(jac, w, k[2])
        for i in range(n):
            z[i] = y[i] + A30 * k[0, i] + A31 * k[1, i] + A32 * k[2, i]
        rates(z, p, u, f1)
        for i in range(n):
            k[3, i] = f1[i] + (C30 * k[0, i] + C31 * k[1, i] + C32 * k[2, i]) * inverse
        solve(jac, w, k[3])
        for i in range(n):
            z[i] = y[i] + A40 * k[0, i] + A41 * k[1, i] + A42 * k[2, i] + A43 * k[3, i]
        rates(z, p, u, f1)
        for i in range(n):
            k[4, i] = f1[i] + (C40 * k[0, i] + C41 * k[1, i] + C42 * k[2, i] + C43 * k[3, i]) * inverse
        solve(jac, w, k[4])
        for i in range(n):
            z[i] += k[4, i]  # the last two stages share their place but for the fifth
        rates(z, p, u, f1)
        for i in range(n):
            k[5, i] = (
                f1[i] + (C50 * k[0, i] + C51 * k[1, i] + C52 * k[2, i] + C53 * k[3, i] + C54 * k[4, i]) * inverse
            )
        solve(jac, w, k[5])
        error, total = 0.0, 0.0  # of the worst state: a mean over states lets one that tips over go astray
        for i in range(n):
            z[i] += k[5, i]
            miss = abs(k[5, i]) / (ABSOLUTE + rtol * max(abs(y[i]), abs(z[i])))
            error = max(error, miss)
            total += miss
        if not math.isfinite(total):
            h *= 0.2
            if h < 1e-10:
                return NOT_FINITE, last
            continue
        factor = min(6.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.25))
        if error > 1.0:
            h *= factor
            if h < 1e-10:
                return NOT_FINITE, last
            continue
        while 7.0 * visit < until - 1e-9 and 7.0 * visit <= t + h:
            part = (7.0 * visit - t) * inverse
            for i in range(n):
                third, fourth = 0.0, 0.0
                for j in range(5):
                    third += DENSE[0, j] * k[j, i]
                    fourth += DENSE[1, j] * k[j, i]
                shown[i] = y[i] * (1.0 - part) + part * (z[i] + (1.0 - part) * (third + part * fourth))
            if want_seen:
                see(shown, p, placebo_kept(started + 7.0 * visit, p), seen[visit])
            if want_states:
                for i in range(n):
                    course[visit, i] = shown[i]
            visit += 1
        for i in range(n):
            y[i] = z[i]
        # rounding may carry an amount that cannot be negative a hair below zero
        y[at.STRAIN] = max(y[at.STRAIN], 0.0)
        for i in range(at.STEROID, n):
            y[i] = max(y[i], 0.0)
        fresh = True
        if closing:
            return DONE, max(h * min(factor, 1.0), last)
        t += h
        h *= factor
        last = h
    return DONE, last


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def pull(u: Array, plan: Array, p: Array, key: int, week: int, treating: bool, perfect: bool) -> None:
    """Set the levers of one segment: the plan, less the doses that this patient misses in this week."""
    for lever in range(at.STEROID_BETWEEN):
        dose = plan[lever]
        if lever == at.USE_STEROID and not treating:
            dose = plan[at.STEROID_BETWEEN]
        if dose != 0.0 and not perfect:
            dose *= taken(p[ADHERENCE[lever]], uniform(key, week, lever))
        u[lever] = dose


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def follow(y0: Array, p: Array, key: int, plan: Array, edges: Array, drive: Array, started: float, link: float,
           perfect: bool, rtol: float, end: Array, seen: NDArray[np.float32], course: Array, want_seen: bool,
           want_states: bool, y: Array, u: Array, after: Array, f0: Array, f1: Array, z: Array, k: Array, w: Array,
           jac: Array, shown: Array) -> int:  # fmt: skip
    """One patient through the timetable; gives the status. Treatment is decided at each visit by its score.

    The last ten arguments are room to work in. Segments whose input is the same are crossed without a stop.
    """
    for i in range(N_STATES):
        y[i] = y0[i]
        for j in range(N_STATES):
            jac[i, j] = 0.0
    u[at.GUT_LINK], u[at.BUTYRATE_HELD] = link, y[at.BUTYRATE]
    after[at.GUT_LINK], after[at.BUTYRATE_HELD] = link, y[at.BUTYRATE]
    treating, h, code = False, 0.05, DONE
    segments = plan.shape[0]
    s = 0
    while s < segments:
        day = edges[s]
        week = int(day / 7.0 + 1e-9)
        if day - 7.0 * week < 1e-9:  # a visit
            kept = placebo_kept(started + day, p)
            if want_seen:
                see(y, p, kept, seen[week])
            if want_states:
                for i in range(N_STATES):
                    course[week, i] = y[i]
            score = scorad(y, p, kept)
            treating = score > p[at.STEROID_START] or (treating and score > p[at.STEROID_STOP])
        pull(u, plan[s], p, key, week, treating, perfect)
        u[at.DRIVE] = drive[week]
        # go on to the first edge at which something changes; with a steroid in the plan every visit may change it
        last = s
        while last + 1 < segments and plan[s, at.USE_STEROID] == 0.0 and plan[last + 1, at.USE_STEROID] == 0.0:
            next_week = int(edges[last + 1] / 7.0 + 1e-9)
            pull(after, plan[last + 1], p, key, next_week, treating, perfect)
            same = drive[next_week] == u[at.DRIVE]
            for lever in range(at.STEROID_BETWEEN):
                same = same and after[lever] == u[lever]
            if not same:
                break
            last += 1
        code, h = advance(
            y, p, u, day, edges[last + 1], h, rtol, started, seen, course, want_seen, want_states, f0, f1, z, k, w,
            jac, shown,
        )  # fmt: skip
        if code != DONE:
            break
        s = last + 1
    if code == DONE:
        week = int(edges[segments] / 7.0 + 1e-9)
        if want_seen:
            see(y, p, placebo_kept(started + edges[segments], p), seen[week])
        if want_states:
            for i in range(N_STATES):
                course[week, i] = y[i]
    for i in range(N_STATES):
        end[i] = y[i]
    return code


@cache
def _compiled(print_of_source: int) -> Callable[..., Any]:
    """The parallel kernel. Numba keys its disk cache by a closure's variables but not by what it calls: the
    fingerprint in the closure keeps a changed model from running as an old one."""

    # fmt: off
    def kernel(y0: Array, p: Array, keys: Keys, plan: Array, edges: Array, drive: Array, started: float,
               link: float, perfect: bool, rtol: float, ends: Array, seen: NDArray[np.float32], course: Array,
               status: NDArray[np.int64], want_seen: bool, want_states: bool) -> int:
        # fmt: on
        for i in nb.prange(y0.shape[0]):
            status[i] = follow(
                y0[i], p[i], keys[i], plan, edges, drive[i], started, link, perfect, rtol, ends[i],
                seen[i * want_seen], course[i * want_states], want_seen, want_states,
                np.empty(N_STATES), np.empty(N_INPUTS), np.empty(N_INPUTS), np.empty(N_STATES), np.empty(N_STATES),
                np.empty(N_STATES), np.empty((6, N_STATES)), np.empty(WORK), np.empty((N_STATES, N_STATES)),
                np.empty(N_STATES),
            )  # fmt: skip
        return print_of_source

    try:
        compiled: Callable[..., Any] = nb.njit(kernel, parallel=True, cache=True, error_model="numpy")
    except RuntimeError:  # no folder on this machine may hold Numba's cache: compile for this process only
        compiled = nb.njit(kernel, parallel=True, error_model="numpy")
    return compiled


def run(
    y0: Array, p: Array, keys: Keys, table: Timetable, drive: Array, *, started: float = 0.0,
    gut_link: bool = True, perfect: bool = False, want_seen: bool = True, want_states: bool = False,
    rtol: float = RELATIVE,
) -> tuple[Array, NDArray[np.float32], Array, NDArray[np.int64]]:  # fmt: skip
    """Simulate every trajectory through the timetable.

    y0 (n, states), p (n, rates), keys (n,) each patient's own number for missed doses, drive (n, weeks).
    `started` is the day in care at the beginning; far below zero there is no placebo response. `perfect`: every
    dose is taken as planned. Returns the last states, the observables (n, weeks + 1, 15), the states
    (n, weeks + 1, states) and a status per trajectory (0: done); a table that was not wanted has no rows.
    After a failure a trajectory's later weeks are NaN.
    """
    n, weeks = drive.shape
    assert weeks == table.weeks
    seen = np.full((n if want_seen else 1, weeks + 1, N_SEEN), np.nan, np.float32)
    course = np.full((n if want_states else 1, weeks + 1, N_STATES), np.nan)
    ends, status = np.empty((n, N_STATES)), np.zeros(n, np.int64)
    kernel = _compiled(int(fingerprint.of_source(fingerprint.ENGINE)[:12], 16))
    with _ONE_AT_A_TIME:
        kernel(
            np.ascontiguousarray(y0), np.ascontiguousarray(p), np.ascontiguousarray(keys, dtype=np.uint64),
            np.ascontiguousarray(table.plan), np.ascontiguousarray(table.edges), np.ascontiguousarray(drive),
            float(started), float(gut_link), perfect, float(rtol), ends, seen, course, status, want_seen,
            want_states,
        )  # fmt: skip
    return ends, seen if want_seen else seen[:0], course if want_states else course[:0], status


__all__ = ["CORE", "N_INPUTS", "N_SEEN", "N_STATES", "RELATIVE", "advance", "follow", "run"]
