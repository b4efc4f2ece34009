"""What the report says, arranged once for screen and paper, in the order of the patient's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from biflora.followup.track_record import TrackRecord
from biflora.formula.formula import Formula, Impossible
from biflora.papers.chart import Chart
from biflora.papers.charts import (
    composition,
    difference_fans,
    forecast_fans,
    log_ratio,
    outcome_dots,
    twenty_dots,
)
from biflora.papers.charts_microbiome import stands_out, value_or_limit
from biflora.papers.forecast_content import (
    best_in_words,
    charted_goals,
    closed_arms,
    flips_in_words,
    last_week,
    other_goals,
    record_grid,
    score_at_start,
    severity_of,
    structures_grid,
)
from biflora.papers.grid import Grid
from biflora.papers.laboratory_content import laboratory_grid
from biflora.papers.plan_content import PlanWords, plan_words
from biflora.papers.sheet import FormulaSheet, ReasonGroup, formula_sheet, reason_groups
from biflora.papers.wording import DASH, number, percent, share_interval, verification_words, words
from biflora.plan.considered import Decided
from biflora.plan.plan import Plan, Step, StrainChoice
from biflora.plan.products import Shelf
from biflora.profile.profile import Profile, Quantity, Score, SiteProfile
from biflora.twin.forecast import ARM_LABELS, Forecast, Observation
from biflora.values import Finding, State

FOOTER = (
    "biflora supports a clinician's decision. It is no medical device, it diagnoses nothing, and nothing here is "
    "given to a patient before a clinician has decided."
)


@dataclass(frozen=True)
class SiteSection:
    """One site's half of the pair; without a sample only `missing` speaks."""

    site: str
    heading: str
    sample: str
    charts: tuple[Chart, ...]
    quantities: Grid | None
    findings: tuple[Finding, ...]
    missing: str


@dataclass(frozen=True)
class ReportContent:
    patient_id: str
    name: str
    synthetic: bool
    facts: tuple[tuple[str, str], ...]
    made_at: str
    stopped: bool
    scores: Grid | None
    laboratory: Grid | None
    sites: tuple[SiteSection, SiteSection]
    out_of_line: tuple[str, ...]
    not_measured: tuple[str, ...]
    profile_findings: tuple[Finding, ...]
    fans: tuple[Chart, ...]
    differences: tuple[Chart, ...]
    outcomes: tuple[Chart, ...]
    """Twenty equally likely outcomes of severity under each arm."""
    dots: tuple[Chart, ...]
    """Twenty dots for each further goal of severity."""
    other_goals: Grid | None
    best: str
    last_week: Grid | None
    structures: Grid | None
    flips: tuple[str, ...]
    record: Grid | None
    record_says: str
    no_courses: str
    mechanistic: bool
    """Whether the courses are of patients like this one, or of a trial."""
    smallest: str
    plan: Plan
    decided: Decided | None
    proposed: str
    words: PlanWords
    steps: tuple[Step, ...]
    strains: tuple[StrainChoice, ...]
    """Those tried in people like this one."""
    other_strains: tuple[StrainChoice, ...]
    """Tried in others: another age, another form of the disease."""
    sheet: FormulaSheet | None
    reasons: tuple[ReasonGroup, ...]
    minimal: bool
    no_formula: str
    unknown: tuple[str, ...]
    assumptions: Grid | None
    provenance: tuple[tuple[str, str], ...]
    footer: str = FOOTER


