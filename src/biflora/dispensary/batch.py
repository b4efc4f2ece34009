"""The Batch: what the pharmacist makes, and the order that moves through its states."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from biflora.values import Finding, Record, Value


class OrderState(StrEnum):
    RECEIVED = "received"
    IN_REVIEW = "in review"
    CLARIFICATION = "clarification"
    VERIFIED = "verified"
    COMPOUNDING = "compounding"
    QUALITY_CHECK = "quality check"
    RELEASED = "released"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    RECALLED = "recalled"


class OrderStep(Value):
    state: OrderState
    at: datetime
    by: str
    reason: str = ""


class Order(Record):
    """One line of a plan on its way. A step is never removed; `id` stays that of the first step."""

    prescription_id: str
    kind: str = "topical"
    steps: tuple[OrderStep, ...] = Field(min_length=1)
    next_actor: str = ""
    eta: date | None = None
    tracking_number: str | None = None

    @property
    def state(self) -> OrderState:
        return self.steps[-1].state


class Lot(Value):
    ingredient: str
    lot_number: str
    expires_on: date


class WorksheetLine(Value):
    ingredient: str
    name: str
    phase: str
    function: str
    percent: float
    target_g: float
    tolerance_g: float
    weighed_g: float | None = None
    lot: Lot | None = None
    hazardous: bool = False


class BeyondUseDate(Value):
    """The last day of use, and the rule that gave it."""

    on: date
    days: int
    rule: str
    """Key of the knowledge row."""
    because: str
    storage: str
    source: str
    verification: str


class Worksheet(Record):
    """The compounding worksheet: weights for the batch, steps, checks to sign."""

    prescription_id: str
    batch_g: float
    lines: tuple[WorksheetLine, ...]
    steps: tuple[str, ...]
    checks: tuple[str, ...]
    made_on: date
    beyond_use: BeyondUseDate
    findings: tuple[Finding, ...] = ()


class Label(Value):
    """All that is printed on the container."""

    title: str
    patient_name: str
    patient_id: str
    actives: tuple[str, ...]
    other_ingredients: tuple[str, ...]
    form: str
    quantity: str
    directions: str
    storage: str
    beyond_use: date
    lot_number: str
    prescription_id: str
    pharmacy: str
    pharmacy_contact: str
    prescriber: str
    cautions: tuple[str, ...]
    gs1: str
    """GS1 element string, human readable, e.g. (01)...(17)...(10)...(21)..."""
    synthetic: bool = False


class Batch(Record):
    """A made and released batch."""

    worksheet: Worksheet
    lot_number: str
    made_by: str
    checked_by: str
    made_at: datetime
    yield_g: float
    label: Label
