"""Differential abundance by linear models of centred log-ratios (LinDA: Zhou et al. 2022, Genome Biology 23:95).

Each taxon's log2 ratio to its sample's geometric mean is regressed on the formula, by least squares or with a
random intercept. Most taxa are taken not to change, so the mode of a coefficient over taxa is the bias that the
composition puts into all of them; it is taken off. Written from the paper; the numbers are tested against the
authors' R code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from biflora.errors import TrialistMust
from biflora.knowledge.cohort_models import model_setting
from biflora.profile.cohort.contrasts import Ask, Contrast, each_term, weights_of
from biflora.profile.cohort.mixed import ContrastTests, Fits, fit_mixed, rows_of
from biflora.profile.cohort.mixed_design import MixedDesign, mixed_design
from biflora.profile.cohort.model_table import ModelRow, ModelTable
from biflora.profile.cohort.multiplicity import benjamini_hochberg, dunnett
from biflora.profile.metadata import Metadata
from biflora.values import Value

Numbers = NDArray[np.float64]


class Zeros(StrEnum):
    """What stands for a count of zero before the logarithm."""

    ADAPTIVE = "adaptive"
    """Imputation where reads differ with the formula's terms, otherwise the pseudocount (the authors' rule)."""
    PSEUDOCOUNT = "pseudocount"
    IMPUTATION = "imputation"
    """The sample's reads over the most reads of a sample in which this taxon is zero."""
    HALF_MINIMUM = "half minimum"
    """Half of the taxon's least share above zero."""


def _default(key: str) -> float:
    field: float = Field(default_factory=lambda: model_setting(key))
    return field


class LindaOptions(Value):
    """How counts are prepared; the defaults are rows of knowledge (`cohort_model_settings`)."""

    zeros: Zeros = Zeros.ADAPTIVE
    pseudocount: float = _default("linda_pseudocount")
    depth_p: float = _default("linda_depth_p")
    """The adaptive rule imputes when any term's p on log reads is at most this."""
    prevalence: float = _default("linda_prevalence")
    """Least share of samples that a taxon must be seen in."""
    mean_share: float = _default("linda_mean_share")
    least_reads: float = _default("linda_least_reads")
    winsor: float | None = _default("linda_winsor")
    """Shares above this quantile of their taxon are cut down to it; None: not."""
    false_discovery: float = _default("false_discovery")
    adjust: Literal["each contrast", "Dunnett"] = "each contrast"
    """`Dunnett`: contrasts of a taxon first adjusted for each other, then all together over taxa."""


@dataclass(frozen=True)
class Linda:
    """The result: rows by taxon and contrast, and what was done to the counts."""

    table: ModelTable
    biases: dict[str, float]
    """By contrast: what was taken off every taxon, log2."""
    zeros: Zeros
    """What was used (never `adaptive`)."""
    taxa: tuple[str, ...]
    design: MixedDesign
    fits: Fits
    tests: ContrastTests
    """Of the uncorrected log-ratios, (taxa, contrasts); the table holds the corrected ones."""


