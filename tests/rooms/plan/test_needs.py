"""What the topical is wanted for. Witness: the table's thresholds and hand sums of grams."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made_up
import pytest

from biflora.knowledge.planning import need_rules
from biflora.plan.needs import USUAL_SITES, grams_per_day, make_needs, wanted_effects
from biflora.plan.plan import BodySite, Condition, Effect, Need
from biflora.plan.signals import GUT_SIGNALS, SIGNALS
from biflora.profile.profile import GuildShare, Profile, Quantity, Score
from biflora.values import Finding, State, Who


def need(profile: Profile, effect: Effect) -> Need:
    return next(n for n in wanted_effects(profile) if n.effect is effect)


def test_much_s_aureus_is_wanted_down() -> None:
    found = need(made_up.profile(skin=made_up.skin(made_up.guild("s_aureus", 0.43))), Effect.S_AUREUS_SUPPRESSION)
    assert (found.weight, found.confidence) == (0.9, 0.75)
    assert "43.0%" in found.because


def test_the_healthy_upper_quartile_is_the_border() -> None:
    """1.85 % is the upper quartile of healthy children (16S): at it `high`, just below it `low`."""
    for share, weight in ((0.0185, 0.9), (0.0184, 0.15)):
        profile = made_up.profile(skin=made_up.skin(made_up.guild("s_aureus", share)))
        assert need(profile, Effect.S_AUREUS_SUPPRESSION).weight == weight


def test_unmeasured_is_less_sure_and_not_zero() -> None:
    unknown = need(made_up.profile(), Effect.S_AUREUS_SUPPRESSION)
    unresolved = need(
        made_up.profile(skin=made_up.skin(made_up.guild("s_aureus", None, State.NOT_RESOLVED))),
        Effect.S_AUREUS_SUPPRESSION,
    )
    assert unknown == unresolved
    assert (unknown.weight, unknown.confidence) == (0.5, 0.3)


def test_below_detection_is_low_and_known() -> None:
    profile = made_up.profile(skin=made_up.skin(made_up.guild("s_aureus", None, State.BELOW_DETECTION)))
    assert need(profile, Effect.S_AUREUS_SUPPRESSION).weight == 0.15


def test_below_detection_says_the_limit_and_not_zero() -> None:
    """Depth could still see 0.1 %: below it lies below 1.31 %, the upper quartile of healthy children."""
    guild = GuildShare(guild="s_aureus", label="S. aureus", state=State.BELOW_DETECTION, detection_limit=0.001)
    found = need(made_up.profile(skin=made_up.skin(guild)), Effect.S_AUREUS_SUPPRESSION)
    assert (found.weight, found.confidence) == (0.15, 0.6)
    assert "S. aureus holds less than 0.10% of the skin sample" in found.because


def test_a_limit_above_the_threshold_leaves_it_unknown() -> None:
    """Depth could see 5 % only: whether the share lies above or below 1.31 % is not known. Never taken as zero."""
    guild = GuildShare(guild="s_aureus", label="S. aureus", state=State.BELOW_DETECTION, detection_limit=0.05)
    found = need(made_up.profile(skin=made_up.skin(guild)), Effect.S_AUREUS_SUPPRESSION)
    assert (found.weight, found.confidence) == (0.5, 0.3)
    assert "limit of 5.0% lies too high" in found.because


@pytest.mark.parametrize(("ratio", "weight"), [(0.5, 0.7), (0.0, 0.7), (-0.1, 0.2), (None, 0.2)])
def test_s_aureus_over_its_rivals_asks_for_commensals(ratio: float | None, weight: float) -> None:
    """CSB5: log10 ratio -1.17 in healthy children, +0.47 on lesions; from 0 on S. aureus outnumbers the rest.

    Enough commensals by share (5 %) would ask for little (0.2); the balance is the more confident row.
    """
    state = State.NOT_MEASURED if ratio is None else State.MEASURED
    balance = Quantity(
        key="log10_s_aureus_to_cons", label="S. aureus to CoNS", unit="log10", value=ratio, state=state
    )
    skin = made_up.skin(made_up.guild("cons", 0.05), quantities=(balance,))
    assert need(made_up.profile(skin=skin), Effect.COMMENSAL_SUPPORT).weight == weight


def test_the_gut_drives_the_topical_only_where_a_row_says_so() -> None:
    """No row names a signal of the gut today: the needs are the same whatever lives there."""
    rows = need_rules().values()
    assert {row.signal for row in rows} <= set(SIGNALS)
    assert not [row.key for row in rows if row.signal in GUT_SIGNALS]
    gut = made_up.skin(made_up.guild("bifidobacterium", 0.2), site="gut")
    person = made_up.patient(laboratory={"faecal_butyrate_mmol_per_kg": 2.0})
    assert wanted_effects(made_up.profile(person, gut=gut)) == wanted_effects(made_up.profile())


def test_every_rule_is_on_its_generated_page() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "needs-rules.md").read_text(
        encoding="utf-8"
    )
    for key, row in need_rules().items():
        mark = " **(r)**" if row.only_remembered else ""
        assert page.count(f"| `{key}`{mark} |") == len(row.conditions)


def test_a_load_speaks_louder_than_a_share() -> None:
    person = made_up.patient(laboratory={"s_aureus_log10_copies_per_cm2": 5.2})
    profile = made_up.profile(person, skin=made_up.skin(made_up.guild("s_aureus", 0.001)))
    found = need(profile, Effect.S_AUREUS_SUPPRESSION)
    assert (found.weight, found.confidence) == (0.95, 0.85)
    assert "5.2 log10" in found.because


def test_a_warned_sample_is_believed_less() -> None:
    warning = Finding(level="warn", rule="depth", subject="depth", message="few reads", who=Who.LABORATORY)
    profile = made_up.profile(skin=made_up.skin(made_up.guild("s_aureus", 0.43), findings=(warning,)))
    assert need(profile, Effect.S_AUREUS_SUPPRESSION).confidence == pytest.approx(0.75 * 0.6)


@pytest.mark.parametrize(("itch", "weight"), [(8, 0.9), (7, 0.9), (6, 0.6), (4, 0.6), (3, 0.2), (0, 0.2)])
def test_itch_bands(itch: float, weight: float) -> None:
    """0-3 mild, 4-6 moderate, 7-10 severe."""
    score = Score(instrument="itch_nrs", label="Itch", value=itch, minimum=0, maximum=10, computed=False)
    assert need(made_up.profile(scores=[score]), Effect.ANTI_ITCH).weight == weight


@pytest.mark.parametrize(
    ("condition", "first"),
    [
        ("acne", Effect.COMEDOLYSIS),
        ("rosacea", Effect.VASCULAR_CALMING),
        ("seborrhoeic_dermatitis", Effect.MALASSEZIA_CONTROL),
        ("scalp_hair", Effect.HAIR_CYCLE),
        ("dry_sensitive_skin", Effect.HYDRATION),
    ],
)
def test_each_condition_wants_its_own_first(condition: str, first: Effect) -> None:
    profile = made_up.profile(made_up.patient(condition=condition), scorad=None)
    effects = wanted_effects(profile)
    assert effects[0].effect is first
    assert len({n.effect for n in effects}) == len(effects)
    assert all(n.because and n.source for n in effects)


def test_dry_skin_wants_water_and_a_barrier_where_nothing_was_measured() -> None:
    profile = made_up.profile(made_up.patient(condition="dry_sensitive_skin"), scorad=None)
    weights = {n.effect: n.weight for n in wanted_effects(profile)}
    # the table's unmeasured rows: moisture 0.9, barrier 0.8, itch and calming 0.35, commensals 0.25
    assert weights == {
        Effect.HYDRATION: 0.9, Effect.BARRIER_REPAIR: 0.8, Effect.ANTI_ITCH: 0.35,
        Effect.ANTI_INFLAMMATORY: 0.35, Effect.COMMENSAL_SUPPORT: 0.25,
    }  # fmt: skip
    assert make_needs(profile).sites == (BodySite.ARMS, BodySite.LEGS)


@pytest.mark.parametrize(("grams_per_m2_h", "weight"), [(20, 0.95), (19.9, 0.6)])
def test_measured_water_loss_speaks_for_the_barrier_of_dry_skin(grams_per_m2_h: float, weight: float) -> None:
    person = made_up.patient(condition="dry_sensitive_skin", laboratory={"tewl_g_per_m2_h": grams_per_m2_h})
    assert need(made_up.profile(person, scorad=None), Effect.BARRIER_REPAIR).weight == weight


def test_inflammatory_hair_loss_wants_its_germs_down_where_they_were_found() -> None:
    person = made_up.patient(condition="scalp_hair")
    found = made_up.profile(
        person, scorad=None, skin=made_up.skin(made_up.guild("s_aureus", 0.05), made_up.guild("malassezia", 0.001))
    )
    assert need(found, Effect.S_AUREUS_SUPPRESSION).weight == 0.75
    assert need(found, Effect.MALASSEZIA_CONTROL).weight == 0.15
    assert need(found, Effect.ANTI_INFLAMMATORY).weight == 0.65  # severity not scored
    unknown = need(made_up.profile(person, scorad=None), Effect.S_AUREUS_SUPPRESSION)
    assert (unknown.weight, unknown.confidence) == (0.3, 0.25)


def test_every_condition_has_its_usual_site() -> None:
    assert set(USUAL_SITES) == set(Condition)


@pytest.mark.parametrize(
    ("changes", "grams"),
    [
        # 10 % / 2 % per unit = 5 units x 0.5 g = 2.5 g, twice a day = 5 g
        ({"sites": [{"site": "arms", "area_percent_bsa": 10}]}, 5.0),
        ({"sites": [{"site": "arms", "area_percent_bsa": 6}, {"site": "face", "area_percent_bsa": 4}]}, 5.0),
        # no area: 5 % taken -> 2.5 g
        ({}, 2.5),
        # a 5-year-old has 0.74 / 1.73 of the surface: 5 x 0.4277 = 2.14
        ({"age_years": 5, "sites": [{"site": "arms", "area_percent_bsa": 10}]}, 2.14),
        # 3 years lies between 2 (0.54) and 5 (0.74): 0.6067; 5 x 0.6067 / 1.73 = 1.75
        ({"age_years": 3, "sites": [{"site": "arms", "area_percent_bsa": 10}]}, 1.75),
        # half a unit is the least that a finger doses
        ({"sites": [{"site": "eyelids", "area_percent_bsa": 0.1}]}, 0.25),
    ],
)
def test_grams_a_day(changes: dict[str, Any], grams: float) -> None:
    assert grams_per_day(made_up.patient(**changes)) == pytest.approx(grams, abs=0.005)


def test_limits_are_copied() -> None:
    person = made_up.patient(
        sex="female", pregnancy="pregnant", immune_status="immunosuppressed", skin_integrity="excoriated",
        allergies=["lanolin"], sites=[{"site": "face", "area_percent_bsa": 2}],
        preferences={"avoid_ingredients": ["Urea"], "vehicles": ["ow_cream"], "max_monthly_cost_usd": 28},
    )  # fmt: skip
    needs = make_needs(made_up.profile(person))
    assert (needs.pregnancy, needs.immune_status, needs.skin_integrity) == (
        "pregnant", "immunosuppressed", "excoriated",
    )  # fmt: skip
    assert (needs.allergies, needs.avoid_ingredients, needs.vehicles) == (("lanolin",), ("Urea",), ("ow_cream",))
    assert needs.sites == (BodySite.FACE,)
    # 2 % -> 1 g a day, 28 g a month for 28 USD: 100 USD per 100 g
    assert needs.max_cost_usd_per_100g == pytest.approx(100)
    assert needs.research_authorisation is None
