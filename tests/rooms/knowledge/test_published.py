"""Published trials: every number stands in the facts, errors by hand, and regimens that the twin takes."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from statistics import NormalDist

import pytest

from biflora.errors import OperatorMust
from biflora.knowledge.published import (
    PublishedArm,
    PublishedOutcome,
    PublishedTrial,
    arms_of,
    interventions_of,
    left_out_with,
    outcomes_of,
    published_arms,
    published_outcomes,
    published_trials,
)
from biflora.twin.regimen import Regimen

SHARES = {"responders_50", "responders_75", "improved", "mild", "kept_75"}
NOT_IN_FACTS = re.compile(
    r"fb-401-2023_.*_responders_50|(solo-1-2016|dupilumab-adolescents-2020)_.*_responders_75"
    r"|beck-12-weeks-2014_.*_responders_50|fijan-2023_|bakaa-2022_|entry-"
)
"""Read by the developers in sources that the rows name; the facts file does not hold them."""
ENDPOINTS = {
    "scorad": r"SCORAD|severity score|mild AD",
    "easi": "EASI",
    "itch_nrs": "NRS|pruritus|itch",
    "s_aureus_log10": "S. aureus",
    "commensals_log10": "commensal",
    "faecal_butyrate": "butyrate",
}
"""How the facts name each observable."""
CONTROLS = ("placebo", "vehicle", "standard care", "withdrawal")
"""How the classes of the facts' control arms begin."""
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e\d+)?")
Facts = list[dict[str, str]]


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> Facts:
    path = shared_data.parent / "facts" / "trial_arms.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(text: str) -> set[float]:
    return {float(each) for each in NUMBER.findall(text)}


def outcome(key: str) -> PublishedOutcome:
    return published_outcomes()[key]


def trial_row(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "key": "x-2020",
        "label": "X",
        "year": 2020,
        "age_group": "adults",
        "population": "",
        "baseline_status": "assumed",
        "baseline_scorad_mean": 40,
        "baseline_scorad_sd": 10,
        "weeks": 8,
        "design": "randomised",
        "usable": True,
        "null_result": False,
        "source": "10.1",
        "verification": "abstract",
        "valid_from": "2026-11-25",
    }
    return row | changes


def test_every_reported_number_stands_in_the_facts(facts: Facts) -> None:
    seen = 0
    for row in published_outcomes().values():
        if row.measure == "sign" or NOT_IN_FACTS.match(row.key):
            continue
        of_source = [each for each in facts if each["doi_or_url"] == row.source]
        assert of_source, row.key
        lines = [
            each
            for each in of_source
            if row.value in numbers(each["mean"]) | numbers(each["pct_change_from_baseline"])
            or abs(row.value) in {abs(number) for number in numbers(each["note"])}
        ]
        control = published_arms()[row.arm].arm in {"control", "usual"}
        lines = [
            each
            for each in lines
            if each["intervention_class"].startswith(CONTROLS) == control
            and re.search(ENDPOINTS[row.observable], each["endpoint"] + each["note"])
        ]
        assert lines, row.key
        levels = {each["source_level"] for each in lines}
        assert row.verification in levels, f"{row.key}: the mark must be one of the facts' ({levels})"
        week = row.week - 16 if row.trial == "solo-continue-2019" else row.week
        pooled = published_trials()[row.trial].design == "meta"
        assert pooled or row.week == 0 or any(float(each["week"]) == week for each in lines), row.key
        if row.se_status == "reported":
            assert any(f"SE {row.se:g}" in each["note"].replace(".0;", ";") for each in lines), row.key
        if row.measure == "log10_ratio" and row.observable == "s_aureus_log10" and row.se is not None:
            limits = [
                [float(low), float(high)]
                for each in lines
                for low, high in re.findall(r"95% CI (-?[\d.]+) to (-?[\d.]+)", each["note"])
            ]
            assert any(row.se == pytest.approx((b - a) / 3.92, abs=6e-4) for a, b in limits), row.key
        seen += 1
    assert seen > 80


