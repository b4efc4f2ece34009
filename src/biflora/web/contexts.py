"""What each page shows: one dataclass for each, built by the page and read by its template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from biflora.clinic.access import User
from biflora.clinic.consult import Consultation
from biflora.clinic.decide import Decision
from biflora.clinic.pharmacy import OrderLine
from biflora.clinic.research import CohortRow
from biflora.clinic.waiting import Waiting, WorklistRow
from biflora.dispensary.batch import OrderState, Worksheet
from biflora.followup.outcome import Outcome
from biflora.followup.track_record import TrackRecord
from biflora.formula.formula import Formula, Line
from biflora.papers.grid import Grid
from biflora.plan.plan import ArmSummary
from biflora.prescription.prescription import Draft, Signed
from biflora.profile.patient import Patient
from biflora.trial.evidence import Evidence
from biflora.twin.forecast import Forecast
from biflora.values import Finding


@dataclass(frozen=True)
class Landing:
    demo_users: list[User]
    patients: int
    session_ended: bool = False


@dataclass(frozen=True)
class Worklist:
    rows: list[WorklistRow]


@dataclass(frozen=True)
class FormulaLine:
    """A line of the formula sheet: its grams in the batch, the findings that it causes, the alternatives."""

    line: Line
    grams: float
    findings: tuple[Finding, ...]
    others: tuple[int | None, ...]
    """Parts per million of the same ingredient in each alternative; None where it is absent."""


@dataclass(frozen=True)
class FormulaSheet:
    formula: Formula
    vehicle: str
    preservation: str
    total_percent: float
    alternatives: tuple[tuple[str, str], ...]
    """Vehicle, and what it gives up."""
    batch_g: float
    lines: tuple[FormulaLine, ...]
    only_elsewhere: tuple[tuple[Line, tuple[int | None, ...]], ...]
    """Ingredients that only alternatives hold."""
    other_findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Charts:
    """Figures of the patient page, ready to print into it."""

    skin: Markup | None = None
    gut: Markup | None = None
    ratio: Markup | None = None
    fans: tuple[Markup, ...] = ()
    differences: tuple[Markup, ...] = ()
    outcomes: tuple[Markup, ...] = ()
    dots: tuple[Markup, ...] = ()
    course: Markup | None = None


@dataclass(frozen=True)
class ForecastWords:
    """What stands beside the figures of the forecast."""

    best: str
    structures: Grid | None
    flips: tuple[str, ...]
    last_week: Grid | None
    other_goals: Grid | None


@dataclass(frozen=True)
class PatientPage:
    patient: Patient
    consultation: Consultation | None
    waiting: Waiting
    charts: Charts
    severity_key: str | None
    out_of_line: tuple[str, ...] = ()
    not_measured: tuple[str, ...] = ()
    arms: tuple[ArmSummary, ...] = ()
    decision: Decision | None = None
    sheet: FormulaSheet | None = None
    draft: Draft | None = None
    prescriptions: tuple[Signed, ...] = ()
    orders: tuple[OrderLine, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    forecast_now: Forecast | None = None
    said: ForecastWords | None = None
    record: TrackRecord | None = None
    record_grid: Grid | None = None
    before: str | None = None
    after: str | None = None
    """Numbers of the patients before and after on the worklist."""
    problem: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    """What was typed into the form that needs mending."""


@dataclass(frozen=True)
class IntakePage:
    """The intake form: what was typed is kept when something is wrong, except the files."""

    given: Mapping[str, str]
    conditions: tuple[str, ...]
    sites: tuple[str, ...]
    signs: tuple[tuple[str, str], ...]
    signs_given: tuple[str, ...]
    instruments: tuple[tuple[str, str, str], ...]
    problems: tuple[str, ...] = ()
    who: str = ""


@dataclass(frozen=True)
class Queue:
    open_lines: list[OrderLine]
    done_lines: list[OrderLine]


@dataclass(frozen=True)
class OrderPage:
    line: OrderLine
    worksheet: Worksheet | None
    worksheet_problem: str
    next_states: tuple[OrderState, ...]
    before_release: tuple[Finding, ...]
    """What speaks against releasing the batch that waits for its quality check."""
    needs_reason: tuple[OrderState, ...]
    weighing: bool
    lot_number: str
    allergies: tuple[str, ...]
    problem: str = ""
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MyPlan:
    patient: Patient
    decision: Decision | None
    stopped: bool
    morning: tuple[str, ...]
    evening: tuple[str, ...]
    all_day: tuple[str, ...]
    amount: Markup | None
    amount_words: str
    orders: tuple[OrderLine, ...]
    outcomes: tuple[Outcome, ...]
    itch: tuple[tuple[float, float], ...]
    """Week and itch number."""


@dataclass(frozen=True)
class CheckIn:
    """One question: its place, what was answered before, and what is wrong with the last answer."""

    step: int
    of: int
    answers: Mapping[str, str]
    problem: str = ""


@dataclass(frozen=True)
class CohortPage:
    rows: list[CohortRow]
    conditions: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class EvidencePage:
    kept: list[Evidence]
    shown: Evidence | None
    charts: tuple[Markup, ...]
    trials: Mapping[str, str]
    input_hash: str = ""


@dataclass(frozen=True)
class KnowledgePage:
    release: str
    tables: tuple[tuple[str, int], ...]
    findings: tuple[Finding, ...]
    audit: tuple[Finding, ...]
    audit_entries: int
    audit_head: str
