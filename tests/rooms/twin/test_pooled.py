"""Trials on one scale and pooled: published examples, statsmodels, SciPy, and hand sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from biflora.knowledge.trials import ConditionTrial, condition_trials
from biflora.profile.patient import Condition, Patient
from biflora.profile.profile import Profile
from biflora.twin.elsewhere import STANDARDISED, from_evidence
from biflora.twin.pooled import between_trials_reml, mean_at, pooled_effects, random_effects, trial_effect

BCG = (
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232),
    (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
)  # fmt: skip
"""dat.bcg of R's metafor: positive and negative of the vaccinated, then of the controls."""


def bcg() -> tuple[list[float], list[float]]:
    ratios = [math.log((a / (a + b)) / (c / (c + d))) for a, b, c, d in BCG]
    variances = [1 / a - 1 / (a + b) + 1 / c - 1 / (c + d) for a, b, c, d in BCG]
    return ratios, variances


def test_bcg_vaccine_as_metafor_prints_it() -> None:
    """metafor: tau2 .3132 (REML), log ratio -.7145, I2 92.22 % by tau2; ratio .489, prediction .155 to 1.549."""
    effects, variances = bcg()
    tau2 = between_trials_reml(effects, variances)
    mean, ordinary, _ = mean_at(effects, variances, tau2)
    assert tau2 == pytest.approx(0.3132, abs=5e-5)
    assert mean == pytest.approx(-0.7145, abs=5e-5)
    assert math.sqrt(ordinary) == pytest.approx(0.1798, abs=5e-5)
    half = 1.959964 * math.sqrt(ordinary)
    assert [math.exp(x) for x in (mean, mean - half, mean + half)] == pytest.approx(
        [0.489, 0.344, 0.696], abs=5e-4
    )
    reach = 1.959964 * math.sqrt(tau2 + ordinary)
    assert [math.exp(mean - reach), math.exp(mean + reach)] == pytest.approx([0.155, 1.549], abs=5e-4)
    weights = np.array([1 / v for v in variances])
    fixed = float(np.average(effects, weights=weights))
    q = float(np.sum(weights * (np.array(effects) - fixed) ** 2))
    assert q == pytest.approx(152.233, abs=5e-4)  # Q(df = 12) = 152.23
    assert random_effects(effects, variances)[3] == pytest.approx(100 * (q - 12) / q)


def test_hartung_and_knapp_as_statsmodels_computes_it() -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    effects, variances = bcg()
    for method in ("iterated", "chi2"):
        other = combine_effects(np.array(effects), np.array(variances), method_re=method, use_t=True)
        mean, ordinary, q = mean_at(effects, variances, other.tau2)
        assert mean == pytest.approx(other.mean_effect_re)
        assert math.sqrt(ordinary) == pytest.approx(other.sd_eff_w_re)
        assert math.sqrt(q * ordinary) == pytest.approx(other.sd_eff_w_re_hksj)


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0])
def test_reml_is_where_the_restricted_likelihood_is_highest(spread: float) -> None:
    random = np.random.default_rng(int(10 * spread))
    variances = random.uniform(0.02, 0.2, 8)
    effects = random.normal(0.4, np.sqrt(variances + spread**2))

    def likelihood(tau2: float) -> float:
        w = 1 / (variances + tau2)
        mean = np.average(effects, weights=w)
        return float(-0.5 * (np.sum(-np.log(w)) + np.log(w.sum()) + np.sum(w * (effects - mean) ** 2)))

    found = between_trials_reml(list(effects), list(variances))
    grid = np.linspace(0, 5, 20_001)
    assert likelihood(found) >= max(likelihood(t) for t in grid) - 1e-9


def test_alike_trials_never_give_a_narrower_interval_than_the_ordinary_one() -> None:
    """Three equal effects: q is 0, Hartung and Knapp's own error would be 0; ordinary is sqrt(.04/3)."""
    mean, error, tau2, i2 = random_effects([0.5, 0.5, 0.5], [0.04, 0.04, 0.04])
    assert (mean, tau2, i2) == (pytest.approx(0.5), 0.0, 0.0)
    assert error == pytest.approx(math.sqrt(0.04 / 3))


