"""The formula as a pharmacopoeia page: phases, lines, findings beside the line that causes them, alternatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from biflora.formula.formula import MILLION, Formula, Impossible, Line, Reason
from biflora.papers.chart import Chart
from biflora.papers.charts_keeping import keeping_courses
from biflora.papers.wording import DASH, number, words
from biflora.values import Finding

PHASE_LABELS = {
    "A": "Phase A, water phase",
    "B": "Phase B, oil phase",
    "C": "Phase C, cool-down",
}
ANHYDROUS_LABELS = {**PHASE_LABELS, "A": "Phase A, base", "B": "Phase B, base"}


@dataclass(frozen=True)
class SheetFinding:
    """A finding as it stands in the margin, with its rule's name as a pharmacist says it."""

    level: str
    rule: str
    label: str
    subject: str
    message: str
    who: str
    source: str
    verification: str
    is_new: bool = False
    """True when an earlier version of the formula did not have it."""


@dataclass(frozen=True)
class SheetLine:
    """One line as printed; `grams` is for the whole batch."""

    name: str
    inci: str
    function: str
    percent: str
    grams: str
    why: str
    fills_up: bool
    findings: tuple[SheetFinding, ...]


@dataclass(frozen=True)
class SheetPhase:
    label: str
    lines: tuple[SheetLine, ...]


@dataclass(frozen=True)
class Cell:
    text: str
    changed: bool


@dataclass(frozen=True)
class AlternativeRow:
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class FormulaSheet:
    """All that the formula page prints."""

    id: str
    title: str
    vehicle: str
    ph: str
    preservative: str
    container: str
    proof: str
    batch_g: str
    total_percent: str
    total_grams: str
    phases: tuple[SheetPhase, ...]
    properties: tuple[tuple[str, str, str, str], ...]
    """Label, value, uncertainty, source."""
    other_findings: tuple[SheetFinding, ...]
    """Findings that no line causes alone."""
    keeping: tuple[Chart, ...]
    """How long what is in the jar lasts."""
    columns: tuple[str, ...]
    alternatives: tuple[AlternativeRow, ...]
    gives_up: tuple[str, ...]


@dataclass(frozen=True)
class ReasonGroup:
    """Reasons against any formula that the same person or thing can lift."""

    who: str
    reasons: tuple[Reason, ...]


def formula_sheet(
    formula: Formula,
    *,
    batch_g: float = 100.0,
    new: Iterable[Finding] = (),
    keeping: Sequence[Chart] | None = None,
) -> FormulaSheet:
    """Arrange a formula for reading, its grams for a batch of `batch_g`.

    `new` marks what was not found before; `keeping` are its charts, drawn here if None.
    """
    fresh = set(new)
    shown = {f: replace(sheet_finding(f), is_new=f in fresh) for f in formula.findings}
    placed: set[Finding] = set()
    labels = PHASE_LABELS if formula.ph is not None else ANHYDROUS_LABELS
    phases = []
    for letter, label in labels.items():
        lines = []
        for line in sorted((x for x in formula.lines if x.phase == letter), key=lambda x: -x.ppm):
            # A finding that two lines cause together is told once, at the first of them.
            caused = [f for f in formula.findings if f not in placed and caused_by(f, line)]
            placed.update(caused)
            lines.append(_line(line, tuple(shown[f] for f in caused), batch_g))
        if lines:
            phases.append(SheetPhase(label, tuple(lines)))
    vehicle = vehicle_name(formula.vehicle)
    total = sum(line.ppm for line in formula.lines)
    return FormulaSheet(
        id=formula.id,
        title=formula.name or vehicle,
        vehicle=vehicle,
        ph="not defined (no water phase)" if formula.ph is None else number(formula.ph, 1),
        preservative=preservative_name(formula.preservative_system),
        container=container_name(formula.container),
        proof=_proof(formula),
        batch_g=f"{batch_g:g}",
        total_percent=strength(total),
        total_grams=decimals(batch_g * total / MILLION),
        phases=tuple(phases),
        properties=tuple((p.label, p.value, p.uncertainty, p.source) for p in formula.properties),
        other_findings=tuple(shown[f] for f in formula.findings if f not in placed),
        keeping=tuple(keeping_courses(formula) if keeping is None else keeping),
        columns=("This formula", *(f"Alternative {i}" for i, _ in enumerate(formula.alternatives, 1))),
        alternatives=_alternatives(formula),
        gives_up=tuple(a.gives_up.strip().rstrip(".") for a in formula.alternatives),
    )


def sheet_finding(finding: Finding) -> SheetFinding:
    """The finding with its rule's name."""
    return SheetFinding(
        level=finding.level,
        rule=finding.rule,
        label=rule_label(finding.rule),
        subject=finding.subject,
        message=finding.message,
        who=finding.who.value,
        source=finding.source,
        verification=finding.verification,
    )


