"""Tables of models that a report prints: any outcomes by a formula, and absolute loads with their limits of
detection beside the two usual substitutions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biflora.errors import TrialistMust
from biflora.knowledge.cohort_models import model_setting
from biflora.profile.cohort.censored import CensoredFit, Loads, fit_censored, profile_interval
from biflora.profile.cohort.contrasts import Ask, Contrast, each_term, weights_of
from biflora.profile.cohort.mixed import ContrastTests, Fits, fit_mixed, rows_of
from biflora.profile.cohort.mixed_design import MixedDesign, mixed_design
from biflora.profile.cohort.model_table import FitStatus, ModelRow, ModelTable, finite
from biflora.profile.cohort.multiplicity import (
    benjamini_hochberg,
    dunnett,
    fixed_sequence,
    holm,
    serial_gatekeeping,
)
from biflora.profile.metadata import Metadata
from biflora.values import Value

Numbers = NDArray[np.float64]
Adjust = Literal["Holm", "Dunnett", "fixed sequence", "Benjamini-Hochberg", "gatekeeping"]


class LoadVerdict(Value):
    """Whether one contrast of a load reads the same however values below the limit are treated."""

    outcome: str
    term: str
    verdict: Literal["robust", "depends on the limit of detection", "no difference found", "cannot be estimated"]
    below_limit: int
    """Samples below their limit."""


class LoadModels(Value):
    """The censored model, and the same formula with half the limit and with the limit put in."""

    censored: ModelTable
    half_limit: ModelTable
    at_limit: ModelTable
    verdicts: tuple[LoadVerdict, ...]


def model_outcomes(
    outcomes: Mapping[str, ArrayLike],
    formula: str,
    metadata: Metadata,
    *,
    title: str,
    unit: str,
    ask: Ask = each_term,
    adjust: Adjust = "Holm",
    reference: Mapping[str, str] | None = None,
    categorical: Sequence[str] = (),
    notes: tuple[str, ...] = (),
) -> ModelTable:
    """Linear (mixed) models of outcomes that share a formula; each outcome has one value for each sample or NaN.

    `Holm`, `Dunnett` and `fixed sequence` adjust over the contrasts of an outcome; `gatekeeping` takes their
    families in order, with Dunnett inside each; `Benjamini-Hochberg` adjusts over the outcomes of a contrast.
    Raises TrialistMust or NameAnother as the formula does.
    """
    design = mixed_design(formula, metadata, reference=reference, categorical=categorical)
    columns = np.column_stack([_column(values, metadata)[design.rows] for values in outcomes.values()])
    fits = fit_mixed(columns, design)
    contrasts = tuple(ask(design))
    return _table(fits, list(outcomes), contrasts, design, title=title, unit=unit, adjust=adjust, notes=notes)


def model_loads(
    loads: Mapping[str, Loads],
    formula: str,
    metadata: Metadata,
    *,
    ask: Ask = each_term,
    adjust: Literal["Holm", "fixed sequence", "gatekeeping"] = "Holm",
    reference: Mapping[str, str] | None = None,
    categorical: Sequence[str] = (),
    level: float | None = None,
) -> LoadModels:
    """Absolute loads (log10) by the formula: censored likelihood, intervals by profile, p by likelihood ratio.

    Estimates are differences of log10 load. Raises TrialistMust or NameAnother as the formula does.
    """
    design = mixed_design(formula, metadata, reference=reference, categorical=categorical)
    contrasts = tuple(ask(design))
    level = model_setting("interval_level") if level is None else level
    for name, load in loads.items():
        _column(load.values, metadata, name)
    rows: list[ModelRow] = []
    below: dict[str, int] = {}
    for name, load in loads.items():
        fit = fit_censored(load.at(design.rows), design)
        below[name] = fit.below
        rows += _with_adjusted(
            [_load_row(name, fit, contrast, level) for contrast in contrasts], contrasts, adjust
        )
    names = list(loads)
    common: tuple[str, ...] = ("Maximum likelihood: in small trials the errors come out a little small.",)
    if any(row.status is FitStatus.NOT_CONVERGED for row in rows):
        common += ("Where a fit did not converge, look for a group that lies wholly below the limit.",)
    censored = ModelTable(
        title="Absolute loads, values below detection as censored", formula=design.formula,
        unit="difference of log10 load", level=level,
        adjustment=_words(adjust, contrasts, len(names), inside="Holm"),
        rows=tuple(rows), left_out=design.left_out, notes=common,
    )  # fmt: skip
    substituted = []
    for share, words in ((0.5, "half the limit"), (1.0, "the limit")):
        columns = np.column_stack([load.substituted(share)[design.rows] for load in loads.values()])
        substituted.append(
            _table(
                fit_mixed(columns, design), names, contrasts, design, unit="difference of log10 load",
                title=f"Absolute loads, {words} put in for values below detection", adjust=adjust,
                notes=("For comparison only: a number stands where none was measured.",),
            )
        )  # fmt: skip
    half, full = substituted
    verdicts = tuple(
        LoadVerdict(outcome=a.outcome, term=a.term, verdict=_verdict((a, b, c)), below_limit=below[a.outcome])
        for a, b, c in zip(censored.rows, half.rows, full.rows, strict=True)
    )
    return LoadModels(censored=censored, half_limit=half, at_limit=full, verdicts=verdicts)


def adjusted_over_contrasts(
    tests: ContrastTests, fits: Fits, contrasts: Sequence[Contrast], adjust: Adjust
) -> Numbers:
    """Adjusted p, (outcomes, contrasts)."""
    if adjust == "Benjamini-Hochberg":
        return np.column_stack([benjamini_hochberg(column) for column in tests.p.T])
    if adjust == "Dunnett":
        spread = fits.covariance_of(weights_of(contrasts))
        statistics = tests.estimate / tests.standard_error
        return np.array(
            [dunnett(t, s, df) for t, s, df in zip(statistics, spread, tests.degrees_of_freedom, strict=True)]
        )
    if adjust == "gatekeeping":
        return _gatekept(tests, fits, contrasts)
    rule = holm if adjust == "Holm" else fixed_sequence
    return np.array([rule(row) for row in tests.p])


def _gatekept(tests: ContrastTests, fits: Fits, contrasts: Sequence[Contrast]) -> Numbers:
    """Families in order: Dunnett inside each, and no p below the greatest of the families before it."""
    spread = fits.covariance_of(weights_of(contrasts))
    statistics = tests.estimate / tests.standard_error
    found = np.full(tests.p.shape, np.nan)
    for place in range(len(found)):
        gate = 0.0
        for members in _families(contrasts):
            inside = dunnett(
                statistics[place, members], spread[place][np.ix_(members, members)],
                tests.degrees_of_freedom[place, members],
            )  # fmt: skip
            inside = np.maximum(np.where(np.isnan(inside), 1.0, inside), gate)  # what has no p opens no gate
            found[place, members], gate = inside, float(inside.max())
    return found


def _families(contrasts: Sequence[Contrast]) -> list[NDArray[np.int64]]:
    of = np.array([contrast.family for contrast in contrasts])
    return [np.flatnonzero(of == family) for family in np.unique(of)]


def _table(
    fits: Fits, outcomes: Sequence[str], contrasts: Sequence[Contrast], design: MixedDesign,
    *, title: str, unit: str, adjust: Adjust, notes: tuple[str, ...],
) -> ModelTable:  # fmt: skip
    level = model_setting("interval_level")
    tests = fits.test(weights_of(contrasts), level=level)
    adjusted = adjusted_over_contrasts(tests, fits, contrasts, adjust)
    rows = rows_of(fits, tests, outcomes, [contrast.name for contrast in contrasts], adjusted)
    return ModelTable(
        title=title, formula=design.formula, unit=unit, level=level,
        adjustment=_words(adjust, contrasts, len(outcomes)),
        rows=tuple(rows), left_out=design.left_out, notes=notes,
    )  # fmt: skip


def _words(adjust: str, contrasts: Sequence[Contrast], outcomes: int, inside: str = "Dunnett") -> str:
    if adjust == "Benjamini-Hochberg":
        return f"Benjamini-Hochberg over {outcomes} outcomes, each contrast apart"
    if len(contrasts) == 1:
        return "one contrast, p as it is"
    if adjust == "gatekeeping" and len({contrast.family for contrast in contrasts}) > 1:
        return "the last visit is tested first, an earlier one only when all of it was found"
    rule = inside if adjust == "gatekeeping" else adjust
    return f"{rule} over {len(contrasts)} contrasts, each outcome apart"


def _load_row(name: str, fit: CensoredFit, contrast: Contrast, level: float) -> ModelRow:
    estimate, error = fit.contrast(contrast.weights) if fit.problem is not None else (math.nan, math.nan)
    low, high, p = profile_interval(fit, contrast.weights, level=level)
    return ModelRow(
        outcome=name, term=contrast.name, estimate=finite(estimate), standard_error=finite(error),
        degrees_of_freedom=None, low=finite(low), high=finite(high), p=finite(p), samples=fit.samples,
        subjects=fit.subjects, status=fit.status,
    )  # fmt: skip


def _with_adjusted(rows: Sequence[ModelRow], contrasts: Sequence[Contrast], adjust: str) -> list[ModelRow]:
    p = np.array([math.nan if row.p is None else row.p for row in rows])
    if adjust == "gatekeeping":
        # the likelihood gives no joint distribution of the contrasts, so Holm stands inside a family
        families = _families(contrasts)
        adjusted = np.full(len(p), np.nan)
        for members, inside in zip(families, serial_gatekeeping([p[m] for m in families]), strict=True):
            adjusted[members] = inside
    else:
        adjusted = holm(p) if adjust == "Holm" else fixed_sequence(p)
    return [
        row.model_copy(update={"p_adjusted": None if row.p is None else finite(value)})
        for row, value in zip(rows, adjusted, strict=True)
    ]


def _verdict(
    rows: Sequence[ModelRow],
) -> Literal["robust", "depends on the limit of detection", "no difference found", "cannot be estimated"]:
    known = [(row.estimate, row.p_adjusted) for row in rows]
    if any(e is None or p is None for e, p in known):
        return "cannot be estimated"
    hits = [e for e, p in known if p is not None and p <= model_setting("family_wise")]
    if not hits:
        return "no difference found"
    one_sign = len({(e or 0.0) > 0 for e, _ in known}) == 1
    return "robust" if len(hits) == len(known) and one_sign else "depends on the limit of detection"


def _column(values: ArrayLike, metadata: Metadata, name: str = "outcome") -> Numbers:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (len(metadata.samples),):
        raise TrialistMust(f"The {name} has another number of values than there are samples; match them.")
    return column
