"""What trials reported: arm by arm, per condition and arm, and the figures that a replication is held against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from biflora.knowledge.rows import Row, read_table

ArmName = Literal["standard_care", "oral", "topical", "combination"]


class TrialArm(Row):
    """One reported number of one arm of one trial; `source` is its DOI or address."""

    trial: str
    year: int
    condition: str
    arm: str
    intervention_class: str
    n: int | None = None
    age_group: str
    severity: str
    week: float | None = None
    endpoint: str
    unit: str = ""
    mean: float | None = None
    sd: float | None = None
    percent_change: float | None = None
    versus_control: str = ""
    """The p value or the words of the source."""
    note: str = ""


class ArmEvidence(Row):
    """What is known of one arm in one condition, in one sentence; no row means: no trial found."""

    condition: str
    arm: ArmName
    sign: Literal["positive", "null", "negative", "mixed", "uncontrolled"]
    text: str


class ConditionTrial(Row):
    """A trial, or a published meta-analysis, of one arm in a condition without a mechanistic model.

    What its numbers are says `statistic`. `events`: how many of each arm improved; `changes with intervals`: mean
    changes and half of their 95 % intervals; `changes with p`: mean changes and the p between the groups; `changes
    with own p`: mean changes, and the p of each group against its own start in the two spreads; `smd`: a
    standardised difference; `ratio`: an odds or risk ratio; `words`: no number that an estimate could be made of.
    """

    condition: str
    arm: ArmName
    level: Literal["trial", "meta-analysis"]
    trial: str
    year: int
    intervention: str
    against: Literal[
        "placebo", "vehicle", "no treatment", "active treatment", "no control", "control",
        "placebo or standard therapy",
    ]  # fmt: skip
    n_active: int | None = None
    n_control: int | None = None
    weeks: float | None = None
    outcome: str
    better: Literal["more", "fewer"]
    """Whether a higher number of the outcome is good."""
    statistic: Literal[
        "events", "changes with intervals", "changes with p", "changes with own p", "smd", "ratio", "words"
    ]
    active: float | None = None
    control: float | None = None
    spread_active: float | None = None
    spread_control: float | None = None
    p: float | None = None
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    trials: int | None = None
    """Trials in a meta-analysis."""
    tau2: float | None = None
    prediction_low: float | None = None
    prediction_high: float | None = None
    sign: Literal["positive", "null", "negative", "mixed", "uncontrolled"]
    """What the source says of it, not only of the number here."""
    pool: Literal["yes", "no"]
    """Whether it is counted; one that is only remembered never is."""
    note: str = ""


class TrialDesign(Row):
    """A published trial that `replicate` knows."""

    label: str
    condition: str
    weeks: int
    patients: int
    arms: tuple[ArmName, ...]
    arm_sizes: tuple[int, ...]
    """In the order of `arms`."""
    sizes_status: Literal["reported", "assumed"]
    severity: str
    """Observable that stands for the trial's severity score."""
    minimum_severity: float
    """Entry threshold on that observable."""
    dropout: float
    """Share of patients without a week-12 value."""
    note: str = ""


class PublishedFigure(Row):
    """One figure of a published trial."""

    trial: str
    """Key of trial_designs."""
    label: str
    arm: ArmName
    observable: str
    measure: Literal["percent change", "fold fall", "fold rise"]
    value: float
    unit: str
    note: str = ""


class NotIdentified(Row):
    """What the published text of a trial cannot tell."""

    trial: str
    text: str


class TrialSetting(Row):
    """One threshold or convention of the trial room."""

    value: float
    unit: str
    note: str = ""


def trial_arms() -> Mapping[str, TrialArm]:
    return read_table("trial_arms", TrialArm)


def arm_evidence() -> Mapping[str, ArmEvidence]:
    return read_table("arm_evidence", ArmEvidence)


def condition_trials() -> Mapping[str, ConditionTrial]:
    return read_table("condition_trials", ConditionTrial)


def trial_designs() -> Mapping[str, TrialDesign]:
    return read_table("trial_designs", TrialDesign)


def published_figures() -> Mapping[str, PublishedFigure]:
    return read_table("published_figures", PublishedFigure)


def not_identified() -> Mapping[str, NotIdentified]:
    return read_table("not_identified", NotIdentified)


def trial_setting(key: str) -> float:
    """Value of the row of that key; a missing one is a programming error and raises KeyError."""
    rows: Mapping[str, TrialSetting] = read_table("trial_settings", TrialSetting)
    return rows[key].value


TABLES: dict[str, type[Row]] = {
    "trial_arms": TrialArm,
    "arm_evidence": ArmEvidence,
    "condition_trials": ConditionTrial,
    "trial_designs": TrialDesign,
    "published_figures": PublishedFigure,
    "not_identified": NotIdentified,
    "trial_settings": TrialSetting,
}
