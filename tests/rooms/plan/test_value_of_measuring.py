"""The worth of a measurement: expected values by hand on made-up virtual patients, and the plan's own rule."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations

import made_up
import numpy as np
import pytest

from biflora.knowledge.planning import arm_burdens
from biflora.plan.considered import MeasurementWorth
from biflora.plan.draws import Alike, alike
from biflora.plan.make_plan import make_plan
from biflora.plan.plan import Plan
from biflora.plan.value_of_measuring import Rule, likelihoods, quantiles, rule_of, worth_measuring
from biflora.plan.visits import learnt
from biflora.profile.profile import Profile
from biflora.twin import bank as bank_module
from biflora.twin.bands import PAIRS
from biflora.twin.forecast import ARMS, Arm, Forecast
from biflora.twin.observe import OBSERVED, PLACE
from biflora.twin.run import forecast
from biflora.values import State

FREE: dict[Arm, float] = dict.fromkeys(ARMS, 0.0)
BURDENS: dict[Arm, float] = FREE | {"oral": 1.5}
COUNT = 1000


def two_kinds(helped: float, harmed: float, *, load: tuple[float, float] = (2.0, 6.0)) -> Alike:
    """Of 1,000 patients 600 gain `helped` points by the oral arm, 400 `harmed`; S. aureus tells them apart."""
    values = np.zeros((len(ARMS), len(OBSERVED), 13, COUNT), dtype=np.float32)
    kind = (np.arange(COUNT) % 5) // 3
    values[:, PLACE["scorad"]] = 40.0
    values[ARMS.index("oral"), PLACE["scorad"], -1] -= np.where(kind == 0, helped, harmed)
    values[:, PLACE["s_aureus_log10"]] = np.where(kind == 0, *load)
    return Alike(values, values, np.arange(COUNT), 1.0, False)


def worth_of(like: Alike, key: str = "s_aureus_qpcr", burdens: dict[Arm, float] = BURDENS) -> MeasurementWorth:
    """The measurement `key` among those of a patient of whom only SCORAD is known."""
    arms: tuple[Arm, ...] = ("standard_care", "oral")
    found = worth_measuring(made_up.profile(), like, "scorad", arms, burdens, PAIRS, seed=1)
    return next(m for m in found.measurements if m.key == key)


def test_a_telling_measurement_gains_what_a_hand_sum_says() -> None:
    """0.6 x 20 - 0.4 x 10 = 8, less the burden of 1.5: oral leads now with 6.5. Told apart, 60 % take it for 18.5
    and 40 % stay with standard care for 0: 11.1 in the mean. Gain 11.1 - 6.5 = 4.6. The plan proposes standard
    care now (the 80 % interval, -10 to 20, holds zero) and oral where the load is low: in 60 % of results."""
    found = worth_of(two_kinds(20.0, -10.0))
    assert found.expected_gain == pytest.approx(4.6, abs=0.3)  # loads 4 log apart with noise 0.6: nearly perfect
    assert found.probability_choice_changes == pytest.approx(0.6, abs=0.03)
    assert found.other_choices == (("oral", found.probability_choice_changes),)
    assert found.probability_leader_changes == pytest.approx(0.4, abs=0.03)
    assert found.worth == "worth measuring first"
    assert "another arm would be proposed (oral" in found.words


def test_the_gain_is_the_normal_loss_integral() -> None:
    """Raiffa and Schlaifer: with gain ~ N(1, 5) and a Gaussian result the posterior mean has sd s = cov/sd(y),
    and the gain is s (phi(u) - u (1 - Phi(u))), u = 1/s. Load = 4 + 1.5 (0.9 g + sqrt(0.19) e): cov = 5 x 1.5 x
    0.9 = 6.75, sd(y) = sqrt(2.25 + 0.36) = 1.616, s = 4.18, u = 0.239: 4.18 x 0.291 = 1.22."""
    g, e = np.random.default_rng(11).standard_normal((2, COUNT))
    values = np.zeros((len(ARMS), len(OBSERVED), 13, COUNT), dtype=np.float32)
    values[:, PLACE["scorad"]] = 60.0
    values[ARMS.index("oral"), PLACE["scorad"], -1] -= 1.0 + 5.0 * (g - g.mean()) / g.std()
    values[:, PLACE["s_aureus_log10"]] = 4.0 + 1.5 * (0.9 * g + 0.19**0.5 * e)[None, None]
    found = worth_of(Alike(values, values, np.arange(COUNT), 1.0, False), burdens=FREE)
    s = 6.75 / 2.61**0.5
    u = 1.0 / s
    loss = math.exp(-0.5 * u**2) / math.sqrt(2 * math.pi) - u * 0.5 * math.erfc(u / math.sqrt(2))
    assert found.expected_gain == pytest.approx(s * loss, rel=0.15)


def test_a_measurement_that_tells_nothing_gains_exactly_nothing() -> None:
    found = worth_of(two_kinds(20.0, -10.0, load=(4.0, 4.0)))
    assert (found.expected_gain, found.probability_choice_changes) == (0.0, 0.0)
    assert found.probability_leader_changes == 0.0
    assert found.worth == "would not change the choice"
    assert "would not change the choice" in found.words


def test_a_measurement_unrelated_to_the_gain_changes_little() -> None:
    """TEWL is the same for all: nothing; the same holds where the arms do not differ at all."""
    assert worth_of(two_kinds(20.0, -10.0), "tewl").expected_gain == 0.0
    assert worth_of(two_kinds(0.0, 0.0)).expected_gain == 0.0


def test_noise_lowers_the_worth() -> None:
    """The same patients with loads 1 log apart (noise 0.6) tell less than 4 logs apart."""
    near, far = worth_of(two_kinds(20.0, -10.0, load=(4.0, 5.0))), worth_of(two_kinds(20.0, -10.0))
    assert 0.0 < near.expected_gain < far.expected_gain


def test_a_burden_can_outweigh_the_gain() -> None:
    """60 % gain 1.0, 40 % lose 0.3: told apart 0.6, now 0.48; a gain of 0.12 is below a swab's 0.2 x 1.03."""
    found = worth_of(two_kinds(1.0, -0.3), burdens=FREE)
    assert found.expected_gain == pytest.approx(0.12, abs=0.02)
    assert found.worth == "could change the choice"
    assert "no more than it asks" in found.words


