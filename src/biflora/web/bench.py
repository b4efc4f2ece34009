"""The bench: what a person typed becomes a formula, or a sentence beside the field that needs mending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.datastructures import FormData

from biflora.errors import BifloraError, PharmacistMust
from biflora.formula.formula import MILLION, Formula, Line
from biflora.formula.read import reading_of
from biflora.formula.written import phase_of
from biflora.knowledge.keeping import container_kinds
from biflora.knowledge.lookup import find_ingredient
from biflora.knowledge.pharmacy import Ingredient, ingredients, preservative_systems, vehicles
from biflora.knowledge.rows import release
from biflora.papers.sheet import container_name, preservative_name, strength, vehicle_name
from biflora.papers.wording import number, words
from biflora.values import Finding
from biflora.web.contexts import BenchRow
from biflora.web.forms import decimal
from biflora.web.security import text

FILLS = frozenset({"qs", "q.s.", "qs.", "ad 100", "qs ad 100", "quantum satis"})
MOST_ROWS = 40
"""More than any topical has lines."""
LONGEST_PASTE = 20_000
PASTED = "The pasted lines"
FOR_TERMINALS = ", or name it with --vehicle"
"""What the reader of typed lines tells those who read it at a terminal."""


@dataclass(frozen=True)
class Typed:
    """A formula as it stands in the form's fields: words, not yet read."""

    rows: tuple[BenchRow, ...]
    vehicle: str = ""
    ph: str = ""
    preservative_system: str = ""
    container: str = ""
    condition: str = ""
    batch_g: str = "100"
    pasted: str = ""
    """Lines that could not be taken over."""
    pasted_problem: str = ""
    taken_for_granted: tuple[Finding, ...] = ()
    """What the pasted lines did not say and was read into them."""


@dataclass(frozen=True)
class Reading:
    """What the typed words mean: a formula, or what must be mended in which field."""

    typed: Typed
    """The same rows, each with what is wrong with it and what it fills up to."""
    formula: Formula | None
    batch_g: float
    problems: Mapping[str, str]


def typed_formula(formula: Formula, *, batch_g: float) -> Typed:
    """The fields that say the same as `formula`."""
    rows = tuple(
        BenchRow(place, line.name or line.ingredient, "qs" if line.quantum_satis else plain_percent(line.ppm))
        for place, line in enumerate(_as_printed(formula.lines), start=1)
    )
    return Typed(
        rows=rows,
        vehicle=formula.vehicle,
        ph="" if formula.ph is None else f"{formula.ph:g}",
        preservative_system=formula.preservative_system,
        container=formula.container or "",
        condition=formula.condition,
        batch_g=f"{batch_g:g}",
    )


def typed_form(form: FormData) -> Typed:
    """What was typed, after what the pressed button asks for: a line less, or pasted lines in place of all."""
    asked = text(form, "act")
    cells = zip(*(map(str, form.getlist(name)) for name in ("line", "ingredient", "percent")), strict=False)
    rows = [
        BenchRow(int(number[:6]) if number.isdecimal() else 0, name.strip()[:200], percent.strip()[:40])
        for number, name, percent in cells
    ]
    typed = Typed(
        rows=tuple(r for r in rows if (r.ingredient or r.percent) and asked != f"remove-{r.number}"),
        vehicle=text(form, "vehicle"),
        ph=text(form, "ph")[:40],
        preservative_system=text(form, "preservative_system"),
        container=text(form, "container"),
        condition=text(form, "condition"),
        batch_g=text(form, "batch_g")[:40],
    )
    return _take_over(typed, text(form, "pasted")[:LONGEST_PASTE]) if asked == "paste" else typed


