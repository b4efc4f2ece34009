"""Weights, beyond-use dates and triturations, each with its sum."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pytest

from biflora.dispensary.batch import Lot, Worksheet
from biflora.dispensary.beyond_use import beyond_use_date
from biflora.dispensary.trituration import trituration_for
from biflora.dispensary.weighing import check_lots, with_weights
from biflora.dispensary.worksheet import make_worksheet
from biflora.errors import NotAllowed, PharmacistMust
from biflora.knowledge.dispensing import making_steps
from biflora.knowledge.pharmacy import vehicles
from pharmacy_sample import CREAM, MADE_ON, cream, signed


def sheet(**changes: object) -> Worksheet:
    return make_worksheet(signed(), made_on=MADE_ON, **changes)  # type: ignore[arg-type]


def test_weights_by_hand() -> None:
    """120 g and 3 % overage: 123.6 g. Hydrocortisone 1 % is 1.236 g, glycerin 7 % is 8.652 g.

    Water is 63.8 %: 78.8568 g, which the balance shows as 78.857 g. 5 % of 1.236 g is 0.0618 g.
    """
    made = sheet()
    weights = {line.ingredient: line.target_g for line in made.lines}
    assert made.batch_g == 123.6
    assert (weights["hydrocortisone"], weights["glycerin"], weights["purified_water"]) == (1.236, 8.652, 78.857)
    assert next(x for x in made.lines if x.ingredient == "hydrocortisone").tolerance_g == 0.0618


@pytest.mark.parametrize("batch_g", [120.0, 123.6, 250.0, 333.333, 1000.0])
def test_weights_sum_to_the_batch_within_the_balances_rounding(batch_g: float) -> None:
    """Each of 10 lines is rounded by at most half of 0.001 g."""
    made = sheet(batch_g=batch_g)
    assert len(made.lines) == 10
    assert abs(math.fsum(line.target_g for line in made.lines) - batch_g) <= 10 * 0.0005 + 1e-9
    assert math.fsum(line.percent for line in made.lines) == pytest.approx(100)


def test_lines_stand_by_phase_and_the_filling_line_comes_last_in_its_phase() -> None:
    lines = sheet().lines
    assert [line.phase for line in lines] == sorted(line.phase for line in lines)
    assert [line.ingredient for line in lines if line.phase == "A"][-1] == "purified_water"


@pytest.mark.parametrize("batch_g", [119.9, 0.0, -5.0, math.inf, math.nan])
def test_a_batch_that_cannot_be_is_refused(batch_g: float) -> None:
    with pytest.raises(PharmacistMust, match="120 g"):
        sheet(batch_g=batch_g)


@pytest.mark.parametrize("made_on", [date(2026, 11, 22), date(2027, 11, 24)])
def test_an_invalid_prescription_is_not_made(made_on: date) -> None:
    with pytest.raises(PharmacistMust, match="holds from"):
        make_worksheet(signed(), made_on=made_on)


def test_a_changed_prescription_is_not_made() -> None:
    made = signed()
    changed = made.model_copy(update={"draft": made.draft.model_copy(update={"quantity_g": 60.0})})
    with pytest.raises(NotAllowed, match="changed"):
        make_worksheet(changed, made_on=MADE_ON)


def test_the_first_step_shows_how_the_targets_came_about() -> None:
    """123.6 g of which 120 g are ordered; the rounded targets add up to 123.600 g here."""
    first = sheet().steps[0]
    assert "123.6 g (120 g ordered" in first
    assert "0.001 g" in first
    assert "123.600 g" in first


@pytest.mark.parametrize("vehicle", vehicles())
def test_every_kind_of_vehicle_has_its_steps_in_order(vehicle: str) -> None:
    kind = vehicles()[vehicle].kind
    rows = sorted((r for r in making_steps().values() if kind in r.kinds), key=lambda r: r.order)
    assert len(rows) >= 4
    assert "Check prescription" in rows[0].text
    assert "second person" in rows[-1].text


def test_a_small_mass_is_triturated_by_hand() -> None:
    """0.12 / 0.025 = 4.8, so fivefold.

    Weigh 5 x 0.025 = 0.125 g, add 4 x 0.125 = 0.500 g, take 0.125 g of the 0.625 g: 0.125 / 5 = 0.025 g.
    0.02 % of 123.6 g is 0.02472 g: 5 x 0.02472 = 0.1236 g, 4 x 0.1236 = 0.4944 g, less water 0.1236 - 0.0247 g.
    """
    way = trituration_for(0.025)
    assert way is not None
    assert (way.factor, way.weigh_g, way.diluent_g, way.take_g) == (5, 0.125, 0.5, 0.125)
    assert way.take_g * way.weigh_g / (way.weigh_g + way.diluent_g) == pytest.approx(0.025)
    potent = cream(CREAM | {"clobetasol_propionate": (0.02, "A")} | {"hydrocortisone": (1.0, "C")})
    made = make_worksheet(signed(potent), made_on=MADE_ON)
    messages = [f.message for f in made.findings if f.subject == "Clobetasol propionate"]
    assert any(
        "weigh 0.124 g" in text and "0.494 g of Purified water, take 0.124 g" in text and "0.099 g less" in text
        for text in messages
    )
    assert any("geometric dilution" in text for text in messages)


@pytest.mark.parametrize("target", [0.001, 0.007, 0.0301, 0.119])
def test_every_trituration_gives_the_target_and_weighs_enough(target: float) -> None:
    way = trituration_for(target)
    assert way is not None
    assert way.take_g * way.weigh_g / (way.weigh_g + way.diluent_g) == pytest.approx(target, rel=1e-3)
    assert min(way.weigh_g, way.take_g) >= 0.12 - 1e-9
    assert trituration_for(0.12) is None


@pytest.mark.parametrize(
    ("changes", "fills", "rule", "last", "cold"),
    [
        ({}, "purified_water", "795_preserved_aqueous", date(2026, 12, 28), False),
        (
            {"preservative_system": "none_refrigerated"},
            "purified_water", "795_nonpreserved_aqueous", date(2026, 12, 7), True,
        ),
        (
            {"vehicle": "hydrocarbon_ointment", "ph": None, "preservative_system": "none_anhydrous"},
            "mineral_oil", "795_nonaqueous", date(2027, 5, 22), False,
        ),
    ],
)  # fmt: skip
def test_beyond_use_dates_by_calendar(
    changes: dict[str, object], fills: str, rule: str, last: date, cold: bool
) -> None:
    """Made on 24 November, which is day 1.

    Day 35: 7 days are left in November, 28 more: 28 December. Day 14: 7 December. Day 180: 7 + 31 + 31 + 28 + 31 +
    30 = 158 to the end of April, 22 more: 22 May.
    """
    parts = CREAM if fills == "purified_water" else {"petrolatum": (80.0, "B")}
    found = beyond_use_date(cream(parts, fills=fills, **changes), MADE_ON)
    assert (found.rule, found.on, found.days) == (rule, last, (last - MADE_ON).days + 1)
    assert ("refrigerator" in found.storage) is cold
    assert found.source
    assert found.verification


def test_no_component_may_expire_before() -> None:
    """Glycerin's lot ends on 10 December, before 28 December: 17 days with the day of making."""
    lots = [
        Lot(ingredient="glycerin", lot_number="G1", expires_on=date(2026, 12, 10)),
        Lot(ingredient="petrolatum", lot_number="P1", expires_on=date(2028, 1, 1)),
    ]
    found = beyond_use_date(cream(), MADE_ON, lots)
    assert (found.on, found.days, found.rule) == (date(2026, 12, 10), 17, "795_component_cap")
    assert "glycerin, lot G1" in found.because


