"""Linear mixed models by restricted likelihood (REML) for many outcomes that share one design.

With one random intercept the likelihood has one unknown, the ratio of the variance between subjects to that
within. After one singular value decomposition of the design, each outcome's criterion is a sum over as many
terms as there are subjects (Kang et al. 2008, Genetics 178:1709), so thousands of taxa are fitted together.
Degrees of freedom are Satterthwaite's, by the formula that lmerTest uses (Kuznetsova et al. 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biflora.errors import TrialistMust
from biflora.profile.cohort.mixed_design import MixedDesign, repeated_subjects
from biflora.profile.cohort.model_table import FitStatus, ModelRow, finite

Numbers = NDArray[np.float64]
CORRELATIONS = np.concatenate([np.linspace(0.0, 0.95, 20), 1.0 - 10.0 ** -np.arange(1.5, 9.0, 0.5)])
"""Intraclass correlations from which the search starts; the criterion may have two minima."""
HALVINGS = 60


@dataclass(frozen=True)
class ContrastTests:
    """t tests of k contrasts for each of m outcomes: arrays (outcomes, contrasts), NaN where nothing fitted."""

    estimate: Numbers
    standard_error: Numbers
    degrees_of_freedom: Numbers
    p: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True)
class Fits:
    """Fitted models of m outcomes with p terms and q variance parameters."""

    terms: tuple[str, ...]
    estimates: Numbers
    """(outcomes, terms)"""
    covariance: Numbers
    """(outcomes, terms, terms), of the estimates."""
    covariance_slopes: Numbers
    """(outcomes, q, terms, terms): derivative of `covariance` by each variance parameter."""
    parameter_covariance: Numbers
    """(outcomes, q, q): asymptotic covariance of the variance parameters."""
    residual_variance: Numbers
    subject_variance: Numbers
    """(outcomes,); zero on the boundary and without subjects."""
    status: tuple[FitStatus, ...]
    samples: NDArray[np.int64]
    subjects: NDArray[np.int64]

    def test(self, contrasts: ArrayLike, *, level: float = 0.95) -> ContrastTests:
        """Two-sided t tests of contrasts (k, terms) against zero, with Satterthwaite degrees of freedom."""
        from scipy import stats

        rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
        estimate = self.estimates @ rows.T
        variance = np.einsum("kp,mpr,kr->mk", rows, self.covariance, rows)
        slopes = np.einsum("kp,mqpr,kr->mkq", rows, self.covariance_slopes, rows)
        spread = np.einsum("mkq,mqr,mkr->mk", slopes, self.parameter_covariance, slopes)
        with np.errstate(divide="ignore", invalid="ignore"):
            df = 2.0 * variance**2 / spread
            error = np.sqrt(variance)
            p = 2.0 * stats.t.sf(np.abs(estimate / error), df)
            reach = stats.t.ppf(0.5 + level / 2.0, df) * error
        return ContrastTests(estimate, error, df, p, estimate - reach, estimate + reach)

    def covariance_of(self, contrasts: ArrayLike) -> Numbers:
        """Covariance of the contrasts' estimates, (outcomes, k, k)."""
        rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
        found: Numbers = np.einsum("kp,mpr,jr->mkj", rows, self.covariance, rows)
        return found


