"""Linear algebra of one Rosenbrock step: (g I - J) x = r, solved block by block along the model's arrows.

The gut does not feel the skin, and treatment, regulation and memory each feel only what stands before them, so
the matrix is block triangular: (bifido, probiotic), (pool, producers), butyrate, steroid, regulation, the five
coupled skin states, memory. Each block is inverted once a step, because a step solves six times with it.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from biflora.twin import state as at

Array = NDArray[np.float64]
CORE = 5
"""The first five states are coupled with each other."""
GUT, FOOD, PIVOTS = 25, 29, 33
BUTYRATE, STEROID, REGULATION, MEMORY = 38, 39, 40, 41
WORK = 42
"""Numbers that `factorise` keeps for `solve`: inverses of the core, of two 2x2 blocks and of four states alone."""


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def factorise(jac: Array, g: float, w: Array) -> bool:
    """Inverse blocks of g I - J into `w`; False when the matrix is singular or not finite."""
    for i in range(CORE):
        for j in range(CORE):
            w[CORE * i + j] = -jac[i, j]
        w[CORE * i + i] += g
    for k in range(CORE):  # Gauss and Jordan in place, with row pivots
        best, row = abs(w[CORE * k + k]), k
        for i in range(k + 1, CORE):
            size = abs(w[CORE * i + k])
            if size > best:
                best, row = size, i
        if not (best > 0.0 and best < 1e300):
            return False
        w[PIVOTS + k] = row
        if row != k:
            for j in range(CORE):
                w[CORE * k + j], w[CORE * row + j] = w[CORE * row + j], w[CORE * k + j]
        inverse = 1.0 / w[CORE * k + k]
        w[CORE * k + k] = 1.0
        for j in range(CORE):
            w[CORE * k + j] *= inverse
        for i in range(CORE):
            if i != k:
                factor = w[CORE * i + k]
                w[CORE * i + k] = 0.0
                for j in range(CORE):
                    w[CORE * i + j] -= factor * w[CORE * k + j]
    for k in range(CORE - 1, -1, -1):  # rows that were swapped are columns of the inverse
        row = int(w[PIVOTS + k])
        if row != k:
            for i in range(CORE):
                w[CORE * i + k], w[CORE * i + row] = w[CORE * i + row], w[CORE * i + k]
    w[BUTYRATE] = 1.0 / (g - jac[at.BUTYRATE, at.BUTYRATE])
    w[STEROID] = 1.0 / (g - jac[at.STEROID, at.STEROID])
    w[REGULATION] = 1.0 / (g - jac[at.REGULATION, at.REGULATION])
    w[MEMORY] = 1.0 / (g - jac[at.MEMORY, at.MEMORY])
    gut = invert(g - jac[at.BIFIDO, at.BIFIDO], -jac[at.BIFIDO, at.PROBIOTIC], -jac[at.PROBIOTIC, at.BIFIDO],
                 g - jac[at.PROBIOTIC, at.PROBIOTIC], w, GUT)  # fmt: skip
    food = invert(g - jac[at.POOL, at.POOL], -jac[at.POOL, at.PRODUCERS], -jac[at.PRODUCERS, at.POOL],
                  g - jac[at.PRODUCERS, at.PRODUCERS], w, FOOD)  # fmt: skip
    return bool(gut and food)


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def invert(a: float, b: float, c: float, d: float, w: Array, place: int) -> bool:
    """The inverse of [[a, b], [c, d]] into four numbers of `w`."""
    determinant = a * d - b * c
    if not (abs(determinant) > 0.0 and abs(determinant) < 1e300):
        return False
    inverse = 1.0 / determinant
    w[place], w[place + 1] = d * inverse, -b * inverse
    w[place + 2], w[place + 3] = -c * inverse, a * inverse
    return True


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def solve(jac: Array, w: Array, x: Array) -> None:
    """Solve in place with what `factorise` kept."""
    # gut, from what feeds to what is fed
    f = w[GUT] * x[at.BIFIDO] + w[GUT + 1] * x[at.PROBIOTIC]
    prob = w[GUT + 2] * x[at.BIFIDO] + w[GUT + 3] * x[at.PROBIOTIC]
    right = x[at.POOL] + jac[at.POOL, at.BIFIDO] * f + jac[at.POOL, at.PROBIOTIC] * prob
    pool = w[FOOD] * right + w[FOOD + 1] * x[at.PRODUCERS]
    prod = w[FOOD + 2] * right + w[FOOD + 3] * x[at.PRODUCERS]
    but = w[BUTYRATE] * (x[at.BUTYRATE] + jac[at.BUTYRATE, at.POOL] * pool + jac[at.BUTYRATE, at.PRODUCERS] * prod)
    steroid = w[STEROID] * x[at.STEROID]
    regulation = w[REGULATION] * (
        x[at.REGULATION] + jac[at.REGULATION, at.PROBIOTIC] * prob + jac[at.REGULATION, at.BUTYRATE] * but
    )
    x[at.BIFIDO], x[at.PROBIOTIC], x[at.POOL], x[at.PRODUCERS], x[at.BUTYRATE] = f, prob, pool, prod, but
    x[at.STEROID], x[at.REGULATION] = steroid, regulation
    # the skin's core
    a, c, strain = x[at.S_AUREUS_LN], x[at.CONS_LN], x[at.STRAIN]
    b = x[at.BARRIER] + jac[at.BARRIER, at.STEROID] * steroid
    tone = x[at.TONE] + jac[at.TONE, at.REGULATION] * regulation + jac[at.TONE, at.STEROID] * steroid
    for i in range(CORE):
        j = CORE * i
        x[i] = w[j] * a + w[j + 1] * c + w[j + 2] * strain + w[j + 3] * b + w[j + 4] * tone
    x[at.MEMORY] = w[MEMORY] * (x[at.MEMORY] + jac[at.MEMORY, at.TONE] * x[at.TONE])