def test_one_open_arm_needs_no_measurement_and_a_seed_gives_one_answer() -> None:
    like = two_kinds(20.0, -10.0)
    alone = worth_measuring(made_up.profile(), like, "scorad", ("standard_care",), FREE, PAIRS, seed=1)
    assert alone.said.startswith("Only one arm is open")
    again = [worth_measuring(made_up.profile(), like, "scorad", ARMS, FREE, PAIRS, seed=7) for _ in range(2)]
    assert again[0] == again[1]


def test_what_was_measured_is_not_offered_again() -> None:
    person = made_up.patient(laboratory={"s_aureus_log10_copies_per_cm2": 5.0, "tewl_g_per_m2_h": 30.0})
    found = worth_measuring(made_up.profile(person), two_kinds(20.0, -10.0), "scorad", ARMS, FREE, PAIRS, seed=1)
    assert {m.key for m in found.measurements} == {
        "itch", "skin_ph", "tarc", "total_ige", "faecal_butyrate", "stool_sequencing", "skin_sequencing",
    }  # fmt: skip


def test_a_sample_that_cannot_name_s_aureus_leaves_a_better_one_to_take() -> None:
    for state, offered in ((State.NOT_RESOLVED, True), (State.MEASURED, False), (State.BELOW_DETECTION, False)):
        share = 0.2 if state is State.MEASURED else None
        profile = made_up.profile(skin=made_up.skin(made_up.guild("s_aureus", share, state)))
        found = worth_measuring(profile, two_kinds(20.0, -10.0), "scorad", ARMS, FREE, PAIRS, seed=1)
        assert ("skin_sequencing" in {m.key for m in found.measurements}) is offered


def test_weighted_quantiles_are_hazens_under_equal_weights() -> None:
    values = np.random.default_rng(3).normal(size=200)
    equal = np.full((1, 200), 1 / 200)
    found = quantiles(values, equal, (0.1, 0.5, 0.9))[0]
    assert found == pytest.approx(np.quantile(values, (0.1, 0.5, 0.9), method="hazen"), abs=1e-4)
    # a draw of double weight is a draw that stands twice
    twice = np.r_[np.full(199, 1.0), 2.0][None] / 201
    repeated = np.quantile(np.r_[values, values[-1]], 0.5, method="hazen")
    assert quantiles(values, twice, (0.5,))[0, 0] == pytest.approx(repeated, abs=0.02)


def test_a_result_below_the_limit_is_only_known_to_lie_below() -> None:
    """Limit 1.3, noise 0.6: patients at -1 and 1.0 are both likely below it, one at 4 hardly."""
    weights = likelihoods(np.array([-1.0, 1.0, 4.0]), np.array([0.2]), 0.6, 1.3)[0]
    by_hand = 1.0 / (1.0 + np.exp(-1.702 * (1.3 - np.array([-1.0, 1.0, 4.0])) / 0.6))
    assert weights == pytest.approx(by_hand / by_hand.sum())


