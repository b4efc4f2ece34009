"""Absolute loads with values below the limit of detection: a Tobit model with a random intercept.

A value below the limit enters as the chance of lying below it, never as a number. Errors are normal on log10; a
subject's intercept is integrated out by adaptive Gauss-Hermite quadrature (Pinheiro and Bates 1995; censored mixed
models: Hughes 1999, Biometrics 55:625). Maximum likelihood, so variances are a little small in small trials.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biflora.errors import LaboratoryMust, TrialistMust
from biflora.profile.cohort.mixed_design import MixedDesign, repeated_subjects
from biflora.profile.cohort.model_table import FitStatus

Numbers = NDArray[np.float64]
NODES = 21
"""Of the quadrature; with fewer than about ten censored values a subject, 21 leave errors below 1e-8."""
FAR_BELOW = -1e3
"""In SDs: from here on the normal hazard is -z - 1/z to 1e-9."""
SMALLEST_RATIO = 1e-3
"""Subject SD over residual SD below which the subject variance counts as zero."""
LEAST_KNOWN = 1e-3
"""Share of a complete sample's information about a coefficient below which it counts as unknown: a group that
lies wholly below the limit."""


@dataclass(frozen=True)
class Loads:
    """log10 loads of one taxon or assay over samples; NaN where nothing was measured."""

    values: Numbers
    limits: Numbers
    """log10 limit of detection of each sample, on the same unit."""
    below: NDArray[np.bool_]

    @staticmethod
    def of(values: ArrayLike, limits: ArrayLike, below: ArrayLike | None = None) -> Loads:
        """Loads from log10 values and limits (one, or one a sample).

        `below`: which samples lie below their limit (default: a value at or under it, minus infinity included).
        Raises LaboratoryMust where a sample below the limit has no limit.
        """
        y = np.asarray(values, dtype=np.float64)
        limit = np.broadcast_to(np.asarray(limits, dtype=np.float64), y.shape).copy()
        with np.errstate(invalid="ignore"):
            under = (y <= limit) if below is None else np.asarray(below, dtype=bool)
        if not np.isfinite(limit[under]).all():
            raise LaboratoryMust("A sample is below detection without a limit of detection; ask for the limit.")
        return Loads(np.where(under, limit, y), limit, under)

    def at(self, rows: NDArray[np.int64]) -> Loads:
        """The loads of these samples."""
        return Loads(self.values[rows], self.limits[rows], self.below[rows])

    def substituted(self, share: float) -> Numbers:
        """log10 loads with `share` of the limit in place of what lies below it (0.5: half the limit)."""
        return np.where(self.below, self.limits + math.log10(share), self.values)


@dataclass(frozen=True)
class CensoredFit:
    """A fitted model; NaN where the status says so."""

    estimates: Numbers
    covariance: Numbers
    """Of the estimates, from the observed information over all parameters."""
    residual_sd: float
    subject_sd: float
    log_likelihood: float
    status: FitStatus
    samples: int
    below: int
    subjects: int
    problem: _Problem | None = None

    def contrast(self, weights: ArrayLike) -> tuple[float, float]:
        """Estimate and standard error of a contrast."""
        w = np.asarray(weights, dtype=np.float64)
        return float(w @ self.estimates), math.sqrt(max(float(w @ self.covariance @ w), 0.0))


@dataclass(frozen=True)
class _Problem:
    """Data and parameter vector (coefficients, log residual SD, log subject SD where there are subjects)."""

    matrix: Numbers
    values: Numbers
    below: NDArray[np.bool_]
    subject_of: NDArray[np.int64] | None
    subjects: int
    at: Numbers
    fixed: tuple[Numbers, float] | None = None
    """A direction of the coefficients and the value it is held at (for profiles)."""


def fit_censored(loads: Loads, design: MixedDesign) -> CensoredFit:
    """Maximum likelihood on the design's samples; without subjects it is the ordinary Tobit model.

    Raises TrialistMust when loads and design have different samples. A fit that fails is a status: `cannot be
    estimated` when fewer values than terms lie above the limit, `did not converge` when a group lies wholly below.
    """
    if len(loads.values) != design.matrix.shape[0]:
        raise TrialistMust("The loads and the design have different numbers of samples; select the same samples.")
    if design.slope is not None or design.nested_of is not None:
        raise TrialistMust("The censored model takes a random intercept only; write (1 | subject).")
    seen = np.isfinite(loads.values)
    matrix, values, below = design.matrix[seen], loads.values[seen], loads.below[seen]
    n, p = matrix.shape
    subject_of = None
    if design.subject_of is not None:
        subject_of = repeated_subjects(design.subject_of[seen])
    subjects = n if subject_of is None else int(subject_of.max(initial=-1)) + 1
    blank = CensoredFit(
        np.full(p, math.nan), np.full((p, p), math.nan), math.nan, math.nan, math.nan, FitStatus.NOT_ESTIMABLE,
        n, int(below.sum()), subjects,
    )  # fmt: skip
    if n - below.sum() <= p or np.linalg.matrix_rank(matrix) < p:
        return blank
    coefficients, *_ = np.linalg.lstsq(matrix, np.where(below, values - math.log10(2.0), values), rcond=None)
    residual = np.where(below, values - math.log10(2.0), values) - matrix @ coefficients
    sd = max(float(residual.std()), 1e-3)
    start = np.concatenate([coefficients, [math.log(sd)] if subject_of is None else [math.log(sd * 0.8)] * 2])
    problem = _Problem(matrix, values, below, subject_of, subjects, start)
    solved, value, ended = _maximised(problem)
    status = FitStatus.FITTED
    if subject_of is not None and solved[-1] - solved[-2] < math.log(SMALLEST_RATIO):
        problem = replace(problem, subject_of=None, at=solved[:-1])
        solved, value, ended = _maximised(problem)
        status = FitStatus.BOUNDARY
    sigma = math.exp(solved[p])
    if not ended:
        return replace(blank, status=FitStatus.NOT_CONVERGED)
    hessian = _information(replace(problem, at=solved))
    try:
        np.linalg.cholesky(hessian)
        covariance: Numbers = np.asarray(np.linalg.inv(hessian), dtype=np.float64)
    except np.linalg.LinAlgError:
        return replace(blank, status=FitStatus.NOT_CONVERGED)
    between = math.exp(solved[-1]) if problem.subject_of is not None else 0.0
    # in a group wholly below the limit the likelihood goes on rising, ever more flatly
    complete = np.diag(np.linalg.inv(matrix.T @ matrix)) * (sigma**2 + between**2)
    if (complete < LEAST_KNOWN * np.diag(covariance)[:p]).any():
        return replace(blank, status=FitStatus.NOT_CONVERGED)
    return CensoredFit(
        solved[:p], covariance[:p, :p], sigma, between, value, status, n, int(below.sum()), subjects,
        replace(problem, at=solved),
    )  # fmt: skip


def profile_interval(fit: CensoredFit, weights: ArrayLike, *, level: float = 0.95) -> tuple[float, float, float]:
    """(low, high, p) of a contrast by profile likelihood: what the likelihood-ratio test does not reject, and its
    p against zero. NaN where the fit or the search has no answer."""
    from scipy import optimize, stats

    if fit.problem is None:
        return math.nan, math.nan, math.nan
    w = np.asarray(weights, dtype=np.float64)
    estimate, error = fit.contrast(w)
    cut = float(stats.chi2.ppf(level, 1))
    reach = error * math.sqrt(cut)

    def drop(held: float) -> float:
        assert fit.problem is not None
        shifted = fit.problem.at.copy()
        shifted[: len(w)] += w / (w @ w) * (held - estimate)
        _, value, _ = _maximised(replace(fit.problem, at=shifted, fixed=(w, held)))
        return 2.0 * (fit.log_likelihood - value)

    def limit(sign: float) -> float:
        inner, outer = 0.0, 1.0
        for _ in range(8):
            if drop(estimate + sign * outer * reach) > cut:
                break
            inner, outer = outer, outer * 1.5
        else:
            return math.nan

        def gap(times: float) -> float:
            return drop(estimate + sign * times * reach) - cut

        times = float(optimize.brentq(gap, inner, outer, xtol=1e-6))
        return estimate + sign * times * reach

    p = float(stats.chi2.sf(max(drop(0.0), 0.0), 1))
    return limit(-1.0), limit(1.0), p


def _maximised(problem: _Problem) -> tuple[Numbers, float, bool]:
    """(parameters, log-likelihood, whether the search ended at a maximum)."""
    from scipy import optimize

    p = problem.matrix.shape[1]
    if problem.fixed is None:
        base, free = np.zeros(len(problem.at)), np.eye(len(problem.at))
    else:
        weights, held = problem.fixed
        beside = np.linalg.svd(weights[None, :])[2][1:].T  # coefficients that leave the contrast as it is
        base = np.concatenate([weights / (weights @ weights) * held, np.zeros(len(problem.at) - p)])
        free = np.zeros((len(problem.at), len(problem.at) - 1))
        free[:p, : p - 1] = beside
        free[p:, p - 1 :] = np.eye(len(problem.at) - p)
    memory: list[Numbers] = [np.zeros(problem.subjects)]

    def loss(x: Numbers) -> tuple[float, Numbers]:
        value, gradient = _likelihood(problem, base + free @ x, memory)
        return -value, -(free.T @ gradient)

    start = np.linalg.lstsq(free, problem.at - base, rcond=None)[0]
    found = optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": 500})
    ended = bool(np.max(np.abs(found.jac)) < 1e-3) and math.isfinite(found.fun)
    return base + free @ found.x, -float(found.fun), ended


def _information(problem: _Problem) -> Numbers:
    """Minus the second derivatives of the log-likelihood, by central differences of its gradient."""
    memory = [np.zeros(problem.subjects)]
    size = len(problem.at)
    found = np.zeros((size, size))
    for k in range(size):
        step = 1e-4 * max(abs(float(problem.at[k])), 0.1)
        up, down = problem.at.copy(), problem.at.copy()
        up[k] += step
        down[k] -= step
        found[k] = (_likelihood(problem, down, memory)[1] - _likelihood(problem, up, memory)[1]) / (2.0 * step)
    return 0.5 * (found + found.T)


def _likelihood(problem: _Problem, at: Numbers, memory: list[Numbers]) -> tuple[float, Numbers]:
    """Log-likelihood and gradient. `memory` holds the subjects' modes from the last call, to start from."""
    p = problem.matrix.shape[1]
    sigma = math.exp(min(float(at[p]), 50.0))
    z = (problem.values - problem.matrix @ at[:p]) / sigma
    if problem.subject_of is None:
        density, score, _ = _pieces(z, problem.below)
        by_scale = np.where(problem.below, 0.0, -1.0) + score * z
        value = float(density.sum()) - float((~problem.below).sum()) * math.log(sigma)
        return value, np.append(problem.matrix.T @ score / sigma, by_scale.sum())
    ratio = math.exp(min(float(at[-1]), 50.0)) / sigma
    modes, curvature = _modes(z, ratio, problem, memory[0])
    memory[0] = modes
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    width = 1.0 / np.sqrt(curvature)
    u = modes[:, None] + width[:, None] * nodes
    moved = z[:, None] - ratio * u[problem.subject_of]
    density, score, _ = _pieces(moved, problem.below[:, None])
    joint = np.zeros_like(u)
    np.add.at(joint, problem.subject_of, density)
    joint += -0.5 * u**2 + 0.5 * nodes**2 + np.log(weights)
    top = joint.max(axis=1, keepdims=True)
    mass = np.exp(joint - top)
    total = mass.sum(axis=1)
    value = float((np.log(total) + top[:, 0] + np.log(width)).sum())
    value -= 0.5 * math.log(2.0 * math.pi) * problem.subjects + float((~problem.below).sum()) * math.log(sigma)
    share = (mass / total[:, None])[problem.subject_of]
    # the derivative of a log integral is the mean, over the subject's intercept given the data, of that of the log
    by_mean = (share * score).sum(axis=1)
    by_scale = np.where(problem.below, 0.0, -1.0) + (share * score * moved).sum(axis=1)
    by_subject = -(share * score * (-ratio * u[problem.subject_of])).sum(axis=1)
    gradient = np.concatenate([problem.matrix.T @ by_mean / sigma, [by_scale.sum()], [by_subject.sum()]])
    return value, gradient


