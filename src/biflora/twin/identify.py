"""Which questions a visit schedule and a set of measurements can answer, and what to measure next.

Linear and Gaussian around virtual patients: each rate is a standard normal coordinate, the data's Fisher
information says what is left of its prior. It is a local answer, and as good as the prior's spread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.knowledge.published import (
    PublishedArm,
    arms_of,
    interventions_of,
    left_out_with,
    outcomes_of,
    published_trials,
)
from biflora.knowledge.rates import observables as observable_table
from biflora.knowledge.rates import rates as rate_table
from biflora.knowledge.rows import release
from biflora.profile.profile import Profile
from biflora.twin.bank import Bank, bank
from biflora.twin.calibrated import name as population_name
from biflora.twin.cohort import MODERATE_TO_SEVERE
from biflora.twin.forecast import ARM_LABELS, ARMS, Arm, Assumption
from biflora.twin.identified import (
    A_HALF,
    A_TENTH,
    DesignLearnt,
    Identified,
    QuestionAnswered,
    RateLearnt,
    verdict,
)
from biflora.twin.linear import Learnt, between_and_within, information
from biflora.twin.measure_next import Schedule, for_patient, for_trial, patient_learns
from biflora.twin.observe import OBSERVED, PLACE, to_scale
from biflora.twin.population import settle
from biflora.twin.sensitivity import Sensitivities, sensitivities

Array = NDArray[np.float64]
GUT_TO_SKIN = ("butyrate_gain", "probiotic_gain", "gut_reach", "gut_responder")
GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "gut_to_skin": ("gut → skin, divided into its parts",
                    GUT_TO_SKIN),
    "topical_kill": ("topical kill of S. aureus, in its parts",
                     ("strain_kill", "strain_half_kill", "strain_susceptible", "topical_dose")),
    "steroid": ("steroid effect, in its parts", ("steroid_max", "steroid_half", "steroid_dose")),
    "relapse": ("relapse speed, in its parts",
                ("tone_rate", "barrier_repair", "barrier_wear", "scratch_wear", "regulation_turnover")),
}  # fmt: skip
"""Questions about rates: key, words, the rates."""
EFFECTS: Mapping[str, tuple[str, Arm, str]] = {
    "oral_effect": ("total oral effect on SCORAD", "oral", "scorad"),
    "topical_effect": ("total topical effect on SCORAD", "topical", "scorad"),
    "both_effect": ("effect of both together on SCORAD", "combination", "scorad"),
}
"""Questions about the difference to standard care at the last visit: key, words, arm, observable."""
LONGEST_WEEKS = 52
FEWEST_PATIENTS = 4


class Words(TypedDict):
    weeks: tuple[int, ...]
    measures: tuple[str, ...]
    arms: tuple[Arm, ...]


def words_of(*, weeks: str, measures: str, arms: str) -> Words:
    """A design as written with commas: `0,4,8,12`, `scorad,tewl`, `oral,topical`. Raises TrialistMust."""
    visits = _parts(weeks)
    if not all(part.isdecimal() for part in visits):
        raise TrialistMust("weeks: write whole numbers separated by commas, such as 0,4,8,12.")
    named = _parts(arms)
    for arm in named:
        if arm not in ARMS:
            raise TrialistMust(f"'{arm[:40]}' is no arm; choose from {', '.join(ARMS)}.")
    chosen = tuple(arm for name in dict.fromkeys(named) for arm in ARMS if arm == name)
    return Words(weeks=tuple(int(part) for part in visits), measures=_parts(measures), arms=chosen)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def identify(
    *, weeks: Sequence[int] = (0, 4, 8, 12), measures: Sequence[str] = ("scorad", "s_aureus_log10"),
    arms: Sequence[Arm] = ARMS, n: int = 60, patients: int = 24, seed: int = 2026, like: Profile | None = None,
) -> Identified:  # fmt: skip
    """What these visits and measurements teach of one patient, and of the population in a trial of `n` per arm.

    `like`: the patient whose next measurement is asked for; absent, any patient with moderate to severe disease.
    Raises TrialistMust for a design that cannot be read.
    """
    asked = _read(weeks, measures, arms, n, patients)
    last = max(asked.weeks)
    held = bank(last)
    eligible = _eligible(held)
    some = held.drawn().some(eligible[:patients])
    around = sensitivities(settle(some, seed), ARMS, max(last, _PUBLISHED_WEEKS))
    spread = _spread_within(held, eligible)
    designs = (
        *(_one_patient(around, asked, arm, held, eligible) for arm in asked.arms),
        _trial(around, asked, n, spread),
        _published(around, spread),
    )
    return Identified.make(
        "identified", release=release(), parents=(like.id,) if like is not None and like.id else (),
        weeks=asked.weeks, measures=asked.measures, arms=asked.arms, n_per_arm=n, patients=around.patients,
        designs=designs, gut_to_skin=_gut_to_skin(designs),
        next=(
            *(for_patient(held, asked, arm, eligible, like) for arm in asked.arms),
            for_trial(held, asked, eligible, n),
        ),
        assumptions=_assumptions(), population=population_name(), seed=seed,
    )  # fmt: skip


_PUBLISHED_WEEKS = 12
"""Outcomes of later weeks are read at this one."""


def _read(weeks: Sequence[int], measures: Sequence[str], arms: Sequence[Arm], n: int, patients: int) -> Schedule:
    if not weeks or not all(0 <= week <= LONGEST_WEEKS for week in weeks):
        raise TrialistMust(f"weeks: name visits between week 0 and week {LONGEST_WEEKS}, such as 0,4,8,12.")
    if max(weeks) == 0:
        raise TrialistMust("weeks: name at least one visit after week 0.")
    for key in measures:
        if key not in PLACE:
            raise TrialistMust(f"'{key[:40]}' is no observable of the twin; it knows {', '.join(OBSERVED)}.")
    for arm in arms:
        if arm not in ARMS:
            raise TrialistMust(f"'{arm}' is no arm; choose from {', '.join(ARMS)}.")
    if not measures or not arms:
        raise TrialistMust("measures and arms: name at least one of each.")
    if n < 2:
        raise TrialistMust("n: a trial needs at least 2 patients per arm.")
    if not FEWEST_PATIENTS <= patients <= 200:
        raise TrialistMust(f"patients: choose {FEWEST_PATIENTS} to 200 virtual patients.")
    return Schedule(tuple(sorted(set(weeks))), tuple(dict.fromkeys(measures)), tuple(dict.fromkeys(arms)))


def _eligible(held: Bank) -> NDArray[np.int64]:
    """Places of the bank's patients with moderate to severe disease at the first visit."""
    low, high = MODERATE_TO_SEVERE["scorad"]
    start = held.on[0, PLACE["scorad"], 0]
    return np.flatnonzero((start >= low) & (start <= high))


