"""What the formula's tables must hold together: the barrier trio, steroids, new conditions, what never helped."""

from __future__ import annotations

import pytest

from biflora.knowledge.checking import conditions
from biflora.knowledge.formulating import amount_ratios, families, needed_beside
from biflora.knowledge.pharmacy import (
    Ingredient,
    incompatibilities,
    ingredient_effects,
    ingredients,
    site_limits,
    strength_limits,
    vehicles,
)

CERAMIDE_NP, CHOLESTEROL, PALMITIC, STEARIC = 584.0, 386.7, 256.4, 284.5
"""Grams per mole; the ceramide with stearic acid on phytosphingosine."""
CALCINEURIN_INHIBITORS = {"tacrolimus", "pimecrolimus"}


@pytest.mark.parametrize(
    ("ratio", "grams", "inside"),
    [
        # ceramide leads 3:1:1 by mole: 386.7 / (3 x 584) = 0.22; the fatty acids 0.15 and 0.16
        ("ceramide_to_cholesterol", CHOLESTEROL / (3 * CERAMIDE_NP), True),
        ("ceramide_to_fatty_acid", PALMITIC / (3 * CERAMIDE_NP), True),
        ("ceramide_to_fatty_acid", STEARIC / (3 * CERAMIDE_NP), True),
        # one to one by mole: 0.66 and 0.44 to 0.49
        ("ceramide_to_cholesterol", CHOLESTEROL / CERAMIDE_NP, True),
        ("ceramide_to_fatty_acid", STEARIC / CERAMIDE_NP, True),
        # 3:1:1 and 1:1:1 by weight
        ("ceramide_to_cholesterol", 1 / 3, True),
        ("ceramide_to_fatty_acid", 1.0, True),
        ("ceramide_to_cholesterol", 3.0, True),
        # cholesterol leads 3:1:1 by mole: 3 x 386.7 / 584 = 1.99; fatty acid leads: 3 x 284.5 / 584 = 1.46
        ("ceramide_to_cholesterol", 3 * CHOLESTEROL / CERAMIDE_NP, True),
        ("ceramide_to_fatty_acid", 3 * STEARIC / CERAMIDE_NP, True),
        # a trace of cholesterol, and five times as much as ceramide
        ("ceramide_to_cholesterol", 0.1, False),
        ("ceramide_to_cholesterol", 5.0, False),
        # a vanishing cream's stearic acid beside a trace of ceramide: 5 % and 0.2 %
        ("ceramide_to_fatty_acid", 5 / 0.2, False),
    ],
)
def test_the_trio_keeps_to_mixtures_that_were_tried(ratio: str, grams: float, inside: bool) -> None:
    row = amount_ratios()[ratio]
    assert (row.low <= grams <= row.high) is inside
    assert row.severity == "block"


def test_ratios_name_ingredients_and_never_one_on_both_sides() -> None:
    for row in amount_ratios().values():
        assert set(row.a) | set(row.b) <= set(ingredients())
        assert not set(row.a) & set(row.b)
        assert row.low < row.high


def test_every_ceramide_stands_with_cholesterol_a_fatty_acid_and_a_solvent() -> None:
    ceramides = {key for key in ingredients() if key.startswith("ceramide_")}
    assert len(ceramides) >= 5
    for need in ("ceramide_cholesterol", "ceramide_fatty_acid", "ceramide_solvent"):
        assert ceramides <= set(needed_beside()[need].for_ingredients)
    # mice, told at second hand: that must not stop a cream that a pharmacist wrote with ceramide alone
    assert needed_beside()["ceramide_cholesterol"].severity == "note"
    assert needed_beside()["carbomer_neutraliser"].severity == "block"
    for ratio in amount_ratios().values():
        if ratio.key.startswith("ceramide_"):
            assert set(ratio.a) == ceramides


