"""What the twin is calibrated to and checked against: published trials, what their arms were given, what came out.

Three tables. An arm's interventions are written in the words of the twin's regimens, e.g.
`oral_probiotic cfu_per_day=1e10 bifidobacterium_share=0 to_week=8`. Whoever leaves one trial out leaves out
every row that counts the same patients: `left_out_with`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from biflora.errors import OperatorMust
from biflora.knowledge.rows import Row, read_table

AgeGroup = Literal["infants", "children", "adolescents", "adults", "mixed"]
"""infants: below 2 years; children: 2-11; adolescents: 12-17; mixed: more than one of them, or not stated."""
Observable = Literal[
    "scorad",
    "easi",
    "itch_nrs",
    "poem",
    "tewl",
    "s_aureus_log10",
    "commensals_log10",
    "faecal_butyrate",
    "steroid_days",
]
Measure = Literal[
    "percent_change",
    "percent_of_means",
    "change",
    "mean",
    "difference_of_change",
    "log10_ratio",
    "responders_50",
    "responders_75",
    "improved",
    "mild",
    "kept_75",
    "loss_of_improvement",
    "sign",
]
"""percent_change: mean of the patients' changes in %; percent_of_means: change of the mean in % (of a load: of
CFU, not of its logarithm; also where the source does not say which of both it is); change, mean: points;
difference_of_change: arm minus `against`, points; log10_ratio: to baseline; responders_50, _75: % of patients
that fell by so much; improved: % below their baseline; mild: % with mild disease at the end; kept_75: % of the
patients with a 75 % fall at week 16 that still have it; loss_of_improvement: percentage points since week 16;
sign: -1 lower, +1 higher, 0 no difference shown (than `against`, or than baseline), at p below .05."""
_FIELD = re.compile(r"([a-z][a-z0-9_]*)=(\S+)")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class PublishedTrial(Row):
    """One trial, or one pooled analysis, and the patients that entered it."""

    label: str
    year: int
    age_group: AgeGroup
    population: str
    baseline_scorad_mean: float | None = Field(default=None, ge=0.0, le=103.0)
    baseline_scorad_sd: float | None = Field(default=None, gt=0.0)
    baseline_easi_mean: float | None = Field(default=None, ge=0.0, le=72.0)
    baseline_easi_sd: float | None = Field(default=None, gt=0.0)
    baseline_itch_mean: float | None = Field(default=None, ge=0.0, le=10.0)
    baseline_itch_sd: float | None = Field(default=None, gt=0.0)
    baseline_status: Literal["reported", "assumed", "none"]
    """assumed as soon as one of the four numbers is; the note says which and from what."""
    weeks: int = Field(ge=1, le=52)
    """Whole weeks that hold every outcome."""
    design: Literal["randomised", "uncontrolled", "meta", "entry"]
    """entry: only what patients scored when they entered; nothing was given."""
    usable: bool
    why_not: str = ""
    null_result: bool
    """The main comparison of severity was negative, not significant, or shown by nobody."""
    overlaps: tuple[str, ...] = ()
    """Trials whose patients this row counts too, or is presumed to."""
    note: str = ""

    @model_validator(mode="after")
    def _says_why_not(self) -> Self:
        if self.usable == bool(self.why_not):
            raise ValueError("why_not must be given when the trial is not usable, and only then")
        if (self.baseline_status == "none") != (
            self.baseline_scorad_mean is None and self.baseline_easi_mean is None
        ):
            raise ValueError("baseline_status must be 'none' where no baseline is given, and only there")
        if self.usable and self.baseline_scorad_mean is None:
            raise ValueError("a usable trial needs baseline_scorad_mean, reported or assumed")
        return self


class PublishedArm(Row):
    """One arm of a published trial and what it was given."""

    trial: str
    arm: str
    """Short name within the trial, e.g. active, control, q2w."""
    label: str
    n: int | None = Field(default=None, ge=1)
    """Patients randomised or analysed, as far as the source goes."""
    n_status: Literal["reported", "derived", "assumed", "not_reported"]
    interventions: tuple[str, ...]
    note: str = ""

    @field_validator("interventions")
    @classmethod
    def _can_be_read(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                interventions_of(text)
            except OperatorMust as problem:
                raise ValueError(str(problem)) from None
        return texts

    @model_validator(mode="after")
    def _n_has_its_status(self) -> Self:
        if (self.n is None) != (self.n_status == "not_reported"):
            raise ValueError("n_status must be 'not_reported' where n is empty, and only there")
        return self


class PublishedOutcome(Row):
    """One reported figure of one arm, or of one arm against another."""

    trial: str
    arm: str
    """Key of published_arms."""
    against: str | None = None
    """Key of published_arms; absent: a figure of the arm itself."""
    week: float = Field(ge=0.0, le=52.0)
    observable: Observable
    measure: Measure
    value: float
    unit: str
    se: float | None = Field(default=None, gt=0.0)
    """Standard error of `value`."""
    se_status: Literal["reported", "derived", "assumed", "model"]
    """model: nothing printed; the twin's own spread and `n` give it."""
    n: int | None = Field(default=None, ge=1)
    """Patients of the arm (of a pooled difference: of both arms)."""
    use: Literal["calibrate", "check"]
    note: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.se is None) != (self.se_status == "model"):
            raise ValueError("se_status must be 'model' where se is empty, and only there")
        if self.measure == "sign" and self.value not in (-1.0, 0.0, 1.0):
            raise ValueError("a sign must be -1, 0 or 1")
        if self.measure != "sign" and (self.against is not None) != (self.measure == "difference_of_change"):
            raise ValueError("against must be given for a sign or a difference_of_change only")
        return self


