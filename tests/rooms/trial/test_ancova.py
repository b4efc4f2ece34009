"""ANCOVA. Witnesses: a hand-worked example, statsmodels' formula interface, and a real trial's table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from biflora.errors import TrialistMust
from biflora.trial.ancova import ancova, ancova_many

# Hand-worked. Control: x 1 2 3, y 2 4 3 (means 2, 3). Treated: x 3 4 5, y 1 3 2 (means 4, 2).
# Within arms: Sxx = 2 + 2 = 4; Sxy = (-1)(-1) + 0 + (1)(0) = 1 per arm, 2 in all; Syy = 2 + 2 = 4.
# Slope 2/4 = 0.5. Difference (2 - 3) - 0.5 (4 - 2) = -2. RSS = 4 - 0.5 x 2 = 3, df = 6 - 3 = 3, s2 = 1.
# SE = sqrt(1 x (1/3 + 1/3 + 2^2 / 4)) = sqrt(5/3). LS means at x = 3: 3 + 0.5 = 3.5 and 2 - 0.5 = 1.5.
X = np.array([1.0, 2, 3, 3, 4, 5])
Y = np.array([2.0, 4, 3, 1, 3, 2])
ARM = ["control"] * 3 + ["treated"] * 3


def test_the_hand_worked_example_by_least_squares() -> None:
    result = ancova(X, Y, ARM, control="control")
    (treated,) = result.contrasts
    assert result.slope == pytest.approx(0.5)
    assert result.ls_means == pytest.approx((3.5, 1.5))
    assert (treated.estimate, treated.se, treated.df) == pytest.approx((-2.0, (5 / 3) ** 0.5, 3))
    assert result.residual_sd == pytest.approx(1.0)


def test_the_hand_worked_example_in_closed_form() -> None:
    many = ancova_many(X[None], Y[None], np.array([0, 0, 0, 1, 1, 1]), arms=2)
    assert many.slope[0] == pytest.approx(0.5)
    assert many.ls_means[0] == pytest.approx((3.5, 1.5))
    assert many.differences[0, 1] == pytest.approx(-2.0)
    assert many.se[0, 1] == pytest.approx((5 / 3) ** 0.5)


def test_the_closed_form_equals_statsmodels_with_dropouts() -> None:
    rng = np.random.default_rng(5)
    trials, sizes = 25, (16, 16, 16, 17)
    arm = np.repeat(np.arange(4), sizes)
    baseline = rng.normal(50, 12, (trials, 65))
    outcome = 0.5 * baseline + rng.normal(0, 8, (trials, 65)) - 3.0 * arm
    outcome[rng.random(outcome.shape) < 0.1] = np.nan
    many = ancova_many(baseline, outcome, arm, arms=4)
    for i in range(trials):
        one = ancova(baseline[i], outcome[i], [str(a) for a in arm], control="0")
        assert np.abs(many.differences[i, 1:] - [c.estimate for c in one.contrasts]).max() < 1e-10
        assert np.abs(many.se[i, 1:] - [c.se for c in one.contrasts]).max() < 1e-10
        assert np.abs(many.p_values[i, 1:] - [c.p_value for c in one.contrasts]).max() < 1e-10
        assert np.abs(many.ls_means[i] - one.ls_means).max() < 1e-10
        assert many.residual_sd[i] == pytest.approx(one.residual_sd, abs=1e-10)
        assert tuple(many.n[i]) == one.n


def test_a_real_trial_agrees_with_the_formula_interface(shared_data: Path) -> None:
    """Khadka 2021: SCORAD at visit 4 on visit 1, bleach bath against standard care; complete cases."""
    smf = pytest.importorskip("statsmodels.formula.api")
    path = shared_data / "ad_skin_trial_khadka2021" / "cleaned_scorads.csv"
    with path.open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if "NA" not in (r["Visit1_SCORAD"], r["Visit4_SCORAd"])]
    first = [float(r["Visit1_SCORAD"]) for r in rows]
    last = [float(r["Visit4_SCORAd"]) for r in rows]
    bath = [r["ChlorineBath"] for r in rows]
    result = ancova(first, last, bath, control="0")
    witness = smf.ols("last ~ C(bath) + first", {"last": last, "first": first, "bath": bath}).fit()
    (contrast,) = result.contrasts
    low, high = witness.conf_int().loc["C(bath)[T.1]"]
    assert contrast.estimate == pytest.approx(witness.params["C(bath)[T.1]"], abs=1e-10)
    assert contrast.se == pytest.approx(witness.bse["C(bath)[T.1]"], abs=1e-10)
    assert contrast.p_value == pytest.approx(witness.pvalues["C(bath)[T.1]"], abs=1e-10)
    assert (contrast.ci_low, contrast.ci_high) == pytest.approx((low, high), abs=1e-9)
    assert sum(result.n) == len(rows)


@pytest.mark.parametrize(
    ("x", "y", "arm", "words"),
    [
        ([1, 2], [1, 2], ["a"], "one each per patient"),
        ([1, 2, 3, 4], [1, 2, 3, 4], ["b"] * 4, "No patient of the control arm"),
        ([1, 2, 3, 4], [1, 2, 3, 4], ["a"] * 4, "Only one arm"),
        ([1, 2, 3], [1, 2, 3], ["a", "b", "b"], "too few"),
        ([5] * 6, [1, 2, 3, 4, 5, 6], ["a", "b"] * 3, "Every baseline value is the same"),
    ],
)
def test_what_cannot_be_analysed_says_why(x: list[float], y: list[float], arm: list[str], words: str) -> None:
    with pytest.raises(TrialistMust, match=words):
        ancova(x, y, arm, control="a")


def test_a_trial_without_an_arm_gives_nan_and_no_warning() -> None:
    outcome = Y.copy()
    outcome[3:] = np.nan
    many = ancova_many(X[None], outcome[None], np.array([0, 0, 0, 1, 1, 1]), arms=2)
    assert np.isnan(many.differences[0, 1])
    assert np.isnan(many.p_values[0, 1])
