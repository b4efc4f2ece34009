"""Scores of forecasts. Witnesses: hand sums, closed forms for the normal, scipy's chi-square, known optima."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from biflora.twin.scores import (
    coverage,
    crps,
    interval_score,
    log_score,
    pit,
    rank_uniformity,
    stacking_weights,
)

STANDARD = NormalDist()


def normal_crps(mean: float, sd: float, observed: float) -> float:
    """Gneiting and Raftery 2007, eq. 21 for the normal: sd (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi))."""
    z = (observed - mean) / sd
    return sd * (z * (2 * STANDARD.cdf(z) - 1) + 2 * STANDARD.pdf(z) - 1 / math.sqrt(math.pi))


# Draws 1, 2, 4 and the truth 3. Mean |x - y| = (2 + 1 + 1) / 3 = 4/3. Pairs |1-2| + |1-4| + |2-4| = 6; each counts
# twice: E|X - X'| = 12/9 as drawn and 12/6 over different draws. Standard 4/3 - 2/3 = 2/3, fair 4/3 - 1 = 1/3.
def test_the_hand_sum_of_three_draws() -> None:
    draws = np.array([[4.0], [1.0], [2.0]])
    assert crps(draws, [3.0]) == pytest.approx([2 / 3])
    assert crps(draws, [3.0], fair=True) == pytest.approx([1 / 3])


# Draws 0 and 4 with weights 1/4 and 3/4, truth 1: 1/4 x 1 + 3/4 x 3 = 2.5;
# half of E|X - X'| = 1/4 x 3/4 x 4 = 0.75.
# Fair: the two differ with probability 2 x 3/16 = 6/16 of all pairs, so 0.75 / (6/16) = 2 and 2.5 - 2 = 0.5.
def test_the_hand_sum_of_two_weighted_draws() -> None:
    draws, weights = np.array([[4.0], [0.0]]), np.array([3.0, 1.0])
    assert crps(draws, [1.0], weights=weights) == pytest.approx([1.75])
    assert crps(draws, [1.0], weights=weights, fair=True) == pytest.approx([0.5])


def test_whole_weights_are_repeated_draws() -> None:
    draws, truth = np.array([[0.0, 5.0], [3.0, 1.0], [7.0, 2.0]]), [2.0, 6.0]
    repeated = draws[[0, 1, 1, 2, 2, 2]]
    assert crps(draws, truth, weights=[1, 2, 3]) == pytest.approx(crps(repeated, truth))
    assert pit(draws, truth, weights=[1, 2, 3]) == pytest.approx(pit(repeated, truth))


def test_one_draw_scores_its_distance() -> None:
    assert crps([[5.0]], [2.0]) == pytest.approx([3.0])
    with pytest.raises(ValueError, match="two draws"):
        crps([[5.0]], [2.0], fair=True)


def test_many_draws_of_a_normal_reach_the_closed_form() -> None:
    # at the quantiles (i - 1/2)/n of a normal, the score is the closed form up to the steps' own size
    grid = np.array([STANDARD.inv_cdf((i + 0.5) / 20_000) for i in range(20_000)])
    cases = [(40.0, 12.0, 40.0), (40.0, 12.0, 10.0), (25.0, 3.0, 31.0), (0.0, 1.0, -2.5)]
    draws = np.stack([mean + sd * grid for mean, sd, _ in cases], axis=1)
    expected = [normal_crps(*case) for case in cases]
    assert crps(draws, [observed for _, _, observed in cases]) == pytest.approx(expected, rel=2e-4)


def test_the_fair_score_of_few_draws_is_the_closed_form_on_average() -> None:
    # 5 draws a case: the standard score is too large by E|X - X'| / (2 x 5) = 2 / sqrt(pi) / 10 = 0.1128
    draws = np.random.default_rng(5).standard_normal((5, 200_000))
    truth = np.full(200_000, 0.7)
    expected = normal_crps(0, 1, 0.7)
    assert crps(draws, truth, fair=True).mean() == pytest.approx(expected, abs=0.004)
    assert crps(draws, truth).mean() == pytest.approx(expected + 0.2 / math.sqrt(math.pi), abs=0.004)


def test_the_true_forecast_scores_best() -> None:
    random = np.random.default_rng(6)
    truth = random.normal(50, 10, 4_000)
    scores = [crps(random.normal(50, sd, (300, 4_000)), truth).mean() for sd in (5, 10, 20)]
    assert scores[1] < scores[0]
    assert scores[1] < scores[2]


def test_coverage_counts_the_ends_and_interval_score_the_miss() -> None:
    # 1 of [1, 3] is in; 5 of [1, 3] is out by 2. At 80 %: width 2, and 2 / 0.2 x 2 = 20 more for the miss
    assert coverage([1, 1], [3, 3], [1, 5]) == 0.5
    assert interval_score([1, 1], [3, 3], [1, 5], level=0.8) == pytest.approx([2, 22])
    assert interval_score([1], [3], [0.5], level=0.5) == pytest.approx([2 + 4 * 0.5])
    with pytest.raises(ValueError, match="no observation"):
        coverage([], [], [])


def test_pit_counts_ties_half() -> None:
    # draws 1 2 2 4 and truth 2: one below, two equal: (1 + 1) / 4
    assert pit([[1.0], [2.0], [2.0], [4.0]], [2.0]) == pytest.approx([0.5])
    assert pit([[1.0], [2.0], [2.0], [4.0]], [9.0]) == pytest.approx([1.0])


# 20 ranks among 0 ... 3 in two bins, 15 low and 5 high: expected 10 each, chi-square 25/10 + 25/10 = 5 on one
# degree of freedom; its tail is that of |z| > sqrt(5).
def test_the_rank_test_by_hand_and_by_scipy() -> None:
    from scipy.stats import chisquare

    ranks = [0] * 10 + [1] * 5 + [2] * 3 + [3] * 2
    two = rank_uniformity(ranks, 3, bins=2)
    assert (two.statistic, two.degrees) == pytest.approx((5.0, 1))
    assert two.p == pytest.approx(2 * (1 - STANDARD.cdf(math.sqrt(5))))
    four = rank_uniformity(ranks, 3)
    scipy = chisquare([10, 5, 3, 2])
    assert (four.statistic, four.p) == pytest.approx((scipy.statistic, scipy.pvalue))


def test_unequal_bins_expect_their_own_share() -> None:
    # every rank 0 ... 9 ten times is uniform in any bins; 3 bins hold 4, 3 and 3 ranks
    assert rank_uniformity(list(range(10)) * 10, 9, bins=3).statistic == pytest.approx(0.0)
    with pytest.raises(ValueError, match="whole numbers"):
        rank_uniformity([4], 3)
    with pytest.raises(ValueError, match="too few"):
        rank_uniformity([0, 1, 2], 3)


def test_calibrated_ranks_pass_and_overconfident_ones_do_not() -> None:
    random = np.random.default_rng(7)
    truth = random.standard_normal(2_000)
    right, narrow = random.standard_normal((99, 2_000)), 0.6 * random.standard_normal((99, 2_000))
    assert rank_uniformity(np.sum(right < truth, axis=0), 99).p > 0.01
    assert rank_uniformity(np.sum(narrow < truth, axis=0), 99).p < 1e-6


def test_log_score_of_one_draw_is_the_kernel_and_of_many_the_wider_normal() -> None:
    assert log_score([[3.0]], [5.0], 2.0) == pytest.approx([math.log(NormalDist(3, 2).pdf(5))])
    # latent draws N(0, 3) with measurement noise 4 are measurements N(0, 5)
    grid = np.array([3 * STANDARD.inv_cdf((i + 0.5) / 5_000) for i in range(5_000)])[:, None]
    assert log_score(grid, [6.0], 4.0) == pytest.approx([math.log(NormalDist(0, 5).pdf(6))], abs=1e-3)
    # by the rule of thumb: scipy's kernel estimate with the same bandwidth
    from scipy.stats import gaussian_kde

    draws = np.random.default_rng(8).gamma(3, 5, 400)
    quartiles = np.quantile(draws, [0.25, 0.75], method="inverted_cdf")
    width = 0.9 * min(draws.std(), (quartiles[1] - quartiles[0]) / 1.34) * 400**-0.2
    expected = gaussian_kde(draws, bw_method=width / draws.std(ddof=1))(20.0)
    assert log_score(draws[:, None], [20.0]) == pytest.approx(np.log(expected), rel=1e-6)
    with pytest.raises(ValueError, match="above zero"):
        log_score([[2.0], [2.0]], [2.0])


def test_a_model_that_is_always_better_takes_all() -> None:
    weights = stacking_weights([[-1.0, -2.0], [-1.5, -1.6], [-0.2, -9.0]])
    assert weights == pytest.approx([1.0, 0.0], abs=1e-6)


def test_two_mirrored_models_share_equally() -> None:
    assert stacking_weights([[-1.0, -3.0], [-3.0, -1.0]]) == pytest.approx([0.5, 0.5])
    assert stacking_weights([[-2.0, -2.0], [-1.0, -1.0]]) == pytest.approx([0.5, 0.5])


# One model gives densities (1, 0) to outcomes A and B, the other (1/2, 1); of 4 cases 3 are A and 1 is B.
# With weight w on the first: 3/4 ln(w + (1-w)/2) + 1/4 ln(1 - w); where the derivative is 0,
# 3/4 / (1 + w) = 1/4 / (1 - w), so w = 1/2.
def test_the_optimum_in_the_middle_by_hand() -> None:
    a, b = [0.0, math.log(0.5)], [-math.inf, 0.0]
    assert stacking_weights([a, a, a, b]) == pytest.approx([0.5, 0.5], abs=1e-6)


def test_no_other_weights_do_better() -> None:
    scores = np.random.default_rng(9).normal(-3, 1, (30, 3))
    best = np.mean(np.log(np.exp(scores) @ stacking_weights(scores)))
    for one in np.linspace(0, 1, 41):
        for two in np.linspace(0, 1 - one, 21):
            assert np.mean(np.log(np.exp(scores) @ [one, two, 1 - one - two])) <= best + 1e-9


def test_a_case_that_no_model_allows_is_refused() -> None:
    with pytest.raises(ValueError, match="finite log score"):
        stacking_weights([[-math.inf, -math.inf], [-1.0, -1.0]])


def test_wrong_shapes_and_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="draw, case"):
        crps(np.zeros((5, 2)), [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="finite"):
        crps([[math.nan]], [1.0])
    with pytest.raises(ValueError, match="not negative"):
        crps([[1.0], [2.0]], [1.0], weights=[-1.0, 2.0])
