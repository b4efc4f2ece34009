"""Body surface and finger-tip units, against the published practical table and hand sums."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from biflora.errors import ClinicianMust
from biflora.knowledge.planning import body_surface_m2 as usual_surface
from biflora.knowledge.surface import region_shares, site_regions
from biflora.plan.needs import grams_per_day
from biflora.prescription.quantity import amount_for
from biflora.profile.host.surface import (
    body_surface_m2,
    finger_tip_units,
    palms_to_percent,
    site_share_percent,
    surface_findings,
    topical_amount,
)
from biflora.profile.patient import AffectedSite, BodySite, Condition, Patient

CASES = yaml.safe_load((Path(__file__).parents[3] / "rules" / "surface.yaml").read_text(encoding="utf-8"))


def parts(age: float) -> dict[str, float]:
    """Percent of the body surface of the published table's body parts; arms and legs are one each."""
    share = region_shares(age)
    return {
        "face_and_neck": share["head"] / 2 + share["neck"],
        "arm_and_hand": (share["upper_arms"] + share["forearms"] + share["hands"]) / 2,
        "leg_and_foot": (share["thighs"] + share["lower_legs"] + share["feet"]) / 2,
        "front": share["front_trunk"],
        "back_and_buttocks": share["back"] + share["buttocks"],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['age']} years")
def test_the_published_table(case: dict[str, Any]) -> None:
    for part, area in parts(case["age"]).items():
        units = topical_amount(area, case["age"]).finger_tip_units
        assert units == pytest.approx(case["parts"][part], abs=case["within_units"]), part


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['age']} years")
def test_the_whole_body_of_the_published_table(case: dict[str, Any]) -> None:
    """Adults: 2.5 + 2*4 + 2*8 + 7 + 7 = 40.5 published, 47.8 here: 18 % more. Children within 6 %."""

    def whole(units: dict[str, float]) -> float:
        return sum(n * (2 if part in ("arm_and_hand", "leg_and_foot") else 1) for part, n in units.items())

    ours = {part: topical_amount(area, case["age"]).finger_tip_units for part, area in parts(case["age"]).items()}
    assert whole(ours) == pytest.approx(whole(case["parts"]), rel=case["whole_within"])


def test_mosteller() -> None:
    """sqrt(175 * 70 / 3600) = 1.8447; sqrt(100 * 16 / 3600) = .6667."""
    assert body_surface_m2(30, 70, 175) == pytest.approx(1.8447, abs=5e-5)
    assert body_surface_m2(4, 16, 100) == pytest.approx(2 / 3)
    assert body_surface_m2(4, 16) == body_surface_m2(4) == usual_surface(4)
    with pytest.raises(ClinicianMust, match="must be above zero"):
        body_surface_m2(30, 70, 0)


def test_an_adult_by_hand() -> None:
    """10 % of 1.73 m2: 5 units, 2.5 g. Ten palms are 10 %."""
    amount = topical_amount(palms_to_percent(10), 30)
    assert (amount.finger_tip_units, amount.grams) == (pytest.approx(5), pytest.approx(2.5))
    larger = topical_amount(10, 30, weight_kg=100, height_cm=200)
    assert larger.finger_tip_units == pytest.approx(5 * (200 * 100 / 3600) ** 0.5 / 1.73)
    for area in (0, -1, 100.1):
        with pytest.raises(ClinicianMust, match="affected area"):
            finger_tip_units(area, 1.73)


@pytest.mark.parametrize(("age", "area"), [(0.3, 8.0), (4.0, 12.0), (11.0, 3.0), (40.0, 10.0)])
def test_plan_and_prescription_count_the_same_units(age: float, area: float) -> None:
    """The plan's grams a day are twice ours; the prescription rounds our units up to halves."""
    person = Patient(
        age_years=age, condition=Condition.ATOPIC_DERMATITIS,
        sites=(AffectedSite(site=BodySite.TRUNK, area_percent_bsa=area),),
    )  # fmt: skip
    ours = topical_amount(area, age)
    assert grams_per_day(person) == pytest.approx(2 * ours.grams, abs=0.006)
    given = amount_for([(BodySite.TRUNK, area)], age_years=age, applications_per_day=2, days=28)
    assert 0 <= given.finger_tip_units_per_application - ours.finger_tip_units < 0.5


@pytest.mark.parametrize("age", [0, 0.99, 1, 4, 5, 9.9, 10, 14, 15, 17, 18, 90])
def test_regions_are_the_whole_body_at_every_age(age: float) -> None:
    assert sum(region_shares(age).values()) == pytest.approx(100)


def test_the_head_of_an_infant_is_a_fifth_of_her_and_of_an_adult_a_fourteenth() -> None:
    assert region_shares(0.5)["head"] == 19
    assert region_shares(40)["head"] == 7
    assert site_share_percent(BodySite.SCALP, 40) == pytest.approx(3.5)
    assert site_share_percent(BodySite.LEGS, 40) == pytest.approx(33)
    assert site_share_percent(BodySite.FLEXURES, 40) is None
    assert set(site_regions()) <= {site.value for site in BodySite}


def test_an_area_larger_than_its_site_is_questioned() -> None:
    """An adult's scalp holds 3.5 %; a quarter more is let pass: 4.375."""

    def found(area: float, age: float = 40) -> list[str]:
        person = Patient(
            age_years=age, condition=Condition.PSORIASIS,
            sites=(AffectedSite(site=BodySite.SCALP, area_percent_bsa=area),),
        )  # fmt: skip
        return [finding.message for finding in surface_findings(person)]

    assert found(4.3) == []
    assert len(found(4.4)) == 1
    assert "not of the site" in found(40)[0]
    assert found(9, age=0.5) == []  # an infant's holds 9.5 %