class Seen(NamedTuple):
    """One datum of an arm: an observable at a week."""

    observable: str
    week: int


def _one_patient(
    around: Sensitivities, asked: Schedule, arm: Arm, held: Bank, eligible: NDArray[np.int64]
) -> DesignLearnt:
    """Rates by sensitivities; effects by the covariances of the bank, which hold more than what is linear."""
    seen = [Seen(key, week) for key in asked.measures for week in asked.weeks]
    learnt: list[Learnt] = []
    for patient in range(around.patients):
        by_rate = _rows(around.by_rate[:, :, patient], around.arms.index(arm), seen)
        by_flare = _rows(around.by_flare[:, :, patient], around.arms.index(arm), seen)
        learnt.append(Learnt(information(by_rate, np.diag(_noise(seen)) + by_flare @ by_flare.T)))

    def course(of: Arm, week: int, observable: str = "scorad") -> Array:
        return np.asarray(held.on[ARMS.index(of), PLACE[observable], week], dtype=np.float64)

    wanted = {"severity": course("standard_care", asked.weeks[0])}
    for key, (_, of, observable) in EFFECTS.items():
        last = max(asked.weeks)
        wanted[key] = course(of, last, observable) - course("standard_care", last, observable)
    effects = {key: patient_learns(held, asked, arm, eligible, quantity) for key, quantity in wanted.items()}
    words = f"one patient, {ARM_LABELS[arm].lower()}, {_visits(asked)}"
    return _design(f"patient_{arm}", words, (arm,), around, learnt, effects)


def _trial(around: Sensitivities, asked: Schedule, n: int, spread: _Spread) -> DesignLearnt:
    seen = [Seen(key, week) for key in asked.measures for week in asked.weeks]
    total = sum(_of_arm(around, spread, arm, seen, n) for arm in asked.arms)
    words = f"trial, {n} per arm ({', '.join(ARM_LABELS[arm].lower() for arm in asked.arms)}), {_visits(asked)}"
    learnt = Learnt(np.asarray(total))
    effects = _effects(around, learnt, asked.weeks[0], max(asked.weeks))
    return _design("trial", words, asked.arms, around, [learnt], effects)