def report_content(
    profile: Profile,
    forecast: Forecast,
    plan: Plan,
    formula: Formula | Impossible | None,
    *,
    made_at: datetime,
    observed: Sequence[Observation] = (),
    record: TrackRecord | None = None,
    shelf: Shelf | None = None,
    decided: Decided | None = None,
) -> ReportContent:
    """Arrange the four values for reading; adds no judgement of its own.

    `record`: how earlier forecasts of this patient did; None before any visit.
    """
    severity = severity_of(forecast)
    record = record or TrackRecord()
    missing = [q for site in (profile.skin, profile.gut) if site for q in not_measured(site)]
    return ReportContent(
        patient_id=profile.patient.patient_id,
        name=profile.patient.name or profile.patient.patient_id,
        synthetic=profile.patient.synthetic,
        facts=banner_facts(profile, plan, decided),
        decided=decided,
        made_at=made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        stopped=plan.stopped,
        scores=_scores(profile.scores),
        laboratory=laboratory_grid(profile.patient),
        sites=(_site("skin", profile.skin), _site("gut", profile.gut)),
        out_of_line=tuple(t for site in (profile.skin, profile.gut) if site for t in out_of_line(site)),
        not_measured=tuple(dict.fromkeys((*missing, *(forecast.not_informed if forecast.mechanistic else ())))),
        profile_findings=profile.findings,
        fans=tuple(forecast_fans(forecast, severity, observed=observed)) if severity else (),
        differences=tuple(difference_fans(forecast, severity)) if severity else (),
        outcomes=tuple(outcome_dots(forecast, severity, start=score_at_start(profile, severity)))
        if severity
        else (),
        dots=tuple(twenty_dots(charted_goals(forecast, severity))),
        other_goals=other_goals(forecast, severity),
        best="" if plan.stopped else best_in_words(forecast, severity, closed_arms(plan)),
        last_week=last_week(forecast),
        structures=structures_grid(forecast),
        flips=flips_in_words(forecast),
        record=record_grid(record),
        record_says=record.sentence,
        no_courses=_no_courses(forecast, severity),
        mechanistic=forecast.mechanistic,
        smallest=_smallest(forecast, severity),
        plan=plan,
        proposed=ARM_LABELS[plan.proposed_arm] if plan.proposed_arm else "",
        words=plan_words(profile, forecast, plan, shelf, decided.arm if decided else None),
        steps=tuple(s for s in plan.steps if s.kind != "measure" or not plan.measures),
        strains=tuple(s for s in plan.strains if s.suits),
        other_strains=tuple(s for s in plan.strains if not s.suits),
        sheet=formula_sheet(formula) if isinstance(formula, Formula) and not plan.stopped else None,
        reasons=reason_groups(formula) if isinstance(formula, Impossible) and not plan.stopped else (),
        minimal=isinstance(formula, Impossible) and formula.minimal,
        no_formula=_no_formula(plan, formula),
        unknown=tuple(dict.fromkeys(plan.not_known)),
        assumptions=_assumptions(forecast),
        provenance=_provenance(profile, forecast, plan, formula),
    )


def banner_facts(profile: Profile, plan: Plan, decided: Decided | None = None) -> tuple[tuple[str, str], ...]:
    """What stands beside the name on every page and paper."""
    patient = profile.patient
    state = "stopped by a red flag" if plan.stopped else "a proposal; waits for a clinician's decision"
    if decided is not None:
        state = f"decided: {ARM_LABELS[decided.arm].lower()}, by {decided.by}, {decided.at:%Y-%m-%d}"
    sites = ", ".join(f"{words(s.site)} {number(s.area_percent_bsa)} %" for s in patient.sites)
    return (
        ("Id", patient.patient_id),
        ("Age", age_words(patient.age_years)),
        ("Condition", words(patient.condition)),
        ("Sites", sites or "none stated"),
        ("Allergies", ", ".join(patient.allergies) or "none stated"),
        ("Pregnancy", patient.pregnancy),
        ("Immune status", patient.immune_status),
        ("State", state),
    )


def age_words(years: float) -> str:
    """Years; below two years in months."""
    return (
        f"{number(years * 12)} months" if years < 2 else f"{number(years, 0 if years == int(years) else 1)} years"
    )


def _scores(scores: Sequence[Score]) -> Grid | None:
    rows = tuple(
        (
            s.label,
            f"{s.value:g}".replace("-", "−"),
            f"{s.minimum:g} to {s.maximum:g}",
            s.band or DASH,
            DASH if s.smallest_important_difference is None else f"{s.smallest_important_difference:g}",
            "estimated from another score" if s.estimated else "computed" if s.computed else "as entered",
        )
        for s in scores
    )
    columns = ("Score", "Today", "Range", "Band", "Smallest that matters", "How")
    return Grid("Severity today", columns, rows, right=(1, 2, 4)) if rows else None


def _site(site: str, given: SiteProfile | None) -> SiteSection:
    heading = "Skin" if site == "skin" else "Gut"
    if given is None:
        text = f"No {heading.lower()} sample was given. The intervals are wider for it."
        return SiteSection(site, heading, "", (), None, (), text)
    depth = "shares only, no counts" if given.depth_reads is None else f"{given.depth_reads:,.0f} reads"
    sample = f"Sample {given.sample_id}; {given.assay}; {depth}; {given.format}"
    charts = (composition(given), *(log_ratio(given) if site == "skin" else ()))
    rows = tuple(quantity_cells(q) for q in given.quantities)
    grid = (
        Grid(f"{heading}, further numbers", ("Quantity", "Value", "95 % interval", "Note"), rows, right=(1, 2))
        if rows
        else None
    )
    return SiteSection(site, heading, sample, charts, grid, given.findings, "")


