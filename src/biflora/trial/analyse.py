"""Analyse one trial's data: read the table, run the ANCOVA at the last visit, say what it shows."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from biflora.errors import TrialistMust
from biflora.knowledge.rows import release
from biflora.knowledge.trials import trial_setting
from biflora.trial.ancova import Ancova, AncovaContrast, Floats, ancova
from biflora.trial.evidence import ArmResult, Contrast, Evidence
from biflora.trial.power import contrast_power, detectable
from biflora.twin.forecast import Arm
from biflora.values import Band, Finding, Value, Who

COLUMNS = ("subject", "arm", "baseline", "week12")
MISSING = {"", "NA", "NaN", "nan", "."}
Endpoint = Literal["value", "percent change"]
CONTROL: Arm = "standard_care"


class TrialPatient(Value):
    """One randomised patient. `week12` is None when the last visit was missed."""

    subject: str
    arm: Arm
    baseline: float
    week12: float | None = None


class TrialData(Value):
    """One trial: a row per randomised patient, one severity instrument."""

    trial: str
    design: str = ""
    instrument: str = "SCORAD"
    unit: str = "points"
    important_difference: float | None = None
    """Smallest difference that matters to a patient; None: SCORAD's 8.7 where the instrument is SCORAD."""
    patients: tuple[TrialPatient, ...]