def published_trials() -> Mapping[str, PublishedTrial]:
    return read_table("published_trials", PublishedTrial)


def published_arms() -> Mapping[str, PublishedArm]:
    return read_table("published_arms", PublishedArm)


def published_outcomes() -> Mapping[str, PublishedOutcome]:
    return read_table("published_outcomes", PublishedOutcome)


def arms_of(trial: str) -> tuple[PublishedArm, ...]:
    """The trial's arms in the table's order."""
    return tuple(row for row in published_arms().values() if row.trial == trial)


def outcomes_of(trial: str) -> tuple[PublishedOutcome, ...]:
    """The trial's figures in the table's order."""
    return tuple(row for row in published_outcomes().values() if row.trial == trial)


def left_out_with(trial: str) -> frozenset[str]:
    """The trial and every row that counts some of its patients, so that none of them is learnt from."""
    rows = published_trials()
    return frozenset({trial, *rows[trial].overlaps}) | {key for key, row in rows.items() if trial in row.overlaps}


def interventions_of(text: str) -> dict[str, str | float | bool]:
    """One intervention as the twin's `Regimen` takes it: its name and fields. Raises OperatorMust.

    interventions_of("topical_steroid rule=reactive") == {"name": "topical_steroid", "rule": "reactive"}
    """
    name, *parts = text.split() or [""]
    if _NAME.fullmatch(name) is None:
        raise OperatorMust("An intervention must begin with its name, such as 'emollient'; mend the row.")
    fields: dict[str, str | float | bool] = {"name": name}
    for part in parts:
        match = _FIELD.fullmatch(part)
        if match is None or match[1] in fields:
            raise OperatorMust(f"'{part}' in '{text}' must read field=value, each field once; mend the row.")
        fields[match[1]] = _read(match[2])
    return fields


def _read(word: str) -> str | float | bool:
    if word in ("true", "false"):
        return word == "true"
    try:
        return float(word)
    except ValueError:
        return word


TABLES: dict[str, type[Row]] = {
    "published_trials": PublishedTrial,
    "published_arms": PublishedArm,
    "published_outcomes": PublishedOutcome,
}