def rule_label(rule: str) -> str:
    """The rule's name in the registry; a row of a table has its family's, any other key is put in words."""
    from biflora.knowledge.formula_rules import formula_rules
    from biflora.knowledge.pharmacy import incompatibilities, strength_limits

    registry = formula_rules()
    if rule in registry:
        return registry[rule].label
    if rule in strength_limits():
        return "Strength limit"
    if rule in incompatibilities():
        return next(row.label for row in registry.values() if row.family_of == "incompatibilities")
    text = words(rule)
    return text[:1].upper() + text[1:]


def reason_groups(impossible: Impossible) -> tuple[ReasonGroup, ...]:
    """The reasons grouped by who can lift them, in the order in which they came."""
    return tuple(
        ReasonGroup(who, tuple(r for r in impossible.reasons if r.who == who))
        for who in dict.fromkeys(r.who for r in impossible.reasons)
    )


def caused_by(finding: Finding, line: Line) -> bool:
    """True when the finding's subject names this line by key, name or INCI."""
    subjects = {part.strip().casefold() for part in finding.subject.replace("+", ",").split(",")}
    return bool(subjects & {x.casefold() for x in (line.ingredient, line.name, line.inci) if x})


def strength(ppm: int) -> str:
    """Parts per million as percent by mass with no more digits than it has: 40000 is `4.00`, 500 is `0.05`."""
    return decimals(ppm / 10_000)


def decimals(value: float) -> str:
    """At least two digits behind the point, at most four."""
    whole, _, behind = f"{value:.4f}".rstrip("0").partition(".")
    return f"{whole}.{behind.ljust(2, '0')}"


def vehicle_name(key: str) -> str:
    """The vehicle's name from knowledge; the key in words for one that knowledge does not hold."""
    from biflora.knowledge.pharmacy import vehicles

    row = vehicles().get(key)
    return row.label if row is not None else words(key)


def preservative_name(key: str) -> str:
    """The preservative system's name from knowledge; the key in words for one that knowledge does not hold."""
    from biflora.knowledge.pharmacy import preservative_systems

    row = preservative_systems().get(key)
    return row.label if row is not None else words(key)


def container_name(key: str | None) -> str:
    """The container's name from knowledge; says so when none is chosen."""
    from biflora.knowledge.keeping import container_kinds

    row = container_kinds().get(key or "")
    return row.label if row is not None else words(key) if key else "not chosen yet"


def _line(line: Line, findings: tuple[SheetFinding, ...], batch_g: float) -> SheetLine:
    name = line.name or words(line.ingredient)
    inci = line.inci if line.inci.casefold() != name.casefold() else ""
    grams = decimals(batch_g * line.ppm / MILLION)
    return SheetLine(
        name, inci, words(line.function), strength(line.ppm), grams, line.why, line.quantum_satis, findings
    )


def _proof(formula: Formula) -> str:
    if formula.benefit is None:
        return ""
    if formula.proved_optimal:
        return "proved the best under these limits"
    if formula.bound is not None:
        return (
            f"the best found in the time allowed ({number(formula.benefit, 2)} benefit points); "
            f"none can be above {number(formula.bound, 2)} on the same scale"
        )
    return "the best found in the time allowed"


def _alternatives(formula: Formula) -> tuple[AlternativeRow, ...]:
    if not formula.alternatives:
        return ()
    names: dict[str, str] = {}
    for line in (*formula.lines, *(x for a in formula.alternatives for x in a.lines)):
        names.setdefault(line.ingredient, line.name or words(line.ingredient))
    ours = {line.ingredient: line.ppm for line in formula.lines}
    rows = [
        _compare(
            "Vehicle", vehicle_name(formula.vehicle), [vehicle_name(a.vehicle) for a in formula.alternatives]
        ),
        _compare("pH", _ph(formula.ph), [_ph(a.ph) for a in formula.alternatives]),
    ]
    theirs = [{line.ingredient: line.ppm for line in a.lines} for a in formula.alternatives]
    for key, name in names.items():
        rows.append(_compare(name, _share(ours.get(key)), [_share(t.get(key)) for t in theirs]))
    rows.append(
        _compare(
            "Benefit (points)",
            DASH if formula.benefit is None else number(formula.benefit, 2),
            [number(a.benefit, 2) for a in formula.alternatives],
        )
    )
    return tuple(rows)


def _compare(name: str, ours: str, theirs: list[str]) -> AlternativeRow:
    return AlternativeRow(name, (Cell(ours, False), *(Cell(text, text != ours) for text in theirs)))


def _share(ppm: int | None) -> str:
    return "none" if not ppm else strength(ppm)


def _ph(value: float | None) -> str:
    return DASH if value is None else number(value, 1)