def quantity_cells(q: Quantity) -> tuple[str, str, str, str]:
    """Label, value with unit, 95 % interval and note of one quantity, as all papers write them."""
    if q.value is None or q.state is not State.MEASURED:
        return (q.label, q.state.value, DASH, q.note)
    if q.unit == "share":
        spread = DASH if q.low is None or q.high is None else share_interval(q.low, q.high)
        return (q.label, percent(q.value), spread, q.note)
    if q.bound:
        return (q.label, f"{value_or_limit(q)} {q.unit}".strip(), DASH, q.note)
    whole = q.unit == "features" or (q.value == int(q.value) and q.value >= 10)
    digits = 0 if whole else 2
    spread = DASH if q.low is None or q.high is None else f"{number(q.low, digits)} to {number(q.high, digits)}"
    return (q.label, f"{number(q.value, digits)} {q.unit}".strip(), spread, q.note)


def out_of_line(site: SiteProfile) -> list[str]:
    """One sentence for each cohort: which guilds lie outside its range, and how far it can be compared."""
    by_cohort: dict[str, list[str]] = {}
    for guild in site.guilds:
        reference = guild.reference
        if reference is None or guild.share is None or not stands_out(guild):
            continue
        limits = "quartiles, so half of it lies outside too" if reference.limits == "IQR" else reference.limits
        cohort = f"{site.site.capitalize()}, against {reference.cohort}, n = {reference.n} ({limits})"
        if reference.mismatch:
            cohort += f"; differs in {', '.join(reference.mismatch)}"
        side = "above" if guild.share > reference.high else "below"
        by_cohort.setdefault(cohort, []).append(
            f"{guild.label} {side} ({percent(guild.share)}; range {share_interval(reference.low, reference.high)})"
        )
    return [f"{cohort}: {', '.join(guilds)}" for cohort, guilds in by_cohort.items()]


def not_measured(site: SiteProfile) -> list[str]:
    unknown = (State.NOT_MEASURED, State.NOT_RESOLVED)
    where = site.site
    items = [(g.label, g.state, g.note) for g in site.guilds if g.state in unknown]
    # diversities and indices say so in their own table; only what a clinician acts on is repeated here
    items += [
        (q.label, q.state, q.note) for q in site.quantities if q.state in unknown and q.key.startswith("log10_")
    ]
    return [
        f"{label} ({where}): {state.value}{f'. {note}' if note else ''}".rstrip(".")
        for label, state, note in items
    ]


def _no_courses(forecast: Forecast, severity: str | None) -> str:
    if severity is None:
        return (
            "No course can be simulated for this condition: it has no mechanistic model here, and no trial found "
            "gives a course by arm. What is proposed rests on the evidence tables alone."
        )
    if not forecast.mechanistic:
        return "These courses come from evidence tables, not from a mechanistic model of this condition."
    return ""


def _smallest(forecast: Forecast, severity: str | None) -> str:
    about = next((o for o in forecast.observables if o.key == severity), None)
    if about is None or about.smallest_important_difference is None:
        return ""
    smallest = about.smallest_important_difference
    return (
        f"The bracket is the smallest difference that matters to patients, {smallest.value:g} {smallest.unit} "
        f"({smallest.source}; {verification_words(smallest.verification)})."
    )


def _no_formula(plan: Plan, formula: Formula | Impossible | None) -> str:
    if plan.stopped:
        return "No formula is designed while a red flag stands. Clear it first; then run the plan again."
    return "The plan proposes no topical, so no formula was designed." if formula is None else ""


def _assumptions(forecast: Forecast) -> Grid | None:
    order = ("assumed", "memory", "read", "measured")
    rows = tuple(
        (a.what, verification_words(a.status), a.source or DASH)
        for a in sorted(forecast.assumptions, key=lambda a: order.index(a.status))
    )
    return Grid("What the forecast rests on", ("Number", "How known", "Source"), rows) if rows else None


def _provenance(
    profile: Profile, forecast: Forecast, plan: Plan, formula: Formula | Impossible | None
) -> tuple[tuple[str, str], ...]:
    rows = [
        ("Knowledge release", plan.knowledge_release or profile.knowledge_release),
        ("Profile", profile.id),
        ("Forecast", forecast.id),
        ("Plan", plan.id),
    ]
    if formula is not None:
        rows.append(("Formula" if isinstance(formula, Formula) else "Formula (impossible)", formula.id))
    rows.append(("Seed", str(forecast.seed)))
    if forecast.bank_size:
        rows.append(
            (
                "Simulated patients",
                f"{forecast.bank_size}; effective {number(forecast.effective_sample_size)}; "
                f"failed {forecast.failed_trajectories}",
            )
        )
    if forecast.population:
        rows.append(("Population", words(forecast.population)))
    if forecast.informed_by:
        rows.append(("Informed by", ", ".join(forecast.informed_by)))
    for site in (profile.skin, profile.gut):
        if site is not None:
            rows.append(
                (
                    f"{site.site.capitalize()} file",
                    f"{site.file_name}, SHA-256 {site.file_sha256[:16]}…; {site.format}",
                )
            )
    return tuple(rows)
