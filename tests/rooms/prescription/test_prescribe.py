"""Quantity, route, questions. Every sum is written out."""

from __future__ import annotations

from datetime import date

import pytest

from biflora.errors import ClinicianMust, NotAllowed
from biflora.knowledge.pharmacy import ingredients
from biflora.knowledge.planning import body_surface_m2
from biflora.plan.plan import BodySite, Condition, Effect, Need, Needs
from biflora.prescription.prescribe import questions, route_of
from biflora.prescription.quantity import amount_for, container_for
from pharmacy_sample import CREAM, WRITTEN, cream, draft


def test_an_adults_amount_by_hand() -> None:
    """7 % of the skin at 2 % a unit: 3.5 units; 3.5 x 0.5 g = 1.75 g; x 2 a day x 28 days = 98 g."""
    amount = amount_for(
        [(BodySite.FACE, 2.0), (BodySite.FLEXURES, 5.0)], age_years=34, applications_per_day=2, days=28
    )
    assert (amount.finger_tip_units_per_application, amount.grams_per_application) == (3.5, 1.75)
    assert amount.grams_total == 98.0


def test_half_units_are_rounded_up_and_never_down() -> None:
    """4.1 % is 2.05 units: 2.5. Exactly 4 % is 2.0 units and stays 2.0."""
    for area, units in ((4.1, 2.5), (4.0, 2.0), (0.1, 0.5)):
        amount = amount_for([(BodySite.ARMS, area)], age_years=40, applications_per_day=1, days=1)
        assert amount.finger_tip_units_per_application == units


def test_a_child_needs_less_for_the_same_percentage() -> None:
    """At 5 years 0.74 of 1.73 m2: 20 % is 10 adult units x 0.4277 = 4.28, rounded up to 4.5."""
    assert body_surface_m2(5) == pytest.approx(0.74)
    assert body_surface_m2(7.5) == pytest.approx((0.74 + 1.12) / 2)
    child = amount_for([(BodySite.TRUNK, 20.0)], age_years=5, applications_per_day=2, days=14)
    assert child.finger_tip_units_per_application == 4.5
    assert child.grams_total == pytest.approx(4.5 * 0.5 * 2 * 14)


@pytest.mark.parametrize(
    ("grams", "form", "expected"),
    [(98, "cream", (120, 1)), (15, "cream", (15, 1)), (15.1, "gel", (30, 1)), (300, "paste", (120, 3))],
)
def test_the_smallest_container_that_holds_it(grams: float, form: str, expected: tuple[float, int]) -> None:
    container, count = container_for(grams, form)
    assert (container.grams, count) == expected


def test_a_draft_orders_whole_containers_and_says_why() -> None:
    made = draft()
    assert (made.quantity_g, made.amount.grams_total) == (120, 98)
    assert "3.5 finger-tip units (1.75 g)" in made.directions
    assert "face and flexures" in made.directions
    assert "28 days" in made.directions
    assert "Stop and call" in made.directions
    assert made.expires_on == date(2027, 11, 23)
    assert (made.expires_on - WRITTEN).days == 365


@pytest.mark.parametrize(
    "sites",
    [[], [(BodySite.FACE, 0.0)], [(BodySite.FACE, float("nan"))], [(BodySite.LEGS, 60.0), (BodySite.TRUNK, 41.0)]],
)
def test_an_area_that_cannot_be_is_refused(sites: list[tuple[BodySite, float]]) -> None:
    with pytest.raises(ClinicianMust, match="area"):
        draft(sites=sites)


def test_too_much_for_one_prescription_is_refused() -> None:
    with pytest.raises(ClinicianMust, match="fewer days"):
        draft(sites=[(BodySite.TRUNK, 40.0)], days=28)


def test_routes_follow_from_the_ingredients() -> None:
    assert route_of(cream(), authorised=False) == "503A"
    plain = {key: part for key, part in CREAM.items() if key not in ("hydrocortisone", "petrolatum", "glycerin")}
    assert {ingredients()[key].us_route for key in plain} <= {"COSM", "EXC"}
    assert route_of(cream(plain), authorised=False) == "cosmetic"


@pytest.mark.parametrize("strain", [key for key, row in ingredients().items() if row.klass == "probiotic_live"])
def test_a_live_strain_is_never_compounded_under_503a(strain: str) -> None:
    live = cream({"petrolatum": (15.0, "B"), strain: (1.0, "C")})
    with pytest.raises(NotAllowed, match="biological product"):
        route_of(live, authorised=False)
    with pytest.raises(NotAllowed, match="biological product"):
        draft(live)
    assert route_of(live, authorised=True) == "research"


def test_the_checker_looks_again_at_a_formula_that_a_person_wrote() -> None:
    """Urea works from pH 6 on; this cream has pH 5.2 and came without any finding of its own."""
    urea = cream(CREAM | {"urea": (5.0, "A")})
    assert urea.findings == ()
    with pytest.raises(ClinicianMust, match="Urea"):
        draft(urea)


def test_what_the_checker_asked_is_not_asked_again() -> None:
    asked = {f.subject for f in draft().findings if f.rule in ("copy", "essentially_a_copy")}
    assert asked == {"Hydrocortisone"}
    rules = [f.rule for f in draft().findings if f.subject == "Hydrocortisone"]
    assert rules.count("essentially_a_copy") == 1
    assert "copy" not in rules


def test_questions_name_the_ingredient_that_raises_them() -> None:
    found = {f.rule: f for f in questions(cream({"tretinoin": (0.025, "C"), "bifida_ferment_lysate": (2.0, "A")}))}
    assert found["hazardous"].subject == "Tretinoin"
    assert found["biologic_status"].level == "warn"
    assert all(f.source and f.verification for f in found.values())


@pytest.mark.parametrize(
    ("current", "rule", "level"),
    [
        ("Mometasone cream 0.1 %", "two_steroids", "warn"),
        ("topical STEROID", "two_steroids", "warn"),
        ("cetirizine", None, None),
    ],
)
def test_current_treatments_are_compared(current: str, rule: str | None, level: str | None) -> None:
    before = {f.rule for f in draft().findings}
    after = [f for f in draft(current_treatments=(current,)).findings if f.rule not in before]
    assert [(f.rule, f.level) for f in after] == ([] if rule is None else [(rule, level)])


def test_pregnancy_from_the_needs_reaches_the_draft() -> None:
    def needs(pregnancy: str) -> Needs:
        return Needs.model_validate(
            {
                "condition": Condition.ACNE,
                "needs": [Need(effect=Effect.COMEDOLYSIS, weight=1, confidence=1)],
                "age_years": 25,
                "sites": [BodySite.FACE],
                "pregnancy": pregnancy,
            }
        )

    retinoid = cream(CREAM | {"tretinoin": (0.025, "C")})
    with pytest.raises(ClinicianMust, match="pregnancy"):
        draft(retinoid, needs=needs("pregnant"), sites=[(BodySite.FACE, 3.0)])