def _take_over(typed: Typed, pasted: str) -> Typed:
    """The pasted lines in place of those in the table; when they cannot be read, both and what is wrong."""
    try:
        try:
            read = reading_of(pasted, where=PASTED)
        except PharmacistMust:
            if not typed.vehicle:
                raise
            read = reading_of(pasted, where=PASTED, vehicle=typed.vehicle)
    except BifloraError as problem:
        said = str(problem).replace(f"{PASTED}: ", "").replace(FOR_TERMINALS, ", or choose it in the list above")
        return replace(typed, pasted=pasted, pasted_problem=said)
    taken = typed_formula(read.formula, batch_g=0)
    return replace(
        taken,
        ph=taken.ph or typed.ph,
        container=_container_key(taken.container) or typed.container,
        condition=taken.condition or typed.condition,
        batch_g=typed.batch_g,
        taken_for_granted=read.notes,
    )


def _container_key(said: str) -> str:
    """Key of the container of that name; the words themselves where none has it, so that the list asks."""
    return next((key for key, row in container_kinds().items() if row.label.casefold() == said.casefold()), said)


def read_typed(typed: Typed, original: Formula | None = None) -> Reading:
    """Read the words; a line that stands in `original` too keeps its function, phase and reason."""
    problems: dict[str, str] = {}
    for name, known in (("vehicle", vehicles()), ("preservative_system", preservative_systems())):
        if getattr(typed, name) not in known:
            problems[name] = "Choose one from the list."
    ph = _decimal("ph", typed.ph, 1, 13, problems)
    batch_g = _decimal("batch_g", typed.batch_g, 1, 10_000, problems)
    if batch_g is None:
        problems.setdefault("batch_g", "Enter the grams to be made, from 1 to 10000.")
    if typed.container and typed.container not in container_kinds():
        problems["container"] = "Choose one from the list."
    row = vehicles().get(typed.vehicle)
    if row is not None and row.aqueous and ph is None:
        problems.setdefault("ph", f"{row.label} holds water: enter the target pH.")
    if row is not None and not row.aqueous:
        ph = None  # no water, no pH
    before = {line.ingredient: line for line in original.lines} if original else {}
    rows, lines = _read_rows(typed.rows, before)
    if not typed.rows:
        problems["lines"] = "Enter at least one ingredient with its percent."
    if len(typed.rows) > MOST_ROWS:
        problems["lines"] = f"A formula has at most {MOST_ROWS} lines here; take some out."
    formula = None
    if not problems and not any(each.ingredient_problem or each.percent_problem for each in rows):
        formula = Formula.make(
            "formula",
            release=release(),
            parents=(original.id,) if original and original.id else (),
            name=original.name if original else "",
            condition=typed.condition,
            vehicle=typed.vehicle,
            lines=lines,
            ph=ph,
            preservative_system=typed.preservative_system,
            rinse_off=bool(row and row.rinse_off),
            container=typed.container or None,
        )
    return Reading(replace(typed, rows=rows), formula, batch_g or 100.0, problems)


def _read_rows(typed: Sequence[BenchRow], before: Mapping[str, Line]) -> tuple[tuple[BenchRow, ...], list[Line]]:
    """Each row with what is wrong with it, and the lines of those that are right; one `qs` takes up the rest."""
    read: list[tuple[BenchRow, Ingredient | None, int | None, str, str]] = []
    fills = 0
    for row in typed:
        found, what = _ingredient(row.ingredient)
        ppm, wrong = _ppm(row.percent)
        if ppm is None and not wrong:
            fills += 1
            wrong = "Another line fills up already; only one can." if fills > 1 else ""
        read.append((row, found, ppm, what, wrong))
    rest = MILLION - sum(ppm or 0 for _, _, ppm, _, _ in read)
    rows, lines = [], []
    for row, found, ppm, what, wrong in read:
        filled = ppm is None and not wrong
        if filled and rest < 0:
            wrong = f"The other lines are {strength(-rest)} % above 100 %; lower one."
        rows.append(
            BenchRow(
                row.number, row.ingredient, row.percent, f"= {strength(rest)} %" if filled and rest >= 0 else "",
                what, wrong,
            )
        )  # fmt: skip
        if found is not None and not wrong:
            lines.append(_line(found, rest if ppm is None else ppm, filled, before.get(found.key)))
    return tuple(rows), lines


