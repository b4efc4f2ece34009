"""The search for a protocol: benefit over a year against burden and cost, on patients like this one.

Every candidate meets the same virtual patients, the same flares and the same missed doses. A coarse grid is
refined by changing one thing at a time in what nothing beats, with few patients; what is left is tried on more
and more of them (successive halving). What stays is the Pareto front: protocols that no other beats in benefit,
burden and cost at once.
Method: Jamieson and Talwalkar 2016 (successive halving); Laumanns 2002, Evol Comput 10:263 (a front in boxes).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from biflora.errors import ClinicianMust
from biflora.knowledge.planning import plan_limit
from biflora.knowledge.protocols import protocol_setting
from biflora.knowledge.rates import observables as observable_table
from biflora.knowledge.rows import release
from biflora.profile.patient import Condition
from biflora.profile.profile import Profile
from biflora.twin.bands import bands
from biflora.twin.calibrated import name as population_name
from biflora.twin.cohort import simulate_regimens
from biflora.twin.evidence import evidence_of
from biflora.twin.forecast import Assumption, Observation
from biflora.twin.front import ProtocolFound, Protocols, area, better, population_share, thinned_front
from biflora.twin.likeness import patients_like
from biflora.twin.observe import PLACE
from biflora.twin.population import Patients
from biflora.twin.protocols import (
    STANDARD_CARE,
    Protocol,
    SideCourse,
    Topical,
    burden_of,
    first_protocols,
    label,
    neighbours,
    regimen_of,
)
from biflora.values import Band

Array = NDArray[np.float64]
SHORTEST, LONGEST = 4, 52
STAGES = (48, 160, 512)
"""Patients on whom all candidates, those left, and the last ones are tried."""
ROUNDS = 2
"""How often what nothing beats is varied."""
MOST_VARIED, MOST_LEFT, MOST_SHOWN = 6, 16, 10
"""How many protocols are varied in a round, reach the second stage, and reach the third."""
LINK_OFF_PATIENTS = 256
COMMON_WEEKS = 12
"""As long as most trials; the best protocol is also shown when it ends there."""


def optimise(
    profile: Profile, *, horizon: int = 52, seed: int = 2026, research: bool = False,
    observations: Sequence[Observation] = (), stages: tuple[int, int, int] = STAGES, rounds: int = ROUNDS,
) -> Protocols:  # fmt: skip
    """Search protocols for this patient over `horizon` weeks. Same input and seed, same result.

    With `research` the topical is a living strain; otherwise one without live cells. Raises ClinicianMust for a
    horizon out of reach and for a condition that the twin has no model of.
    """
    if not SHORTEST <= horizon <= LONGEST:
        raise ClinicianMust(f"horizon: choose {SHORTEST} to {LONGEST} weeks; shorter or longer is not searched.")
    if profile.patient.condition is not Condition.ATOPIC_DERMATITIS:
        name = profile.patient.condition.value.replace("_", " ")
        raise ClinicianMust(
            f"No protocol can be searched for {name}: the twin has a model of atopic dermatitis only. "
            "See what trials reported instead: biflora twin forecast."
        )
    topical: Topical = "strain" if research else "formula"
    patients = patients_like(profile, observations, stages[-1], seed)
    tried = Trial(patients, horizon, topical)
    front = search(tried, stages, rounds)
    return _told(profile, observations, tried, front, seed)


class Trial:
    """Every protocol that was tried so far, on as many of the patients as were asked for."""

    def __init__(self, patients: Patients, horizon: int, topical: Topical = "formula") -> None:
        self.patients, self.horizon, self.topical = patients, horizon, topical
        self.simulations = 0
        self._scorad: dict[Protocol, NDArray[np.float32]] = {}

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        return tuple(self._scorad)

    def run(self, protocols: Iterable[Protocol], count: int) -> None:
        """Simulate each on the first `count` patients; those that it met already are not simulated again."""
        wanted = [p for p in dict.fromkeys(protocols) if len(self._scorad.get(p, ())) < count]
        for have in sorted({len(self._scorad.get(p, ())) for p in wanted}):
            some = [p for p in wanted if len(self._scorad.get(p, ())) == have]
            for protocol, courses in zip(some, self._simulated(some, have, count), strict=True):
                known = self._scorad.get(protocol)
                self._scorad[protocol] = courses if known is None else np.concatenate([known, courses])

    def scorad(self, protocol: Protocol) -> Array:
        """(patient, week), of the patients on whom every trajectory could be finished."""
        courses = self._scorad[protocol].astype(np.float64)
        return courses[np.isfinite(courses).all(axis=1)]

    def pair(self, protocol: Protocol, against: Protocol) -> tuple[Array, Array]:
        """The courses of both in the same patients."""
        count = min(len(self._scorad[protocol]), len(self._scorad[against]))
        one, other = (self._scorad[p][:count].astype(np.float64) for p in (protocol, against))
        whole = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
        return one[whole], other[whole]

    def members(self, protocol: Protocol, against: Protocol) -> NDArray[np.int64]:
        """Which population each patient of `pair` belongs to."""
        count = min(len(self._scorad[protocol]), len(self._scorad[against]))
        one, other = (self._scorad[p][:count] for p in (protocol, against))
        whole = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
        return self.patients.latent.member[:count][whole]

    def scores(self, protocols: Sequence[Protocol], count: int) -> Array:
        """(protocol, 3): mean SCORAD, burden and cost, each on the first `count` patients."""
        found = np.empty((len(protocols), 3))
        for place, protocol in enumerate(protocols):
            courses = self._scorad[protocol][:count].astype(np.float64)
            courses = courses[np.isfinite(courses).all(axis=1)]
            asked = burden_of(protocol, courses, self.topical)
            found[place] = float(np.mean(area(courses))), asked.points, asked.usd
        return found

    def without_gut_link(self, protocols: Sequence[Protocol], count: int) -> NDArray[np.float32]:
        """SCORAD (protocol, patient, week) of the first `count` patients with the gut link off."""
        return self._simulated(protocols, 0, count, gut_link=False)

    def _simulated(
        self, protocols: Sequence[Protocol], start: int, stop: int, *, gut_link: bool = True
    ) -> NDArray[np.float32]:
        some = self.patients.some(np.arange(start, min(stop, len(self.patients))))
        regimens = [regimen_of(protocol, self.horizon, self.topical) for protocol in protocols]
        values, _ = simulate_regimens(some, regimens, self.horizon, gut_link)
        self.simulations += len(protocols) * len(some)
        return values[..., PLACE["scorad"]]


def search(tried: Trial, stages: tuple[int, int, int] = STAGES, rounds: int = ROUNDS) -> tuple[Protocol, ...]:
    """The Pareto front, best benefit first."""
    few, more, all_ = stages
    tried.run(first_protocols(tried.horizon), few)
    for _ in range(rounds):
        here = front_of(tried, tried.protocols, few, MOST_VARIED)
        tried.run([new for protocol in here for new in neighbours(protocol, tried.horizon)], few)
    left = front_of(tried, tried.protocols, few, MOST_LEFT)
    tried.run((STANDARD_CARE, *left), more)
    left = front_of(tried, left, more, MOST_SHOWN)
    tried.run((STANDARD_CARE, *left), all_)
    return front_of(tried, left, all_, MOST_SHOWN)


def front_of(tried: Trial, protocols: Sequence[Protocol], count: int, most: int) -> tuple[Protocol, ...]:
    """What nothing beats among these on the first `count` patients, in boxes that widen until `most` are left."""
    keys = ("resolution_scorad", "resolution_burden", "resolution_cost")
    step = np.array([protocol_setting(key) for key in keys])
    scores = tried.scores(protocols, count)
    places = thinned_front(scores, step)
    while len(places) > most:
        step = 1.3 * step
        places = thinned_front(scores, step)
    return tuple(protocols[place] for place in places)


def _told(
    profile: Profile, observations: Sequence[Observation], tried: Trial, front: tuple[Protocol, ...], seed: int
) -> Protocols:
    stopped = _stopped(front[0], tried.horizon)
    others = () if stopped is None else (stopped,)
    tried.run(others, len(tried.patients))
    off = _LinkOff(tried, front, others)
    found = tuple(
        _found(tried, protocol, off, front[place + 1] if place + 1 < len(front) else None)
        for place, protocol in enumerate(front)
    )
    evidence = evidence_of(profile, observations)
    proposed, answer = _answer(tried, front)
    research = tried.topical == "strain"
    names = [label(protocol, tried.horizon, tried.topical) for protocol in front]
    return Protocols.make(
        "protocols", release=release(), parents=(profile.id,) if profile.id else (), horizon=tried.horizon,
        front=found, standard_care=_found(tried, STANDARD_CARE, off, None),
        stopped=None if stopped is None else _found(tried, stopped, off, None),
        proposed=label(proposed, tried.horizon, tried.topical), answer=answer,
        smallest_difference=_smallest(), separable_from=plan_limit("probability_best").value,
        order_gut_link_off=tuple(names[place] for place in off.order()),
        order_changes_gut_link_off=off.order_changes(), research=research, candidates=len(tried.protocols),
        patients=len(tried.patients), simulations=tried.simulations, informed_by=tuple(evidence.informed_by),
        not_informed=tuple(evidence.missing), assumptions=(*evidence.assumptions, *_assumptions(research)),
        population=population_name(), seed=seed,
    )  # fmt: skip


class _LinkOff:
    """The front and standard care with the gut link off, beside the same patients with it on."""

    def __init__(self, tried: Trial, front: Sequence[Protocol], others: Sequence[Protocol]) -> None:
        self.places = {p: place for place, p in enumerate(dict.fromkeys((*front, *others, STANDARD_CARE)))}
        self.count = min(LINK_OFF_PATIENTS, len(tried.patients))
        courses = tried.without_gut_link(tuple(self.places), self.count).astype(np.float64)
        whole = np.isfinite(courses).all(axis=(0, 2))
        self.areas = np.array([area(course[whole]) for course in courses])
        self.front = list(front)
        self.step = protocol_setting("resolution_scorad")

    def difference(self, protocol: Protocol) -> Array:
        return np.asarray(self.areas[self.places[protocol]] - self.areas[self.places[STANDARD_CARE]])

    def order(self) -> list[int]:
        means = [float(self.areas[self.places[p]].mean()) for p in self.front]
        return sorted(range(len(means)), key=lambda place: (means[place], place))

    def order_changes(self) -> bool:
        """Whether any two protocols change places by more than the resolution of the search."""
        means = [float(self.areas[self.places[p]].mean()) for p in self.front]
        return any(
            means[place] - later > self.step
            for place in range(len(means))
            for later in means[place + 1 :]
        )  # fmt: skip


def _found(tried: Trial, protocol: Protocol, off: _LinkOff, following: Protocol | None) -> ProtocolFound:
    course, care = tried.pair(protocol, STANDARD_CARE)
    areas, care_areas = area(course), area(care)
    gap = areas - care_areas
    own = tried.scorad(protocol)
    asked, care_asked = (burden_of(p, c, tried.topical) for p, c in ((protocol, course), (STANDARD_CARE, care)))
    stops = _stops_at(protocol, tried.horizon)
    gain = (care - course).mean(axis=0)
    off_gap = off.difference(protocol)
    beats, differs = (None, None) if following is None else _against(tried, protocol, following)
    return ProtocolFound(
        label=label(protocol, tried.horizon, tried.topical), protocol=protocol,
        mean_scorad=_r(areas.mean()), standard_error=_r(areas.std(ddof=1) / np.sqrt(len(areas))),
        interval=_band(areas), difference=_r(gap.mean()), difference_interval=_band(gap),
        difference_population_share=_r(population_share(gap, tried.members(protocol, STANDARD_CARE))),
        probability_better_than_care=better(areas, care_areas), burden_points=_r(asked.points),
        cost_usd_per_week=_r(asked.usd), steroid_weeks=_r(asked.steroid_weeks),
        net_gain=_r(-gap.mean() - (asked.points - care_asked.points)),
        probability_better_than_next=beats, probability_differs_from_next=differs,
        separable_from_next=None if beats is None else beats >= plan_limit("probability_best").value,
        stops_at_week=stops, gain_at_stop=None if stops is None else _r(gain[stops]),
        gain_at_horizon=_r(gain[-1]), scorad_by_week=bands(own.T.astype(np.float32)),
        difference_gut_link_off=_r(off_gap.mean()), difference_interval_gut_link_off=_band(off_gap),
    )  # fmt: skip


def _stopped(best: Protocol, horizon: int) -> Protocol | None:
    """The same with every course ending at `COMMON_WEEKS` and nothing after it."""
    if horizon <= COMMON_WEEKS or best.oral is best.topical is None:
        return None

    def cut(course: SideCourse | None) -> SideCourse | None:
        if course is None or course.from_week >= COMMON_WEEKS:
            return None
        weeks = min(course.weeks, COMMON_WEEKS - course.from_week)
        return course.model_copy(update={"weeks": weeks, "after": "none"})

    return best.model_copy(update={"oral": cut(best.oral), "topical": cut(best.topical)})


def _stops_at(protocol: Protocol, horizon: int) -> int | None:
    ends = [course.stops_at(horizon) for course in (protocol.oral, protocol.topical) if course is not None]
    known = [end for end in ends if end is not None]
    return max(known) if ends and len(known) == len(ends) else None


def _against(tried: Trial, protocol: Protocol, other: Protocol) -> tuple[float, float]:
    """P(lower than the other) and P(differs by more than the smallest important difference)."""
    one, two = (area(course) for course in tried.pair(protocol, other))
    return better(one, two), float(np.mean(np.abs(one - two) > _smallest()))


def _answer(tried: Trial, front: Sequence[Protocol]) -> tuple[Protocol, str]:
    """The least asked of those that cannot be separated from the best net of burden, and why in one sentence."""
    sure = plan_limit("probability_best").value
    points = {p: burden_of(p, tried.scorad(p), tried.topical).points for p in (*front, STANDARD_CARE)}
    best = min(points, key=lambda p: float(area(tried.scorad(p)).mean()) + points[p])

    def surely_worse(other: Protocol) -> bool:
        one, two = (area(course) for course in tried.pair(best, other))
        return better(one + points[best], two + points[other]) >= sure

    alike = [p for p in points if p == best or not surely_worse(p)]
    least = min(alike, key=lambda p: points[p])
    name, best_name = (label(p, tried.horizon, tried.topical) for p in (least, best))
    if least == best:
        return least, (
            f"{_capital(name)}: once burdens are counted, better than every other protocol of the front with a "
            f"probability of at least {sure:.0%}."
        )
    if least == STANDARD_CARE:
        return least, (
            "No protocol can be separated from standard care for this patient once burdens are counted; the best "
            f"one by expectation is: {best_name}."
        )
    return least, (
        f"{_capital(name)}: asks least of those that cannot be separated from the best one once burdens are "
        f"counted ({best_name})."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _smallest() -> float:
    smallest = observable_table()["scorad"].smallest_important_difference
    assert smallest is not None, "knowledge holds the smallest important difference of SCORAD"
    return smallest


def _r(value: float | np.floating) -> float:
    return round(float(value), 4)


def _band(values: Array) -> Band:
    return bands(values[None, :].astype(np.float32))[0]


def _assumptions(research: bool) -> tuple[Assumption, ...]:
    ours = "biflora developers"
    said = [
        "The topical is a living commensal strain as in trials: only under a recorded research authorisation."
        if research else
        "The topical holds no live cells; its strengths are assumed. A living strain is searched in research mode "
        "only.",
        "Doses act in proportion: 3 reference doses pull a lever three times as hard as one. No trial of these "
        "doses was used.",
        "Burdens (points of severity) and prices (USD) per lever and week are assumed; emollient is left out, "
        "every protocol holds it.",
        "Whether the gut reaches the skin is assumed; the same front with that link off stands beside it.",
        "Oral and topical together have no parameter of their own.",
        "Nothing after the last week of published trials was checked: maintenance and relapse follow from the "
        "model's rates alone.",
        "The protocol that looks best among many is partly lucky; the front was therefore tried again on more "
        "patients, and what remains of that is not counted.",
    ]  # fmt: skip
    return tuple(Assumption(what=what, status="assumed", source=ours) for what in said)
