"""The formula as a pharmacopoeia page: phases, lines, findings beside the line that causes them, alternatives."""

from __future__ import annotations

from dataclasses import dataclass

from biflora.formula.formula import Formula, Impossible, Line, Reason
from biflora.papers.wording import DASH, number, words
from biflora.values import Finding

PHASE_LABELS = {
    "A": "Phase A, water phase",
    "B": "Phase B, oil phase",
    "C": "Phase C, cool-down",
}
ANHYDROUS_LABELS = {**PHASE_LABELS, "A": "Phase A, base", "B": "Phase B, base"}


@dataclass(frozen=True)
class SheetLine:
    """One line as printed; `grams` is for 100 g."""

    name: str
    inci: str
    function: str
    percent: str
    grams: str
    why: str
    fills_up: bool
    findings: tuple[Finding, ...]


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

    title: str
    vehicle: str
    ph: str
    preservative: str
    proof: str
    total_percent: str
    phases: tuple[SheetPhase, ...]
    properties: tuple[tuple[str, str, str, str], ...]
    """Label, value, uncertainty, source."""
    other_findings: tuple[Finding, ...]
    """Findings that no line causes alone."""
    columns: tuple[str, ...]
    alternatives: tuple[AlternativeRow, ...]
    gives_up: tuple[str, ...]


@dataclass(frozen=True)
class ReasonGroup:
    """Reasons against any formula that the same person or thing can lift."""

    who: str
    reasons: tuple[Reason, ...]


def formula_sheet(formula: Formula) -> FormulaSheet:
    """Arrange a formula for reading."""
    beside = {line.ingredient: tuple(f for f in formula.findings if caused_by(f, line)) for line in formula.lines}
    placed = {f for found in beside.values() for f in found}
    labels = PHASE_LABELS if formula.ph is not None else ANHYDROUS_LABELS
    phases = []
    for letter, label in labels.items():
        lines = sorted((x for x in formula.lines if x.phase == letter), key=lambda x: -x.ppm)
        if lines:
            phases.append(SheetPhase(label, tuple(_line(line, beside[line.ingredient]) for line in lines)))
    vehicle = vehicle_name(formula.vehicle)
    return FormulaSheet(
        title=formula.name or vehicle,
        vehicle=vehicle,
        ph="not defined (no water phase)" if formula.ph is None else number(formula.ph, 1),
        preservative=words(formula.preservative_system),
        proof=_proof(formula),
        total_percent=strength(sum(line.ppm for line in formula.lines)),
        phases=tuple(phases),
        properties=tuple((p.label, p.value, p.uncertainty, p.source) for p in formula.properties),
        other_findings=tuple(f for f in formula.findings if f not in placed),
        columns=("This formula", *(f"Alternative {i}" for i, _ in enumerate(formula.alternatives, 1))),
        alternatives=_alternatives(formula),
        gives_up=tuple(a.gives_up.strip().rstrip(".") for a in formula.alternatives),
    )


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
    """Parts per million as percent by mass with no more digits than it has: 40000 is `4`, 500 is `0.05`."""
    text = f"{ppm / 10_000:.4f}".rstrip("0").rstrip(".")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}" if decimals else f"{whole}.00"


def vehicle_name(key: str) -> str:
    """The vehicle's name from knowledge; the key in words for one that knowledge does not hold."""
    from biflora.knowledge.pharmacy import vehicles

    row = vehicles().get(key)
    return row.label if row is not None else words(key)


def _line(line: Line, findings: tuple[Finding, ...]) -> SheetLine:
    amount = strength(line.ppm)
    name = line.name or words(line.ingredient)
    inci = line.inci if line.inci.casefold() != name.casefold() else ""
    return SheetLine(name, inci, words(line.function), amount, amount, line.why, line.quantum_satis, findings)


def _proof(formula: Formula) -> str:
    if formula.benefit is None:
        return ""
    if formula.proved_optimal:
        return "proved the best under these limits"
    if formula.bound is not None:
        return (
            f"the best found in the time allowed; none can be above {number(formula.bound, 2)} on the same scale"
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