def _published(around: Sensitivities, spread: _Spread) -> DesignLearnt:
    """All published trials together that gave nothing but what the four arms hold; nobody is counted twice."""
    total = np.zeros((len(around.rates), len(around.rates)))
    taken: list[str] = []
    used: set[Arm] = set()
    for trial, row in published_trials().items():
        if not row.usable or left_out_with(trial) & set(taken):
            continue
        for arm, seen, n in _published_data(trial):
            total += _of_arm(around, spread, arm, seen, n)
            used.add(arm)
            taken.append(trial)
    learnt = Learnt(total)
    return _design(
        "published", f"{len(set(taken))} published trials of these arms, as far as they reported",
        tuple(arm for arm in ARMS if arm in used), around, [learnt],
        _effects(around, learnt, 0, _PUBLISHED_WEEKS),
    )  # fmt: skip


def _published_data(trial: str) -> Iterable[tuple[Arm, list[Seen], int]]:
    for arm in arms_of(trial):
        which = _arm_of(arm)
        rows = [row for row in outcomes_of(trial) if arm.key in (row.arm, row.against) and row.measure != "sign"]
        sizes = [row.n // 2 if row.against else row.n for row in rows if row.n]
        n = arm.n or max(sizes, default=0)
        seen = {
            Seen(row.observable, min(round(row.week), _PUBLISHED_WEEKS)) for row in rows if row.observable in PLACE
        }
        seen |= {Seen(key, 0) for key, _ in seen}
        if which is not None and seen and n >= 2:
            yield which, sorted(seen), n


def _arm_of(row: PublishedArm) -> Arm | None:
    """Which of the four arms a published one was; None where it was given something else."""
    given = {str(interventions_of(text)["name"]) for text in row.interventions}
    if given - {
        "emollient",
        "vehicle",
        "placebo",
        "topical_steroid",
        "oral_probiotic",
        "fibre",
        "topical_commensal",
    }:
        return None
    oral, topical = "oral_probiotic" in given, "topical_commensal" in given
    return ("combination" if topical else "oral") if oral else "topical" if topical else "standard_care"


class _Spread(NamedTuple):
    """How patients of one population differ: covariance per arm, columns as (observable, week)."""

    covariance: Array
    """(arm, column, column)."""
    weeks: int

    def of(self, arm: Arm, seen: Sequence[Seen]) -> Array:
        columns = [PLACE[key] * (self.weeks + 1) + min(week, self.weeks) for key, week in seen]
        return np.asarray(self.covariance[ARMS.index(arm)][np.ix_(columns, columns)])


def _spread_within(held: Bank, eligible: NDArray[np.int64]) -> _Spread:
    members = held.drawn().member[eligible]
    table = observable_table()
    found = []
    for arm in range(len(ARMS)):
        values = held.on[arm][:, :, eligible].astype(np.float64)
        scaled = np.stack([to_scale(table[key], values[place]) for key, place in PLACE.items()])
        found.append(between_and_within(scaled.reshape(-1, len(eligible)).T, members)[1])
    return _Spread(np.array(found), held.weeks)


def _of_arm(around: Sensitivities, spread: _Spread, arm: Arm, seen: Sequence[Seen], n: int) -> Array:
    """Information of one arm's means on the population's shift."""
    noise = (spread.of(arm, seen) + np.diag(_noise(seen))) / n
    return information(_rows(around.common(), around.arms.index(arm), seen), noise)


def _rows(moved: Array, arm: int, seen: Sequence[Seen]) -> Array:
    """(datum, coordinate) from (coordinate, arm, week, observable)."""
    return np.array([moved[:, arm, week, PLACE[key]] for key, week in seen])


def _noise(seen: Sequence[Seen]) -> Array:
    table = observable_table()
    return np.array([table[key].noise_sd ** 2 for key, _ in seen])


def _visits(asked: Schedule) -> str:
    table = observable_table()
    names = ", ".join(table[key].label for key in asked.measures)
    return f"{names} at weeks {', '.join(str(week) for week in asked.weeks)}"


def _effects(around: Sensitivities, learnt: Learnt, first: int, last: int) -> dict[str, float]:
    """Shrinkage of each effect on the population's mean, by its gradient."""
    common, care = around.common(), around.arms.index("standard_care")
    found = {"severity": learnt.of(common[:, care, first, PLACE["scorad"]])}
    for key, (_, arm, observable) in EFFECTS.items():
        at_week = common[:, :, last, PLACE[observable]]
        found[key] = learnt.of(at_week[:, around.arms.index(arm)] - at_week[:, care])
    return found


def _design(
    key: str, words: str, arms: tuple[Arm, ...], around: Sensitivities, learnt: Sequence[Learnt],
    effects: Mapping[str, float],
) -> DesignLearnt:  # fmt: skip
    """`effects`: shrinkage of severity and of each of `EFFECTS`."""
    table = rate_table()
    shrinkage = np.mean([one.shrinkage for one in learnt], axis=0)
    order = np.argsort(-shrinkage, kind="stable")
    questions = {"severity": "severity before treatment", **{name: row[0] for name, row in EFFECTS.items()}}
    return DesignLearnt(
        key=key, label=words, arms=arms, directions=round(float(np.median([one.directions for one in learnt]))),
        of_rates=len(around.rates), half_learnt=int(np.count_nonzero(shrinkage >= A_HALF)),
        rates=tuple(
            RateLearnt(
                rate=around.rates[place], symbol=table[around.rates[place]].symbol,
                meaning=table[around.rates[place]].meaning, shrinkage=round(float(shrinkage[place]), 4),
            )
            for place in order
        ),
        questions=(
            *(QuestionAnswered(key=name, question=text, shrinkage=round(effects[name], 4),
                               verdict=verdict(effects[name]))
              for name, text in questions.items()),
            *(_group(name, text, rates, learnt, around) for name, (text, rates) in GROUPS.items()),
        ),
    )  # fmt: skip


def _group(
    key: str, question: str, rates: Sequence[str], learnt: Sequence[Learnt], around: Sensitivities
) -> QuestionAnswered:
    places = [around.rates.index(rate) for rate in rates]
    alone = float(np.mean([one.shrinkage[places] for one in learnt], axis=0).min())
    together = float(np.mean([one.best_of(places) for one in learnt]))
    return QuestionAnswered(
        key=key, question=question, shrinkage=round(alone, 4), together=round(together, 4),
        verdict=verdict(alone, together),
    )  # fmt: skip


def _gut_to_skin(designs: Sequence[DesignLearnt]) -> str:
    """Whether published designs inform the gut's reach into the skin, as computed here."""
    published = next(d for d in designs if d.key == "published")
    shares = {row.rate: row.shrinkage for row in published.rates if row.rate in GUT_TO_SKIN}
    told = {rate: f"{rate.replace('_', ' ')} {shares[rate]:.0%}" for rate in GUT_TO_SKIN}
    silent = [told[rate] for rate in GUT_TO_SKIN if shares[rate] < A_TENTH]
    heard = [told[rate] for rate in GUT_TO_SKIN if shares[rate] >= A_TENTH]
    share = published.question("oral_effect").shrinkage
    total = f"Of the prior variance of the total oral effect they take {share:.0%}"
    if not heard:
        return f"No published design informs how the gut reaches the skin: {', '.join(silent)}. {total}."
    if silent:
        return (
            f"Published designs inform how large the oral effect is and in how many ({', '.join(heard)}), but not "
            f"how it reaches the skin: {', '.join(silent)}. {total}."
        )
    return f"Published designs inform how the gut reaches the skin: {', '.join(heard)}. {total}."


def _assumptions() -> tuple[Assumption, ...]:
    said = (
        "Local and linear: sensitivities around virtual patients, priors independent and standard normal; the "
        "spread of the prior sets the yardstick.",
        "The prior's correlations between rates (common factors) are left out.",
        "A probability's coordinate (who responds) is taken as linear between its two values.",
        "Measurements below a detection limit count as if they had been measured.",
        "Published arms are read as the four arms at the reference dose, weeks after 12 as week 12, every figure "
        "as an arm's mean with the twin's own spread. Signs without a figure are left out, and so is what makes "
        "trials differ beyond chance: they teach less than shown.",
        "One patient's effects and the next measurement rest on means and covariances of the bank's virtual "
        "patients, as if Gaussian; a trial's effects are local like its rates.",
    )
    return tuple(Assumption(what=what, status="assumed", source="biflora developers") for what in said)
