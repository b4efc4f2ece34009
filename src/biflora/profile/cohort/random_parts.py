"""Mixed models with more than a random intercept: a slope over time, or an intercept nested in the subject.

One outcome at a time, by REML over the relative standard deviations of lme4 (Bates et al. 2015), each subject's
block by the Woodbury identity; Satterthwaite degrees of freedom from numerical derivatives, as in lmerTest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.profile.cohort.mixed import Fits, not_estimable
from biflora.profile.cohort.mixed_design import MixedDesign
from biflora.profile.cohort.model_table import FitStatus

Numbers = NDArray[np.float64]
ZERO = 1e-4
"""A relative standard deviation below this counts as zero (lme4 calls such a fit singular)."""


@dataclass(frozen=True)
class _Sums:
    """Sufficient statistics: over all samples, and by subject through the random columns (padded with zeros)."""

    xx: Numbers
    xy: Numbers
    yy: float
    zz: Numbers
    """(subjects, q, q)"""
    zx: Numbers
    zy: Numbers
    free: int
    """Samples less terms."""


def fit_general(outcome: Numbers, design: MixedDesign) -> Fits:
    """Fit one outcome with the design's random slope or nested intercept. A failed fit is a status."""
    from scipy import optimize

    present = np.isfinite(outcome)
    matrix, y = design.matrix[present], outcome[present]
    n, p = matrix.shape
    if n <= p or np.linalg.matrix_rank(matrix) < p:
        return not_estimable(1, design.terms, n, FitStatus.NOT_ESTIMABLE)
    basis, triangle = np.linalg.qr(matrix)
    plain = basis.T @ y
    residual = y - basis @ plain
    scale = float(np.sqrt(residual @ residual / (n - p)))
    if scale <= 1e-10 * max(float(np.abs(y).max()), 1e-300):
        return not_estimable(1, design.terms, n, FitStatus.NOT_ESTIMABLE)
    sums, factor = _sums(basis, residual / scale, design, present)

    def criterion(theta: Numbers) -> float:
        return _profiled(theta, sums, factor)

    slope = design.slope is not None
    lower = [0.0, -np.inf, 0.0] if slope else [0.0, 0.0]
    bounds = [(low, np.inf) for low in lower]
    best = None
    for start in ([1.0, 0.0, 1.0], [0.2, 0.0, 0.2]) if slope else ([1.0, 1.0], [0.2, 0.2]):
        fine = optimize.minimize(
            criterion, np.array(start), method="Nelder-Mead", bounds=bounds,
            options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 2000},
        )  # fmt: skip
        if best is None or fine.fun < best.fun:
            best = fine
    assert best is not None
    if not best.success or not math.isfinite(best.fun) or float(np.max(np.abs(best.x))) > 1e4:
        return not_estimable(1, design.terms, n, FitStatus.NOT_CONVERGED)
    theta = np.where((np.array(lower) == 0.0) & (best.x < ZERO), 0.0, best.x)
    at_zero = (np.array(lower) == 0.0) & (theta == 0.0)
    information, right, quadratic, _ = _solved(theta, sums, factor)
    sigma = math.sqrt(quadratic / sums.free)
    inverse = np.linalg.inv(information)
    back = np.linalg.inv(triangle)
    free_parameters = np.append(np.flatnonzero(~at_zero), len(theta))
    slopes, parameters = _satterthwaite(np.append(theta, sigma), free_parameters, sums, factor)
    sandwich = back * scale
    covariance = sigma**2 * sandwich @ inverse @ sandwich.T
    estimates = back @ (plain + scale * (inverse @ right))
    between = float((factor(theta) @ factor(theta).T)[0, 0])
    status = FitStatus.BOUNDARY if at_zero.any() else FitStatus.FITTED
    variance = (sigma * scale) ** 2
    return Fits(
        design.terms, estimates[None], covariance[None], (sandwich @ slopes @ sandwich.T)[None], parameters[None],
        np.array([variance]), np.array([between * variance]), (status,),
        np.array([n]), np.array([sums.zz.shape[0]]),
    )  # fmt: skip


