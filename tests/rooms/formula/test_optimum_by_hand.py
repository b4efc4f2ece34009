"""Designs whose best answer is worked out by hand.

The gel of the small shelf needs a gum (0.5 to 2 %), the acid (0.1 %), a preservative (paraben 0.2 % or sorbate
0.3 %) and water. An ingredient that serves must earn 0.04; a second servant of an effect adds half its strength;
below the usual strength 0.8 of the effect is kept. Of burden each ingredient but the water is 10 points, each
0.10 USD per 100 g (rounded up) one, each 0.1 of pH away from 5.5, the middle of the arms' window, one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from small_shelf import EFFECTS, FACT, INGREDIENTS, VEHICLES, ingredient, small_shelf

from biflora.formula.candidates import weigh_choices
from biflora.formula.design import Found, search
from biflora.formula.formula import Impossible
from biflora.formula.formulate import formulate_from
from biflora.formula.shelf import Precedent, Shelf
from biflora.knowledge.formulating import AmountRatio, OneOfAKind
from biflora.knowledge.keeping import GelStrength, Solubility
from biflora.knowledge.pharmacy import IngredientEffect, SiteLimit, Vehicle
from biflora.plan.plan import BodySite, Condition, Effect, Need, Needs, StockLot


def needs(*effects: str, **more: Any) -> Needs:
    fields: dict[str, Any] = {
        "condition": Condition.ATOPIC_DERMATITIS,
        "needs": tuple(Need(effect=Effect(effect), weight=1.0, confidence=1.0) for effect in effects),
        "age_years": 30,
        "sites": (BodySite.ARMS,),
        "pregnancy": "no",
    }
    return Needs(**(fields | more))


def best(shelf: Shelf, wanted: Needs) -> Found:
    found = search(weigh_choices(wanted, shelf), wanted, shelf, seconds=20).found[0]
    assert found.proved
    return found


def rules(shelf: Shelf, wanted: Needs) -> set[str]:
    answer = formulate_from(shelf, wanted, checked=False, time_limit_seconds=20)
    assert isinstance(answer, Impossible)
    assert answer.minimal
    return {reason.rule for reason in answer.reasons}


def effect(who: str, what: str, strength: float) -> dict[str, IngredientEffect]:
    key = f"{who}_{what}"
    return {key: IngredientEffect(key=key, ingredient=who, effect=what, strength=strength, **FACT)}


def shelf_with(*rows: Any, effects: Any = (), **tables: Any) -> Shelf:
    """The small shelf and more ingredients, which may be barred by their keys as the others may."""
    known = INGREDIENTS | {row.key: row for row in rows}
    served = dict(EFFECTS)
    for more in effects:
        served |= more
    fields: dict[str, Any] = {"ingredients": known, "effects": served} | tables
    return small_shelf(forbidden_by=lambda name: frozenset({name}) & known.keys(), **fields)


def lot(key: str, grams: float, days: int = 365, usd: float | None = None) -> StockLot:
    return StockLot(ingredient=key, grams=grams, expires_in_days=days, usd_per_gram=usd)


def plenty(*but: str) -> tuple[StockLot, ...]:
    return tuple(lot(key, 10_000) for key in INGREDIENTS if key not in ("water", *but))


# -- the budget of sensitisers -----------------------------------------------------------------------------


@pytest.mark.parametrize(("budget", "inside", "points"), [(2, {"balsam", "oat"}, 1070), (1, {"oat"}, 460)])
def test_a_preservative_that_sensitises_takes_its_part_of_the_budget(
    budget: int, inside: set[str], points: int
) -> None:
    """Itch: balsam 0.9 and oat 0.5. Without sorbate only the paraben is left, which is itself a sensitiser.

    Budget 2: paraben and balsam; 0.9 + 0.5 / 2 - 2 * 0.04 = 1.07. Budget 1: the paraben alone fills it, since to
    leave the gel unpreserved is the last resort; oat alone, 0.5 - 0.04 = 0.46.
    """
    arms = SiteLimit(
        key="arms", site="arms", ph_min=4.5, ph_max=6.5, max_irritancy=5, max_sensitisers=budget, **FACT
    )
    shelf = shelf_with(
        ingredient("balsam", "botanical", 1, 1, "W", allergen_groups=("fragrance",)),
        INGREDIENTS["paraben"].model_copy(update={"allergen_groups": ("parabens",)}),
        effects=[effect("balsam", "anti_itch", 0.9)],
        site_limits={"arms": arms},
    )
    found = best(shelf, needs("anti_itch", allergies=("sorbate",)))
    assert found.system == "parabens"
    assert found.actives == inside
    assert found.reached.points == points
    # With sorbate, which is none of the known sensitisers, the balsam fits into a budget of one too.
    assert best(shelf, needs("anti_itch")).reached.points == 1070


# -- lots --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "points"), [(-1, 760), (27, 760), (28, 960), (365, 960)])
def test_a_lot_that_lasts_less_than_four_weeks_is_not_designed_with(days: int, points: int) -> None:
    """Inflammation: steroid 0.8 - 0.04 = 0.76; with oat as second 0.4 / 2 - 0.04 = 0.16 more: 0.92.

    Oat is given the strength 0.48 here, so that its half is 0.24 and the whole 0.76 + 0.20 = 0.96.
    """
    shelf = shelf_with(effects=[effect("oat", "anti_inflammatory", 0.48)])
    stock = (*plenty("oat"), lot("oat", 10_000, days))
    assert best(shelf, needs("anti_inflammatory", stock=stock)).reached.points == points


@pytest.mark.parametrize(
    ("lots", "enough"),
    [
        ((lot("gum", 1.0),), True),
        ((lot("gum", 0.99),), False),
        ((lot("gum", 0.6), lot("gum", 0.4)), True),
        ((lot("gum", 0.6), lot("gum", 5.0, days=27)), False),
        ((), False),
    ],
)
def test_the_lots_of_the_gel_former_must_suffice_for_the_batch(lots: tuple[StockLot, ...], enough: bool) -> None:
    """200 g at 0.5 % take 1.0 g of gum; a lot that is about to expire does not count."""
    wanted = needs("anti_itch", stock=(*plenty("gum"), *lots), batch_grams=200)
    if enough:
        assert best(small_shelf(), wanted).amounts_ppm["gum"] == 5_000
    else:
        # The gel cannot be built without gum, and the ointment cannot hold what serves the itch.
        assert rules(small_shelf(), wanted) == {"stock", "build", "wanted_effect"}


def test_scarce_oat_is_given_at_the_strength_that_the_lot_allows() -> None:
    """Oat 0.2 to 5 %, usual sqrt(0.2 * 5) = 1 %. 0.5 g for 100 g allow 0.5 %: 0.8 * 0.5 - 0.04 = 0.36."""
    shelf = shelf_with(ingredient("oat", "prebiotic", 0.2, 5, "W"))
    assert best(shelf, needs("anti_itch")).reached.points == 460
    scarce = best(shelf, needs("anti_itch", stock=(*plenty("oat"), lot("oat", 0.5))))
    assert scarce.reached.points == 360
    assert 2_000 <= scarce.amounts_ppm["oat"] <= 5_000


@pytest.mark.parametrize(
    ("oat", "rye", "chosen", "dimes"),
    [
        ((1.0,), (2.0,), "oat", 10),
        ((2.0,), (1.0,), "rye", 10),
        # The dearest lot counts: nobody knows which one will be taken.
        ((0.5, 3.0), (2.0,), "rye", 20),
    ],
)
def test_of_two_equals_the_one_with_the_cheaper_lots(
    oat: tuple[float, ...], rye: tuple[float, ...], chosen: str, dimes: int
) -> None:
    """1 % is 1 g in 100 g, so a price of 1 USD per gram is 1 USD or 10 points of burden.

    Four ingredients (gum, acid, preservative, grain) are 40 more and cost nothing else; the pH may stand at 5.5.
    """
    kind = OneOfAKind(key="grain", label="grain", members=("oat", "rye"), **FACT)
    shelf = shelf_with(
        ingredient("rye", "prebiotic", 1, 1, "W"),
        effects=[effect("rye", "anti_itch", 0.5)],
        families={"grain": kind},
    )
    lots = [lot("oat", 1000, usd=price) for price in oat] + [lot("rye", 1000, usd=price) for price in rye]
    found = best(shelf, needs("anti_itch", stock=(*plenty("oat"), *lots)))
    assert found.actives == {chosen}
    assert found.ph == 5.5
    assert found.reached.burden == 40 + dimes


# -- gel strength ------------------------------------------------------------------------------------------


def gel_strength(low: float, high: float) -> dict[str, GelStrength]:
    row = GelStrength(
        key="gum", gelling="gum", vehicle_kinds=("aqueous_gel",), low_percent=low, high_percent=high, **FACT
    )
    return {"gum": row}


DEAR_GUM = INGREDIENTS["gum"].model_copy(update={"usd_per_gram": 1.0})


def test_the_gum_reaches_the_strength_that_sets_the_gel_and_no_more() -> None:
    """A gum for 1 USD per gram is used as sparingly as may be: 0.5 % (5 dimes), or 1.2 % (12) where that sets."""
    weak = best(shelf_with(DEAR_GUM), needs("anti_itch"))
    assert (weak.amounts_ppm["gum"], weak.reached.burden) == (5_000, 40 + 5)
    firm = best(shelf_with(DEAR_GUM, gel_strengths=gel_strength(1.2, 1.5)), needs("anti_itch"))
    assert (firm.amounts_ppm["gum"], firm.reached.burden) == (12_000, 40 + 12)


def test_a_gel_that_would_need_more_gum_than_is_allowed_cannot_be_built() -> None:
    """It sets from 2.5 %, the gum may stand at 2 % at most; the ointment has no phase for the oat."""
    assert "build" in rules(small_shelf(gel_strengths=gel_strength(2.5, 4)), needs("anti_itch"))


def test_of_two_gums_the_cheaper_that_sets_is_taken_alone() -> None:
    """Gum: 1.2 % at 1 USD, 12 dimes. Jelly: sets at 0.7 %, at 1.5 USD 10.5 dimes, rounded up 11."""
    jelly = ingredient("jelly", "gelling", 0.5, 2, "W", ph_min=3, ph_max=9, usd_per_gram=1.5)
    strengths = gel_strength(1.2, 1.5)
    strengths["jelly"] = strengths["gum"].model_copy(
        update={"key": "jelly", "gelling": "jelly", "low_percent": 0.7}
    )
    gel = VEHICLES["gel"].model_copy(update={"gelling": ("gum", "jelly")})
    shelf = shelf_with(DEAR_GUM, jelly, gel_strengths=strengths, vehicles=VEHICLES | {"gel": gel})
    found = best(shelf, needs("anti_itch"))
    assert "gum" not in found.amounts_ppm
    assert (found.amounts_ppm["jelly"], found.reached.burden) == (7_000, 40 + 11)


# -- solubility --------------------------------------------------------------------------------------------

SOLUTION = Vehicle(
    key="solution", label="solution", dosage_form="solution", kind="solution", water_min_percent=50,
    water_max_percent=99.9, aqueous=True, ph_min=4, ph_max=7, phases=("W", "S"), bud_rule_preserved="preserved",
    **FACT,
)  # fmt: skip
STRENGTHS = INGREDIENTS["steroid"].model_copy(update={"strengths_percent": (0.5, 1.0, 2.0), "min_percent": 0.5})


def dissolves(solvent: str, grams: float) -> dict[str, Solubility]:
    row = Solubility(
        key=solvent, ingredient="steroid", solvent=solvent, grams_per_100g=grams, low=grams, high=grams,
        temperature_c=25, **FACT,
    )  # fmt: skip
    return {solvent: row}


def solution_shelf(solubilities: dict[str, Solubility]) -> Shelf:
    spirit = ingredient("spirit", "solvent", 5, 50, "S", usd_per_gram=0.2)
    return shelf_with(STRENGTHS, spirit, vehicles={"solution": SOLUTION}, solubilities=solubilities)


@pytest.mark.parametrize(("grams", "ppm", "points"), [(2.0, 10_000, 760), (0.6, 5_000, 600), (0.5, None, 0)])
def test_a_solution_holds_the_strongest_strength_that_dissolves(
    grams: float, ppm: int | None, points: int
) -> None:
    """Beside 1 % or 0.5 % steroid, acid 0.1 % and paraben 0.2 % there are 98.7 or 99.2 % of water.

    2 g in 100 g of water: 1.97 % dissolve, so the usual 1 %: 0.8 - 0.04. 0.6 g: 0.59 % dissolve, so 0.5 %, the
    weaker: 0.8 * 0.8 - 0.04 = 0.60. 0.5 g: 0.496 % do not hold even that.
    """
    wanted = needs("anti_inflammatory", avoid_ingredients=("oat",))
    shelf = solution_shelf(dissolves("water", grams))
    if ppm is None:
        assert "solubility" in rules(shelf, wanted)
        return
    found = best(shelf, wanted)
    assert found.amounts_ppm["steroid"] == ppm
    assert found.reached.points == points


def test_a_solubility_counts_with_all_its_digits() -> None:
    """0.51 g in 100 g of water: beside 0.5 % steroid are 99.2 % of water, which hold 0.506 %."""
    wanted = needs("anti_inflammatory", avoid_ingredients=("oat",))
    assert best(solution_shelf(dissolves("water", 0.51)), wanted).amounts_ppm["steroid"] == 5_000


def test_as_much_of_a_solvent_as_it_takes() -> None:
    """Water dissolves 0.6 g and spirit 5 g per 100 g; the paraben is out, sorbate is 0.3 %.

    1 % steroid: 0.006 * (100 - 1 - 0.1 - 0.3 - s) + 0.05 * s >= 1, so 0.5916 + 0.044 * s >= 1, s >= 9.28 %.
    Spirit is weighed in steps of 0.5 %: 9.5 %, which at 0.20 USD per gram cost 1.90 USD, 19 points; with four
    ingredients 59. The pH may stand at 5.5.
    """
    shelf = solution_shelf(dissolves("water", 0.6) | dissolves("spirit", 5.0))
    avoided = ("oat", "paraben")
    found = best(shelf, needs("anti_inflammatory", avoid_ingredients=avoided, must_include=("spirit",)))
    assert found.amounts_ppm["steroid"] == 10_000
    assert found.amounts_ppm["spirit"] == 95_000
    assert found.reached.points == 760
    assert found.reached.burden == 40 + 19


# -- ratios ------------------------------------------------------------------------------------------------


def test_two_fats_stand_in_their_ratio_at_the_least_cost() -> None:
    """Half a gram to one gram of oil per gram of grease: with 100 g in all, 33.3 to 50 g of oil.

    Oil at 2 USD per gram is kept low: on the grid of 0.5 % it is 33.5 (33.0 would be 0.493 of 67.0).
    33.5 * 2 + 66.5 * 0.01 = 67.665 USD, 677 dimes; with two ingredients 697. Without the ratio 5 % of oil do:
    10 + 0.95 = 10.95 USD, 110 dimes.
    """
    oil = ingredient("oil", "emollient", 5, 95, "O", usd_per_gram=2.0)
    ratio = AmountRatio(
        key="fats", a=("grease",), b=("oil",), low=0.5, high=1.0, severity="block", mechanism="test", **FACT
    )
    wanted = needs("barrier_repair", must_include=("oil",))
    found = best(shelf_with(oil, ratios={"fats": ratio}), wanted)
    assert found.amounts_ppm == {"grease": 665_000, "oil": 335_000}
    assert found.reached.burden == 20 + 677
    free = best(shelf_with(oil), wanted)
    assert free.amounts_ppm == {"grease": 950_000, "oil": 50_000}
    assert free.reached.burden == 20 + 110
    only_told = best(shelf_with(oil, ratios={"fats": ratio.model_copy(update={"severity": "warn"})}), wanted)
    assert only_told.amounts_ppm == free.amounts_ppm


def test_a_ratio_that_two_fixed_amounts_miss_is_a_reason() -> None:
    """Oat and steroid stand at 1 % each: one gram per gram, where at least two were needed."""
    ratio = AmountRatio(
        key="pair", a=("oat",), b=("steroid",), low=2.0, high=3.0, severity="block", mechanism="test", **FACT
    )
    wanted = needs("anti_itch", must_include=("oat", "steroid"))
    assert rules(small_shelf(ratios={"pair": ratio}), wanted) == {"must_include", "ratio"}


# -- precedent ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("grams_per_day", "former", "risk"), [(10.0, "gum", 0), (25.0, "jelly", 0)])
def test_a_dearer_gum_is_taken_where_the_cheaper_lies_above_precedent(
    grams_per_day: float, former: str, risk: int
) -> None:
    """100 mg a day in 10 g are 1 %, and 0.5 % of gum do: no flag. In 25 g they are 0.4 %, and 0.5 % lie above.

    Risk counts before cost, so the jelly is taken although it costs 5 dimes more.
    """
    jelly = ingredient("jelly", "gelling", 0.5, 2, "W", ph_min=3, ph_max=9, usd_per_gram=1.0)
    gel = VEHICLES["gel"].model_copy(update={"gelling": ("gum", "jelly")})
    shelf = shelf_with(
        jelly,
        vehicles=VEHICLES | {"gel": gel},
        precedents={("gum", "gel"): Precedent(percent=0.1, daily_mg=100)},
    )
    found = best(shelf, needs("anti_itch", grams_per_day=grams_per_day))
    assert former in found.amounts_ppm
    assert found.reached.risk == risk
    alone = replace(shelf, vehicles=VEHICLES)
    assert best(alone, needs("anti_itch", grams_per_day=25)).reached.risk == 1


def test_precedent_binds_no_active() -> None:
    shelf = small_shelf(precedents={("oat", "gel"): Precedent(percent=0.1)})
    assert best(shelf, needs("anti_itch")).reached.risk == 0


# -- known faults: each mark goes when its fault is mended ---------------------------------------------------


def test_a_lot_that_holds_exactly_what_is_needed_suffices() -> None:
    """0.47 % of 30 g are 0.141 g; as floats 0.141 / 30 * 1,000,000 is 4,699.999..., and int() makes it 4,699."""
    rows = ingredient("oat", "prebiotic", 0.47, 0.47, "W", strengths_percent=(0.47,))
    stock = (*plenty("oat"), lot("oat", 0.141))
    assert best(shelf_with(rows), needs("anti_itch", stock=stock, batch_grams=30)).amounts_ppm["oat"] == 4_700


def test_less_in_stock_makes_nothing_possible_that_more_does_not() -> None:
    """Oat 0.2 to 5 %, usual 1 %; 0.4 to 0.6 g of oat must stand beside each gram of steroid (1 %).

    With plenty the amounts 0.2 and 1 % are offered, and neither is between 0.4 and 0.6 %: impossible. A lot of
    0.5 g for 100 g adds the amount 0.5 %: possible.
    """
    ratio = AmountRatio(
        key="pair", a=("steroid",), b=("oat",), low=0.4, high=0.6, severity="block", mechanism="test", **FACT
    )
    shelf = shelf_with(ingredient("oat", "prebiotic", 0.2, 5, "W"), ratios={"pair": ratio})
    wanted = needs("anti_itch", must_include=("oat", "steroid"))
    scarce = wanted.model_copy(update={"stock": (*plenty("oat"), lot("oat", 0.5))})
    found = [bool(search(weigh_choices(each, shelf), each, shelf, seconds=20).found) for each in (wanted, scarce)]
    assert found[0] >= found[1]


def test_water_costs_too() -> None:
    """Oat, gum, acid and paraben are 0.5 + 0.5 + 0.1 + 0.2 % or more; 97 % of water at 0.01 USD per gram are 0.97.

    So no gel costs less than 0.80 USD, since it holds 80 % of water at least.
    """
    dear = INGREDIENTS["water"].model_copy(update={"usd_per_gram": 0.01})
    shelf, wanted = shelf_with(dear), needs("anti_itch", max_cost_usd_per_100g=0.5)
    assert "cost" in rules(shelf, wanted)


def test_an_ointment_holds_three_parts_per_million() -> None:
    """0.0003 % are 3 ppm (calcitriol 3 micrograms per gram); the grease takes up the other 999,997."""
    potent = ingredient("potent", "conventional_drug", 0.0003, 0.0003, "O", strengths_percent=(0.0003,))
    shelf = shelf_with(potent, effects=[effect("potent", "comedolysis", 0.5)])
    found = best(shelf, needs("comedolysis", vehicles=("ointment",)))
    assert found.amounts_ppm == {"potent": 3, "grease": 999_997}
