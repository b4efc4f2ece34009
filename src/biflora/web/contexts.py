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
from biflora.papers.grid import Grid
from biflora.papers.microbiome_content import MicrobiomeContent
from biflora.papers.plan_content import PlanWords
from biflora.papers.sheet import FormulaSheet, ReasonGroup, SheetFinding
from biflora.plan.explain import Explanation
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
    reasons: tuple[ReasonGroup, ...] = ()
    """Why no formula is possible."""
    draft: Draft | None = None
    prescriptions: tuple[Signed, ...] = ()
    orders: tuple[OrderLine, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    forecast_now: Forecast | None = None
    said: ForecastWords | None = None
    words: PlanWords | None = None
    prescribable: bool = False
    """Whether the decided arm (the proposed one before a decision) allows a topical to be prescribed."""
    laboratory: Grid | None = None
    record: TrackRecord | None = None
    record_grid: Grid | None = None
    before: str | None = None
    after: str | None = None
    """Numbers of the patients before and after on the worklist."""
    instruments: tuple[tuple[str, str, str], ...] = ()
    """Key, label and range of what a visit of this condition scores."""
    problem: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    """What was typed into the form that needs mending."""


@dataclass(frozen=True)
class BenchRow:
    """One line of the bench as typed; `number` names it to the page's script, whatever its place."""

    number: int
    ingredient: str = ""
    percent: str = ""
    fills: str = ""
    """What a line that fills up comes to."""
    ingredient_problem: str = ""
    percent_problem: str = ""


@dataclass(frozen=True)
class BenchPage:
    """A formula to try changes on, and what the checker says of it. Nothing here is kept."""

    here: str
    """Address that the form goes to."""
    back: tuple[str, str]
    """Address and name of the page it was opened from."""
    whose: str
    """Name of the patient whose needs apply; empty without one."""
    needs: tuple[tuple[str, str], ...]
    """Name and value of what the rules about the patient look at."""
    rows: tuple[BenchRow, ...]
    given: Mapping[str, str]
    """What stands in the fields above the lines."""
    problems: Mapping[str, str]
    """What is wrong with those fields."""
    choices: Mapping[str, tuple[tuple[str, str], ...]]
    """Key and label of what each list offers."""
    ingredients: tuple[str, ...]
    status: str
    """The answer in one sentence, read aloud when it changes."""
    level: str
    sheet: FormulaSheet | None
    compared: bool
    """True when there is an original to compare with."""
    changes: tuple[str, ...]
    gone: tuple[SheetFinding, ...]
    pasted: str = ""
    taken_for_granted: tuple[SheetFinding, ...] = ()
    """What pasted lines did not say and was read into them."""


@dataclass(frozen=True)
class WhyPage:
    """What each ingredient of a patient's formula is in for, and what keeps the obvious others out."""

    back: tuple[str, str]
    """Address and name of the page it was opened from."""
    whose: str
    title: str
    inside: tuple[str, ...]
    outside: tuple[str, ...]


@dataclass(frozen=True)
class MicrobiomePage:
    """Both samples of a patient, whole."""

    back: tuple[str, str]
    """Address and name of the page it was opened from."""
    paper: str
    content: MicrobiomeContent


@dataclass(frozen=True)
class IntakePage:
    """The intake form: what was typed is kept when something is wrong, except the files."""

    given: Mapping[str, str]
    conditions: tuple[str, ...]
    sites: tuple[str, ...]
    signs: tuple[tuple[str, str], ...]
    signs_given: tuple[str, ...]
    instruments: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]
    """Condition, and key, label and range of what measures it."""
    laboratory: tuple[tuple[str, str, str, bool], ...]
    """Field, label, hint, and whether it is shown at once."""
    body_sites: tuple[tuple[str, str, str], ...]
    """Key, `skin` or `gut`, and label of each place a sample can come from."""
    assays: tuple[str, ...]
    problems: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with which field."""
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
    told: Explanation | None
    """The plan in plain words; shown once it is decided."""
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
