"""What a trial asks of the twin: draw patients who meet the entry limits, treat them, see them at visits.

    patients = virtual_patients(65, seed=7, entry={"scorad": (25, 103)})
    course = simulate_arms(patients, ("standard_care", "combination"), weeks=12)
    seen = observe(course, seed=8)          # (arm, patient, week, observable), with measurement noise

Every arm is simulated on the same patients with the same flares (common random numbers), so differences
between arms are within patients. A trial that randomises takes one arm per patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.twin.arms import timetable_of
from biflora.twin.forecast import Arm
from biflora.twin.observe import OBSERVED, PLACE, measured
from biflora.twin.population import Patients, at_first_visit, together
from biflora.twin.regimen import Regimen, Timetable, timetable

Limits = Mapping[str, tuple[float, float]]
MODERATE_TO_SEVERE: Limits = {"scorad": (25.0, 103.0)}
"""Entry limits on the score measured at screening (ETFAD: moderate from 25)."""
LARGEST_DRAW = 40_000
CHUNK = 4096
"""Patients simulated at a time: memory stays flat however many there are."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """Latent observables of every patient under every arm, week by week, on common random numbers."""

    arms: tuple[Arm, ...]
    weeks: tuple[int, ...]
    values: NDArray[np.float32]
    """(arm, patient, week, observable); NaN after a failed trajectory."""
    failed: int
    observables: tuple[str, ...] = OBSERVED

    def of(self, arm: Arm, observable: str) -> NDArray[np.float32]:
        """(patient, week) of one observable under one arm."""
        return self.values[self.arms.index(arm), :, :, PLACE[observable]]


def virtual_patients(n: int, seed: int = 2026, *, entry: Limits = MODERATE_TO_SEVERE) -> Patients:
    """Draw `n` virtual patients whose *measured* observables at screening lie within the `entry` limits.

    Selecting on a measured score brings regression to the mean with it. An empty `entry` takes everybody.
    Raises TrialistMust when hardly anybody meets the limits.
    """
    for key in entry:
        if key not in PLACE:
            raise TrialistMust(f"'{key}' is no observable of the twin; entry limits know {', '.join(OBSERVED)}.")
    found: list[Patients] = []
    have, drawn, batch = 0, 0, max(64, int(1.6 * n))
    while have < n:
        if drawn >= max(LARGEST_DRAW, 20 * n):
            raise TrialistMust(f"Only {have} of {drawn} virtual patients meet the entry limits; widen them.")
        some = at_first_visit(batch, seed + 7919 * len(found))
        inside = some.some(np.flatnonzero(_eligible(some, entry, seed + 7919 * len(found))))
        found.append(inside)
        have, drawn = have + len(inside), drawn + batch
        batch = max(64, int(1.3 * (n - have) * max(drawn / max(have, 1), 1.0)))
        batch = min(batch, LARGEST_DRAW)
    return together(found).some(np.arange(n))


def at_visit_0(patients: Patients) -> NDArray[np.float32]:
    """Latent observables (n, observable) of the first visit."""
    values, _ = simulate(patients, [timetable(Regimen(), 0)], 0)
    return np.asarray(values[0, :, 0, :])


def _eligible(patients: Patients, entry: Limits, seed: int) -> NDArray[np.bool_]:
    seen = measured(at_visit_0(patients), np.random.default_rng([seed, 2]))
    inside = np.ones(len(patients), dtype=bool)
    for key, (low, high) in entry.items():
        inside &= (seen[:, PLACE[key]] >= low) & (seen[:, PLACE[key]] <= high)
    return inside


def simulate_arms(
    patients: Patients, arms: Sequence[Arm], weeks: int, gut_link: bool = True, *, stop_week: int | None = None
) -> Simulated:
    """Latent courses of every patient under every arm for `weeks` weeks.

    With `gut_link` False the gut still changes, but regulatory tone is held at what it feels of the gut at
    week 0. `stop_week`: oral and topical end there, standard care goes on (washout).
    """
    values, failed = simulate(patients, [timetable_of(arm, weeks, stop_week) for arm in arms], weeks, gut_link)
    return Simulated(tuple(arms), tuple(range(weeks + 1)), values, failed)


def simulate_regimens(
    patients: Patients, regimens: Sequence[Regimen], weeks: int, gut_link: bool = True
) -> tuple[NDArray[np.float32], int]:
    """Latent observables (regimen, patient, week, observable) on common random numbers, and how many failed."""
    return simulate(patients, [timetable(regimen, weeks) for regimen in regimens], weeks, gut_link)


def simulate(
    patients: Patients, tables: Sequence[Timetable], weeks: int, gut_link: bool = True
) -> tuple[NDArray[np.float32], int]:
    """The same for timetables that are already made, in chunks of patients."""
    from biflora.twin.engine import run

    values = np.empty((len(tables), len(patients), weeks + 1, len(OBSERVED)), np.float32)
    failed = 0
    for start in range(0, len(patients), CHUNK):
        here = slice(start, start + CHUNK)
        rates, states, keys = patients.rates[here], patients.states[here], patients.latent.keys[here]
        drive = patients.some(np.arange(start, min(start + CHUNK, len(patients)))).drive(weeks)
        for place, table in enumerate(tables):
            _, values[place, here], _, status = run(states, rates, keys, table, drive, gut_link=gut_link)
            failed += int(np.count_nonzero(status))
    return values, failed


def observe(course: Simulated, seed: int) -> NDArray[np.float32]:
    """`course` as measured at every visit: (arm, patient, week, observable) with noise and detection limits."""
    return measured(course.values, np.random.default_rng([seed, 4]))