def _sums(
    basis: Numbers, residual: Numbers, design: MixedDesign, present: NDArray[np.bool_]
) -> tuple[_Sums, Callable[[Numbers], Numbers]]:
    """Statistics, and the function from theta to the factor of the random columns' covariance."""
    assert design.subject_of is not None
    subject_of = np.unique(design.subject_of[present], return_inverse=True)[1]
    n, subjects = len(subject_of), int(subject_of.max()) + 1
    if design.slope is not None:
        over = design.slope[present]
        spread = float(np.abs(over).max()) or 1.0
        columns, width = np.column_stack([np.ones(n), over / spread]), 2
    else:
        assert design.nested_of is not None
        inner = _place_within(design.nested_of[present], subject_of)
        width = int(inner.max()) + 2
        columns = np.zeros((n, width))
        columns[:, 0] = 1.0
        columns[np.arange(n), inner + 1] = 1.0
    zz, zx = np.zeros((subjects, width, width)), np.zeros((subjects, width, basis.shape[1]))
    zy = np.zeros((subjects, width))
    np.add.at(zz, subject_of, columns[:, :, None] * columns[:, None, :])
    np.add.at(zx, subject_of, columns[:, :, None] * basis[:, None, :])
    np.add.at(zy, subject_of, columns * residual[:, None])
    p = basis.shape[1]
    sums = _Sums(np.eye(p), basis.T @ residual, float(residual @ residual), zz, zx, zy, n - p)

    def slope_factor(theta: Numbers) -> Numbers:
        return np.array([[theta[0], 0.0], [theta[1], theta[2]]])

    def nested_factor(theta: Numbers) -> Numbers:
        return np.diag(np.concatenate([theta[:1], np.repeat(theta[1], width - 1)]))

    return sums, slope_factor if design.slope is not None else nested_factor


def _place_within(nested_of: NDArray[np.int64], subject_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the nested group inside its subject, from 0."""
    place = np.zeros(len(nested_of), dtype=np.int64)
    for subject in range(int(subject_of.max()) + 1):
        mine = subject_of == subject
        place[mine] = np.unique(nested_of[mine], return_inverse=True)[1]
    return place


def _solved(
    theta: Numbers, sums: _Sums, factor: Callable[[Numbers], Numbers]
) -> tuple[Numbers, Numbers, float, float]:
    """X'V⁻¹X, X'V⁻¹y, the residual quadratic form and log|V|, with V relative to the residual variance."""
    lam = factor(theta)
    inner = np.eye(lam.shape[0]) + lam.T @ sums.zz @ lam
    lx, ly = lam.T @ sums.zx, sums.zy @ lam
    solved = np.linalg.solve(inner, np.concatenate([lx, ly[:, :, None]], axis=2))
    information = sums.xx - np.einsum("sqp,sqr->pr", lx, solved[:, :, :-1])
    right = sums.xy - np.einsum("sqp,sq->p", lx, solved[:, :, -1])
    yy = sums.yy - float(np.einsum("sq,sq->", ly, solved[:, :, -1]))
    quadratic = yy - float(right @ np.linalg.solve(information, right))
    return information, right, quadratic, float(np.linalg.slogdet(inner)[1].sum())


def _profiled(theta: Numbers, sums: _Sums, factor: Callable[[Numbers], Numbers]) -> float:
    information, _, quadratic, determinant = _solved(theta, sums, factor)
    if not quadratic > 0.0:
        return math.inf
    return determinant + float(np.linalg.slogdet(information)[1]) + sums.free * math.log(quadratic)


def _satterthwaite(
    at: Numbers, free: NDArray[np.int64], sums: _Sums, factor: Callable[[Numbers], Numbers]
) -> tuple[Numbers, Numbers]:
    """Derivatives of the covariance by the free parameters (theta, sigma), and these parameters' covariance."""

    def criterion(x: Numbers) -> float:
        information, _, quadratic, determinant = _solved(x[:-1], sums, factor)
        sigma = float(x[-1])
        terms = determinant + float(np.linalg.slogdet(information)[1])
        return terms + 2.0 * sums.free * math.log(sigma) + quadratic / sigma**2

    def covariance(x: Numbers) -> Numbers:
        found: Numbers = x[-1] ** 2 * np.linalg.inv(_solved(x[:-1], sums, factor)[0])
        return found

    count = len(free)
    step = 1e-4 * np.maximum(np.abs(at), 0.1)

    def moved(*changes: tuple[int, float]) -> Numbers:
        x = at.copy()
        for place, sign in changes:
            x[place] += sign * step[place]
        return x

    slopes = np.array([(covariance(moved((i, 1))) - covariance(moved((i, -1)))) / (2.0 * step[i]) for i in free])
    hessian = np.zeros((count, count))
    for a, i in enumerate(free):
        for b, j in enumerate(free[: a + 1]):
            corners = (
                criterion(moved((i, 1), (j, 1))) - criterion(moved((i, 1), (j, -1)))
                - criterion(moved((i, -1), (j, 1))) + criterion(moved((i, -1), (j, -1)))
            )  # fmt: skip
            hessian[a, b] = hessian[b, a] = corners / (4.0 * step[i] * step[j])
    values, vectors = np.linalg.eigh(hessian)
    kept = values > 1e-8 * max(float(values.max()), 1e-300)
    return slopes, 2.0 * (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
