"""Checks of the personal forecast: simulation-based calibration, and real persons visit by visit.

Simulation-based calibration draws patients from the population, measures them, forecasts them, and asks where the
truth ranks among the forecast's draws: uniformly, if the inference is right (Talts 2018, arXiv 1804.06788).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import observables
from biflora.twin.bank import WEEKS, bank, courses
from biflora.twin.evidence import Clue
from biflora.twin.forecast import ARMS
from biflora.twin.longitudinal import CaseGiven, Forecaster
from biflora.twin.observe import PLACE, TAILS, to_scale
from biflora.twin.population import at_first_visit
from biflora.twin.run import Personal, personal
from biflora.twin.scores import Uniformity, rank_uniformity
from biflora.twin.structures import stacked

Array = NDArray[np.float64]
RANKED = 63
"""Draws among which the truth is ranked."""
DESIGNS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "SCORAD today": (("scorad", 0.0),),
    "SCORAD, EASI, S. aureus, water loss, butyrate today; SCORAD at weeks 2 and 4": (
        ("scorad", 0.0), ("easi", 0.0), ("s_aureus_log10", 0.0), ("tewl", 0.0), ("faecal_butyrate", 0.0),
        ("scorad", 2.0), ("scorad", 4.0),
    ),
    "twelve measurements, most by tempered moves": (
        ("scorad", 0.0), ("easi", 0.0), ("itch_nrs", 0.0), ("s_aureus_log10", 0.0), ("tewl", 0.0), ("tarc", 0.0),
        ("total_ige", 0.0), ("faecal_butyrate", 0.0), ("scorad", 4.0), ("easi", 4.0), ("tewl", 4.0),
        ("scorad", 8.0),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where the truth ranked, for one set of measurements."""

    design: str
    patients: int
    moved: int
    """How many forecasts needed tempered moves."""
    course: Uniformity
    """SCORAD at week 12 under standard care."""
    difference: Uniformity
    """Combination minus standard care at week 12."""


def rank_test(design: str, patients: int, seed: int) -> Ranks:
    """Simulation-based calibration with one of `DESIGNS`."""
    random = np.random.default_rng([seed, 61])
    people = at_first_visit(patients, seed + 1)
    truth, _ = courses(people, WEEKS, gut_link=True)
    held = bank()
    ranks: dict[str, list[int]] = {"course": [], "difference": []}
    moved = 0
    for i in range(truth.shape[3]):
        like = personal(held, measure(truth[..., i], DESIGNS[design], random), seed + i)
        moved += like.moved
        thinned = random.permutation(like.on.shape[3])[:RANKED]
        for key, of in (("course", _course), ("difference", _difference)):
            true, drawn = float(of(truth[..., i : i + 1])[0]), of(like.on[..., thinned])
            tied = int(np.sum(drawn == true))
            ranks[key].append(int(np.sum(drawn < true)) + int(random.integers(0, tied + 1)))
    return Ranks(
        design, truth.shape[3], moved, rank_uniformity(ranks["course"], RANKED),
        rank_uniformity(ranks["difference"], RANKED),
    )  # fmt: skip


def _course(values: NDArray[np.float32]) -> Array:
    return np.asarray(values[0, PLACE["scorad"], WEEKS], dtype=np.float64)


def _difference(values: NDArray[np.float32]) -> Array:
    """Rounded to a hundredth of a point, so that patients in whom nothing differs tie."""
    gap = values[ARMS.index("combination"), PLACE["scorad"], WEEKS] - values[0, PLACE["scorad"], WEEKS]
    return np.asarray(np.round(gap.astype(np.float64), 2))


def measure(
    truth: NDArray[np.float32], wanted: Sequence[tuple[str, float]], random: np.random.Generator
) -> list[Clue]:
    """One measurement each of a patient (arm, observable, week) under standard care, as clues."""
    found = []
    for key, week in wanted:
        row = observables()[key]
        noise = float(random.standard_t(TAILS)) * row.noise_sd / np.sqrt(TAILS / (TAILS - 2.0))
        latent = np.array([truth[0, PLACE[key], int(week)]], dtype=np.float64)
        value = float(to_scale(row, latent)[0]) + noise
        limit = row.detection_limit
        floor = None if limit is None else float(to_scale(row, np.array([limit]))[0])
        below = floor is not None and value < floor
        found.append(Clue(key, floor if below and floor is not None else value, row.noise_sd, week, below=below))
    return found


def twin_forecaster(seed: int, *, gut_link: bool = True, quorum: bool = True) -> Forecaster:
    """Forecasts a real person from her first scores, under standard care, as one measurement would show it."""

    def forecast(given: CaseGiven, /) -> Array:
        like = _like(given, seed, quorum)
        values = like.on if gut_link else like.off
        row = observables()["scorad"]
        random = np.random.default_rng([seed, 62, given.number % 2**31])
        later = []
        for week in given.later_weeks:
            before = min(int(week), values.shape[2] - 1)
            after = min(before + 1, values.shape[2] - 1)
            part = week - int(week)
            course = values[0, PLACE["scorad"]].astype(np.float64)
            latent = (1.0 - part) * course[before] + part * course[after]
            noise = random.standard_t(TAILS, latent.shape) * row.noise_sd / np.sqrt(TAILS / (TAILS - 2.0))
            later.append(np.clip(latent + noise, row.minimum, row.maximum))
        return np.stack(later, axis=1)

    return forecast


def _like(given: CaseGiven, seed: int, quorum: bool) -> Personal:
    reach = max(WEEKS, *(int(-(-week // 1)) for week in (*given.weeks, *given.later_weeks)))
    noise = observables()["scorad"].noise_sd
    clues = [Clue("scorad", value, noise, week) for week, value in zip(given.weeks, given.values, strict=True)]
    return personal(bank(min(reach, 52), quorum=quorum), clues, seed)


def four_state_forecaster(seed: int) -> Forecaster:
    """The four-state model, started at the last score given; it has no topical steroid."""

    def forecast(given: CaseGiven, /) -> Array:
        from biflora.twin.miyano import reweighted_scorad

        row = observables()["scorad"]
        ahead = [week - given.weeks[-1] for week in given.later_weeks]
        weeks = max(1, *(int(-(-week // 1)) for week in ahead))
        told = reweighted_scorad(given.values[-1], row.noise_sd, ("standard_care",), weeks, 2000, 2026)
        course = told.scorad["standard_care"]
        random = np.random.default_rng([seed, 63, given.number % 2**31])
        noise = random.standard_t(TAILS, (len(course), len(ahead))) * row.noise_sd / np.sqrt(TAILS / (TAILS - 2.0))
        later = course[:, [min(round(w), weeks) for w in ahead]] + noise
        return np.asarray(np.clip(later, row.minimum, row.maximum))

    return forecast


def stacked_forecaster(parts: Mapping[str, Forecaster], seed: int) -> Forecaster:
    """The mixture of structures by their shipped weights."""

    def forecast(given: CaseGiven, /) -> Array:
        drawn = {key: part(given) for key, part in parts.items()}
        columns = [
            stacked({key: values[:, k] for key, values in drawn.items()}, 4000, seed + k)
            for k in range(len(given.later_weeks))
        ]
        return np.stack(columns, axis=1)

    return forecast
