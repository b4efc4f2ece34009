"""The Prescription: draft, then signed; a signed one is never edited, only replaced."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from biflora.formula.formula import Formula
from biflora.plan.plan import BodySite
from biflora.values import Finding, Record, Value

Route = Literal["503A", "research", "cosmetic"]


class Prescriber(Value):
    name: str
    licence_number: str
    licence_state: str = Field(pattern=r"^[A-Z]{2}$")


class Amount(Value):
    """How much to apply: finger-tip units and grams, from area and frequency, with the rule's source."""

    finger_tip_units_per_application: float
    grams_per_application: float
    applications_per_day: int
    days: int
    grams_total: float
    because: str
    source: str


class Draft(Record):
    """A prescription nobody has signed: it can still be changed."""

    state: Literal["draft"] = "draft"
    patient_id: str
    patient_name: str
    patient_state: str
    formula: Formula
    sites: tuple[BodySite, ...]
    amount: Amount
    quantity_g: float = Field(gt=0, le=2000)
    container: str = ""
    directions: str
    repeats: int = Field(ge=0, le=12)
    written_on: date
    expires_on: date
    route: Route
    findings: tuple[Finding, ...] = ()
    synthetic: bool = False
    """True when the patient is invented; printed on every paper."""
    acknowledged: tuple[str, ...] = ()
    """Rules of `warn` findings that the prescriber has answered."""


class Signed(Record):
    """A signed prescription: the draft as it stood, who signed, when, and the hash of what was signed."""

    state: Literal["signed"] = "signed"
    draft: Draft
    prescriber: Prescriber
    signed_at: datetime
    meaning: str = "I prescribe this preparation for this patient."
    content_sha256: str
