"""The engine: an adaptive, L-stable Rosenbrock method (RODAS4, order 4), one trajectory per thread.

Every trajectory has a status instead of an exception, stops exactly where its input changes, and does the same
arithmetic whatever the number of threads. Method: Hairer and Wanner, Solving ODEs II, section IV.7.
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

from biflora.twin import fingerprint, state
from biflora.twin.model import placebo_kept, rates, scorad, see
from biflora.twin.state import (
    BUTYRATE,
    BUTYRATE_HELD,
    DRIVE,
    GUT_LINK,
    STATES,
    STEROID_START,
    STEROID_STOP,
    STRAIN,
    USE_STEROID,
)

Array = NDArray[np.float64]
N_STATES = len(STATES)
N_INPUTS = len(state.INPUTS)
N_SEEN = 8
DONE, TOO_MANY_STEPS, NOT_FINITE = 0, 1, 2
RELATIVE, ABSOLUTE = 1e-4, 1e-6
MAX_STEPS = 20_000
_ONE_AT_A_TIME = Lock()
"""Numba's portable thread pool may not be entered by two Python threads at once."""

# RODAS4 of Hairer and Wanner in the form with one matrix: row s adds to stage s the stages before it.
PLACES = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0],
    [1.544, 0.0, 0.0, 0.0, 0.0],
    [0.9466785280815826, 0.2557011698983284, 0.0, 0.0, 0.0],
    [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0.0, 0.0],
    [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 0.0],
    [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0],
])  # fmt: skip
SLOPES = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0],
    [-5.6688, 0.0, 0.0, 0.0, 0.0],
    [-2.430093356833875, -0.2063599157091915, 0.0, 0.0, 0.0],
    [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0.0, 0.0],
    [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0.0],
    [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
])  # fmt: skip
GAMMA = 0.25
FIRST_GUT = state.BIFIDO
"""States from here on are the gut's; no rate of the gut depends on a skin state."""


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def jacobian(y: Array, p: Array, u: Array, f0: Array, jac: Array, f1: Array) -> None:
    """Forward differences of the rates; a gut state that skin does not feel shares a call with a skin state."""
    n = y.shape[0]
    for j in range(n):
        for i in range(n):
            jac[j, i] = 0.0
    for j in range(n):
        partner = -1
        if j < 3:
            partner = FIRST_GUT if j == 0 else (FIRST_GUT + 2 if j == 1 else FIRST_GUT + 3)
        if j == FIRST_GUT or j == FIRST_GUT + 2 or j == FIRST_GUT + 3:
            continue
        kept = y[j]
        step = 1e-7 * max(abs(kept), 1e-3)
        y[j] = kept + step
        step = y[j] - kept
        kept_partner, step_partner = 0.0, 1.0
        if partner >= 0:
            kept_partner = y[partner]
            step_partner = 1e-7 * max(abs(kept_partner), 1e-3)
            y[partner] = kept_partner + step_partner
            step_partner = y[partner] - kept_partner
        rates(y, p, u, f1)
        y[j] = kept
        if partner >= 0:
            y[partner] = kept_partner
            for i in range(FIRST_GUT):
                jac[i, j] = (f1[i] - f0[i]) / step
            for i in range(FIRST_GUT, n):
                jac[i, partner] = (f1[i] - f0[i]) / step_partner
        else:
            for i in range(n):
                jac[i, j] = (f1[i] - f0[i]) / step


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def factorise(m: Array, pivot: NDArray[np.int64]) -> bool:
    """LU with row pivots, in place; False when the matrix is singular or not finite."""
    n = m.shape[0]
    for k in range(n):
        best, at = abs(m[k, k]), k
        for i in range(k + 1, n):
            if abs(m[i, k]) > best:
                best, at = abs(m[i, k]), i
        if not (best > 0.0 and best < 1e300):
            return False
        pivot[k] = at
        if at != k:
            for j in range(n):
                m[k, j], m[at, j] = m[at, j], m[k, j]
        inverse = 1.0 / m[k, k]
        for i in range(k + 1, n):
            if m[i, k] != 0.0:
                m[i, k] *= inverse
                factor = m[i, k]
                for j in range(k + 1, n):
                    m[i, j] -= factor * m[k, j]
    return True


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def solve(m: Array, pivot: NDArray[np.int64], x: Array) -> None:
    """Solve in place with the factors of `factorise`."""
    n = m.shape[0]
    for k in range(n):
        at = pivot[k]
        if at != k:
            x[k], x[at] = x[at], x[k]
    for i in range(n):
        total = x[i]
        for j in range(i):
            total -= m[i, j] * x[j]
        x[i] = total
    for i in range(n - 1, -1, -1):
        total = x[i]
        for j in range(i + 1, n):
            total -= m[i, j] * x[j]
        x[i] = total / m[i, i]


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def advance(y: Array, p: Array, u: Array, days: float, first: float, rtol: float, f0: Array, f1: Array, z: Array,
            k: Array, m: Array, jac: Array, pivot: NDArray[np.int64]) -> tuple[int, float]:  # fmt: skip
    """Move `y` on by `days` under constant input; gives the status and the last step, for a warm start."""
    n = y.shape[0]
    t, h = 0.0, min(first, days)
    steps, fresh = 0, True
    last = h
    while t < days:
        steps += 1
        if steps > MAX_STEPS:
            return TOO_MANY_STEPS, last
        if t + h > days * (1.0 - 1e-12):
            h = days - t
        if fresh:
            rates(y, p, u, f0)
            jacobian(y, p, u, f0, jac, f1)
            fresh = False
        for i in range(n):
            for j in range(n):
                m[i, j] = -jac[i, j]
            m[i, i] += 1.0 / (h * GAMMA)
        if not factorise(m, pivot):
            h *= 0.25
            if h < 1e-10:
                return NOT_FINITE, last
            continue
        for stage in range(6):
            for i in range(n):
                place = y[i]
                for j in range(stage):
                    place += PLACES[stage, j] * k[j, i]
                z[i] = place
            if stage == 0:
                for i in range(n):
                    f1[i] = f0[i]
            else:
                rates(z, p, u, f1)
                for i in range(n):
                    slope = 0.0
                    for j in range(stage):
                        slope += SLOPES[stage, j] * k[j, i]
                    f1[i] += slope / h
            solve(m, pivot, f1)
            for i in range(n):
                k[stage, i] = f1[i]
        total = 0.0
        for i in range(n):
            z[i] += k[5, i]
            scale = ABSOLUTE + rtol * max(abs(y[i]), abs(z[i]))
            total += (k[5, i] / scale) ** 2
        error = math.sqrt(total / n)
        if not math.isfinite(error):
            h *= 0.2
            if h < 1e-10:
                return NOT_FINITE, last
            continue
        factor = min(5.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.25))
        if error <= 1.0:
            t += h
            last = h
            for i in range(n):
                y[i] = z[i]
            # rounding may carry an amount that cannot be negative a hair below zero
            y[STRAIN] = max(y[STRAIN], 0.0)
            for i in range(state.STEROID, n):
                y[i] = max(y[i], 0.0)
            fresh = True
            h *= factor
        else:
            h *= factor
            if h < 1e-10:
                return NOT_FINITE, last
    return DONE, max(last, h)


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def follow(y0: Array, p: Array, uses: Array, drive: Array, started: float, link: float, rtol: float, end: Array,
           seen: NDArray[np.float32], course: Array, want_seen: bool, want_states: bool) -> int:  # fmt: skip
    """One patient week by week; gives the status. Treatment is decided at each visit from the score there."""
    m, jac, stages = np.empty((N_STATES, N_STATES)), np.empty((N_STATES, N_STATES)), np.empty((6, N_STATES))
    f0, f1, z = np.empty(N_STATES), np.empty(N_STATES), np.empty(N_STATES)
    pivot, y, u = np.empty(N_STATES, np.int64), np.empty(N_STATES), np.empty(N_INPUTS)
    for i in range(N_STATES):
        y[i] = y0[i]
    u[GUT_LINK], u[BUTYRATE_HELD] = link, y[BUTYRATE]
    treating, h, code = False, 0.05, DONE
    for w in range(drive.shape[0] + 1):
        kept = placebo_kept(started + 7.0 * w, p)
        if want_seen:
            see(y, p, kept, seen[w])
        if want_states:
            for i in range(N_STATES):
                course[w, i] = y[i]
        if w == drive.shape[0]:
            break
        score = scorad(y, p, kept)
        treating = score > p[STEROID_START] or (treating and score > p[STEROID_STOP])
        for lever in range(4):
            u[lever] = uses[w, lever]
        if not treating:
            u[USE_STEROID] = 0.0
        u[DRIVE] = drive[w]
        code, h = advance(y, p, u, 7.0, h, rtol, f0, f1, z, stages, m, jac, pivot)
        if code != DONE:
            break
    for i in range(N_STATES):
        end[i] = y[i]
    return code