def test_water_in_a_form_without_water_is_refused() -> None:
    wet = cream({"petrolatum": (80.0, "B")}, vehicle="hydrocarbon_ointment", ph=None)
    with pytest.raises(PharmacistMust, match="water activity"):
        beyond_use_date(wet, MADE_ON)


def test_expired_recalled_and_foreign_lots_are_refused() -> None:
    made = sheet()
    good = Lot(ingredient="glycerin", lot_number="G1", expires_on=MADE_ON)
    check_lots(made, [good], MADE_ON)
    for lot, recalled, words in (
        (good.model_copy(update={"expires_on": MADE_ON - timedelta(days=1)}), (), "expired on 2026-11-23"),
        (good, ("G1",), "recalled"),
        (good.model_copy(update={"ingredient": "lanolin"}), (), "not on this worksheet"),
    ):
        with pytest.raises(PharmacistMust, match=words):
            check_lots(made, [lot], MADE_ON, recalled)


def test_a_weight_at_the_tolerance_is_taken_and_beyond_it_refused() -> None:
    """Hydrocortisone 1.236 g with 0.0618 g: 1.2978 g is the limit."""
    made = sheet()
    exact = {line.ingredient: line.target_g for line in made.lines}
    for weighed in (1.2978, 1.1742):
        done = with_weights(made, exact | {"hydrocortisone": weighed})
        assert next(x for x in done.lines if x.ingredient == "hydrocortisone").weighed_g == weighed
        assert done.id != made.id
        assert done.parent_ids[-1] == made.id
    for wrong in (1.2979, 1.1741, 0.0, -1.236, math.nan, math.inf):
        with pytest.raises(PharmacistMust, match=r"Hydrocortisone: .* is outside 1\.236 g ± 0\.0618 g"):
            with_weights(made, exact | {"hydrocortisone": wrong})
    with pytest.raises(PharmacistMust, match="Glycerin: no weight"):
        with_weights(made, {key: value for key, value in exact.items() if key != "glycerin"})
    with pytest.raises(PharmacistMust, match="lanolin: is not on this worksheet"):
        with_weights(made, exact | {"lanolin": 1.0})
