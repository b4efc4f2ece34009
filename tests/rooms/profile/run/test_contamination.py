"""Contamination scores against decontam's own published output, hand sums and R's formulae."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from biflora.profile.run.contamination import (
    fisher_combined,
    frequency_scores,
    over_batches,
    prevalence_scores,
    share_scores,
)

WITNESS = Path(__file__).parent / "witness" / "decontam_mucosa_seq3.csv"
"""Share and DNA concentration of sequence 3 in the 160 samples that hold it: MUClite of benjjneb/decontam
(Artistic-2.0), the example of its vignette."""


def presence(controls_with: int, controls: int, samples_with: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """One taxon's presence over controls and samples, and which rows are controls."""
    rows = [True] * controls_with + [False] * (controls - controls_with)
    rows += [True] * samples_with + [False] * (samples - samples_with)
    return np.array(rows)[:, None], np.array([True] * controls + [False] * samples)


def test_the_frequency_score_is_the_one_that_decontam_prints() -> None:
    """The vignette prints p.freq of Seq3 as 1.135975e-18, over 160 samples."""
    rows = np.array(list(csv.reader(WITNESS.open()))[1:], dtype=float)
    assert len(rows) == 160
    score = frequency_scores(rows[:, 1:], rows[:, 0])[0]
    assert score == pytest.approx(1.135975e-18, rel=1e-6)


def test_a_share_that_halves_when_dna_doubles_is_a_contaminant() -> None:
    """Shares exactly 1/concentration: the contaminant model fits without rest, so the score is 0; constant: 1."""
    amount = np.array([1.0, 2.0, 4.0, 8.0])
    shares = np.column_stack([0.1 / amount, np.full(4, 0.1)])
    assert frequency_scores(shares, amount).tolist() == pytest.approx([0.0, 1.0], abs=1e-12)


def test_frequency_needs_two_samples_that_hold_the_taxon() -> None:
    shares = np.array([[0.1], [0.0], [0.0]])
    assert math.isnan(frequency_scores(shares, np.array([1.0, 2.0, 3.0]))[0])


@pytest.mark.parametrize(
    ("controls_with", "samples_with", "flagged"),
    # Seq30, 80, 152, 175, 176, 193 are the first six that the vignette flags (threshold 0.1); 1 and 3 are not.
    [(29, 260, True), (18, 119, True), (20, 74, True), (20, 49, True), (7, 1, True), (16, 41, True),
     (12, 537, False), (10, 150, False)],
)  # fmt: skip
def test_the_prevalence_score_flags_what_decontam_flags(
    controls_with: int, samples_with: int, flagged: bool
) -> None:
    present, negative = presence(controls_with, 30, samples_with, 539)
    assert (prevalence_scores(present, negative)[0] < 0.1) is np.bool_(flagged)


def test_few_samples_take_fishers_mid_p() -> None:
    """2 of 2 controls, 1 of 4 samples: P(X = 2) = C(3,2) C(3,0) / C(6,2) = 3/15; mid-p 0.2 / 2 = 0.1."""
    present, negative = presence(2, 2, 1, 4)
    assert prevalence_scores(present, negative)[0] == pytest.approx(0.1, abs=1e-12)


def test_many_samples_take_yates_two_proportions() -> None:
    """15 of 30 against 60 of 300. Pooled 75/330, inverse 1/30 + 1/300; correction half the inverse:
    z = (0.3 - 0.5 x 0.0366667) / sqrt(0.227273 x 0.772727 x 0.0366667)."""
    inverse = 1 / 30 + 1 / 300
    z = (0.3 - 0.5 * inverse) / math.sqrt(75 / 330 * 255 / 330 * inverse)
    present, negative = presence(15, 30, 60, 300)
    assert prevalence_scores(present, negative)[0] == pytest.approx(0.5 * math.erfc(z / math.sqrt(2)), rel=1e-9)


def test_what_is_everywhere_gets_a_half_and_what_is_once_gets_nothing() -> None:
    everywhere, negative = presence(2, 2, 4, 4)
    once, _ = presence(1, 2, 0, 4)
    scores = prevalence_scores(np.hstack([everywhere, once]), negative)
    assert scores[0] == 0.5
    assert math.isnan(scores[1])


def test_without_controls_nothing_is_told() -> None:
    present, _ = presence(0, 0, 4, 4)
    assert math.isnan(prevalence_scores(present, np.zeros(4, dtype=bool))[0])
    assert math.isnan(share_scores(present.astype(float), np.zeros(4, dtype=bool))[0])


def test_fishers_combination_of_two() -> None:
    """decontam: pchisq(-2 log(p1 p2), df = 4, upper), which is q (1 - ln q) with q = p1 p2."""
    combined = fisher_combined(np.array([[0.1], [0.2]]))[0]
    assert combined == pytest.approx(0.02 * (1 - math.log(0.02)), rel=1e-12)


def test_batches_join_by_the_smallest_as_decontam_does() -> None:
    scores = np.array([[0.2, np.nan, np.nan], [0.05, 0.3, np.nan]])
    assert over_batches(scores, "minimum").tolist()[:2] == [0.05, 0.3]
    assert math.isnan(over_batches(scores, "minimum")[2])
    assert over_batches(scores, "product").tolist()[:2] == pytest.approx([0.01, 0.3])
    # Fisher takes 0.5 for the unknown: q = 0.5 x 0.3
    assert over_batches(scores, "fisher")[1] == pytest.approx(0.15 * (1 - math.log(0.15)), rel=1e-12)


def test_the_share_score_is_the_rank_sum() -> None:
    """Five controls all above five samples: rank sum U = 25; z = (25 - 12.5 - 0.5) / sqrt(25 x 11 / 12)."""
    shares = np.array([[6.0], [7.0], [8.0], [9.0], [10.0], [1.0], [2.0], [3.0], [4.0], [5.0]]) / 55
    z = 12.0 / math.sqrt(25 * 11 / 12)
    score = share_scores(shares, np.array([True] * 5 + [False] * 5))[0]
    assert score == pytest.approx(0.5 * math.erfc(z / math.sqrt(2)), rel=1e-9)