def linda(
    counts: ArrayLike,
    taxa: Sequence[str],
    formula: str,
    metadata: Metadata,
    *,
    ask: Ask = each_term,
    options: LindaOptions | None = None,
    reference: Mapping[str, str] | None = None,
    categorical: Sequence[str] = (),
) -> Linda:
    """LinDA over all taxa. `counts` (samples, taxa) in the order of the metadata's samples.

    Estimates are log2 fold changes. Raises TrialistMust when the counts or the formula cannot be used.
    """
    chosen = options or LindaOptions()
    table = np.asarray(counts, dtype=np.float64)
    if table.shape != (len(metadata.samples), len(taxa)):
        raise TrialistMust("The counts, the taxa and the samples' descriptions have different sizes; match them.")
    if not np.isfinite(table).all() or (table < 0).any():
        raise TrialistMust("The counts hold a negative or missing number; LinDA needs counts of reads.")
    totals = table.sum(axis=1)
    if any(bool(np.allclose(totals[totals > 0], whole, rtol=0.01)) for whole in (1.0, 100.0)):
        raise TrialistMust("These look like shares, not counts of reads; LinDA needs counts.")
    deep = np.flatnonzero((totals >= chosen.least_reads) & (totals > 0))
    if len(deep) == 0:
        raise TrialistMust(f"No sample has {chosen.least_reads:g} reads; lower `least_reads`.")
    kept_metadata = metadata.of([metadata.samples[i] for i in deep])
    design = mixed_design(formula, kept_metadata, reference=reference, categorical=categorical)
    used = table[deep][design.rows]
    shares = used / used.sum(axis=1, keepdims=True)
    keep = ((used > 0).mean(axis=0) >= chosen.prevalence) & (shares.mean(axis=0) >= chosen.mean_share)
    keep &= (used > 0).any(axis=0)
    if keep.sum() < 2:
        raise TrialistMust("Fewer than two taxa are frequent enough; lower `prevalence` or `mean_share`.")
    names = tuple(name for name, stays in zip(taxa, keep, strict=True) if stays)
    used = used[:, keep]
    if (used.sum(axis=1) == 0).any():
        raise TrialistMust("A sample holds none of the frequent taxa; lower `prevalence` or leave the sample out.")
    if chosen.winsor is not None:
        used = winsorised(used, chosen.winsor)
    zeros = chosen.zeros
    if zeros is Zeros.ADAPTIVE:
        zeros = _by_depth(used.sum(axis=1), design, chosen.depth_p)
    ratios = centred_log2(without_zeros(used, zeros, chosen.pseudocount))
    fits = fit_mixed(ratios, design)
    contrasts = tuple(ask(design))
    tests = fits.test(weights_of(contrasts), level=model_setting("interval_level"))
    biases = np.array([mode(tests.estimate[:, k]) for k in range(len(contrasts))])
    corrected = _shifted(tests, biases)
    adjusted, words = _adjusted(corrected, fits, contrasts, chosen)
    rows = rows_of(fits, corrected, names, [contrast.name for contrast in contrasts], adjusted)
    shallow = set(metadata.samples) - {metadata.samples[i] for i in deep}
    left_out = (*(s for s in metadata.samples if s in shallow), *design.left_out)
    result = ModelTable(
        title="Differential abundance (LinDA)", formula=design.formula, unit="log2 fold change",
        level=model_setting("interval_level"),
        adjustment=words, rows=tuple(rows), left_out=left_out, notes=_notes(zeros, chosen, len(taxa) - len(names)),
    )  # fmt: skip
    named = {contrast.name: float(bias) for contrast, bias in zip(contrasts, biases, strict=True)}
    return Linda(result, named, zeros, names, design, fits, tests)


def winsorised(counts: Numbers, quantile: float) -> Numbers:
    """Counts (samples, taxa) whose share lies above the taxon's quantile, cut down to it and rounded."""
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / totals
    found: Numbers = np.round(np.minimum(shares, np.quantile(shares, quantile, axis=0)) * totals)
    return found


def without_zeros(counts: Numbers, zeros: Zeros, pseudocount: float = 0.5) -> Numbers:
    """Counts or shares (samples, taxa) without zeros, by one of the rules (not `adaptive`)."""
    empty = counts == 0
    if not empty.any():
        return counts
    if zeros is Zeros.PSEUDOCOUNT:
        shifted: Numbers = counts + pseudocount
        return shifted
    totals = counts.sum(axis=1, keepdims=True)
    if zeros is Zeros.IMPUTATION:
        deepest = np.where(empty, totals, 0.0).max(axis=0)
        imputed: Numbers = np.where(empty, totals / np.where(deepest > 0, deepest, 1.0), counts)
        return imputed
    if zeros is Zeros.HALF_MINIMUM:
        shares = counts / totals
        least = np.where(empty, np.inf, shares).min(axis=0)
        halved: Numbers = np.where(empty, least / 2.0, shares)
        return halved
    raise ValueError("the adaptive rule must be decided first")


def centred_log2(positive: Numbers) -> Numbers:
    """log2 of each value over its sample's geometric mean, (samples, taxa)."""
    logs = np.log2(positive)
    found: Numbers = logs - logs.mean(axis=1, keepdims=True)
    return found


