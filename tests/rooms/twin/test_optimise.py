"""The search for a protocol: arithmetic by hand, the same patients for all, relapse after stopping, refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from biflora.cli import show_twin
from biflora.cli.show import console
from biflora.errors import ClinicianMust
from biflora.knowledge.protocols import protocol_burden
from biflora.profile.patient import Condition, Patient
from biflora.profile.profile import Profile, Score
from biflora.twin import state as at
from biflora.twin.cohort import simulate
from biflora.twin.engine import run
from biflora.twin.forecast import Observation
from biflora.twin.front import Protocols, area, better, population_share, thinned_front
from biflora.twin.likeness import patients_like
from biflora.twin.observe import PLACE
from biflora.twin.optimise import Trial, optimise
from biflora.twin.protocols import (
    STANDARD_CARE,
    Protocol,
    SideCourse,
    burden_of,
    first_protocols,
    label,
    neighbours,
    regimen_of,
    steroid_due,
)
from biflora.twin.regimen import timetable

SMALL = (8, 16, 48)
"""Patients at the three stages, so that a search takes seconds."""


def made_up(condition: Condition = Condition.ATOPIC_DERMATITIS, **scores: float) -> Profile:
    patient = Patient(age_years=30, condition=condition, synthetic=True)
    given = tuple(
        Score(instrument=key, label=key, value=value, minimum=0, maximum=103, computed=False)
        for key, value in scores.items()
    )
    return Profile.make("profile", release="test", patient=patient, scores=given)


@pytest.fixture(scope="module")
def found() -> Protocols:
    return optimise(made_up(scorad=48), horizon=16, seed=3, stages=SMALL, rounds=1)


def test_the_front_by_hand() -> None:
    """(benefit lost, burden): C is beaten by B, E shares B's box and is worse; A, B and D stay."""
    points = np.array([[1.0, 9.0], [3.2, 4.1], [5.0, 4.5], [8.0, 1.0], [3.4, 4.4]])
    assert thinned_front(points, np.array([1.0, 1.0])) == [0, 1, 3]
    # with boxes of 0.1 E is still beaten by B (3.2 < 3.4 and 4.1 < 4.4)
    assert thinned_front(points, np.array([0.1, 0.1])) == [0, 1, 3]


def test_no_point_beats_one_that_is_kept() -> None:
    """Witness: every pair compared by the definition of dominance, on random points."""
    points = np.random.default_rng(5).random((300, 3)) * [10.0, 3.0, 20.0]
    for step in (0.02, 0.5, 2.0):
        kept = thinned_front(points, np.full(3, step))
        for one, other in itertools.product(range(len(points)), kept):
            worse_nowhere = bool(np.all(points[one] <= points[other]))
            assert not (worse_nowhere and np.any(points[one] < points[other]))


def test_areas_and_chances_by_hand() -> None:
    # trapezoids 40-20 and 20-10 over two weeks: (30 + 15) / 2
    assert area(np.array([[40.0, 20.0, 10.0]])) == pytest.approx([22.5])
    # lower in two of four, equal in one: 2/4 + 1/8
    assert better(np.array([1.0, 2, 3, 4]), np.array([2.0, 3, 3, 1])) == pytest.approx(0.625)


def test_the_populations_share_of_a_variance() -> None:
    """Two groups of two: between-group mean square 100, within 1: (100 - 1)/2 = 49.5 between, 1 within."""
    share = population_share(np.array([0.0, np.sqrt(2), 10.0, 10 + np.sqrt(2)]), np.array([0, 0, 1, 1]))
    assert share == pytest.approx(49.5 / 50.5)
    random = np.random.default_rng(1)
    members = np.repeat(np.arange(400), 5)
    values = random.normal(0, 1, 400)[members] + random.normal(0, 2, 2000)
    assert population_share(values, members) == pytest.approx(1 / 5, abs=0.06)  # variances 1 and 4