def fit_mixed(outcomes: ArrayLike, design: MixedDesign) -> Fits:
    """Fit each column of `outcomes` (samples, m) on the design; NaN marks a sample that has no value.

    With `(1 | subject)`: REML and one random intercept. Without subjects: ordinary least squares, which is the
    same criterion without the random part. A fit that fails is a status, not an exception.
    """
    values = np.asarray(outcomes, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if values.shape[0] != design.matrix.shape[0]:
        raise TrialistMust(
            "The outcomes and the design have different numbers of samples; select the same samples."
        )
    if design.subject_of is not None and (design.slope is not None or design.nested_of is not None):
        from biflora.profile.cohort.random_parts import fit_general

        return joined([fit_general(column, design) for column in values.T], np.arange(values.shape[1]))
    present = np.isfinite(values)
    if present.all():
        return _fit_shared(values, design.matrix, design.subject_of, design.terms)
    parts: list[Fits] = []
    places: list[NDArray[np.int64]] = []
    patterns, pattern_of = np.unique(present, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        columns = np.flatnonzero(pattern_of.ravel() == number)
        parts.append(_fit_part(values[np.ix_(pattern, columns)], pattern, design))
        places.append(columns)
    return joined(parts, np.concatenate(places))


def rows_of(
    fits: Fits,
    tests: ContrastTests,
    outcomes: Sequence[str],
    terms: Sequence[str],
    adjusted: Numbers | None = None,
) -> list[ModelRow]:
    """One row for each outcome and tested contrast; `adjusted`: p (outcomes, contrasts) if a family is known."""
    return [
        ModelRow(
            outcome=outcome,
            term=term,
            estimate=finite(tests.estimate[m, k]),
            standard_error=finite(tests.standard_error[m, k]),
            degrees_of_freedom=finite(tests.degrees_of_freedom[m, k]),
            low=finite(tests.low[m, k]),
            high=finite(tests.high[m, k]),
            p=finite(tests.p[m, k]),
            p_adjusted=None if adjusted is None or np.isnan(tests.p[m, k]) else finite(adjusted[m, k]),
            samples=int(fits.samples[m]),
            subjects=int(fits.subjects[m]),
            status=fits.status[m],
        )
        for m, outcome in enumerate(outcomes)
        for k, term in enumerate(terms)
    ]


def joined(parts: Sequence[Fits], places: NDArray[np.int64]) -> Fits:
    """Fits of several parts as one, outcome i of the parts' row going to place `places[i]`."""
    order = np.argsort(places)
    wide = max(part.covariance_slopes.shape[1] for part in parts)

    def stack(name: str) -> Numbers:
        found: Numbers = np.concatenate([getattr(part, name) for part in parts])[order]
        return found

    def widened(part: Fits, name: str, axes: int) -> Numbers:
        array = getattr(part, name)
        lack = wide - array.shape[1]
        pads = [(0, 0)] + [(0, lack)] * axes + [(0, 0)] * (array.ndim - 1 - axes)
        return np.pad(array, pads)

    status = [state for part in parts for state in part.status]
    return Fits(
        parts[0].terms,
        stack("estimates"),
        stack("covariance"),
        np.concatenate([widened(part, "covariance_slopes", 1) for part in parts])[order],
        np.concatenate([widened(part, "parameter_covariance", 2) for part in parts])[order],
        stack("residual_variance"),
        stack("subject_variance"),
        tuple(status[i] for i in order),
        np.concatenate([part.samples for part in parts])[order],
        np.concatenate([part.subjects for part in parts])[order],
    )


def not_estimable(count: int, terms: tuple[str, ...], samples: int, status: FitStatus) -> Fits:
    """Fits without numbers, for outcomes that no model can be fitted to."""
    p = len(terms)
    blank = np.full(count, np.nan)
    return Fits(
        terms, np.full((count, p), np.nan), np.full((count, p, p), np.nan), np.full((count, 1, p, p), np.nan),
        np.full((count, 1, 1), np.nan), blank, blank, (status,) * count,
        np.full(count, samples), np.zeros(count, dtype=np.int64),
    )  # fmt: skip


def _fit_part(values: Numbers, pattern: NDArray[np.bool_], design: MixedDesign) -> Fits:
    matrix = design.matrix[pattern]
    count = values.shape[1]
    if matrix.shape[0] <= matrix.shape[1] or np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        return not_estimable(count, design.terms, int(pattern.sum()), FitStatus.NOT_ESTIMABLE)
    subject_of = None
    if design.subject_of is not None:
        subject_of = repeated_subjects(design.subject_of[pattern])
    return _fit_shared(values, matrix, subject_of, design.terms)


def _fit_shared(
    values: Numbers, matrix: Numbers, subject_of: NDArray[np.int64] | None, terms: tuple[str, ...]
) -> Fits:
    n, p = matrix.shape
    outcomes = values.shape[1]
    basis, triangle = np.linalg.qr(matrix)
    back = np.linalg.inv(triangle)
    plain = basis.T @ values
    residual = values - basis @ plain
    residual -= basis @ (basis.T @ residual)
    total = np.einsum("nm,nm->m", residual, residual)
    alive = total > 1e-20 * np.maximum(np.einsum("nm,nm->m", values, values), 1e-300)

    if subject_of is None:
        subjects = n
        ratio = np.zeros(outcomes)
        sizes, sums, cross = np.zeros(0), np.zeros((0, p, p)), np.zeros((0, p, outcomes))
        spectrum, power = np.zeros(0), np.zeros((0, outcomes))
    else:
        subjects = int(subject_of.max()) + 1
        counts = np.bincount(subject_of, minlength=subjects)
        of_basis, of_residual = (_summed(x, subject_of, subjects) for x in (basis, residual))
        sizes = np.unique(counts).astype(np.float64)
        groups = [counts == size for size in sizes]
        sums = np.array([of_basis[g].T @ of_basis[g] for g in groups])
        cross = np.array([of_basis[g].T @ of_residual[g] for g in groups])
        spectrum, power = _spectrum(of_basis, of_residual, counts)
        ratio = np.full(outcomes, np.nan)
        ratio[alive] = _best_ratio(spectrum, power[:, alive], total[alive], n - p)
    lost = ~np.isfinite(ratio)  # no residual within subjects
    ratio = np.where(lost, 0.0, ratio)

    weight = ratio[:, None] / (1.0 + sizes * ratio[:, None])
    information = np.eye(p) - np.einsum("mk,kab->mab", weight, sums)
    inverse = np.linalg.inv(information)
    shift = np.einsum("mab,mb->ma", inverse, -np.einsum("mk,kbm->mb", weight, cross))
    estimates = (plain.T + shift) @ back.T
    grown = 1.0 + spectrum[:, None] * ratio
    quadratic = np.maximum(total - power.sum(axis=0), 0.0) + (power / grown).sum(axis=0)
    variance = quadratic / (n - p)
    covariance = variance[:, None, None] * (back @ inverse @ back.T)
    slopes, parameters = _satterthwaite(
        ratio, variance, spectrum, power, n - p, inverse, sizes, sums, back, covariance
    )
    status = [FitStatus.FITTED if r > 0 or subject_of is None else FitStatus.BOUNDARY for r in ratio]
    for place in np.flatnonzero(~alive | lost):
        status[place] = FitStatus.NOT_ESTIMABLE
        for array in (estimates, covariance, variance, ratio):
            array[place] = np.nan
    return Fits(
        terms, estimates, covariance, slopes, parameters, variance, ratio * variance, tuple(status),
        np.full(outcomes, n), np.full(outcomes, subjects),
    )  # fmt: skip


def _summed(values: Numbers, subject_of: NDArray[np.int64], subjects: int) -> Numbers:
    found = np.zeros((subjects, values.shape[1]))
    np.add.at(found, subject_of, values)
    return found


def _spectrum(of_basis: Numbers, of_residual: Numbers, counts: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """Eigenvalues of the subjects' covariance after the fixed terms, and each outcome's squares along them."""
    eigenvalues, vectors = np.linalg.eigh(np.diag(counts.astype(np.float64)) - of_basis @ of_basis.T)
    kept = eigenvalues > 1e-10 * float(counts.max())
    eigenvalues, vectors = eigenvalues[kept], vectors[:, kept]
    return eigenvalues, (vectors.T @ of_residual) ** 2 / eigenvalues[:, None]


def _best_ratio(spectrum: Numbers, power: Numbers, total: Numbers, free: int) -> Numbers:
    """The variance ratio at the least REML criterion for each outcome; 0 on the boundary, NaN without an end."""
    rest = np.maximum(total - power.sum(axis=0), 0.0)
    if len(spectrum) == 0:
        return np.zeros(len(total))
    criterion = np.array([_criterion(c, spectrum, power, rest, free) for c in CORRELATIONS])
    best = criterion.argmin(axis=0)
    low = CORRELATIONS[np.maximum(best - 1, 0)]
    high = CORRELATIONS[np.minimum(best + 1, len(CORRELATIONS) - 1)]
    boundary = (best == 0) & (_slope(np.zeros(len(total)), spectrum, power, rest, free) >= 0.0)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        rising = _slope(middle / (1.0 - middle), spectrum, power, rest, free) > 0.0
        low, high = np.where(rising, low, middle), np.where(rising, middle, high)
    middle = 0.5 * (low + high)
    ratio = np.where(boundary, 0.0, middle / (1.0 - middle))
    return np.where(best == len(CORRELATIONS) - 1, np.nan, ratio)


def _criterion(correlation: float, spectrum: Numbers, power: Numbers, rest: Numbers, free: int) -> Numbers:
    grown = 1.0 + spectrum * correlation / (1.0 - correlation)
    quadratic = rest + (power / grown[:, None]).sum(axis=0)
    found: Numbers = np.log(grown).sum() + free * np.log(quadratic)
    return found


def _slope(ratio: Numbers, spectrum: Numbers, power: Numbers, rest: Numbers, free: int) -> Numbers:
    """Derivative of the profiled criterion by the variance ratio."""
    share = 1.0 / (1.0 + spectrum[:, None] * ratio)
    quadratic = rest + (power * share).sum(axis=0)
    pulled = (spectrum[:, None] * power * share**2).sum(axis=0)
    found: Numbers = (spectrum[:, None] * share).sum(axis=0) - free * pulled / quadratic
    return found


def _satterthwaite(
    ratio: Numbers, variance: Numbers, spectrum: Numbers, power: Numbers, free: int,
    inverse: Numbers, sizes: Numbers, sums: Numbers, back: Numbers, covariance: Numbers,
) -> tuple[Numbers, Numbers]:  # fmt: skip
    """Derivatives of the covariance by (ratio, residual variance), and the covariance of these two."""
    count, p = inverse.shape[0], inverse.shape[1]
    share = 1.0 / (1.0 + spectrum[:, None] * ratio)
    s = spectrum[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio_twice = (-(s**2) * share**2 + 2.0 * s**2 * power * share**3 / variance).sum(axis=0)
        mixed = (s * power * share**2).sum(axis=0) / variance**2
        variance_twice = free / variance**2
        determinant = ratio_twice * variance_twice - mixed**2
        parameters = np.zeros((count, 2, 2))
        parameters[:, 0, 0] = 2.0 * variance_twice / determinant
        parameters[:, 1, 1] = 2.0 * ratio_twice / determinant
        parameters[:, 0, 1] = parameters[:, 1, 0] = -2.0 * mixed / determinant
        slopes = np.zeros((count, 2, p, p))
        held = 1.0 / (1.0 + sizes * ratio[:, None]) ** 2
        widening = np.einsum("mk,kab->mab", held, sums)
        slopes[:, 0] = variance[:, None, None] * (back @ inverse @ widening @ inverse @ back.T)
        slopes[:, 1] = covariance / variance[:, None, None]
        # on the boundary the ratio is no free parameter: what is left is the residual variance, df = n - p
        fixed = (ratio <= 0.0) | ~(determinant > 0.0)
        slopes[fixed, 0] = 0.0
        parameters[fixed] = 0.0
        parameters[fixed, 1, 1] = 2.0 * variance[fixed] ** 2 / free
    return slopes, parameters
