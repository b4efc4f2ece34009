"""Forecasts of single persons against what they later showed: real children, visit by visit.

The children of a trial of topical steroid with or without dilute bleach baths (Khadka 2021,
10.3389/fcimb.2021.720674) had their SCORAD rated at up to four visits. A forecaster sees a child's first
visits and draws what the later ones will show; `judge` scores it beside the two forecasts without a mechanism.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from biflora.errors import OperatorMust, TrialistMust
from biflora.knowledge.statistical import statistical_setting
from biflora.twin.scores import coverage, crps, log_score
from biflora.twin.statistical import DRAWS, STATISTICAL, Seen, StatisticalForecast

Array = NDArray[np.float64]
SCORES_FILE = "cleaned_scorads.csv"
VISITS_FILE = "meta_biological_replicates_merged.csv"
LIBRARIES_FILE = "metatable_sra_16s_public.tsv"
MISSING = {"", "NA", "NaN", "nan", "."}
USUAL_CARE = "topical steroid and emollient"
BATHS = "dilute bleach baths"
LEVELS = (0.5, 0.8, 0.95)
RESAMPLES = 4_000
SEED = 2021
_VISIT = re.compile(r"visit(\d+)_scorad", re.IGNORECASE)  # the file spells the fourth one Visit4_SCORAd
_LIBRARY = re.compile(r"S(\d+)_V(\d+)_")


@dataclass(frozen=True, slots=True)
class Case:
    """One child's visits; `number` is a hash of the trial's own code and stands in for it everywhere."""

    number: int
    age_years: float | None
    weeks: tuple[float, ...]
    """Since the first visit that was rated, in rising order."""
    values: tuple[float, ...]
    """SCORAD at each."""
    treatment: tuple[str, ...]
    assumed_weeks: tuple[int, ...] = ()
    """Places of visits whose date is missing: their week is assumed from the trial's usual spacing."""

    def until(self, given: int) -> CaseGiven:
        """What a forecaster may know: the first `given` visits, and when the later ones were."""
        return CaseGiven(
            self.number,
            self.age_years,
            self.weeks[:given],
            self.values[:given],
            self.treatment,
            self.weeks[given:],
        )


@dataclass(frozen=True, slots=True)
class CaseGiven:
    """A child's first visits and the weeks to forecast; the later scores are not in it."""

    number: int
    age_years: float | None
    weeks: tuple[float, ...]
    values: tuple[float, ...]
    treatment: tuple[str, ...]
    later_weeks: tuple[float, ...]


class Forecaster(Protocol):
    """Draws (n, later visit), equally likely, of the SCORAD that would be measured at `given.later_weeks`.

    The number of draws is the forecaster's own choice; the same case must give the same draws.
    """

    def __call__(self, given: CaseGiven, /) -> Array: ...


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % bootstrap interval over persons."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class JudgedModel:
    """How one forecaster did."""

    name: str
    predictions: int
    coverage: Mapping[float, float]
    """Share of later scores inside the central interval, by its level."""
    mean_crps: Estimate
    """SCORAD points, by the fair score, so that the number of draws favours none; lower is better."""
    absolute_error: Estimate
    """Mean distance of the median from what was measured, SCORAD points."""
    crps_ratios: Mapping[str, Estimate]
    """Mean CRPS divided by that of each forecast without a mechanism; below 1: better."""


@dataclass(frozen=True)
class JudgedTable:
    """The forecasters side by side, on the same predictions."""

    persons: int
    left_out: int
    """Persons with no visit after the given ones."""
    predictions: int
    given: int
    models: tuple[JudgedModel, ...]
    log_scores: Array
    """(prediction, model) log densities for `stacking_weights`; every model's draws are spread by one kernel, the
    noise of one measurement, so that its width favours none."""

    def model(self, name: str) -> JudgedModel:
        return next(each for each in self.models if each.name == name)


def judge(cases: Sequence[Case], forecaster: Forecaster, *, name: str = "twin", given: int = 2) -> JudgedTable:
    """Score one forecaster beside the random walk and the last value, from each person's first `given` visits."""
    return judge_several(cases, {name: forecaster}, given=given)