def mode(values: ArrayLike) -> float:
    """The mode by mean shift with a Gaussian kernel, as LinDA uses it.

    Starts at the mean of the shorter half of the sorted values; bandwidth by Silverman's rule of thumb.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    x = x[np.isfinite(x)]
    if len(x) < 2:
        return float(x[0]) if len(x) else 0.0
    reach = math.ceil(len(x) / 2) - 1
    widths = x[reach:] - x[: len(x) - reach]
    start = round(float(np.mean(np.flatnonzero(widths == widths.min()))))
    here = float(x[start : start + reach + 1].mean())
    spread = float(x.std(ddof=1))
    middle = float(np.subtract(*np.quantile(x, [0.75, 0.25]))) / 1.34
    bandwidth = 0.9 * (min(spread, middle) or spread) * len(x) ** -0.2
    if bandwidth == 0.0:
        return here
    for _ in range(10_000):
        weight = np.exp(-0.5 * ((x - here) / bandwidth) ** 2)
        there = float(x @ weight / weight.sum())
        if abs(there - here) < 1e-10 * bandwidth:
            return there
        here = there
    return here


def _by_depth(reads: Numbers, design: MixedDesign, threshold: float) -> Zeros:
    """Imputation when reads differ with any term of the formula, otherwise the pseudocount."""
    terms = each_term(design)
    if not terms:
        return Zeros.PSEUDOCOUNT
    p = fit_mixed(np.log(reads), design).test(weights_of(terms)).p
    return Zeros.IMPUTATION if bool((p <= threshold).any()) else Zeros.PSEUDOCOUNT


def _shifted(tests: ContrastTests, biases: Numbers) -> ContrastTests:
    from scipy import stats

    estimate = tests.estimate - biases
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2.0 * stats.t.sf(np.abs(estimate / tests.standard_error), tests.degrees_of_freedom)
    return ContrastTests(
        estimate, tests.standard_error, tests.degrees_of_freedom, p, tests.low - biases, tests.high - biases
    )


def _adjusted(
    tests: ContrastTests, fits: Fits, contrasts: Sequence[Contrast], options: LindaOptions
) -> tuple[Numbers, str]:
    taxa, count = tests.p.shape
    if options.adjust == "each contrast" or count == 1:
        adjusted = np.column_stack([benjamini_hochberg(tests.p[:, k]) for k in range(count)])
        return adjusted, f"Benjamini-Hochberg over {taxa} taxa, each contrast apart"
    together = np.full((taxa, count), np.nan)
    spread = fits.covariance_of(weights_of(contrasts))
    for place in range(taxa):
        if np.isfinite(tests.p[place]).any():
            statistics = tests.estimate[place] / tests.standard_error[place]
            together[place] = dunnett(statistics, spread[place], tests.degrees_of_freedom[place])
    adjusted = benjamini_hochberg(together.ravel()).reshape(taxa, count)
    return adjusted, f"Dunnett over {count} contrasts of a taxon, then Benjamini-Hochberg over {taxa} taxa"


def _notes(zeros: Zeros, options: LindaOptions, dropped: int) -> tuple[str, ...]:
    notes = ["A fold change is against the taxa that do not change, found as the mode over taxa."]
    match zeros:
        case Zeros.PSEUDOCOUNT:
            notes.append(f"{options.pseudocount:g} was added to every count, because zero has no logarithm.")
        case Zeros.IMPUTATION:
            notes.append("Zeros were filled in proportion to the sample's reads.")
        case _:
            notes.append("Zeros were taken as half of the taxon's least share above zero.")
    if options.zeros is Zeros.ADAPTIVE and zeros is Zeros.IMPUTATION:
        notes.append("Reads differ with the formula's terms, so a pseudocount could mislead.")
    if dropped:
        notes.append(f"{dropped} taxa were too rare to be tested; nothing is known of their change.")
    return tuple(notes)


def significant(result: Linda, options: LindaOptions | None = None) -> list[ModelRow]:
    """The rows whose adjusted p is at most the false discovery rate."""
    limit = (options or LindaOptions()).false_discovery
    return [row for row in result.table.rows if row.p_adjusted is not None and row.p_adjusted <= limit]