@pytest.mark.parametrize("shift", [0.0, 12.0])
def test_the_rule_is_the_plans(shift: float) -> None:
    """Gains drawn as normal: the plan reads their bands, the rule the draws; both propose the same."""
    random = np.random.default_rng(5)
    week12: dict[Arm, float] = {"standard_care": 40, "oral": 36 - shift, "topical": 38, "combination": 35 - shift}
    gains = np.column_stack([40 - week12[arm] + random.normal(0, 2, 20_000) for arm in ARMS])
    gains[:, 0] = 0.0
    burdens = np.array([arm_burdens()[arm].points * 1.03 for arm in ARMS])
    every = frozenset(permutations(range(4), 2))
    rule = Rule(gains, ARMS, burdens, frozenset(pair for pair in every if pair[0] > pair[1]), 1.0)
    place = rule.proposals(np.full((1, 20_000), 1 / 20_000))[0]
    plan = make_plan(made_up.profile(), made_up.forecast(week12, between_sd=2))
    assert ARMS[place] == plan.proposed_arm


def test_what_a_later_visit_tells_by_hand() -> None:
    """Load 2 in 60 %, 6 in 40 %: variance 0.6 x 0.4 x 16 = 3.84, correlation with the gap 1, noise 0.36. One visit
    takes 3.84/4.20 = 91 % of what SCORAD, the same for all before the last week, leaves."""
    rows = learnt(two_kinds(20.0, -10.0), "scorad", under="standard_care", arm="oral")
    assert {row.observable for row in rows} == {"s_aureus_log10"}
    assert {row.week for row in rows} == {4, 8}
    assert rows[0].reduction == pytest.approx(3.84 / 4.20, abs=1e-3)


@pytest.fixture(scope="module")
def small_bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A bank of its own, so that these tests neither wait for nor touch the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIFLORA_CACHE", str(tmp_path_factory.mktemp("bank")))
        patch.setattr(bank_module, "SIZE", 600)
        patch.setattr(bank_module, "_KEPT", {})
        yield


@pytest.fixture(scope="module")
def planned(small_bank: None) -> tuple[Profile, Forecast, Plan]:
    profile = made_up.profile()
    foreseen = forecast(profile, weeks=12, seed=2026)
    return profile, foreseen, make_plan(profile, foreseen)


def test_a_real_forecast_is_asked_with_its_own_draws(planned: tuple[Profile, Forecast, Plan]) -> None:
    """The draws' median gain is the forecast's own, and the rule on them proposes what the plan proposes."""
    profile, foreseen, plan = planned
    like = alike(profile, foreseen)
    assert like is not None
    gains = like.severity("scorad")
    for arm in ("oral", "topical", "combination"):
        told = foreseen.difference(arm, "standard_care", "scorad")
        assert told is not None
        assert np.median(gains[:, ARMS.index(arm)]) == pytest.approx(-told.bands[-1].median, abs=1e-3)
    burdens: dict[Arm, float] = {a.arm: a.burden_points for a in plan.arms}
    rule = rule_of(like, "scorad", ARMS, burdens, PAIRS)
    draws = len(like.patients)
    assert ARMS[rule.proposals(np.full((1, draws), 1 / draws))[0]] == plan.proposed_arm


def test_a_real_plan_answers_whether_to_measure(planned: tuple[Profile, Forecast, Plan]) -> None:
    profile, foreseen, plan = planned
    assert plan.worth_measuring is not None
    assert plan.worth_measuring.said
    assert len(plan.worth_measuring.measurements) == 9  # ten candidates less severity, which was scored
    assert all(
        m.expected_gain >= 0 and m.cost.verification == "assumed" for m in plan.worth_measuring.measurements
    )
    assert make_plan(profile, foreseen) == plan
    assert plan.follow_up is not None
    assert plan.follow_up.weeks == (0, 4, 8, 12)
    assert all(0 < row.reduction < 1 for row in plan.follow_up.learns)


def test_no_model_no_worth_and_it_says_so() -> None:
    plan = make_plan(made_up.profile(made_up.patient(condition="acne"), scorad=None), made_up.no_forecast())
    assert plan.worth_measuring is not None
    assert "cannot be computed" in plan.worth_measuring.said
    assert plan.follow_up is not None
    assert plan.follow_up.learns == ()