def judge_several(cases: Sequence[Case], forecasters: Mapping[str, Forecaster], *, given: int = 2) -> JudgedTable:
    """As `judge`, for several at once. Raises TrialistMust when fewer than two persons have a later visit."""
    told = [case for case in cases if len(case.values) > given]
    if given < 1 or len(told) < 2:
        raise TrialistMust("To judge forecasts, give at least one visit and two persons with a visit after it.")
    every = {**forecasters, "random walk": random_walk_forecaster(), "last value": last_value_forecaster()}
    person = np.repeat(np.arange(len(told)), [len(case.values) - given for case in told])
    seen = np.array([value for case in told for value in case.values[given:]])
    rounds = _resamples(len(told))
    scored = {name: _score(_all_draws(name, each, told, given), seen) for name, each in every.items()}
    models = tuple(
        JudgedModel(
            name=name,
            predictions=len(seen),
            coverage=one.coverage,
            mean_crps=_mean(one.crps, person, rounds),
            absolute_error=_mean(one.absolute, person, rounds),
            crps_ratios={bar: _ratio(one.crps, scored[bar].crps, person, rounds) for bar in STATISTICAL},
        )
        for name, one in scored.items()
    )
    logs = np.stack([one.log_scores for one in scored.values()], axis=1)
    return JudgedTable(len(told), len(cases) - len(told), len(seen), given, models, logs)


def random_walk_forecaster(*, n_draws: int = DRAWS, seed: int = SEED) -> Forecaster:
    return _statistical(STATISTICAL["random walk"], n_draws, seed)


def last_value_forecaster(*, n_draws: int = DRAWS, seed: int = SEED) -> Forecaster:
    return _statistical(STATISTICAL["last value"], n_draws, seed)


def _statistical(model: StatisticalForecast, n_draws: int, seed: int) -> Forecaster:
    def draw(given: CaseGiven, /) -> Array:
        seen = Seen("scorad", given.weeks, given.values)
        return model(seen, given.later_weeks, n_draws=n_draws, seed=seed + given.number)

    return draw


@dataclass(frozen=True, slots=True)
class _Scored:
    coverage: Mapping[float, float]
    crps: Array
    absolute: Array
    log_scores: Array


def _all_draws(name: str, forecaster: Forecaster, cases: Sequence[Case], given: int) -> list[Array]:
    """One array of draws for each prediction, checked for its shape."""
    columns: list[Array] = []
    for case in cases:
        drawn = np.asarray(forecaster(case.until(given)), dtype=float)
        later = len(case.values) - given
        if drawn.ndim != 2 or drawn.shape[1] != later or len(drawn) < 2 or not np.all(np.isfinite(drawn)):
            raise ValueError(f"the forecaster '{name}' must give finite draws (n, later visits), n at least 2")
        columns += list(drawn.T)
    return columns


def _score(columns: Sequence[Array], seen: Array) -> _Scored:
    pairs = list(zip(columns, seen, strict=True))
    noise = statistical_setting("scorad_measurement_sd")
    covered = {}
    for level in LEVELS:
        ends = np.array([np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) for drawn in columns])
        covered[level] = coverage(ends[:, 0], ends[:, 1], seen)
    return _Scored(
        coverage=covered,
        crps=np.array([crps(drawn, value, fair=True)[0] for drawn, value in pairs]),
        absolute=np.array([abs(float(np.median(drawn)) - value) for drawn, value in pairs]),
        log_scores=np.array([log_score(drawn, value, noise)[0] for drawn, value in pairs]),
    )


def _resamples(persons: int) -> NDArray[np.int64]:
    """How often each person is drawn (resample, person); every forecaster is scored on the same resamples."""
    drawn = np.random.default_rng(SEED).integers(0, persons, (RESAMPLES, persons))
    return np.stack([np.bincount(row, minlength=persons) for row in drawn])


def _mean(scores: Array, person: NDArray[np.int64], rounds: NDArray[np.int64]) -> Estimate:
    return _ratio(scores, np.ones_like(scores), person, rounds)


def _ratio(over: Array, under: Array, person: NDArray[np.int64], rounds: NDArray[np.int64]) -> Estimate:
    """Ratio of two sums over predictions; the interval draws persons with all their predictions."""
    upper, lower = np.bincount(person, over), np.bincount(person, under)
    low, high = np.quantile((rounds @ upper) / (rounds @ lower), [0.025, 0.975])
    return Estimate(float(upper.sum() / lower.sum()), float(low), float(high))


def read_scorads(folder: Path) -> tuple[Case, ...]:
    """The trial's children from its three files, each with at least one rated visit, ordered by their hash.

    Visit dates come from the swabs' table, else from the list of sequenced libraries; where neither has one, the
    visit lies `visit_spacing` from its neighbour. Visits beyond those of the score file are left out. Raises
    OperatorMust for a missing file or column and TrialistMust for a cell that cannot be; no text repeats a cell.
    """
    rows = _table(folder / SCORES_FILE, ("Subject", "ChlorineBath"))
    dates, ages = _visits(folder)
    cases: list[Case] = []
    seen: set[str] = set()
    for line, row in enumerate(rows, start=2):
        where = f"{SCORES_FILE}, line {line}"
        subject, bath = row["Subject"], row["ChlorineBath"]
        if not subject or subject in seen:
            raise TrialistMust(f"{where}: 'Subject' is empty or stands twice; give every child one line.")
        if bath not in ("0", "1"):
            raise TrialistMust(f"{where}: 'ChlorineBath' must be 0 or 1.")
        seen.add(subject)
        rated = {
            int(found[1]): _score_cell(cell, f"{where}, {column}")
            for column, cell in row.items()
            if (found := _VISIT.fullmatch(column)) and cell not in MISSING
        }
        if rated:
            treatment = (USUAL_CARE, BATHS) if bath == "1" else (USUAL_CARE,)
            cases.append(_case(subject, rated, dates, ages.get(subject), treatment, where))
    if not cases:
        raise OperatorMust(f"{SCORES_FILE}: no rated visit in it; put the trial's own file there.")
    return tuple(sorted(cases, key=lambda case: case.number))


