"""Every row of the tables goes through the real checker: at its limit it says nothing, one grain above it speaks.

A grain is 1 ppm (0.0001 %), a step of pH is 0.1. The formulas are as small as can be; only the row's own rule
counts.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import pytest
from formula_cases import PERSON, lines_of

from biflora.formula.check import check_formula
from biflora.formula.formula import Formula
from biflora.formula.jar import EXCIPIENTS
from biflora.knowledge.formulating import amount_ratios, families, needed_beside
from biflora.knowledge.lookup import banned_by
from biflora.knowledge.pharmacy import (
    Incompatibility,
    StrengthLimit,
    allergens,
    incompatibilities,
    ingredients,
    preservative_parts,
    preservative_systems,
    site_limits,
    strength_limits,
    vehicles,
)
from biflora.plan.plan import BodySite, Condition, Needs
from biflora.values import Finding

GRAIN = 0.0001
STEP = 0.1


def check(lines: dict[str, Any], needs: dict[str, Any] | None = None, **more: Any) -> tuple[Finding, ...]:
    """Findings on `lines` in a gel of pH 5.5 (or as `more` says), for the usual person with `needs`."""
    given = {"vehicle": "hec_gel", "ph": 5.5, "preservative_system": "phenoxyethanol_ehg"} | more
    return check_formula(Formula(lines=lines_of(lines), **given), Needs.model_validate(PERSON | (needs or {})))


def found(rule: str, findings: tuple[Finding, ...], subject: str = "") -> set[str]:
    return {each.level for each in findings if each.rule == rule and subject in each.subject}


def of_class(name: str, besides: str = "") -> str:
    """The ingredient that a name means: itself, or the first of its class."""
    if not name.startswith("class:"):
        return name
    return next(k for k, row in ingredients().items() if row.klass == name.removeprefix("class:") and k != besides)


# -- strength limits ---------------------------------------------------------------------------------------


def person_of(limit: StrengthLimit) -> dict[str, Any]:
    person: dict[str, Any] = {}
    if limit.sites:
        person["sites"] = [limit.sites[0]]
    if limit.age_below_years is not None:
        person["age_years"] = limit.age_below_years - 0.01
    if limit.pregnancy:
        person["pregnancy"] = limit.pregnancy[0]
    if limit.skin_integrity:
        person["skin_integrity"] = limit.skin_integrity[0]
    if limit.conditions:
        person["condition"] = limit.conditions[0]
    return person


@pytest.mark.parametrize("limit", strength_limits().values(), ids=lambda row: row.key)
def test_a_strength_limit(limit: StrengthLimit) -> None:
    key, person, rinse = of_class(limit.ingredient), person_of(limit), limit.rinse_off == "yes"
    level = "stop" if limit.severity == "block" else "warn"
    at = {"purified_water": "qs"} | ({key: limit.max_percent} if limit.max_percent else {})
    above = {"purified_water": "qs", key: limit.max_percent + GRAIN}
    assert found(limit.key, check(at, person, rinse_off=rinse)) == set()
    assert found(limit.key, check(above, person, rinse_off=rinse)) == {level}


@pytest.mark.parametrize("limit", strength_limits().values(), ids=lambda row: row.key)
def test_a_strength_limit_holds_for_nobody_else(limit: StrengthLimit) -> None:
    """The same amount, one mark of the person or of the use away from the row."""
    key, person, rinse = of_class(limit.ingredient), person_of(limit), limit.rinse_off == "yes"
    above = {"purified_water": "qs", key: limit.max_percent + GRAIN}
    others: list[tuple[dict[str, Any], bool]] = []
    if limit.sites:
        others.append(({"sites": [next(s.value for s in BodySite if s.value not in limit.sites)]}, rinse))
    if limit.age_below_years is not None:
        others.append(({"age_years": limit.age_below_years}, rinse))
    if limit.pregnancy:
        others.append(({"pregnancy": "no"}, rinse))
    if limit.skin_integrity:
        others.append(({"skin_integrity": "intact"}, rinse))
    if limit.conditions:
        others.append(({"condition": next(c.value for c in Condition if c.value not in limit.conditions)}, rinse))
    if limit.rinse_off != "any":
        others.append(({}, not rinse))
    for other, rinsed in others:
        assert found(limit.key, check(above, person | other, rinse_off=rinsed)) == set(), other


# -- pairs and conditions that clash -----------------------------------------------------------------------

CLASHES = [row for row in incompatibilities().values() if row.severity != "allow"]


def jar_of(clash: Incompatibility, first: str, second: str | None) -> dict[str, Any]:
    """The least that makes the clash: both sides at their least amounts, and water or none."""
    lines: dict[str, Any] = {first: max(clash.a_min_percent, GRAIN)}
    if second is not None:
        lines[second] = max(clash.b_min_percent, GRAIN)
    wet = clash.water != "absent"
    return lines | ({"purified_water": "qs"} if wet else {"petrolatum": "qs"})


def place_of(clash: Incompatibility) -> dict[str, Any]:
    if clash.water == "absent":
        return {"vehicle": "hydrocarbon_ointment", "ph": None, "preservative_system": "none_anhydrous"}
    ph = 5.5
    if clash.ph_below is not None:
        ph = round(clash.ph_below - STEP, 1)
    elif clash.ph_above is not None:
        ph = round(clash.ph_above + STEP, 1)
    return {"ph": ph}


@pytest.mark.parametrize("clash", CLASHES, ids=lambda row: row.key)
def test_a_clash_and_what_just_lifts_it(clash: Incompatibility) -> None:
    first = of_class(clash.a[0])
    second = of_class(clash.b[0], besides=first) if clash.b else None
    lines, place = jar_of(clash, first, second), place_of(clash)
    level = "stop" if clash.severity == "block" else "warn"
    assert found(clash.key, check(lines, **place)) == {level}
    lifted: list[tuple[dict[str, Any], dict[str, Any]]] = []
    if clash.ph_below is not None:
        lifted.append((lines, place | {"ph": clash.ph_below}))
    if clash.ph_above is not None:
        lifted.append((lines, place | {"ph": clash.ph_above}))
    if clash.a_min_percent > 0:
        lifted.append((lines | {first: clash.a_min_percent - GRAIN}, place))
    if second is not None:
        least = clash.b_min_percent - GRAIN
        without = {key: percent for key, percent in lines.items() if key != second}
        lifted.append((lines | {second: least} if least > 0 else without, place))
    lifted += [(lines | {key: GRAIN}, place) for key in clash.unless_any if not key.startswith("class:")]
    dry = {"vehicle": "hydrocarbon_ointment", "ph": None, "preservative_system": "none_anhydrous"}
    bare = {key: percent for key, percent in lines.items() if key not in ("purified_water", "petrolatum")}
    if clash.water == "present":
        lifted.append((bare | {"petrolatum": "qs"}, dry))
    elif clash.water == "absent":
        lifted.append((bare | {"purified_water": "qs"}, {}))
    assert lifted, f"{clash.key}: nothing lifts it, so it is a ban and belongs elsewhere"
    for case, where in lifted:
        assert found(clash.key, check(case, **where)) == set(), (case, where)


@pytest.mark.parametrize("key", [key for key, row in ingredients().items() if row.incompatible_with])
def test_every_mark_of_the_ingredients_table_keeps_two_apart(key: str) -> None:
    """By the mark itself, by a row about the pair, or lifted by a row that allows it or holds elsewhere."""
    judged = [
        (row, {of_class(name) for name in row.a}, {of_class(name) for name in row.b})
        for row in incompatibilities().values()
    ]
    for other in ingredients()[key].incompatible_with:
        findings = check({"purified_water": "qs", key: GRAIN, other: GRAIN})
        both = {ingredients()[key].name, ingredients()[other].name}
        told = [f for f in findings if f.level == "stop" and set(f.subject.split(" + ")) == both]
        allowed = any(
            row.severity == "allow" and ((key in a and other in b) or (other in a and key in b))
            for row, a, b in judged
        )
        killed = [f for f in findings if f.rule == "live_killer"]
        assert told or allowed or killed, (key, other)


# -- allergens ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", allergens().values(), ids=lambda row: row.key)
def test_an_allergy_bans_its_group_and_its_cross_reactors_and_nothing_else(group: Any) -> None:
    wanted = {group.key, *group.cross_reacts_with}
    banned = {key for key, row in ingredients().items() if wanted & set(row.allergen_groups)}
    by_name = set(banned_by(group.label))  # an ingredient that is itself called so, such as urea
    for key, row in ingredients().items():
        lines = {"purified_water": "qs"} | ({} if key == "purified_water" else {key: 1})
        if key in banned:
            assert found("allergy", check(lines, {"allergies": [group.label]}), row.name) == {"stop"}
    free = next(key for key in ("petrolatum", "purified_water", "mineral_oil") if key not in banned | by_name)
    assert found("allergy", check({"purified_water": "qs", free: 1}, {"allergies": [group.label]})) == set()


# -- sites -------------------------------------------------------------------------------------------------

SENSITISERS = [
    key for key, row in ingredients().items() if row.allergen_groups and row.irritancy == 0 and row.phase == "W"
]


def stinging(points: int) -> dict[str, float]:
    """Excipients whose irritancy adds up to `points`, strongest first: they count fully at any strength."""
    lines: dict[str, float] = {}
    for key, row in sorted(ingredients().items(), key=lambda item: -item[1].irritancy):
        if row.klass in EXCIPIENTS and 0 < row.irritancy <= points:
            lines[key] = GRAIN
            points -= row.irritancy
    assert points == 0
    return lines


@pytest.mark.parametrize("site", site_limits().values(), ids=lambda row: row.key)
def test_what_a_site_tolerates(site: Any) -> None:
    here = {"sites": [site.site]}
    water = {"purified_water": "qs"}
    for points, levels in ((site.max_irritancy, set()), (site.max_irritancy + 1, {"stop"})):
        assert found("irritancy", check(water | stinging(points), here)) == levels
        assert found("irritancy", check(water | stinging(points), here, rinse_off=True)) == set()
    for count, levels in ((site.max_sensitisers, set()), (site.max_sensitisers + 1, {"stop"})):
        lines = water | dict.fromkeys(SENSITISERS[:count], GRAIN)
        assert len(lines) == count + 1
        assert found("sensitisers", check(lines, here)) == levels
        assert found("sensitisers", check(lines, here, rinse_off=True)) == set()
    for ph, levels in (
        (site.ph_min, set()),
        (site.ph_max, set()),
        (site.ph_min - STEP, {"stop"}),
        (site.ph_max + STEP, {"stop"}),
    ):
        assert found("ph_site", check(water, here, ph=round(ph, 1))) == levels


# -- preservatives -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", preservative_parts().values(), ids=lambda row: row.key)
def test_a_part_of_a_preservative_system_may_lack_a_tenth(part: Any) -> None:
    # Down to 0.4 of it an approved product is known, so that is a warning.
    tenth, least = (ceil(part.percent * share * 10_000 - 1e-6) / 10_000 for share in (0.9, 0.4))
    name = ingredients()[part.ingredient].name
    water = {"purified_water": "qs"}
    for percent, levels in (
        (tenth, set()),
        (tenth - GRAIN, {"warn"}),
        (least, {"warn"}),
        (least - GRAIN, {"stop"}),
    ):
        lines = water | ({part.ingredient: round(percent, 4)} if percent > GRAIN / 2 else {})
        findings = check(lines, preservative_system=part.system)
        assert found("preservative_part", findings, name) == levels


@pytest.mark.parametrize("system", preservative_systems().values(), ids=lambda row: row.key)
def test_a_preservative_system_at_the_ends_of_its_ph(system: Any) -> None:
    parts = {row.ingredient: row.percent for row in preservative_parts().values() if row.system == system.key}
    lines = {"purified_water": "qs"} | parts
    if system.ph_min is not None:
        for ph, levels in (
            (system.ph_min, set()),
            (system.ph_max, set()),
            (system.ph_min - STEP, {"stop"}),
            (system.ph_max + STEP, {"stop"}),
        ):
            findings = check(lines, preservative_system=system.key, ph=round(ph, 1))
            assert found("preservative_ph", findings) == levels, ph
    leave, rinse = (check(lines, preservative_system=system.key, rinse_off=off) for off in (False, True))
    assert found("preservative_leave_on", leave) == ({"stop"} if system.never_leave_on else set())
    assert found("preservative_leave_on", rinse) == set()
    germs = (system.bacteria_gram_positive, system.bacteria_gram_negative, system.yeast, system.mould)
    if parts:
        assert found("preservative_cover", leave) == ({"note"} if "partial" in germs else set())
    else:
        assert found("preservative_none", leave) == ({"warn"} if system.refrigerate else {"stop"})


# -- ingredients, vehicles, company ------------------------------------------------------------------------


@pytest.mark.parametrize("row", ingredients().values(), ids=lambda row: row.key)
def test_an_ingredient_at_the_ends_of_its_windows(row: Any) -> None:
    fill = "purified_water" if row.key != "purified_water" else "glycerin"

    def at(percent: float, **more: Any) -> tuple[Finding, ...]:
        amount = round(percent, 4)
        return check({fill: "qs"} | ({row.key: amount} if amount > 0 else {}), **more)

    builds = row.klass in ("emollient", "humectant", "emulsifier", "gelling", "solvent")
    above = {"warn" if builds else "stop"}
    ends = [(row.max_percent, set()), (row.max_percent + GRAIN, above), (row.min_percent, set())]
    ends += [(row.min_percent - GRAIN, {"warn"})] if row.min_percent > GRAIN else []
    for percent, levels in ends:
        if percent <= 100:
            assert found("strength_range", at(percent), row.name) == levels, percent
    limit = row.eu_leave_on_max_percent
    if limit is not None:
        assert found("eu_leave_on", at(limit), row.name) == set()
        assert found("eu_leave_on", at(limit + GRAIN), row.name) == {"warn"}
        assert found("eu_leave_on", at(limit + GRAIN, rinse_off=True), row.name) == set()
    outside = {"warn" if row.klass == "buffer" else "stop"}
    for ph, levels in (
        (row.ph_min, set()),
        (row.ph_max, set()),
        (None if row.ph_min is None else row.ph_min - STEP, outside),
        (None if row.ph_max is None else row.ph_max + STEP, outside),
    ):
        if ph is not None and 1 <= ph <= 13:
            assert found("ph_window", at(GRAIN, ph=round(ph, 1)), row.name) == levels, ph
    for strength in row.strengths_percent:
        assert found("unusual_strength", at(strength), row.name) == set()
    if row.min_age_years > 0:
        assert found("age", at(GRAIN, needs={"age_years": row.min_age_years}), row.name) == set()
        assert found("age", at(GRAIN, needs={"age_years": row.min_age_years - 0.01}), row.name) == {"stop"}


@pytest.mark.parametrize("row", vehicles().values(), ids=lambda row: row.key)
def test_a_vehicle_at_the_ends_of_its_ph(row: Any) -> None:
    for ph, levels in (
        (row.ph_min, set()),
        (row.ph_max, set()),
        (None if row.ph_min is None else row.ph_min - STEP, {"stop"}),
        (None if row.ph_max is None else row.ph_max + STEP, {"stop"}),
    ):
        if ph is not None:
            assert found("ph_vehicle", check({"purified_water": "qs"}, vehicle=row.key, ph=round(ph, 1))) == levels


@pytest.mark.parametrize("need", needed_beside().values(), ids=lambda row: row.key)
def test_what_must_stand_beside(need: Any) -> None:
    name = next((each for each in need.for_vehicles), "")
    if name:
        kind = name.removeprefix("kind:")
        vehicle = next(row for row in vehicles().values() if name == row.key or kind == row.kind)
    else:
        vehicle = vehicles()["hydrocarbon_ointment" if need.only_water == "absent" else "hec_gel"]
    asked = dict.fromkeys(need.for_ingredients[:1], GRAIN)
    partner = next(key for key in need.any_of if key not in asked)
    ends = [(need.min_total_percent, False), (need.min_total_percent - GRAIN, True)]
    if need.max_total_percent is not None:
        ends += [(need.max_total_percent, False), (need.max_total_percent + GRAIN, True)]
    for percent, misses in ends:
        lines = {"purified_water": "qs"} | asked | {partner: round(percent, 4)}
        findings = check(lines, vehicle=vehicle.key, ph=5.5 if vehicle.aqueous else None)
        told = [each for each in findings if each.rule == "needed_beside" and need.function in each.message]
        assert bool(told) is misses, percent


@pytest.mark.parametrize("family", families().values(), ids=lambda row: row.key)
def test_one_of_a_kind_is_enough(family: Any) -> None:
    lines = {"purified_water": "qs"} | dict.fromkeys(family.members[:2], GRAIN)
    two, one = check(lines), check({"purified_water": "qs", family.members[0]: GRAIN})
    assert [each for each in two if each.rule == "one_of_a_kind" and family.label in each.message]
    assert not [each for each in one if each.rule == "one_of_a_kind" and family.label in each.message]


@pytest.mark.parametrize("ratio", amount_ratios().values(), ids=lambda row: row.key)
def test_a_ratio_at_its_ends(ratio: Any) -> None:
    a, b = ratio.a[0], next(key for key in ratio.b if key not in ratio.a)
    level = {"block": "stop", "warn": "warn"}[ratio.severity]
    for share, levels in (
        (ratio.low, set()),
        (ratio.high, set()),
        (ratio.low - GRAIN, {level}),
        (ratio.high + GRAIN, {level}),
    ):
        findings = check({"purified_water": "qs", a: 1, b: round(share, 4)})
        names = f"{ingredients()[a].name} + {ingredients()[b].name}"
        assert found("amount_ratio", findings, names) == levels, share