def row(**fields: Any) -> ConditionTrial:
    given = {
        "key": "x", "condition": "acne", "arm": "oral", "level": "trial", "trial": "X", "year": 2020,
        "intervention": "x", "against": "placebo", "outcome": "x", "better": "fewer", "sign": "null",
        "pool": "yes", "source": "x", "verification": "computed", "valid_from": "2026-11-26",
    }  # fmt: skip
    return ConditionTrial.model_validate(given | fields)


def test_two_groups_of_numbers_come_back_from_their_intervals_and_their_p() -> None:
    """Two drawn samples, told as means with intervals, with SciPy's t test, or with each group's own t test."""
    random = np.random.default_rng(3)
    one, two = random.normal(-5, 3, 30), random.normal(-3.5, 3, 26)
    pooled = math.sqrt((29 * one.var(ddof=1) + 25 * two.var(ddof=1)) / 54)
    g = (one.mean() - two.mean()) / pooled * (1 - 3 / (4 * 56 - 9))
    error = math.sqrt(1 / 30 + 1 / 26 + g**2 / (2 * 56))
    about = {"active": one.mean(), "control": two.mean(), "n_active": 30, "n_control": 26}
    halves = [stats.t.ppf(0.975, x.size - 1) * stats.sem(x) for x in (one, two)]
    own = [stats.ttest_1samp(x, 0).pvalue for x in (one, two)]
    for fields in (
        {"statistic": "changes with intervals", "spread_active": halves[0], "spread_control": halves[1]},
        {"statistic": "changes with p", "p": stats.ttest_ind(one, two).pvalue},
        {"statistic": "changes with own p", "spread_active": own[0], "spread_control": own[1]},
    ):
        found = trial_effect(row(**about, **fields))
        assert found.effect == pytest.approx(g, rel=1e-6)
        assert found.error == pytest.approx(error, rel=1e-6)


def test_responders_and_published_ratios() -> None:
    """30 of 45 against 18 of 43: odds 2 and .72, ratio 2.7778, ln 1.0217; x .5513 = .5633, better so negative."""
    found = trial_effect(row(statistic="events", active=30, control=18, n_active=45, n_control=43, better="more"))
    assert found.effect == pytest.approx(-0.5633, abs=5e-5)
    assert found.error == pytest.approx(0.5513 * math.sqrt(1 / 30 + 1 / 15 + 1 / 18 + 1 / 25), abs=5e-5)
    ratio = trial_effect(row(statistic="ratio", effect=1.31, low=0.13, high=13.65, better="more"))
    assert ratio.effect == pytest.approx(-0.1489, abs=5e-5)  # .5513 * ln 1.31 = .5513 * .27003
    empty = trial_effect(row(statistic="events", active=5, control=0, n_active=10, n_control=10, better="more"))
    assert empty.effect == pytest.approx(-0.5513 * math.log(5.5 * 10.5 / (5.5 * 0.5)), abs=1e-4)


def test_psoriasis_pools_three_trials_with_the_null_one() -> None:
    (oral,) = (effect for effect in pooled_effects("psoriasis") if effect.arm == "oral")
    assert [(trial.trial, trial.year) for trial in oral.trials] == [
        ("Navarro-Lopez", 2019), ("Moludi", 2021), ("Suriano", 2023),
    ]  # fmt: skip
    # Suriano: -1.58 with p .105 of 50, -1.90 with p .019 of 53: sd 6.76 and 5.71, difference .32 / 6.24 = .05
    assert oral.trials[2].effect == pytest.approx(0.05, abs=0.005)
    assert oral.low is not None
    assert oral.high is not None
    assert oral.low < 0 < oral.high
    assert oral.prediction_low is not None
    assert oral.prediction_low < oral.low
    assert "Suriano 2023" in oral.not_positive
    assert any("may share patients" in text for text in oral.not_counted)


def test_what_is_only_remembered_is_shown_and_never_counted() -> None:
    remembered = [row for row in condition_trials().values() if row.only_remembered]
    assert remembered
    told = {
        condition.value: pooled_effects(condition.value)
        for condition in Condition
        if condition is not Condition.ATOPIC_DERMATITIS
    }
    for each in remembered:
        (effect,) = (e for e in told[each.condition] if e.arm == each.arm)
        assert each.trial not in {trial.trial for trial in effect.trials}
        assert effect.from_review != each.trial
        assert any(
            each.trial in text and "only remembered" in text for text in (*effect.not_counted, *effect.published)
        )


