"""Estimated properties by hand: a typed cream, a gel, an ointment, with and without the pharmacy's lots."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from keeping_jars import formula

from biflora.formula.formula import Property
from biflora.formula.properties import properties_of, weighted_mean
from biflora.knowledge.pharmacy import ingredients
from biflora.plan.plan import Needs

NEEDS: dict[str, Any] = {
    "condition": "atopic_dermatitis",
    "needs": [{"effect": "hydration", "weight": 0.5, "confidence": 0.5}],
    "age_years": 30,
    "sites": ["eyelids"],
}
CREAM: dict[str, float | str] = {
    "purified_water": "qs", "glycerin": 5, "petrolatum": 8, "mineral_oil": 6, "cetearyl_alcohol": 4,
    "cetearyl_glucoside": 3, "sodium_benzoate": 0.5, "potassium_sorbate": 0.3,
}  # fmt: skip


def by_key(
    vehicle: str, lines: dict[str, float | str], needs: Needs | None = None, **more: Any
) -> dict[str, Property]:
    return {each.key: each for each in properties_of(formula(vehicle, lines, **more), needs)}


def test_every_property_says_how_sure_it_is_and_where_it_comes_from() -> None:
    found = by_key("ow_cream", CREAM, ph=5.0)
    assert set(found) >= {
        "ph_window", "water_activity", "hlb", "free_preservative_acid", "viscosity", "stability", "container",
        "irritancy", "sensitisers", "cost", "ingredients",
    }  # fmt: skip
    assert all(each.value and each.uncertainty and each.source for each in found.values())


def test_hlb_and_free_acid_of_a_cream() -> None:
    found = by_key("ow_cream", CREAM, ph=5.0)
    # petrolatum 8 x 7.5 + mineral oil 6 x 10.5 + cetearyl alcohol 4 x 15.5 = 185; 185/18 = 10.3; emulsifier 11
    assert found["hlb"].value == "11.0 / 10.3"
    # water 73.2 %; benzoic 1/(1 + 10^0.8) = 13.7 %: 0.5 x 0.137 x 0.732 = 0.050;
    # sorbic 1/(1 + 10^0.24) = 36.5 %: 0.3 x 0.365 x 0.732 = 0.080
    acid = found["free_preservative_acid"].value
    assert "14 %, 0.050 % w/w free" in acid
    assert "37 %, 0.080 % w/w free" in acid


def test_the_ph_window_names_what_narrows_it() -> None:
    # highest lower end: sodium benzoate 3, cetearyl glucoside 4.5, glycerin 4; lowest upper end: benzoate 5.5
    rows = ingredients()
    value = by_key("ow_cream", CREAM, ph=5.0)["ph_window"].value
    low = max((rows[k] for k in CREAM if rows[k].ph_min is not None), key=lambda r: r.ph_min or 0)
    high = min((rows[k] for k in CREAM if rows[k].ph_max is not None), key=lambda r: r.ph_max or 14)
    assert value == f"5.0; the ingredients allow {low.ph_min:g} ({low.name}) to {high.ph_max:g} ({high.name})"
    assert "ph_window" not in by_key("hydrocarbon_ointment", {"petrolatum": "qs"})


def test_consistency_by_oil_share_and_gel_strength() -> None:
    # a cream holds 10 to 35 % oil; 18 % is (18 - 10)/25 = 0.32, the lower third
    assert by_key("ow_cream", CREAM, ph=5.0)["viscosity"].value.startswith("light cream: 18 % oil phase")
    gel: dict[str, float | str] = {"purified_water": "qs", "hydroxyethylcellulose": 2}
    # 0.8 to 3 %; (2 - 0.8)/2.2 = 0.55, the middle third
    value = by_key("hec_gel", gel, ph=5.5)["viscosity"].value
    assert value.startswith("medium gel: 2 % Hydroxyethylcellulose, usual 0.8 to 3 %")
    assert "mPa s" in value


def test_water_activity_with_interval_and_class() -> None:
    # glycerin 5/92.09 = 0.0543 mol in 73.2/18.015 = 4.063 mol: x = 0.0132; 0.9868 x 0.9998 = 0.987
    value = by_key("ow_cream", CREAM, ph=5.0)["water_activity"].value
    assert value.startswith("about 0.99 (0.96 to 1.00), 0.60 or more: aqueous")
    assert "nonaqueous" in by_key("hydrocarbon_ointment", {"petrolatum": "qs"})["water_activity"].value


def test_the_horizon_names_the_first_to_fall_and_the_unknown() -> None:
    lines: dict[str, float | str] = {"peg_400": "qs", "peg_3350": 40, "benzoyl_peroxide": 5, "pramoxine_hcl": 1}
    value = by_key("peg_ointment", lines)["stability_horizon"].value
    # 0.10536/0.0324 = 3.3 d; ends 0.10536/0.05 = 2 and 0.10536/0.02 = 5
    assert value.startswith("Benzoyl peroxide, after about 3 days at room temperature (2 to 5)")
    assert "no rate is known here for Pramoxine" in value
    only: dict[str, float | str] = {"petrolatum": "qs", "pramoxine_hcl": 1}
    assert by_key("hydrocarbon_ointment", only)["stability_horizon"].value.startswith("not known")


def test_live_cells_left_on_the_last_day() -> None:
    lines: dict[str, float | str] = {"petrolatum": "qs", "beeswax": 10, "reuteri_dsm_17938_live": 1}
    live = by_key("balm", lines)["live_reuteri_dsm_17938_live"]
    assert live.value.startswith("10^7.0 at first, 10^5.3 (")
    assert "assumed" in live.uncertainty


def test_a_lot_with_a_price_replaces_the_assumed_one() -> None:
    rows = ingredients()
    lines: dict[str, float | str] = {"petrolatum": "qs", "beeswax": 10}
    assumed = 90 * rows["petrolatum"].usd_per_gram + 10 * rows["beeswax"].usd_per_gram
    alone = by_key("balm", lines)["cost"].value
    assert alone == f"about {assumed:.2f} USD ({assumed / 2:.2f} to {assumed * 2:.2f})"
    # the dearest lot of beeswax costs 0.5 USD/g: 10 g are 5 USD, told and not assumed
    lots = [
        {"ingredient": "beeswax", "grams": 50, "expires_in_days": 300, "usd_per_gram": price}
        for price in (0.2, 0.5)
    ]
    needs = Needs.model_validate(NEEDS | {"stock": lots})
    rest = 90 * rows["petrolatum"].usd_per_gram
    value = by_key("balm", lines, needs)["cost"].value
    assert value.startswith(f"about {5 + rest:.2f} USD ({5 + rest / 2:.2f} to {5 + rest * 2:.2f})")
    assert "5.00 USD of it at the prices of the lots" in value


def test_the_site_s_budgets_stand_beside_the_sums() -> None:
    needs = Needs.model_validate(NEEDS)
    found = by_key("ow_cream", CREAM, needs, ph=5.0)
    assert " of 2 that the site tolerates" in found["irritancy"].value  # eyelids
    assert " of 4 that the site is to get" in found["sensitisers"].value
    counted = [key for key in CREAM if ingredients()[key].allergen_groups]
    assert found["sensitisers"].value.startswith(f"{len(counted)} of 4")


def test_a_container_is_named_or_proposed() -> None:
    lines: dict[str, float | str] = {"purified_water": "qs", "petrolatum": 20, "tretinoin": 0.05}
    assert "opaque airless pump" in by_key("ow_cream", lines, ph=5.5)["container"].value
    chosen = by_key("ow_cream", lines, ph=5.5, container="clear_jar")["container"].value
    assert chosen.startswith("clear plastic jar; wanted: one that keeps out light")


def test_a_vehicle_that_nobody_knows_has_no_properties() -> None:
    assert properties_of(formula("snail_slime", {"petrolatum": "qs"})) == ()


def test_a_weighted_mean_of_nothing_is_none() -> None:
    assert weighted_mean({"a": 30, "b": 10}, {"a": 2, "b": 6}) == pytest.approx(3.0)  # (60 + 60)/40
    assert weighted_mean({"a": 30}, {}) is None