def test_what_a_protocol_asks_by_hand() -> None:
    """Oral for 4 of 8 weeks at 3 doses, then weekends; a patient who never needs a steroid."""
    protocol = Protocol(oral=SideCourse(dose=3.0, weeks=4, after="weekend"))
    clear = np.full((5, 9), 10.0)
    asked = burden_of(protocol, clear)
    row = protocol_burden("oral")
    days = (28 + 8) / 56  # four weeks daily, then four weekends of two days
    assert asked.points == pytest.approx(days * (row.points_per_week + 2 * row.points_per_extra_dose))
    assert asked.usd == pytest.approx(3 * days * row.usd_per_week)
    assert asked.steroid_weeks == 0.0
    proactive = burden_of(Protocol(steroid="proactive"), clear)
    assert proactive.points == pytest.approx(2 / 7 * protocol_burden("steroid").points_per_week)


def test_the_steroid_rule_is_the_engines() -> None:
    """Witness: the engine's own amount of steroid in skin rises in exactly the weeks said to be treated."""
    patients = patients_like(made_up(scorad=35), count=24, seed=2)
    table = timetable(regimen_of(STANDARD_CARE, 12), 12)
    values, _ = simulate(patients, [table], 12)
    due = steroid_due(values[0, ..., PLACE["scorad"]].astype(float))
    drive = patients.drive(12)
    _, _, states, _ = run(
        patients.states, patients.rates, patients.latent.keys, table, drive, perfect=False, want_states=True
    )
    in_skin = states[..., at.STEROID]
    assert 0.05 < due.mean() < 0.98
    # a week without treatment leaves less than it found; a treated one may lack doses that were missed
    falls = in_skin[:, 1:] < in_skin[:, :-1] + 1e-9
    assert np.all(falls[~due])
    assert np.mean((in_skin[:, 1:] > 1e-3)[due]) > 0.8


def test_labels_say_everything() -> None:
    protocol = Protocol(
        oral=SideCourse(weeks=12, after="weekend"),
        topical=SideCourse(dose=3.0, pattern="pulsed", weeks=8, from_week=4, after="half_dose"),
        steroid="proactive",
    )
    assert label(protocol, 52, "strain") == (
        "oral 1e10 CFU/d for 12 weeks, then weekends; topical strain 3e6 CFU/cm² twice a day two weeks on and two "
        "off from week 4 for 8 weeks, then half the dose; steroid at weekends between flares too"
    )
    assert label(STANDARD_CARE, 52) == "standard care alone"


def test_every_neighbour_differs_in_one_thing_and_can_be_simulated() -> None:
    for protocol in first_protocols(26):
        for other in neighbours(protocol, 26):
            assert other != protocol
            assert timetable(regimen_of(other, 26), 26).weeks == 26
            starts = [c.from_week for c in (other.oral, other.topical) if c is not None]
            assert not starts or min(starts) == 0


def test_one_protocol_of_the_search_is_the_regimen_that_it_says() -> None:
    """Oral at half the dose after week 4: the timetable's lever is 1 until day 28 and 0.5 from then on."""
    protocol = Protocol(oral=SideCourse(weeks=4, after="half_dose"))
    table = timetable(regimen_of(protocol, 8), 8)
    oral = table.plan[:, at.USE_ORAL]
    assert np.all(oral[table.edges[:-1] < 28] == 1.0)
    assert np.all(oral[table.edges[:-1] >= 28] == 0.5)


def test_same_seed_same_result_and_another_seed_another(found: Protocols) -> None:
    again = optimise(made_up(scorad=48), horizon=16, seed=3, stages=SMALL, rounds=1)
    assert again == found
    assert optimise(made_up(scorad=48), horizon=16, seed=4, stages=SMALL, rounds=0).id != found.id


def test_nothing_on_the_front_is_beaten_by_another(found: Protocols) -> None:
    scores = [(row.mean_scorad, row.burden_points, row.cost_usd_per_week) for row in found.front]
    for one, other in itertools.permutations(scores, 2):
        assert not all(a <= b for a, b in zip(one, other, strict=True))
    assert scores == sorted(scores)