def read_trial(path: Path, *, trial: str = "", instrument: str = "SCORAD", unit: str = "points") -> TrialData:
    """Read a CSV with the columns subject, arm, baseline, week12 (empty or NA: visit missed).

    `arm` is one of standard_care, oral, topical, combination. Raises TrialistMust naming file, line and column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise TrialistMust(f"{path.name}: the file cannot be read as text; send it as UTF-8 CSV.") from None
    reader = csv.DictReader(text.splitlines())
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if lacking:
        raise TrialistMust(f"{path.name}: column(s) missing: {', '.join(lacking)}; needed: {', '.join(COLUMNS)}.")
    patients, seen = [], set()
    for number, row in enumerate(reader, start=2):
        where = f"{path.name}, line {number}"
        patient = _patient(row, where)
        if patient.subject in seen:
            raise TrialistMust(f"{where}: this subject stands twice; give one line per patient.")
        seen.add(patient.subject)
        patients.append(patient)
    if not patients:
        raise TrialistMust(f"{path.name}: no patient in it; send the table with its rows.")
    return TrialData(trial=trial or path.stem, instrument=instrument, unit=unit, patients=tuple(patients))


def analyse(data: TrialData | Path, *, control: Arm = CONTROL, endpoint: Endpoint = "value") -> Evidence:
    """ANCOVA of the last visit on baseline, each arm against the control, complete cases; from data or a CSV.

    `endpoint`: the score itself, or each patient's change in percent of her own baseline (which must be above 0).
    `Contrast.power` is the power that this trial had for the smallest important difference, not an observed
    power. Raises TrialistMust when the table cannot be analysed.
    """
    trial = read_trial(data) if isinstance(data, Path) else data
    rows = trial.patients
    baseline = np.array([p.baseline for p in rows])
    week12 = np.array([math.nan if p.week12 is None else p.week12 for p in rows])
    outcome = week12 if endpoint == "value" else _percent_change(trial.trial, baseline, week12)
    result = ancova(baseline, outcome, [p.arm for p in rows], control=control)
    important = _important(trial) if endpoint == "value" else None
    missing = int(np.isnan(week12).sum())
    arms = tuple(_arm_result(trial, arm) for arm in get_args(Arm) if arm in result.arms)
    return Evidence.make(
        "evidence",
        release=release(),
        trial=trial.trial,
        design=trial.design
        or f"{len(rows)} patients, {len(result.arms)} arms, ANCOVA on baseline, complete cases",
        seed=0,
        repeats=0,
        arms=arms,
        contrasts=tuple(_contrast(trial, found, important, endpoint) for found in result.contrasts),
        comparisons=(),
        not_identified=_limits(result, missing, important),
        findings=_findings(missing, len(rows)),
    )


def _patient(row: dict[str, str | None], where: str) -> TrialPatient:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    arms: tuple[Arm, ...] = get_args(Arm)
    found = next((arm for arm in arms if arm == cells["arm"]), None)
    if found is None:
        raise TrialistMust(f"{where}: 'arm' must be one of {', '.join(arms)}.")
    if not cells["subject"]:
        raise TrialistMust(f"{where}: 'subject' is empty; give every patient a code.")
    week12 = None if cells["week12"] in MISSING else _number(cells["week12"], "week12", where)
    return TrialPatient(
        subject=cells["subject"], arm=found, baseline=_number(cells["baseline"], "baseline", where), week12=week12
    )


def _number(text: str, column: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise TrialistMust(f"{where}: '{column}' must be a number.")
    return value


def _percent_change(trial: str, baseline: Floats, week12: Floats) -> Floats:
    if np.any(baseline <= 0):
        raise TrialistMust(
            f"{trial}: a baseline of zero or below has no percent change; analyse the value instead."
        )
    change: Floats = 100 * (week12 / baseline - 1)
    return change


def _important(trial: TrialData) -> float | None:
    if trial.important_difference is not None:
        return trial.important_difference
    return trial_setting("important_difference_scorad") if trial.instrument == "SCORAD" else None


def _arm_result(trial: TrialData, arm: Arm) -> ArmResult:
    pairs = [(p.baseline, p.week12) for p in trial.patients if p.arm == arm and p.week12 is not None]
    start, end = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    n = len(pairs)
    change = 100 * (end.mean() / start.mean() - 1) if start.mean() else 0.0
    return ArmResult(
        arm=arm, n=n, baseline_mean=float(start.mean()), baseline_sd=float(start.std(ddof=1)) if n > 1 else 0.0,
        week12_mean=float(end.mean()), percent_change=t_band(change, _change_se(start, end), max(n - 1, 1)),
    )  # fmt: skip


def _change_se(start: Floats, end: Floats) -> float:
    """Standard error of 100 x (mean end / mean start - 1), by the delta method for a ratio of means."""
    n = len(start)
    if n < 2 or not start.mean():
        return 0.0
    ratio = end.mean() / start.mean()
    return float(100 * np.std(end - ratio * start, ddof=1) / math.sqrt(n) / abs(start.mean()))


def t_band(middle: float, se: float, df: float) -> Band:
    """The t intervals around an estimate."""
    from scipy.stats import t

    quantiles = {"q2_5": 0.025, "q10": 0.1, "q25": 0.25, "q75": 0.75, "q90": 0.9, "q97_5": 0.975}
    limits = {name: float(middle + se * t.ppf(q, df)) for name, q in quantiles.items()}
    return Band(median=float(middle), **limits)


def _contrast(trial: TrialData, found: AncovaContrast, important: float | None, endpoint: Endpoint) -> Contrast:
    words, unit = ("at the last visit", trial.unit)
    if endpoint == "percent change":
        words, unit = ("change in percent", "percentage points")
    power = 0.0 if important is None else contrast_power(important, found.se, found.df)
    return Contrast.model_validate(
        {
            "arm": found.arm, "against": found.against,
            "endpoint": f"{trial.instrument} {words}, ANCOVA", "unit": unit,
            "estimate": found.estimate, "se": found.se, "ci_low": found.ci_low, "ci_high": found.ci_high,
            "p_value": found.p_value, "predictive": t_band(found.estimate, found.se, found.df), "power": power,
        }
    )  # fmt: skip


def _limits(result: Ancova, missing: int, important: float | None) -> tuple[str, ...]:
    widest = max(result.contrasts, key=lambda c: c.se)
    words = [
        f"A true difference below {detectable(widest.se, widest.df):.1f} would be missed more often than one "
        "time in five (80 % power, two-sided 5 %).",
        "The p values are not corrected for several comparisons.",
    ]
    if important is None:
        words.append("No smallest important difference is known for this endpoint; its power column is 0.")
    if missing:
        words.append(
            f"{missing} patient(s) without the last visit are left out; that is fair only if they were missed at "
            "random."
        )
    return tuple(words)


def _findings(missing: int, patients: int) -> tuple[Finding, ...]:
    if missing / patients <= trial_setting("many_missing"):
        return ()
    return (
        Finding(
            level="warn", rule="many_missing", subject="last visit", who=Who.EVIDENCE,
            message=f"{missing} of {patients} last visits are missing; impute and analyse again before any claim.",
            source="usual concern above one in five", verification="memory",
        ),
    )  # fmt: skip
