"""The Outcome: what happened, and the forecast redrawn from it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from biflora.profile.profile import Score
from biflora.values import Finding, Record, Value


class AdverseEvent(Value):
    what: str
    severity: Literal["mild", "moderate", "severe"]
    serious: bool = False
    related: Literal["unlikely", "possible", "probable", "unknown"] = "unknown"


class Outcome(Record):
    """One visit's result under one arm. `alerts` says what somebody must do now."""

    patient_id: str
    week: float
    on: date
    arm: str
    scores: tuple[Score, ...] = ()
    s_aureus_log10_copies_per_cm2: float | None = None
    tewl_g_per_m2_h: float | None = None
    adherence_percent: float | None = None
    adverse_events: tuple[AdverseEvent, ...] = ()
    inside_forecast_80: bool | None = None
    """Whether the severity fell inside the 80 % interval that was forecast for that week."""
    alerts: tuple[Finding, ...] = ()