def _case(
    subject: str,
    rated: Mapping[int, float],
    dates: Mapping[tuple[str, int], date],
    age: float | None,
    treatment: tuple[str, ...],
    where: str,
) -> Case:
    visits = sorted(rated)
    weeks, assumed = _weeks(
        visits, {visit: dates[subject, visit] for visit in visits if (subject, visit) in dates}
    )
    if any(later <= before for before, later in itertools.pairwise(weeks)):
        raise TrialistMust(f"{where}: the dates of this child's visits do not rise with the visits; correct them.")
    number = int.from_bytes(hashlib.sha256(f"khadka2021/{subject}".encode()).digest()[:4], "big")
    return Case(number, age, weeks, tuple(rated[visit] for visit in visits), treatment, assumed)


def _weeks(visits: Sequence[int], dates: Mapping[int, date]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Weeks since the first of the visits, and the places of those whose date was assumed."""
    spacing = statistical_setting("visit_spacing")
    origin = dates[min(dates)] if dates else None
    weeks = []
    for visit in visits:
        if visit in dates and origin is not None:
            weeks.append((dates[visit] - origin).days / 7.0)
        elif origin is None:
            weeks.append(spacing * visit)
        else:
            near = min(dates, key=lambda known: (abs(known - visit), known))
            weeks.append((dates[near] - origin).days / 7.0 + spacing * (visit - near))
    assumed = tuple(place for place, visit in enumerate(visits) if visit not in dates)
    return tuple(week - weeks[0] for week in weeks), assumed


def _visits(folder: Path) -> tuple[dict[tuple[str, int], date], dict[str, float]]:
    """Date of each (subject, visit), and each subject's age at the first row that tells it."""
    dates: dict[tuple[str, int], date] = {}
    ages: dict[str, float] = {}
    libraries = _table(folder / LIBRARIES_FILE, ("collection_date", "host_age", "sample_name_full_length"), "\t")
    for line, row in enumerate(libraries, start=2):
        found = _LIBRARY.match(row["sample_name_full_length"])
        if found:
            where = f"{LIBRARIES_FILE}, line {line}"
            _note((found[1], int(found[2])), row["collection_date"], row["host_age"], dates, ages, where)
    for line, row in enumerate(_table(folder / VISITS_FILE, ("Subject", "Visit", "Age", "DateSampled")), start=2):
        if row["Subject"].isdigit() and row["Visit"].isdigit():
            where = f"{VISITS_FILE}, line {line}"
            _note((row["Subject"], int(row["Visit"])), row["DateSampled"], row["Age"], dates, ages, where)
    return dates, ages


def _note(
    visit: tuple[str, int],
    day: str,
    age: str,
    dates: dict[tuple[str, int], date],
    ages: dict[str, float],
    where: str,
) -> None:
    if day not in MISSING:
        dates[visit] = _day(day, where)
    if age not in MISSING and visit[0] not in ages:
        ages[visit[0]] = _number(age, 0.0, 120.0, f"{where}, age")


def _day(text: str, where: str) -> date:
    for form in ("%m/%d/%y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise TrialistMust(f"{where}: the date must look like 6/30/17 or 2017-06-30.")


def _score_cell(text: str, where: str) -> float:
    return _number(text, 0.0, 103.0, where)


def _number(text: str, low: float, high: float, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise TrialistMust(f"{where}: must be a number from {low:g} to {high:g}, or NA.")
    return value


def _table(path: Path, columns: Iterable[str], delimiter: str = ",") -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise OperatorMust(f"{path.name}: cannot be read; put the trial's files into the folder named.") from None
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    lacking = [name for name in columns if name not in (reader.fieldnames or ())]
    if lacking:
        raise OperatorMust(
            f"{path.name}: column(s) missing: {', '.join(lacking)}; put the trial's own file there."
        )
    return [{name: (cell or "").strip() for name, cell in row.items() if name} for row in reader]
