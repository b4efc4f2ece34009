"""Virtual trials: recruit from the twin's population, randomise in blocks, treat, measure, lose some."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biflora.errors import TrialistMust
from biflora.knowledge.trials import TrialDesign, trial_setting
from biflora.trial.randomise import permuted_blocks
from biflora.twin.calibrated import members as populations_known
from biflora.twin.cohort import at_visit_0, simulate_arms
from biflora.twin.observe import OBSERVED, PLACE, about, measured
from biflora.twin.population import Patients, draw, settle, together

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
ROUNDS = 6
"""Rounds of recruiting before a population counts as too mild for the trial."""
CHUNK = 4_000
"""Patients settled at a time: small enough for a moving progress bar."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One observable as measured; both (trials, patients); NaN in `final` is a missed last visit."""

    baseline: Floats
    final: Floats

    @property
    def percent_change(self) -> Floats:
        """Each patient's change in percent of her own baseline; NaN where the baseline is not above zero."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.baseline > 0, 100 * (self.final / self.baseline - 1), np.nan)


@dataclass(frozen=True, slots=True)
class VirtualTrials:
    arm: Places
    """(trials, patients): place of the arm in the design."""
    values: Mapping[str, Measured]
    """By observable."""
    label: str
    """Name of the severity observable."""
    failed: int = 0
    populations: int = 1
    too_mild: int = 0
    """Populations that could not fill the trial; others stand in for them."""

    @property
    def repeats(self) -> int:
        return int(self.arm.shape[0])


@dataclass(frozen=True, slots=True)
class Pool:
    """Recruited patients, and whose population they are of."""

    patients: Patients
    members: tuple[Places, ...]
    """For each population the places of its patients."""
    failed: int
    too_mild: int


def run_virtual_trials(
    design: TrialDesign, *, seed: int, repeats: int, on_progress: Callable[[float], None] = lambda share: None
) -> VirtualTrials:
    """`repeats` randomised trials of that design, each measured at week 0 and at its last week.

    Several trials may share a population (a row of knowledge says how many); each takes its patients from it
    anew, randomises them anew and meets new flares, noise and dropout.
    """
    each = round(trial_setting("trials_per_population"))
    populations = math.ceil(repeats / each)
    pool = recruit(design, populations, seed, lambda share: on_progress(0.6 * share))
    random = np.random.default_rng([seed, 11])
    homes = np.repeat(np.arange(populations), each)[:repeats]
    chosen = np.stack([random.permutation(pool.members[home])[: design.patients] for home in homes])
    arm = np.stack([permuted_blocks(design.arm_sizes, random) for _ in range(repeats)])
    seen = np.full((*arm.shape, 2, len(OBSERVED)), np.nan)
    for place, name in enumerate(design.arms):
        here = arm == place
        # the same patient may stand in two trials or arms: she meets other weeks in each
        people = pool.patients.some(chosen[here]).meeting_other_weeks(np.random.default_rng([seed, 13, place]))
        course = simulate_arms(people, (name,), design.weeks).values[0][:, [0, design.weeks]]
        seen[here] = measured(course, np.random.default_rng([seed, 12, place]))
        on_progress(0.6 + 0.4 * (place + 1) / len(design.arms))
    seen[random.random(arm.shape) < design.dropout, 1] = np.nan
    return VirtualTrials(
        arm=arm,
        values={key: Measured(seen[:, :, 0, PLACE[key]], seen[:, :, 1, PLACE[key]]) for key in OBSERVED},
        label=about(design.severity).label,
        failed=pool.failed,
        populations=populations,
        too_mild=pool.too_mild,
    )


def recruit(
    design: TrialDesign, populations: int, seed: int, on_progress: Callable[[float], None] = lambda share: None
) -> Pool:
    """For each population enough patients whose *measured* severity at screening reaches the entry limit."""
    random = np.random.default_rng([seed, 10])
    member = random.permutation(np.arange(populations) % len(populations_known()))
    per_round = math.ceil(trial_setting("screened_per_place") * design.patients)
    found: list[Patients] = []
    members: list[list[int]] = [[] for _ in range(populations)]
    have = failed = 0
    for _ in range(ROUNDS):
        short = [home for home, places in enumerate(members) if len(places) < design.patients]
        home_of = np.repeat(np.array(short, dtype=np.int64), per_round)
        for start in range(0, len(home_of), CHUNK):
            homes = home_of[start : start + CHUNK]
            latent = draw(len(homes), random, member[homes])
            people = settle(latent, seed)
            failed += people.failed
            homes = homes[np.isin(latent.keys, people.latent.keys)]
            for place in _eligible(design, people, random):
                members[homes[place]].append(have + int(place))
            found.append(people)
            have += len(people)
            on_progress(min(1.0, have / (populations * per_round)))
    filled = [np.array(places, dtype=np.int64) for places in members if len(places) >= design.patients]
    if not filled:
        raise TrialistMust(
            f"No virtual population gave {design.patients} patients who meet the entry limit of "
            f"{design.minimum_severity:g}; lower it."
        )
    too_mild = populations - len(filled)
    # a population too mild for this trial would never have run it: the others stand in, in turn
    members_of = tuple(filled[home % len(filled)] for home in range(populations))
    return Pool(together(found), members_of, failed, too_mild)


def _eligible(design: TrialDesign, people: Patients, random: np.random.Generator) -> Places:
    score = measured(at_visit_0(people), random)[:, PLACE[design.severity]]
    return np.flatnonzero(score >= design.minimum_severity)