def test_the_front_tells_all_that_was_asked(found: Protocols) -> None:
    assert found.candidates > len(found.front) >= 2
    assert found.simulations >= found.candidates * SMALL[0]
    for row, following in itertools.pairwise(found.front):
        assert row.probability_better_than_next is not None
        assert row.separable_from_next == (row.probability_better_than_next >= found.separable_from)
        assert following.mean_scorad >= row.mean_scorad
    assert found.front[-1].probability_better_than_next is None
    assert all(len(row.scorad_by_week) == found.horizon + 1 for row in found.front)
    assert found.standard_care.difference == 0.0
    assert sorted(found.order_gut_link_off) == sorted(row.label for row in found.front)
    assert found.proposed in {row.label for row in (*found.front, found.standard_care)}
    assert found.stopped is not None
    assert found.stopped.stops_at_week == 12
    assert found.stopped.gain_at_horizon <= found.front[0].gain_at_horizon
    assert not found.research
    assert all("strain" not in row.label for row in found.front)


def test_the_terminal_says_what_cannot_be_separated(found: Protocols) -> None:
    with console.capture() as said:
        show_twin.protocols(found)
    text = " ".join(said.get().split())
    assert text.count("◀ proposed") == 1
    unsure = sum(row.separable_from_next is False for row in found.front)
    assert text.count("cannot be separated from") - found.answer.count("cannot be separated from") == unsure
    assert "12 weeks only" in text
    assert "research mode only" in text


def test_stopping_leads_to_relapse() -> None:
    """The gain of a strong course fades once it stops, and a longer course has the smaller area."""
    tried = Trial(patients_like(made_up(scorad=48), count=96, seed=1), 26, "strain")
    short, whole = (
        Protocol(oral=SideCourse(dose=3.0, weeks=weeks), topical=SideCourse(dose=3.0, weeks=weeks))
        for weeks in (8, 26)
    )
    tried.run((STANDARD_CARE, short, whole), 96)
    care, stopped = tried.pair(STANDARD_CARE, short)
    gain = (care - stopped).mean(axis=0)
    assert gain[8] > 0.5
    assert gain[26] < 0.5 * gain[8]
    assert area(tried.scorad(whole)).mean() < area(tried.scorad(short)).mean() < area(care).mean()


def test_every_candidate_meets_the_same_patients() -> None:
    """Until their plans part, two protocols have the very same course."""
    tried = Trial(patients_like(made_up(scorad=48), count=16, seed=1), 12)
    early, late = Protocol(oral=SideCourse(weeks=4)), Protocol(oral=SideCourse(weeks=8))
    tried.run((early, late), 8)
    tried.run((early, late), 16)
    one, other = tried.pair(early, late)
    assert one.shape == (16, 13)
    assert np.array_equal(one[:, :5], other[:, :5])
    assert not np.array_equal(one[:, 8], other[:, 8])
    at_once = Trial(tried.patients, 12)
    at_once.run((early,), 16)
    assert np.array_equal(at_once.scorad(early), tried.scorad(early))  # in two stages as in one


def test_patients_like_her_are_like_her() -> None:
    """SCORAD 30 and SCORAD 70 lead to other patients; a patient drawn twice has other weeks ahead."""
    mild, grave = (patients_like(made_up(scorad=s), count=64, seed=1) for s in (30.0, 70.0))
    first = [Trial(p, 4) for p in (mild, grave)]
    for tried in first:
        tried.run((STANDARD_CARE,), 64)
    low, high = (tried.scorad(STANDARD_CARE)[:, 0].mean() for tried in first)
    assert low + 15 < high
    grave = patients_like(made_up(scorad=70.0), count=900, seed=1)
    assert len(np.unique(grave.latent.z[:, -20:], axis=0)) == len(grave)
    assert len(np.unique(grave.latent.z[:, :20], axis=0)) < len(grave)
    seen = (Observation(week=4, observable="scorad", value=40),)
    later = patients_like(made_up(scorad=48), seen, count=900, seed=1)
    assert len(np.unique(later.latent.z[:, -20:], axis=0)) < 900  # what her next weeks were is known


def test_what_cannot_be_searched_is_refused() -> None:
    with pytest.raises(ClinicianMust, match="psoriasis"):
        optimise(made_up(Condition.PSORIASIS))
    for horizon in (3, 53):
        with pytest.raises(ClinicianMust, match="horizon"):
            optimise(made_up(scorad=48), horizon=horizon)
