"""What prescribing, making and following up need to know: settings, containers, steps, interactions, alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from biflora.knowledge.rows import Row, read_table


class DispensingSetting(Row):
    """One number of the rules of prescribing and making."""

    value: float
    unit: str
    note: str = ""


class Container(Row):
    """A container size that a pharmacy keeps, and the dosage forms that go into it."""

    label: str
    grams: float = Field(gt=0)
    dosage_forms: tuple[str, ...]


class MakingStep(Row):
    """One step of the worksheet for a kind of vehicle, in order."""

    kinds: tuple[str, ...]
    """Values of Vehicle.kind."""
    order: int
    text: str
    only_with: tuple[str, ...] = ()
    """Ingredient classes (klass) of which one must be present; empty: always."""


class Interaction(Row):
    """A clash between what the patient already uses and what the formula holds."""

    current: tuple[str, ...]
    """Words of a current treatment, lower case; one of them must occur in it."""
    ingredients: tuple[str, ...]
    """Ingredient keys of the formula; one of them must be present."""
    severity: Literal["block", "warn"]
    message: str


class PrescriptionQuestion(Row):
    """What a prescriber must answer before signing, by a mark of an ingredient."""

    routes: tuple[str, ...] = ()
    """Beginnings of Ingredient.us_route."""
    klasses: tuple[str, ...] = ()
    hazardous: bool = False
    severity: Literal["block", "warn", "note"]
    message: str
    checked_as: str = ""
    """Rule under which the formula's checker asks the same; what it asked is not asked again."""


class FollowUpRule(Row):
    """When an outcome calls somebody."""

    what: str
    """worsening, not_improved, serious_event, severe_event, infection_words, low_adherence, outside_forecast."""
    threshold: float
    unit: str
    level: Literal["stop", "warn", "note"]
    words: tuple[str, ...] = ()
    message: str


def dispensing_setting(key: str) -> DispensingSetting:
    """The row of that key; a missing one is a programming error and raises KeyError."""
    rows: Mapping[str, DispensingSetting] = read_table("dispensing_settings", DispensingSetting)
    return rows[key]


def containers() -> Mapping[str, Container]:
    return read_table("containers", Container)


def making_steps() -> Mapping[str, MakingStep]:
    return read_table("making_steps", MakingStep)


def interactions() -> Mapping[str, Interaction]:
    return read_table("interactions", Interaction)


def prescription_questions() -> Mapping[str, PrescriptionQuestion]:
    return read_table("prescription_questions", PrescriptionQuestion)


def follow_up_rules() -> Mapping[str, FollowUpRule]:
    return read_table("follow_up_rules", FollowUpRule)


TABLES: dict[str, type[Row]] = {
    "dispensing_settings": DispensingSetting,
    "containers": Container,
    "making_steps": MakingStep,
    "interactions": Interaction,
    "prescription_questions": PrescriptionQuestion,
    "follow_up_rules": FollowUpRule,
}