def _ingredient(name: str) -> tuple[Ingredient | None, str]:
    if not name:
        return None, "Name the ingredient, or empty the amount too."
    try:
        return ingredients()[find_ingredient(name)], ""
    except BifloraError as problem:
        return None, str(problem)


def _ppm(percent: str) -> tuple[int | None, str]:
    """Parts per million; None for the line that fills up."""
    said = percent.lower().replace("%", "").strip()
    if said in FILLS:
        return None, ""
    try:
        value = float(said.replace(",", "."))
    except ValueError:
        return 0, "Write the percent as a number, or qs for the line that fills up."
    if not 0 <= value <= 100:
        return 0, "The percent must lie from 0 to 100."
    ppm = round(value * 10_000)
    if abs(ppm - value * 10_000) > 1e-6:
        return 0, "Amounts go in steps of 0.0001 %; round this one."
    return ppm, ""


def _decimal(name: str, given: str, low: float, high: float, problems: dict[str, str]) -> float | None:
    try:
        return decimal(FormData({name: given}), name, low, high)
    except BifloraError as problem:
        problems[name] = str(problem)
        return None


def _line(row: Ingredient, ppm: int, fills: bool, before: Line | None) -> Line:
    return Line(
        ingredient=row.key,
        name=row.name,
        inci=row.inci,
        ppm=ppm,
        function=before.function if before else row.klass.replace("_", " "),
        phase=before.phase if before else phase_of(row),
        why=before.why if before else "added on the bench",
        quantum_satis=fills,
    )


def compare(
    before: Sequence[Finding], after: Sequence[Finding]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Findings that are new, and findings that are gone; one whose amounts alone changed is neither."""
    gone = list(before)
    worded_anew = []
    for finding in after:
        if finding in gone:
            gone.remove(finding)
        else:
            worded_anew.append(finding)
    new = []
    for finding in worded_anew:
        same = next((old for old in gone if _about(old) == _about(finding)), None)
        if same is None:
            new.append(finding)
        else:
            gone.remove(same)
    return tuple(new), tuple(gone)


def _about(finding: Finding) -> tuple[str, str, str]:
    """What a finding is about; one that many ingredients cause together is about the whole jar."""
    return finding.level, finding.rule, "" if "," in finding.subject else finding.subject


def changes(before: Formula, after: Formula) -> tuple[str, ...]:
    """What differs, one clause each."""
    said = []
    for label, old, new in (
        ("Vehicle", vehicle_name(before.vehicle), vehicle_name(after.vehicle)),
        ("pH", *("none" if ph is None else number(ph, 2).rstrip("0").rstrip(".") for ph in (before.ph, after.ph))),
        ("Preservation", *map(preservative_name, (before.preservative_system, after.preservative_system))),
        ("Container", container_name(before.container), container_name(after.container)),
    ):
        if old != new:
            said.append(f"{label}: {old} → {new}")
    old_ppm, new_ppm = _ppm_by_key(before), _ppm_by_key(after)
    for key in dict.fromkeys((*old_ppm, *new_ppm)):
        name = ingredients()[key].name if key in ingredients() else words(key)
        old, new = (f"{strength(ppm[key])} %" if key in ppm else "none" for ppm in (old_ppm, new_ppm))
        if old != new:
            said.append(f"{name}: {old} → {new}")
    return tuple(said)


def _ppm_by_key(formula: Formula) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in formula.lines:
        found[line.ingredient] = found.get(line.ingredient, 0) + line.ppm
    return found


def plain_percent(ppm: int) -> str:
    """Parts per million as one types it: 40000 is `4`."""
    return f"{ppm / 10_000:.4f}".rstrip("0").rstrip(".")


def _as_printed(lines: Sequence[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (line.phase, -line.ppm))