def _pieces(z: Numbers, below: NDArray[np.bool_]) -> tuple[Numbers, Numbers, Numbers]:
    """Log density (or log chance of lying below), minus its derivative by z, and minus the second derivative."""
    from scipy import special

    tail = special.log_ndtr(z)
    bell = -0.5 * z**2 - 0.5 * math.log(2.0 * math.pi)
    far = z < FAR_BELOW  # there the difference of two huge logarithms would lose every digit
    hazard = np.where(far, -z - 1.0 / np.where(far, z, -1.0), np.exp(np.where(far, 0.0, bell - tail)))
    density = np.where(below, tail, bell)
    score = np.where(below, -hazard, z)
    curvature = np.where(below, hazard * (z + hazard), 1.0)
    return density, score, curvature


def _modes(z: Numbers, ratio: float, problem: _Problem, start: Numbers) -> tuple[Numbers, Numbers]:
    """Each subject's most likely standardised intercept and minus the second derivative there (Newton)."""
    assert problem.subject_of is not None
    u: Numbers = np.clip(start, -8.0, 8.0)
    curvature: Numbers = np.ones(len(u))
    for _ in range(60):
        _, score, bend = _pieces(z - ratio * u[problem.subject_of], problem.below)
        slope = ratio * np.bincount(problem.subject_of, score, minlength=len(u)) - u
        bent: Numbers = np.bincount(problem.subject_of, bend, minlength=len(u)).astype(np.float64)
        curvature = ratio**2 * bent + 1.0
        step = np.clip(slope / curvature, -2.0, 2.0)
        u = np.asarray(u + step, dtype=np.float64)
        if float(np.abs(step).max()) < 1e-10:
            break
    return u, curvature
