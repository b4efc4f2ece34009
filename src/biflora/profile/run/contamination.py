"""How much a taxon behaves like a contaminant: the published scores of decontam, and shares beside controls.

Small scores mean contaminant. Prevalence and frequency are those of Davis et al. 2018, Microbiome 6:226, as the R
package decontam computes them; a test holds them equal to the figures that its vignette prints.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from biflora.profile.table import Numbers

Flags = NDArray[np.bool_]
Combine = Literal["minimum", "product", "fisher"]
SMALLEST_EXPECTED = 5.0
"""Below this expected count the chi-square approximation gives way to Fisher's exact test, as in R's prop.test."""


def prevalence_scores(present: Flags, negative: Flags) -> Numbers:
    """Score of each column from presence in negative controls against samples; NaN where it cannot be told.

    `present`: samples by taxa. Yates' one-sided two-proportion test, or Fisher's mid-p where an expected count is
    below five; 0.5 for a taxon that is everywhere, NaN for one seen once or without controls and samples both.
    """
    controls, samples = int(negative.sum()), int((~negative).sum())
    scores = np.full(present.shape[1], np.nan)
    if controls == 0 or samples == 0:
        return scores
    in_controls = present[negative].sum(axis=0).astype(np.float64)
    in_samples = present[~negative].sum(axis=0).astype(np.float64)
    seen = in_controls + in_samples
    total = controls + samples
    everywhere = seen == total
    scores[everywhere & (seen > 1)] = 0.5
    smallest = np.minimum.reduce(
        [controls * seen, samples * seen, controls * (total - seen), samples * (total - seen)]
    )
    exact = smallest / total < SMALLEST_EXPECTED
    judged = (seen > 1) & ~everywhere
    scores[judged & exact] = _fisher_mid_p(in_controls, seen, controls, samples)[judged & exact]
    scores[judged & ~exact] = _two_proportions(in_controls, in_samples, controls, samples)[judged & ~exact]
    return scores


def _fisher_mid_p(in_controls: Numbers, seen: Numbers, controls: int, samples: int) -> Numbers:
    """P(X > x) + P(X = x) / 2 for the hypergeometric number of controls that hold the taxon."""
    from scipy.stats import hypergeom

    drawn = hypergeom(controls + samples, seen, controls)
    tail: Numbers = drawn.sf(in_controls) + drawn.pmf(in_controls) / 2
    return tail


def _two_proportions(in_controls: Numbers, in_samples: Numbers, controls: int, samples: int) -> Numbers:
    """R's prop.test(alternative = "greater") with its continuity correction, for controls against samples."""
    from scipy.special import ndtr

    difference = in_controls / controls - in_samples / samples
    inverse = 1 / controls + 1 / samples
    correction = np.minimum(0.5, np.abs(difference) / inverse)
    pooled = (in_controls + in_samples) / (controls + samples)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = (np.abs(difference) - correction * inverse) / np.sqrt(pooled * (1 - pooled) * inverse)
    tail: Numbers = ndtr(-np.sign(difference) * distance)
    return tail


def frequency_scores(shares: Numbers, concentration: Numbers) -> Numbers:
    """Score of each column from its share against the sample's DNA concentration; NaN below two values.

    `shares`: samples by taxa, controls left out. A contaminant's log share falls one for one with log
    concentration (slope -1); another taxon's does not change (slope 0). The score is the F distribution of the two
    models' residual sums of squares.
    """
    from scipy.special import fdtr

    scores = np.full(shares.shape[1], np.nan)
    log_concentration = np.log(concentration)
    for taxon in range(shares.shape[1]):
        present = shares[:, taxon] > 0
        freedom = int(present.sum()) - 1
        if freedom < 1:
            continue
        log_share = np.log(shares[present, taxon])
        falling = log_share + log_concentration[present]
        as_contaminant = float(((falling - falling.mean()) ** 2).sum())
        as_resident = float(((log_share - log_share.mean()) ** 2).sum())
        if as_resident > 0:
            scores[taxon] = float(fdtr(freedom, freedom, as_contaminant / as_resident))
        elif as_contaminant > 0:
            scores[taxon] = 1.0
    return scores


def share_scores(shares: Numbers, negative: Flags) -> Numbers:
    """One-sided rank-sum p of each column: is its share larger in the controls than in the samples?

    biflora's own addition, for deep sequencing, where every taxon is present in every library and prevalence says
    nothing. NaN without controls and samples both.
    """
    scores = np.full(shares.shape[1], np.nan)
    if negative.all() or not negative.any():
        return scores
    from scipy.stats import mannwhitneyu

    varies = shares.max(axis=0) > shares.min(axis=0)
    if varies.any():
        scores[varies] = mannwhitneyu(
            shares[negative][:, varies], shares[~negative][:, varies], alternative="greater", method="asymptotic"
        ).pvalue
    return scores


def over_batches(scores: Numbers, combine: Combine) -> Numbers:
    """One score of each taxon from batches by taxa: the smallest (as decontam does), the product, or Fisher's."""
    unknown = np.isnan(scores)
    if combine == "fisher":
        return fisher_combined(np.where(unknown, 0.5, scores))
    together = np.nanmin if combine == "minimum" else np.nanprod
    joined: Numbers = np.full(scores.shape[1], np.nan)
    told = ~unknown.all(axis=0)
    joined[told] = together(scores[:, told], axis=0)
    return joined


def fisher_combined(scores: Numbers) -> Numbers:
    """Fisher's combination down the rows: chi-square tail of -2 sum ln p with twice as many degrees of freedom."""
    from scipy.special import chdtrc

    with np.errstate(divide="ignore"):
        statistic = -2 * np.log(scores).sum(axis=0)
    tail: Numbers = chdtrc(2 * scores.shape[0], statistic)
    return tail