def test_every_row_that_counts_can_be_read() -> None:
    rows = [row for row in condition_trials().values() if row.pool == "yes"]
    assert len(rows) == 8
    for each in rows:
        assert each.level == "trial"
        assert not each.only_remembered
        assert each.sign != "uncontrolled"
        assert math.isfinite(trial_effect(each).error)


def told(condition: Condition) -> Any:
    return from_evidence(Profile(patient=Patient(age_years=30, condition=condition)), seed=1)


def test_a_forecast_from_trials_says_what_counted_and_what_did_not() -> None:
    psoriasis = told(Condition.PSORIASIS)
    assert not psoriasis.mechanistic
    gap = psoriasis.difference("oral", "standard_care", STANDARDISED)
    (oral,) = (effect for effect in pooled_effects("psoriasis") if effect.arm == "oral")
    assert gap.bands[-1].median == pytest.approx(oral.effect)
    assert (gap.bands[-1].q2_5, gap.bands[-1].q97_5) == (pytest.approx(oral.low), pytest.approx(oral.high))
    # the chance that the mean is below zero, by the t distribution with two degrees
    assert gap.probability_better == pytest.approx(stats.t.cdf(-oral.effect / oral.error, 2))
    assert gap.weeks == (0, 26)
    # the one trial with a course was positive; its own difference is not shown beside what three trials say
    assert psoriasis.course("oral", "pasi_change") is not None
    assert psoriasis.difference("oral", "standard_care", "pasi_change") is None
    assert len(psoriasis.informed_by) == 3
    said = " ".join(assumption.what for assumption in psoriasis.assumptions)
    for words in ("no difference was found by Suriano 2023", "A next trial may find", "not counted: Moludi 2022"):
        assert words in said


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition.ROSACEA, "Oral, rosacea: 3 trials were found, none with a number that could be counted"),
        (Condition.ROSACEA, "Topical: no trial found"),
        (Condition.ACNE, "Both: no trial found"),
        (
            Condition.SEBORRHOEIC_DERMATITIS,
            "Topical, seborrhoeic dermatitis: 3 trials were found, none with a number",
        ),
        (Condition.DRY_SENSITIVE_SKIN, "Oral: no trial found"),
    ],
)
def test_what_no_trial_tells(condition: Condition, words: str) -> None:
    assert any(text.startswith(words) for text in told(condition).not_informed)


def test_two_trials_of_standard_care_give_an_honestly_wide_interval() -> None:
    """Ketoconazole: 58/229 against 32/230, ratio 2.0987; 18/25 against 8/25, ratio 5.4643; x .5513 of their ln."""
    (care,) = (e for e in pooled_effects("seborrhoeic_dermatitis") if e.arm == "standard_care")
    effects = [-0.55133 * math.log(2.0987), -0.55133 * math.log(5.4643)]
    assert [trial.effect for trial in care.trials] == pytest.approx(effects, abs=5e-5)
    assert care.degrees == 1
    assert care.error is not None
    assert care.effect is not None
    assert care.high == pytest.approx(care.effect + stats.t.ppf(0.975, 1) * care.error)
    assert care.prediction_low is None
    assert "Two trials cannot tell how trials differ" in care.words
    gaps = told(Condition.SEBORRHOEIC_DERMATITIS).differences
    assert {gap.arm for gap in gaps} == {"oral"}  # standard care is what the others are held against


def test_dandruff_rests_on_a_review_and_its_least_certain_outcome() -> None:
    (oral,) = (effect for effect in pooled_effects("seborrhoeic_dermatitis") if effect.arm == "oral")
    assert oral.from_review == "Yin (2 trials), adherent dandruff"
    assert "No single trial's number could be read" in oral.words
    assert told(Condition.SEBORRHOEIC_DERMATITIS).informed_by == (
        "Oral: Yin (2 trials), adherent dandruff, a review",
    )