def test_no_mark_is_promoted_and_no_trial_of_the_facts_is_lost(facts: Facts) -> None:
    levels: dict[str, set[str]] = {}
    for each in facts:
        levels.setdefault(each["doi_or_url"], set()).add(each["source_level"])
    rows = [*published_trials().values(), *published_arms().values(), *published_outcomes().values()]
    for row in rows:
        if row.source in levels and not NOT_IN_FACTS.match(row.key):
            assert row.verification in levels[row.source], row.key
    assert set(levels) <= {row.source for row in published_trials().values()}


def test_reported_arm_sizes_stand_in_the_facts(facts: Facts) -> None:
    for row in published_arms().values():
        of_source = [each for each in facts if each["doi_or_url"] == row.source]
        if row.n_status == "reported" and of_source and "AAAAI" not in row.note:
            found = {n for each in of_source for n in numbers(each["n"]) | numbers(each["note"])}
            assert row.n in found, row.key


@pytest.mark.parametrize("row", published_arms().values(), ids=lambda row: row.key)
def test_the_twin_takes_every_arm(row: PublishedArm) -> None:
    regimen = Regimen.model_validate({"interventions": [interventions_of(text) for text in row.interventions]})
    assert [item.name for item in regimen.interventions] == [text.split()[0] for text in row.interventions]
    weeks = published_trials()[row.trial].weeks
    assert all(item.from_week < weeks and (item.to_week or 0) <= weeks for item in regimen.interventions)


def test_one_intervention_by_hand() -> None:
    assert interventions_of("topical_commensal cfu_per_cm2=2e4 susceptible=true to_week=1") == {
        "name": "topical_commensal",
        "cfu_per_cm2": 20_000.0,
        "susceptible": True,
        "to_week": 1.0,
    }
    assert interventions_of("topical_steroid rule=reactive") == {"name": "topical_steroid", "rule": "reactive"}
    assert interventions_of("type_2_blockade") == {"name": "type_2_blockade"}


@pytest.mark.parametrize("text", ["", "rule=reactive", "emollient twice", "emollient a=1 a=2", "emollient name=x"])
def test_what_is_no_intervention_is_refused(text: str) -> None:
    with pytest.raises(OperatorMust):
        interventions_of(text)


def test_errors_by_hand() -> None:
    # Adolescents, placebo, SCORAD: SE 3.8 printed; 3.8 x sqrt(85) = 35.0, the SD of the facts.
    scorad = outcome("dupilumab-adolescents-2020_control_scorad_percent_change_week_16")
    assert (scorad.value, scorad.se, scorad.se_status) == (-17.6, 3.8, "reported")
    assert scorad.se * math.sqrt(scorad.n or 0) == pytest.approx(35.0, abs=0.05)
    # Huang 2017: 95 % CI -6.12 to -0.03; 6.09 / 3.92 = 1.554.
    assert outcome("huang-2017_active_vs_control_scorad_difference_of_change_week_12").se == 1.554
    # Emollients: -4.55 to -0.28; 4.27 / 3.92 = 1.089. PEST: -14.99 to -7.92; 7.07 / 3.92 = 1.804.
    assert outcome("emollients-2017_active_vs_control_scorad_difference_of_change_week_12").se == 1.089
    assert outcome("pest-2017_active_scorad_change_week_12").se == 1.804
    # FB-401, active: 58 % of 77; sqrt(.58 x .42 / 77) = .05625.
    assert outcome("fb-401-2023_active_easi_responders_50_week_16").se == 5.62
    # B244: 2.8 - 2.1 = 0.7 at p .015; the normal quantile of 1 - .0075 is 2.432; 0.7 / 2.432 / sqrt(2) = 0.2035.
    by_p = 0.7 / NormalDist().inv_cdf(1 - 0.015 / 2) / math.sqrt(2)
    assert outcome("b244-2023_control_itch_nrs_change_week_4").se == pytest.approx(by_p, abs=1e-3)
    # Isaev: an assumed SD of 30 points; 30 / sqrt(16) = 7.5.
    assert outcome("isaev-2025_control_scorad_percent_of_means_week_12").se == 7.5


def test_errors_of_all_shares() -> None:
    for row in published_outcomes().values():
        if row.measure in SHARES and row.se is not None:
            p = row.value / 100
            assert row.se == pytest.approx(100 * math.sqrt(p * (1 - p) / (row.n or 0)), abs=5.1e-3), row.key


