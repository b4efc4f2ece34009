"""A trial as the twin is asked about it: arms with interventions, who entered, when what was measured.

The same value is read from a user's JSON (`biflora twin predict-trial`) and made from knowledge's published
trials, which the population is calibrated to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from biflora.errors import TrialistMust
from biflora.knowledge.published import AgeGroup, PublishedTrial, arms_of, interventions_of, published_trials
from biflora.twin.observe import OBSERVED
from biflora.twin.regimen import INTERVENTIONS, Regimen
from biflora.values import Value, parse, read_json_object

ENTRY_SCORES = ("scorad", "easi", "itch_nrs")


class Spread(Value):
    """Mean and standard deviation of one score at entry, in points."""

    mean: float = Field(ge=0)
    sd: float = Field(gt=0)


class TrialArmSpec(Value):
    """One arm: its name, how many patients, what they are given."""

    name: str = Field(min_length=1, max_length=80)
    n: int = Field(ge=2, le=100_000)
    interventions: Regimen

    @field_validator("interventions", mode="before")
    @classmethod
    def _as_regimen(cls, given: Any) -> Any:
        return {"interventions": given} if isinstance(given, list | tuple) else given


class Endpoint(Value):
    """One observable at one visit."""

    observable: str = "scorad"
    week: float = Field(ge=0, le=52)

    @field_validator("observable")
    @classmethod
    def _is_known(cls, key: str) -> str:
        if key not in OBSERVED:
            raise ValueError(f"must be one of {', '.join(OBSERVED)}")
        return key


class TrialSpec(Value):
    """A trial to predict. The first arm is what the others are compared with."""

    label: str = Field(default="trial", max_length=200)
    age_group: AgeGroup = "mixed"
    baseline: dict[str, Spread]
    """Scores at entry (scorad, easi, itch_nrs): the virtual patients are weighed to have this mean and spread."""
    arms: tuple[TrialArmSpec, ...] = Field(min_length=1)
    endpoints: tuple[Endpoint, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> TrialSpec:
        wrong = [key for key in self.baseline if key not in ENTRY_SCORES]
        if wrong or not self.baseline:
            raise ValueError(
                f"baseline must name at least one of {', '.join(ENTRY_SCORES)}, each with mean and sd"
            )
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError("two arms have the same name")
        return self

    @property
    def weeks(self) -> int:
        """Whole weeks that hold every endpoint."""
        return max(1, *(int(-(-point.week // 1)) for point in self.endpoints))


def read_trial(path: Path) -> TrialSpec:
    """A trial from a JSON file. Raises TrialistMust, naming interventions that biflora does not know."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise TrialistMust(f"{path.name}: the file cannot be read as text; name a JSON file.") from None
    return trial_of(text, where=path.name)


def trial_of(text: str, *, where: str) -> TrialSpec:
    """The same from its text; `where` names it in errors."""
    data = read_json_object(text, where=where, error=TrialistMust)
    for place, arm in enumerate(data.get("arms", ()) if isinstance(data.get("arms"), list) else ()):
        given = arm.get("interventions", ()) if isinstance(arm, dict) else ()
        for item in given if isinstance(given, list) else ():
            name = item.get("name") if isinstance(item, dict) else item
            if name not in INTERVENTIONS:
                raise TrialistMust(
                    f"{where}: arm {place + 1}: '{str(name)[:40]}' is no intervention that the twin knows; "
                    f"it knows {', '.join(INTERVENTIONS)}."
                )
    return parse(TrialSpec, data, where=where, error=TrialistMust)


def published(key: str) -> TrialSpec:
    """A published trial of knowledge as a spec; its outcomes stay with knowledge."""
    row = published_trials()[key]
    return TrialSpec(
        label=row.label,
        age_group=row.age_group,
        baseline=baseline_of(row),
        arms=tuple(
            TrialArmSpec(name=arm.key, n=max(arm.n or ARM_SIZE, 2), interventions=regimen_of(arm.interventions))
            for arm in arms_of(key)
        ),
        endpoints=(Endpoint(week=row.weeks),),
    )


ARM_SIZE = 40
"""Patients of an arm whose size was not reported."""


def regimen_of(texts: tuple[str, ...]) -> Regimen:
    """What an arm of knowledge was given."""
    return Regimen.model_validate({"interventions": [interventions_of(text) for text in texts]})


def baseline_of(row: PublishedTrial) -> dict[str, Spread]:
    """The scores at entry of a usable trial, each with its spread."""
    found = {}
    if row.baseline_scorad_mean is not None:
        found["scorad"] = Spread(mean=row.baseline_scorad_mean, sd=row.baseline_scorad_sd or 12.0)
    if row.baseline_easi_mean is not None:
        found["easi"] = Spread(mean=row.baseline_easi_mean, sd=row.baseline_easi_sd or 12.0)
    if row.baseline_itch_mean is not None:
        found["itch_nrs"] = Spread(mean=row.baseline_itch_mean, sd=row.baseline_itch_sd or 1.5)
    return found