def test_the_trio_can_be_weighed_at_the_least_ceramide() -> None:
    """0.1 % ceramide bears 0.02 to 0.3 % cholesterol and 0.014 to 0.3 % fatty acid; both can be so little."""
    for ratio, partner in (
        ("ceramide_to_cholesterol", "cholesterol"),
        ("ceramide_to_fatty_acid", "palmitic_acid"),
    ):
        row = amount_ratios()[ratio]
        assert row.low * 0.1 <= ingredients()[partner].min_percent <= row.high * 0.1


def test_the_catalogue_is_large_and_its_emollients_are_few() -> None:
    rows = ingredients().values()
    assert len(rows) >= 250
    assert sum(row.klass == "emollient" for row in rows) <= 35


def steroids() -> list[Ingredient]:
    return [
        ingredients()[key] for key in families()["immune_calming"].members if key not in CALCINEURIN_INHIBITORS
    ]


def test_every_steroid_has_its_allergen_group_and_its_limits() -> None:
    blocked = [row for row in strength_limits().values() if row.severity == "block" and row.max_percent == 0]
    assert len(steroids()) == 13
    for steroid in steroids():
        assert [group for group in steroid.allergen_groups if group.startswith("corticosteroids_")], steroid.key
        mine = [row for row in blocked if row.ingredient == steroid.key]
        assert any({"acne", "rosacea"} <= set(row.conditions) for row in mine), steroid.key
        assert any("open_wounds" in row.skin_integrity for row in mine), steroid.key


@pytest.mark.parametrize("site", ["face", "eyelids", "genital", "napkin"])
@pytest.mark.parametrize(
    "steroid",
    ["clobetasol_propionate", "halobetasol_propionate", "betamethasone_dipropionate", "desoximetasone",
     "mometasone_furoate", "betamethasone_valerate", "triamcinolone_acetonide"],
)  # fmt: skip
def test_no_steroid_above_low_potency_on_thin_skin(steroid: str, site: str) -> None:
    assert any(
        row.ingredient == steroid and site in row.sites and row.max_percent == 0 and row.severity == "block"
        for row in strength_limits().values()
    )


def test_each_condition_has_a_leave_on_vehicle_for_each_site() -> None:
    for condition in conditions():
        for site in site_limits():
            assert [
                row
                for row in vehicles().values()
                if condition in row.conditions and site in row.sites and not row.rinse_off and row.aqueous
            ], (condition, site)


@pytest.mark.parametrize(
    ("ingredient", "effect"),
    [
        ("roseomonas_fb401_live", "anti_inflammatory"),
        ("evening_primrose_oil", "anti_inflammatory"),
        ("propolis_extract", "s_aureus_suppression"),
    ],
)
def test_what_did_not_help_stays_in_sight(ingredient: str, effect: str) -> None:
    (row,) = [r for r in ingredient_effects().values() if (r.ingredient, r.effect) == (ingredient, effect)]
    assert row.strength == 0


def test_zinc_oxide_and_salicylic_acid_clash_in_water_alone() -> None:
    """Zinc and salicylic acid paste holds both without water."""
    assert "zinc_oxide" not in ingredients()["salicylic_acid"].incompatible_with
    assert "salicylic_acid" not in ingredients()["zinc_oxide"].incompatible_with
    rows = incompatibilities()
    assert (rows["salicylic_zinc_oxide"].severity, rows["salicylic_zinc_oxide"].water) == ("block", "present")
    assert (rows["salicylic_zinc_oxide_paste"].severity, rows["salicylic_zinc_oxide_paste"].water) == (
        "warn", "absent",
    )  # fmt: skip


def test_an_effect_is_told_once_for_each_condition() -> None:
    """Two rows that both hold for a condition would overwrite each other."""
    told: set[tuple[str, str, str]] = set()
    for row in ingredient_effects().values():
        for condition in row.conditions or conditions():
            assert (row.ingredient, row.effect, condition) not in told, row.key
            told.add((row.ingredient, row.effect, condition))