def test_baseline_of_the_children_by_hand() -> None:
    # (59 x 37.1 + 122 x 37.4 + 123 x 39.0) / 304 = 11 548.7 / 304 = 37.99; SCORAD 22 390.7 / 304 = 73.65
    row = published_trials()["dupilumab-children-2023"]
    assert (row.baseline_easi_mean, row.baseline_scorad_mean) == (37.99, 73.65)
    # pooled SD of EASI: sqrt((58 x 11.77^2 + 121 x 12.45^2 + 122 x 12.01^2) / 301) = sqrt(147.47) = 12.14
    assert row.baseline_easi_sd == 12.14


def test_rows_fit_together() -> None:
    for key, trial in published_trials().items():
        if trial.usable:
            assert len(arms_of(key)) >= (1 if trial.design in ("uncontrolled", "entry") else 2), key
            assert outcomes_of(key), key
        for row in outcomes_of(key):
            arms = published_arms()
            assert {arms[each].trial for each in (row.arm, row.against or row.arm)} == {key}, row.key
            assert row.against != row.arm, row.key
            assert row.week <= trial.weeks, row.key
            if row.observable == "easi" and row.week > 0:
                assert trial.baseline_easi_mean is not None, row.key
            if row.use == "calibrate":
                assert trial.usable, row.key
                assert trial.design != "uncontrolled", f"{row.key}: regression to the mean is in it"
        assert [row for row in arms_of(key) if row.key != f"{key}_{row.arm}"] == []


def test_trials_without_a_benefit_never_calibrate_to_one() -> None:
    nulls = {key for key, row in published_trials().items() if row.null_result}
    assert {"sha9-2021", "fb-401-2023", "butler-2020", "chopra-2017", "maas-2019", "cream-2016"} <= nulls
    for key in nulls:
        for row in outcomes_of(key):
            if row.measure == "sign" and row.against and row.observable in {"scorad", "easi", "poem"}:
                assert row.value == 0, row.key


def test_what_is_wrong_as_printed_only_checks() -> None:
    # Drago prints 13.14 +- 0.27 as if an SD; Umborowati prints -7.9 with a CI of -7.25 to -6.92.
    wrong = [row for row in outcomes_of("drago-2011") if row.measure == "mean"] + [*outcomes_of("umborowati-2022")]
    assert len(wrong) == 5
    assert {(row.use, row.se) for row in wrong} == {("check", None)}


def test_whoever_leaves_a_trial_out_leaves_out_its_patients() -> None:
    assert {"weston-2005", "huang-2017", "huang-2017-over-1"} <= left_out_with("weston-2005")
    assert {"huang-2017", "weston-2005", "gruber-2007"} <= left_out_with("huang-2017")
    assert left_out_with("isaev-2025") == {"isaev-2025"}
    for key in published_trials():
        assert all(key in left_out_with(other) for other in left_out_with(key)), key


@pytest.mark.parametrize(
    "changes",
    [
        {"usable": False},
        {"why_not": "because"},
        {"baseline_status": "none"},
        {"baseline_scorad_mean": None, "baseline_scorad_sd": None},
        {"weeks": 60},
    ],
)
def test_a_trial_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    assert PublishedTrial.model_validate(trial_row()).usable
    with pytest.raises(ValueError, match=r"why_not|baseline|weeks"):
        PublishedTrial.model_validate(trial_row(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"se": 2.0},
        {"se_status": "reported"},
        {"measure": "sign"},
        {"against": "y"},
        {"measure": "difference_of_change"},
    ],
)
def test_an_outcome_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    row: dict[str, object] = {
        "key": "x",
        "trial": "x",
        "arm": "x",
        "week": 8,
        "observable": "scorad",
        "measure": "change",
        "value": -5.0,
        "unit": "points",
        "se_status": "model",
        "use": "check",
        "source": "10.1",
        "verification": "abstract",
        "valid_from": "2026-11-25",
    }
    assert PublishedOutcome.model_validate(row).value == -5.0
    with pytest.raises(ValueError, match=r"se_status|sign|against"):
        PublishedOutcome.model_validate(row | changes)
