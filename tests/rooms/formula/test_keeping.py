"""Keeping: rates against the published points they come from, live cells, what dissolves, what protects."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from keeping_jars import formula, jar

from biflora.formula.check_keeping import check_keeping
from biflora.formula.jar import Jar
from biflora.formula.keeping import (
    arrhenius,
    capacity,
    cells_left,
    days_to_least_share,
    loss_per_day,
    rate_of,
    share_left,
    suitable_containers,
    tenfold_days,
    water_activity,
)
from biflora.knowledge.keeping import (
    container_kinds,
    gel_strengths,
    live_decay,
    protection_needs,
    solubilities,
    stability_rates,
    water_binders,
)
from biflora.knowledge.pharmacy import ingredients, vehicles
from biflora.values import Finding

GAS = 8.314462618
PRESERVED: dict[str, float | str] = {"phenoxyethanol": 0.9, "ethylhexylglycerin": 0.1}
SYSTEM = {"preservative_system": "phenoxyethanol_ehg"}


def found(made: Jar, rule: str) -> list[Finding]:
    return [each for each in check_keeping(made) if each.rule == rule]


def test_the_freeze_dried_anchor_gives_its_own_temperature_figures() -> None:
    # Lactococcus: half-life 7 d at 25 C, 43 d at 4 C. D = half-life x log2(10): 23.25 d and 142.8 d.
    d25, d4 = 7 * math.log2(10), 43 * math.log2(10)
    assert (d25, d4) == (pytest.approx(23.25, abs=0.01), pytest.approx(142.8, abs=0.1))
    # Ea = R ln(43/7) / (1/277.15 - 1/298.15) = 8.314 x 1.8153 / 2.5414e-4 = 59.4 kJ/mol
    ea = GAS * math.log(43 / 7) / (1 / 277.15 - 1 / 298.15) / 1000
    dry = live_decay()["dry"]
    assert dry.ea_kj_per_mol == pytest.approx(ea, abs=0.05)
    assert dry.d25_days == pytest.approx(d25, abs=0.01)
    assert tenfold_days(dry, 25, 0.2).likely == pytest.approx(d25, abs=0.01)
    assert tenfold_days(dry, 4, 0.2).likely == pytest.approx(d4, rel=0.003)
    # Q10 between 25 and 35 C = exp(59400/R x 1.0884e-4) = 2.18; z = 21 K / log10(43/7) = 26.6 K
    assert arrhenius(dry.ea_kj_per_mol, 35) == pytest.approx(2.18, abs=0.01)
    assert 21 / math.log10(tenfold_days(dry, 4, 0.2).likely / d25) == pytest.approx(26.6, abs=0.1)


def test_damp_powder_dies_faster() -> None:
    # aw 0.75 is 0.5 above the reference of 0.25: ten times as fast; below the reference nothing changes
    dry = live_decay()["dry"]
    assert tenfold_days(dry, 25, 0.75).likely == pytest.approx(dry.d25_days / 10)
    assert tenfold_days(dry, 25, 0.1) == tenfold_days(dry, 25, 0.25)


def test_the_refrigerator_figures_of_wet_cells() -> None:
    # 4 C: D25 x exp(59400/R x 2.5414e-4) = D25 x 6.15: encapsulated 1.14 x 6.15 = 7.0 d;
    # slow end 6.83 x 6.15 = 42 d (120 d from 10^9 to 10^6.13: 120/2.87 = 41.8 d)
    wet = live_decay()["encapsulated"]
    at_4 = tenfold_days(wet, 4, 0.98)
    assert at_4.likely == pytest.approx(7.0, abs=0.05)
    assert wet.high * arrhenius(wet.ea_kj_per_mol, 4) ** -1 == pytest.approx(120 / (9 - 6.13), rel=0.01)


@pytest.mark.parametrize(
    ("key", "celsius", "per_day"),
    [
        ("betamethasone_dipropionate_zinc", 25, 9.58e-3),  # Barnes 1991
        ("betamethasone_dipropionate_zinc", 32, 2.42e-2),
        ("urea_water", 25, 24 * 3.03e-6),  # Panyachariwat 2014, per hour
        ("urea_water", 40, 24 * 4.29e-5),
        ("urea_alcohol", 40, 24 * 4.02e-5),
        ("metronidazole_water", 37, 14.1604e-5),  # Shaheen 2005
        ("metronidazole_water", 50, 30.1e-5),
        ("hydrocortisone_peg", 60, math.log(2) / 186),  # half-life 186 d
        ("benzoyl_peroxide_peg", 24, 0.028),  # Das Gupta 1982
    ],
)
def test_a_rate_gives_back_the_published_point(key: str, celsius: float, per_day: float) -> None:
    assert loss_per_day(stability_rates()[key], celsius).likely == pytest.approx(per_day, rel=0.01)


@pytest.mark.parametrize(
    ("key", "celsius", "days", "left"),
    [
        ("fluocinolone_acetonide_zinc", 25, 7, 0.338),
        ("fluocinolone_acetonide_cream", 25, 84, 0.95),
        ("clindamycin_phosphate_water", 25, 180, 0.90),
        ("clindamycin_phosphate_alcohol", 25, 180, 0.88),
        ("ascorbic_acid_wo", 25, 208, 0.90),
    ],
)
def test_a_rate_gives_back_what_was_left(key: str, celsius: float, days: float, left: float) -> None:
    share = share_left(stability_rates()[key], celsius, days)
    assert share.likely == pytest.approx(left, abs=0.002)
    assert share.low <= share.likely <= share.high


def test_t90_is_ln_ten_ninths_over_k() -> None:
    # ln(10/9) = 0.10536; 0.10536/0.00958 = 11.0 d, as the abstract says; at 32 C 0.10536/0.0242 = 4.4 d
    zinc = stability_rates()["betamethasone_dipropionate_zinc"]
    assert days_to_least_share(zinc, 25).likely == pytest.approx(11.0, abs=0.05)
    assert days_to_least_share(zinc, 32).likely == pytest.approx(4.4, abs=0.05)
    # 50 C: benzoyl peroxide in PEG below 1 % in 5 days
    assert share_left(stability_rates()["benzoyl_peroxide_peg"], 50, 5).likely < 0.0105
    # A study that saw no loss gives no last day
    assert days_to_least_share(stability_rates()["minoxidil_scalp"], 25).latest is None
    assert days_to_least_share(stability_rates()["minoxidil_scalp"], 25).soonest == pytest.approx(180, rel=0.01)


def test_the_interval_of_a_rate_is_wider_away_from_25() -> None:
    # hydroquinone: 5e-4 to 2e-2 a day; Ea 50 to 110. At 40 C: x exp(50000/R x 1.6066e-4) = 2.63 ... x 8.38
    k = loss_per_day(stability_rates()["hydroquinone_water"], 40)
    assert k.low == pytest.approx(5e-4 * 2.63, rel=0.01)
    assert k.high == pytest.approx(2e-2 * 8.38, rel=0.01)


def test_every_interval_holds_its_value_and_names_what_exists() -> None:
    kinds = {vehicle.kind for vehicle in vehicles().values()}
    forms = {vehicle.dosage_form for vehicle in vehicles().values()}
    known, klasses = set(ingredients()), {f"class:{row.klass}" for row in ingredients().values()}
    for solubility in solubilities().values():
        assert solubility.low <= solubility.grams_per_100g <= solubility.high, solubility.key
        assert solubility.ingredient in known, solubility.key
        assert solubility.solvent in known | klasses, solubility.key
    for rate in stability_rates().values():
        assert rate.low <= rate.k25_per_day <= rate.high, rate.key
        assert rate.ea_low <= rate.ea_kj_per_mol <= rate.ea_high, rate.key
        assert {rate.ingredient, *rate.beside} <= known, rate.key
        assert set(rate.vehicle_kinds) <= kinds, rate.key
        assert (rate.low == 0) == (rate.basis in ("bound", "marketed")), rate.key
    for decay in live_decay().values():
        assert decay.low <= decay.d25_days <= decay.high, decay.key
        assert set(decay.ingredients) <= known, decay.key
    for gel in gel_strengths().values():
        assert gel.low_percent < gel.high_percent, gel.key
        assert gel.gelling in known, gel.key
        assert set(gel.vehicle_kinds) <= kinds, gel.key
    for need in protection_needs().values():
        assert need.ingredient in known | klasses, need.key
    for binder in water_binders().values():
        assert binder.ingredient in known, binder.key
    for container in container_kinds().values():
        assert set(container.dosage_forms) <= forms, container.key
    assert forms <= {form for container in container_kinds().values() for form in container.dosage_forms}


def test_no_vehicle_loses_all_its_gel_formers() -> None:
    # Each has a gel former whose least strength is not above what the ingredient may be taken at.
    for vehicle in vehicles().values():
        if vehicle.gelling:
            able = [
                gel.gelling
                for gel in gel_strengths().values()
                if vehicle.kind in gel.vehicle_kinds
                and gel.gelling in vehicle.gelling
                and gel.low_percent <= ingredients()[gel.gelling].max_percent
            ]
            assert able, vehicle.key


def test_what_dissolves_is_the_sum_over_the_solvents() -> None:
    # 2 % minoxidil in ethanol 60, propylene glycol 20, water 18: 0.6 x 3.7 + 0.2 x 7.2 + 0.18 x 0.2 = 3.70 %.
    # Witness: Tsai 1993, "the original 2 % formulation has excess capacity to dissolve minoxidil".
    made = jar(
        "scalp_serum", {"purified_water": "qs", "ethanol": 60, "propylene_glycol": 20, "minoxidil": 2}, ph=5.5
    )
    held = capacity(made.named(["minoxidil"])[0], made)
    assert held is not None
    assert held.percent.likely == pytest.approx(3.696, abs=0.001)
    # low 0.6 x 2.5 + 0.2 x 5 + 0.18 x 0.15 = 2.527; high 0.6 x 5.5 + 0.2 x 10 + 0.18 x 0.35 = 5.363
    assert held.percent.low == pytest.approx(2.527, abs=0.001)
    assert held.percent.high == pytest.approx(5.363, abs=0.001)
    assert not found(made, "solubility")


def test_an_acid_dissolves_as_its_salt_besides() -> None:
    # Salicylic acid 0.22 g per 100 g of water, pKa 2.97; at pH 3.97 times 1 + 10 = 11: 0.98 x 0.22 x 11 = 2.37 %
    made = jar("hydroalcoholic_gel", {"purified_water": "qs", "salicylic_acid": 2}, ph=3.97)
    held = capacity(made.named(["salicylic_acid"])[0], made)
    assert held is not None
    assert held.percent.likely == pytest.approx(0.98 * 0.22 * 11, rel=1e-6)


@pytest.mark.parametrize(
    ("percent", "level"),
    # propylene glycol 30, water the rest: likely 0.3 x 7.2 + 0.7 x 0.2 = 2.3 %; low 1.6; high 3.2
    [(1.5, None), (2.0, "warn"), (3.0, "warn"), (4.0, "stop")],
)
def test_more_than_the_solvents_hold_falls_out(percent: float, level: str | None) -> None:
    made = jar("scalp_serum", {"purified_water": "qs", "propylene_glycol": 30, "minoxidil": percent}, ph=5.5)
    assert [each.level for each in found(made, "solubility")] == ([level] if level else [])


def test_a_vehicle_with_a_body_suspends() -> None:
    # 15 % azelaic acid in a carbomer gel: water dissolves 0.24 x (1 + 10^(5-4.55)) = 0.92 g per 100 g
    lines: dict[str, float | str] = {"purified_water": "qs", "carbomer": 0.8, "azelaic_acid": 15}
    (note,) = found(jar("carbomer_gel", lines, ph=5.0), "solubility")
    assert note.level == "note"
    assert "suspended" in note.message
    assert "0.77 %" in note.message  # 84.2 % water x 0.92


@pytest.mark.parametrize(("strength", "says"), [(0.5, "no body"), (1.0, None), (2.0, None), (4.0, "too stiff")])
def test_a_gel_former_gives_the_body_from_its_least_strength(strength: float, says: str | None) -> None:
    # hydroxyethylcellulose in a water gel: 0.8 to 3 %
    lines: dict[str, float | str] = {"purified_water": "qs", "hydroxyethylcellulose": strength}
    messages = [each.message for each in found(jar("hec_gel", lines, ph=5.5), "viscosity")]
    assert len(messages) == (0 if says is None else 1)
    assert says is None or says in messages[0]


def test_two_gel_formers_share_the_work() -> None:
    # 0.5/0.8 + 0.35/0.7 = 0.625 + 0.5 = 1.125: enough; 0.4/0.8 + 0.3/0.7 = 0.93: not
    enough = {"purified_water": "qs", "hydroxyethylcellulose": 0.5, "xanthan_gum": 0.35}
    less = {"purified_water": "qs", "hydroxyethylcellulose": 0.4, "xanthan_gum": 0.3}
    assert not found(jar("hec_gel", enough, ph=5.5), "viscosity")
    assert len(found(jar("hec_gel", less, ph=5.5), "viscosity")) == 1


TRETINOIN: dict[str, float | str] = {
    "purified_water": "qs", "petrolatum": 8, "mineral_oil": 6, "cetearyl_alcohol": 4, "cetearyl_glucoside": 3,
    "tretinoin": 0.05, **PRESERVED,
}  # fmt: skip


@pytest.mark.parametrize(
    ("container", "levels"),
    [
        ("aluminium_tube", []),  # light-proof, draws in no air
        ("amber_glass_jar", ["warn"]),  # air gets in
        ("clear_jar", ["stop", "warn"]),  # light and air
        ("amber_glass_dropper", ["warn", "warn"]),  # no container for a cream; draws in air
        ("tin_box", ["stop"]),  # nobody knows it
    ],
)
def test_tretinoin_wants_a_dark_tight_container(container: str, levels: list[str]) -> None:
    made = jar("ow_cream", TRETINOIN, ph=5.5, container=container, **SYSTEM)
    assert sorted(each.level for each in found(made, "container")) == sorted(levels)


def test_without_a_container_one_note_says_what_is_wanted() -> None:
    (note,) = found(jar("ow_cream", TRETINOIN, ph=5.5, **SYSTEM), "container")
    assert note.level == "note"
    assert "keeps out light and lets in little air" in note.message
    fit = [kind.key for kind in suitable_containers(formula("ow_cream", TRETINOIN, ph=5.5, **SYSTEM))]
    assert fit == ["aluminium_tube", "airless_pump", "push_up_jar"]


def test_what_is_only_advised_gives_way_to_what_must_be() -> None:
    # A foam comes in a PET bottle or a pump: air gets into both, which tretinoin does not like; both keep out
    # light, which it must have
    lines: dict[str, float | str] = {"purified_water": "qs", "polysorbate_80": 2, "tretinoin": 0.02}
    fit = [kind.key for kind in suitable_containers(formula("foam", lines, ph=5.5))]
    assert fit == ["amber_pet_bottle", "foam_pump"]


def test_benzoyl_peroxide_does_not_last_in_macrogol() -> None:
    # 0.0324 a day at 25 C: 0.10536/0.0324 = 3.3 d; the default date is day 180
    lines: dict[str, float | str] = {"peg_400": "qs", "peg_3350": 40, "benzoyl_peroxide": 5}
    (warning,) = found(jar("peg_ointment", lines), "stability")
    assert (warning.level, warning.subject) == ("warn", "Benzoyl peroxide")
    assert "3.3 days" in warning.message
    assert "Das Gupta" in warning.source


def test_erythromycin_at_an_acid_ph_is_stopped() -> None:
    # 2 a day at 25 C, Ea 80: at 5 C x 0.098 = 0.196 a day; 0.10536/0.196 = 0.5 d, less than 3
    lines: dict[str, float | str] = {"purified_water": "qs", "ethanol": 60, "hypromellose": 2, "erythromycin": 2}
    (stop,) = found(jar("hydroalcoholic_gel", lines, ph=5.5), "stability")
    assert stop.level == "stop"
    # at pH 8 in alcohol: 0.002 a day, 53 d; only the fast end falls before day 35
    assert [e.level for e in found(jar("hydroalcoholic_gel", lines, ph=8.0, **SYSTEM), "stability")] == ["note"]


def test_an_antioxidant_may_go_and_an_unknown_rate_is_said() -> None:
    lines: dict[str, float | str] = {"purified_water": "qs", "hydroxyethylcellulose": 1, "ascorbic_acid": 0.2}
    (note,) = found(jar("hec_gel", lines | PRESERVED, ph=5.0, **SYSTEM), "stability")
    assert note.level == "note"  # 0.0102 a day: 10 d of 35
    lines = {"purified_water": "qs", "hydroxyethylcellulose": 1, "pramoxine_hcl": 1}
    (unknown,) = found(jar("hec_gel", lines | PRESERVED, ph=5.0, **SYSTEM), "stability")
    assert "No rate of loss is known here for" in unknown.message


def test_a_rate_beside_something_comes_before_the_general_one() -> None:
    def key(vehicle: str, lines: dict[str, float | str], **fields: Any) -> str | None:
        made = jar(vehicle, lines, **fields)
        rate = rate_of(made.actives()[-1], made)
        return None if rate is None else rate.key

    paste = {"petrolatum": "qs", "zinc_oxide": 25, "betamethasone_dipropionate": 0.05}
    assert key("zinc_paste", paste) == "betamethasone_dipropionate_zinc"
    plain = {"petrolatum": "qs", "betamethasone_dipropionate": 0.05}
    assert key("hydrocarbon_ointment", plain) == "betamethasone_dipropionate_marketed"
    # above pH 6 nothing is known of it in a cream
    cream = {"purified_water": "qs", "petrolatum": 20, "betamethasone_dipropionate": 0.05}
    assert key("ow_cream", cream, ph=6.5) is None
    assert key("ow_cream", cream, ph=5.0) == "betamethasone_dipropionate_acid"


LIVE: dict[str, float | str] = {"petrolatum": "qs", "beeswax": 10, "reuteri_dsm_17938_live": 1}


def test_dry_live_cells_after_half_a_year_in_the_refrigerator() -> None:
    # D(5 C) = 23.25 x exp(59400/R x 2.4116e-4) = 23.25 x 5.60 = 130.2 d; water activity 0.3 takes 10^-0.1: 103.5 d
    # 10^9 x 1 % = 10^7; 180/103.5 = 1.74 tenfold losses: 10^5.3, below 10^6
    made = jar("balm", LIVE)
    left = cells_left(made.named(["reuteri_dsm_17938_live"])[0], made, 5, 180)
    assert left.likely == pytest.approx(7 - 180 / (23.25 * 5.60 * 10**-0.1), abs=0.01)
    (warning,) = found(made, "live_viability")
    assert warning.level == "warn"
    assert "10^5.3" in warning.message


def test_free_cells_in_water_are_fewer_than_encapsulated_ones() -> None:
    water: dict[str, float | str] = {"purified_water": "qs", "hydroxyethylcellulose": 1}
    free = jar("hec_gel", water | {"hominis_a9_live": 2}, ph=6, preservative_system="none_refrigerated")
    kept = jar(
        "hec_gel", water | {"casei_alginate_microspheres_live": 2}, ph=6, preservative_system="none_refrigerated"
    )
    a = cells_left(free.named(["hominis_a9_live"])[0], free, 4, 14).likely
    b = cells_left(kept.named(["casei_alginate_microspheres_live"])[0], kept, 4, 14).likely
    # start 9 + log10(0.02) = 7.30; 14/3.0 = 4.6 and 14/7.0 = 2.0 tenfold losses
    assert a == pytest.approx(7.30 - 14 / (0.49 * 6.15), abs=0.03)
    assert b == pytest.approx(7.30 - 2.0, abs=0.03)
    assert {each.level for each in found(free, "live_viability")} == {"warn"}


def test_water_activity_of_half_glycerol() -> None:
    # Moles per 100 g: 50/92.09 = 0.543 and 50/18.015 = 2.775; x_s = 0.1636.
    # aw = 0.8364 x exp(-1.16 x 0.1636^2) = 0.8364 x 0.9694 = 0.811; Norrish's own constant for glycerol
    half = jar("hec_gel", {"purified_water": "qs", "glycerin": 50}, ph=5.5)
    assert water_activity(half).likely == pytest.approx(0.811, abs=0.001)
    # Two solutes: the product (Ross). 10 % urea in the same jar: 0.1665 mol in 40/18.015 = 2.220 mol: x = 0.0698
    both = jar("hec_gel", {"purified_water": "qs", "glycerin": 50, "urea": 10}, ph=6.5)
    x = 0.543 / (0.543 + 2.2204)
    expected = (1 - x) * math.exp(-1.16 * x * x) * (1 - 0.0698)
    assert water_activity(both).likely == pytest.approx(expected, abs=0.002)
    assert water_activity(jar("balm", LIVE)) == (0.3, 0.2, 0.6)