@cache
def _compiled(print_of_source: int) -> Callable[..., Any]:
    """The parallel kernel. Numba keys its disk cache by a closure's variables but not by what it calls: the
    fingerprint in the closure keeps a changed model from running as an old one."""

    # fmt: off
    def kernel(y0: Array, p: Array, uses: Array, drive: Array, started: float, link: float, rtol: float,
               ends: Array, seen: NDArray[np.float32], course: Array, status: NDArray[np.int64],
               want_seen: bool, want_states: bool) -> int:
        # fmt: on
        for k in nb.prange(y0.shape[0]):
            status[k] = follow(
                y0[k], p[k], uses[k], drive[k], started, link, rtol, ends[k], seen[k * want_seen],
                course[k * want_states], want_seen, want_states,
            )  # fmt: skip
        return print_of_source

    try:
        compiled: Callable[..., Any] = nb.njit(kernel, parallel=True, cache=True, error_model="numpy")
    except RuntimeError:  # no folder on this machine may hold Numba's cache: compile for this process only
        compiled = nb.njit(kernel, parallel=True, error_model="numpy")
    return compiled


def run(
    y0: Array, p: Array, uses: Array, drive: Array, *, started: float = 0.0, gut_link: bool = True,
    want_seen: bool = True, want_states: bool = False, rtol: float = RELATIVE,
) -> tuple[Array, NDArray[np.float32], Array, NDArray[np.int64]]:  # fmt: skip
    """Simulate every trajectory week by week.

    y0 (n, states), p (n, rates), uses (n, weeks, 4 levers), drive (n, weeks). `started` is the day in care at
    the beginning; far below zero there is no placebo response. Returns the last states, the observables
    (n, weeks + 1, 8), the states (n, weeks + 1, states) and a status per trajectory (0: done); a table that
    was not wanted has no rows. After a failure a trajectory's later weeks are NaN.
    """
    n, weeks = drive.shape
    seen = np.full((n if want_seen else 1, weeks + 1, N_SEEN), np.nan, np.float32)
    course = np.full((n if want_states else 1, weeks + 1, N_STATES), np.nan)
    ends, status = np.empty((n, N_STATES)), np.zeros(n, np.int64)
    kernel = _compiled(int(fingerprint.of_source(fingerprint.ENGINE)[:12], 16))
    with _ONE_AT_A_TIME:
        kernel(
            np.ascontiguousarray(y0), np.ascontiguousarray(p), np.ascontiguousarray(uses),
            np.ascontiguousarray(drive), float(started), float(gut_link), float(rtol), ends, seen, course, status,
            want_seen, want_states,
        )  # fmt: skip
    return ends, seen if want_seen else seen[:0], course if want_states else course[:0], status
