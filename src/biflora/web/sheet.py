"""The formula sheet: lines in the order of making, grams, findings beside their cause, alternatives as columns."""

from __future__ import annotations

from biflora.formula.formula import MILLION, Formula, Line
from biflora.knowledge.pharmacy import preservative_systems
from biflora.papers.sheet import caused_by, vehicle_name
from biflora.papers.wording import words
from biflora.web.contexts import FormulaLine, FormulaSheet


def formula_sheet(formula: Formula, *, batch_g: float) -> FormulaSheet:
    """`formula` as a pharmacopoeia's page, its grams for a batch of `batch_g`."""
    others = [{line.ingredient: line for line in alternative.lines} for alternative in formula.alternatives]
    placed: set[int] = set()
    lines = []
    for line in sorted(formula.lines, key=lambda line: (line.phase, -line.ppm)):
        # A finding that two lines cause together is told once, at the first of them.
        caused = tuple(f for f in formula.findings if id(f) not in placed and caused_by(f, line))
        placed.update(id(f) for f in caused)
        lines.append(FormulaLine(line, batch_g * line.ppm / MILLION, caused, _elsewhere(line.ingredient, others)))
    own = {line.ingredient for line in formula.lines}
    more: dict[str, Line] = {}
    for other in others:
        more.update({key: line for key, line in other.items() if key not in own and key not in more})
    system = preservative_systems().get(formula.preservative_system)
    return FormulaSheet(
        formula=formula,
        vehicle=vehicle_name(formula.vehicle),
        total_percent=sum(line.ppm for line in formula.lines) * 100 / MILLION,
        preservation=system.label if system else words(formula.preservative_system),
        alternatives=tuple((vehicle_name(a.vehicle), a.gives_up) for a in formula.alternatives),
        batch_g=batch_g,
        lines=tuple(lines),
        only_elsewhere=tuple((line, _elsewhere(key, others)) for key, line in more.items()),
        other_findings=tuple(f for f in formula.findings if id(f) not in placed),
    )


def _elsewhere(ingredient: str, others: list[dict[str, Line]]) -> tuple[int | None, ...]:
    return tuple(other[ingredient].ppm if ingredient in other else None for other in others)
