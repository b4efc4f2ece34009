"""Linear algebra of one Rosenbrock step: (g I - J) x = r, solved block by block along the model's arrows.

The gut does not feel the skin, and treatment, regulation and memory each feel only what stands before them, so
the matrix is block triangular: (bifido, probiotic), (pool, producers), butyrate, steroid, regulation, the five
coupled skin states, memory. Each block is solved by itself.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from biflora.twin import state as at

Array = NDArray[np.float64]
CORE = 5
"""The first five states are coupled with each other."""
GUT, FOOD, PIVOTS, SHIFT = 25, 29, 33, 38
WORK = 39
"""Numbers that `factorise` keeps for `solve`: the core's factors, two inverse 2x2 blocks, pivots, g."""


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def factorise(jac: Array, g: float, w: Array) -> bool:
    """Factors of g I - J into `w`; False when the matrix is singular or not finite."""
    for i in range(CORE):
        for j in range(CORE):
            w[CORE * i + j] = -jac[i, j]
        w[CORE * i + i] += g
    for k in range(CORE):
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
        w[CORE * k + k] = inverse
        for i in range(k + 1, CORE):
            factor = w[CORE * i + k] * inverse
            w[CORE * i + k] = factor
            for j in range(k + 1, CORE):
                w[CORE * i + j] -= factor * w[CORE * k + j]
    w[SHIFT] = g
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
    w[place], w[place + 1] = d / determinant, -b / determinant
    w[place + 2], w[place + 3] = -c / determinant, a / determinant
    return True


@nb.njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def solve(jac: Array, w: Array, x: Array) -> None:
    """Solve in place with the factors of `factorise`."""
    g = w[SHIFT]
    # gut, from what feeds to what is fed
    f = w[GUT] * x[at.BIFIDO] + w[GUT + 1] * x[at.PROBIOTIC]
    prob = w[GUT + 2] * x[at.BIFIDO] + w[GUT + 3] * x[at.PROBIOTIC]
    right = x[at.POOL] + jac[at.POOL, at.BIFIDO] * f + jac[at.POOL, at.PROBIOTIC] * prob
    pool = w[FOOD] * right + w[FOOD + 1] * x[at.PRODUCERS]
    prod = w[FOOD + 2] * right + w[FOOD + 3] * x[at.PRODUCERS]
    but = (x[at.BUTYRATE] + jac[at.BUTYRATE, at.POOL] * pool + jac[at.BUTYRATE, at.PRODUCERS] * prod) / (
        g - jac[at.BUTYRATE, at.BUTYRATE]
    )
    steroid = x[at.STEROID] / (g - jac[at.STEROID, at.STEROID])
    regulation = (
        x[at.REGULATION] + jac[at.REGULATION, at.PROBIOTIC] * prob + jac[at.REGULATION, at.BUTYRATE] * but
    ) / (g - jac[at.REGULATION, at.REGULATION])
    x[at.BIFIDO], x[at.PROBIOTIC], x[at.POOL], x[at.PRODUCERS], x[at.BUTYRATE] = f, prob, pool, prod, but
    x[at.STEROID], x[at.REGULATION] = steroid, regulation
    # the skin's core
    x[at.BARRIER] += jac[at.BARRIER, at.STEROID] * steroid
    x[at.TONE] += jac[at.TONE, at.REGULATION] * regulation + jac[at.TONE, at.STEROID] * steroid
    for k in range(CORE):
        row = int(w[PIVOTS + k])
        if row != k:
            x[k], x[row] = x[row], x[k]
    for i in range(1, CORE):
        total = x[i]
        for j in range(i):
            total -= w[CORE * i + j] * x[j]
        x[i] = total
    for i in range(CORE - 1, -1, -1):
        total = x[i]
        for j in range(i + 1, CORE):
            total -= w[CORE * i + j] * x[j]
        x[i] = total * w[CORE * i + i]
    x[at.MEMORY] = (x[at.MEMORY] + jac[at.MEMORY, at.TONE] * x[at.TONE]) / (g - jac[at.MEMORY, at.MEMORY])
