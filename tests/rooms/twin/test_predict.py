"""Predicted trials: what must hold whatever the population."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from biflora.errors import TrialistMust
from biflora.twin.predict import TrialPrediction, predict_trial
from biflora.twin.regimen import INTERVENTIONS
from biflora.twin.trial_spec import published, read_trial, trial_of

CARE: list[dict[str, Any]] = [{"name": "emollient"}, {"name": "topical_steroid"}]


def trial(**changes: Any) -> str:
    spec: dict[str, Any] = {
        "label": "made up", "age_group": "adults", "baseline": {"scorad": {"mean": 45, "sd": 13}},
        "arms": [
            {"name": "care", "n": 30, "interventions": CARE},
            {"name": "twin of care", "n": 30, "interventions": CARE},
            {"name": "blockade", "n": 30, "interventions": [*CARE, {"name": "type_2_blockade"}]},
        ],
        "endpoints": [{"observable": "scorad", "week": 8}, {"observable": "s_aureus_log10", "week": 8}],
    }  # fmt: skip
    return json.dumps(spec | changes)


@pytest.fixture(scope="module")
def small() -> TrialPrediction:
    return predict_trial(trial_of(trial(), where="trial"), seed=3, populations=12, each=200)


def figure(found: TrialPrediction, arm: str, measure: str) -> Any:
    return next(a for a in found.arms if (a.arm, a.measure, a.observable) == (arm, measure, "scorad")).band


def gap(found: TrialPrediction, arm: str) -> Any:
    return next(d for d in found.differences if (d.arm, d.measure, d.observable) == (arm, "change", "scorad"))


def test_patients_who_enter_are_those_asked_for(small: TrialPrediction) -> None:
    (key, mean, sd) = small.baseline[0]
    assert key == "scorad"
    assert mean == pytest.approx(45, abs=2)
    assert sd == pytest.approx(13, abs=2)


def test_the_same_arm_twice_differs_by_chance_alone(small: TrialPrediction) -> None:
    twin, blockade = gap(small, "twin of care"), gap(small, "blockade")
    assert twin.band.q2_5 < 0 < twin.band.q97_5
    assert abs(twin.band.median) < 1.0
    assert twin.probability_better == pytest.approx(0.5, abs=0.05)
    assert twin.probability_shown < 0.1  # two-sided 5 % in one direction: about 2.5 %
    assert blockade.band.median < -5
    assert blockade.probability_better > 0.9


def test_controls_fall_and_figures_agree_with_each_other(small: TrialPrediction) -> None:
    change, mean = figure(small, "care", "change"), figure(small, "care", "mean")
    assert change.median < 0  # regression to the mean, placebo response, care
    assert mean.median == pytest.approx(45 + change.median, abs=2.5)
    assert figure(small, "blockade", "responders_50").median > figure(small, "care", "responders_50").median


def test_a_larger_trial_is_predicted_more_narrowly(small: TrialPrediction) -> None:
    arms = json.loads(trial())["arms"]
    large = predict_trial(
        trial_of(trial(arms=[arm | {"n": 3000} for arm in arms]), where="trial"), seed=3, populations=12, each=200
    )  # fmt: skip
    wide, narrow = (gap(found, "twin of care").band for found in (small, large))
    assert narrow.q90 - narrow.q10 < 0.3 * (wide.q90 - wide.q10)


def test_same_seed_same_prediction(small: TrialPrediction) -> None:
    again = predict_trial(trial_of(trial(), where="trial"), seed=3, populations=12, each=200)
    assert again.id == small.id


def test_an_unknown_intervention_is_refused_by_name() -> None:
    arms = [{"name": "a", "n": 10, "interventions": [{"name": "moon_water"}]}]
    with pytest.raises(TrialistMust, match=r"'moon_water' is no intervention.*oral_probiotic"):
        trial_of(trial(arms=arms), where="trial.json")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"baseline": {"mood": {"mean": 1, "sd": 1}}}, "baseline must name"),
        ({"endpoints": [{"observable": "happiness", "week": 4}]}, "must be one of"),
        ({"arms": []}, "at least one entry"),
        ({"arms": [{"name": "a", "n": 1, "interventions": []}]}, "greater than or equal to 2"),
    ],
)
def test_bad_trials_get_a_sentence(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(TrialistMust, match=words):
        trial_of(trial(**changes), where="trial.json")


def test_patients_who_do_not_exist_are_refused() -> None:
    with pytest.raises(TrialistMust, match="hardly any virtual patient"):
        predict_trial(
            trial_of(trial(baseline={"scorad": {"mean": 1, "sd": 0.3}}), where="t"), populations=4, each=60
        )  # fmt: skip


def test_a_missing_file_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrialistMust, match=r"nothing\.json: the file cannot be read"):
        read_trial(tmp_path / "nothing.json")


def test_published_trials_are_specs_too() -> None:
    spec = published("dupilumab-children-2023")
    assert spec.baseline["easi"].mean == pytest.approx(37.99)
    assert {item.name for arm in spec.arms for item in arm.interventions.interventions} <= set(INTERVENTIONS)
