"""Replication. Witnesses: hand counts, normal theory, and the abstract's own figures in the table."""

from __future__ import annotations

import numpy as np
import pytest

from biflora.errors import TrialistMust
from biflora.knowledge.trials import PublishedFigure, published_figures, trial_designs
from biflora.trial.power import two_sample_power
from biflora.trial.randomise import permuted_blocks
from biflora.trial.replicate import band_of, compare, evidence_of, predicted_figure, reading, replicate, surprise
from biflora.trial.virtual import Measured, VirtualTrials
from biflora.twin.observe import OBSERVED

DESIGN = trial_designs()["isaev-2025"]


def figure(key: str) -> PublishedFigure:
    return published_figures()[f"isaev-2025_{key}"]


def made_up_trials(repeats: int, *, fall: tuple[float, ...] = (15, 15, 15, 15), sd: float = 10) -> VirtualTrials:
    """Normal data without the twin: baseline 50 exactly measured, arm means fall by `fall`, spread `sd`."""
    rng = np.random.default_rng(8)
    arm = np.stack([permuted_blocks(DESIGN.arm_sizes, rng) for _ in range(repeats)])
    baseline = rng.normal(50, 8, arm.shape)
    final = baseline - np.array(fall)[arm] + rng.normal(0, sd, arm.shape)
    return VirtualTrials(arm=arm, values=dict.fromkeys(OBSERVED, Measured(baseline, final)), label="SCORAD")


def test_the_published_figures_are_those_of_the_abstract() -> None:
    """Severity -64.7 and -37.5 %; S. aureus 4.7-fold down, commensals 3.2-fold up; butyrate +91.5 %; n 65."""
    assert [figure(key).value for key in ("severity_combination", "severity_control")] == [-64.7, -37.5]
    assert [figure(key).value for key in ("s_aureus", "commensals", "butyrate")] == [4.7, 3.2, 91.5]
    assert (DESIGN.patients, sum(DESIGN.arm_sizes), DESIGN.weeks) == (65, 65, 12)
    assert DESIGN.sizes_status == "assumed"


def test_surprise_counts_both_tails() -> None:
    """99 predictions 1..99. Published 2: two at or below; 2 x (2 + 1) / 100 = 0.06. In the middle: 1."""
    predicted = np.arange(1.0, 100.0)
    assert surprise(2, predicted) == pytest.approx(0.06)
    assert surprise(98, predicted) == pytest.approx(0.06)
    assert surprise(50, predicted) == 1.0
    assert surprise(1000, predicted) == pytest.approx(0.02)  # never zero
    assert surprise(2, np.append(predicted, np.nan)) == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("chance", "words"),
    [(0.5, "not surprising"), (0.1, "not surprising"), (0.09, "surprising"), (0.009, "hardly compatible")],
)
def test_reading_in_words(chance: float, words: str) -> None:
    assert reading(chance) == words


def test_figures_are_computed_as_an_abstract_would() -> None:
    """Combination (arm 3) falls from 50 to 20: -60 %. log10 load 5 to 4 in the topical arm (2): 10-fold down."""
    arm = np.array([[0, 1, 2, 3, 3]])
    score = Measured(np.array([[60.0, 1, 1, 40, 60]]), np.array([[45.0, 1, 1, 10, 30]]))
    load = Measured(np.array([[9.0, 9, 5, 9, 9]]), np.array([[9.0, 9, 4, 9, 9]]))
    commensals = Measured(load.final, load.baseline)
    trials = VirtualTrials(
        arm, {"scorad": score, "s_aureus_log10": load, "commensals_log10": commensals}, "SCORAD"
    )  # fmt: skip
    assert predicted_figure(figure("severity_combination"), DESIGN, trials) == pytest.approx(-60)
    assert predicted_figure(figure("severity_control"), DESIGN, trials) == pytest.approx(-25)
    assert predicted_figure(figure("s_aureus"), DESIGN, trials) == pytest.approx(10)
    assert predicted_figure(figure("commensals"), DESIGN, trials) == pytest.approx(10)


def test_who_missed_the_last_visit_is_left_out_of_both_means() -> None:
    """Combination: (40 -> 10) and (60 -> missed): -75 %, not 10 against 50."""
    score = Measured(np.array([[60.0, 40, 60]]), np.array([[45.0, 10, np.nan]]))
    trials = VirtualTrials(np.array([[0, 3, 3]]), {"scorad": score}, "SCORAD")
    assert predicted_figure(figure("severity_combination"), DESIGN, trials) == pytest.approx(-75)


def test_simulated_power_meets_normal_theory() -> None:
    """Combination 10 points better, spread 10, 17 against 16 patients, slope 1: the two-sample t-test's power.

    1,500 trials: Monte Carlo SE of about 0.011.
    """
    evidence = evidence_of("isaev-2025", DESIGN, made_up_trials(1500, fall=(15, 15, 15, 25)), seed=8)
    combination = evidence.contrasts[2]
    assert combination.arm == "combination"
    assert combination.unit == "points"
    assert combination.power == pytest.approx(two_sample_power(10, 10, 16), abs=0.05)
    assert combination.predictive.median == pytest.approx(-10, abs=0.4)
    oral = evidence.contrasts[0]
    assert oral.power == pytest.approx(0.05, abs=0.02)  # no difference: the level


def test_synergy_is_said_to_be_out_of_reach() -> None:
    evidence = evidence_of("isaev-2025", DESIGN, made_up_trials(50), seed=8)
    (text,) = [t for t in evidence.not_identified if t.startswith("Synergy")]
    # scenarios of the trial research for 16 an arm: 28.5 at 20, 42.7 at 30; ours has 17 in one arm
    assert "28.3 to 42.4" in text
    assert "is 27.2" in text


def test_an_unknown_trial_lists_the_known_ones() -> None:
    with pytest.raises(TrialistMust, match=r"known: isaev-2025. Did you mean isaev-2025\?"):
        replicate("isaev2025")


def test_a_band_holds_its_quantiles_in_order() -> None:
    band = band_of(np.append(np.arange(101.0), np.nan))
    assert (band.q2_5, band.q10, band.median, band.q97_5) == pytest.approx((2.5, 10, 50, 97.5))
    row = figure("butyrate")
    assert compare(row, np.arange(101.0)).source == row.source


def test_the_whole_replication_on_the_twin() -> None:
    """30 repeats: every part is there, the seed decides, progress runs to 1, nothing is fitted to the figures."""
    heard: list[float] = []
    evidence = replicate("isaev-2025", seed=5, repeats=30, on_progress=heard.append)
    assert evidence == replicate("isaev-2025", seed=5, repeats=30)
    assert evidence.id != replicate("isaev-2025", seed=6, repeats=30).id
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1)
    assert [arm.n for arm in evidence.arms] == [16, 16, 16, 17]
    assert all(arm.baseline_mean > DESIGN.minimum_severity for arm in evidence.arms)
    assert len(evidence.comparisons) == 5
    assert len(evidence.contrasts) == 6
    assert all(0 < c.surprise <= 1 and c.source and c.verification for c in evidence.comparisons)
    assert all(c.predicted.q2_5 < c.predicted.q97_5 for c in evidence.comparisons)
