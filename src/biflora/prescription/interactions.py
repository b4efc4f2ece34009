"""Clashes between what the patient already uses and what the formula holds."""

from __future__ import annotations

from collections.abc import Sequence

from biflora.formula.formula import Formula
from biflora.knowledge.dispensing import interactions
from biflora.values import Finding, Who


def find_interactions(formula: Formula, current_treatments: Sequence[str]) -> tuple[Finding, ...]:
    """One finding per rule that a current treatment (free words) and an ingredient raise together."""
    current = [treatment.casefold() for treatment in current_treatments]
    inside = {line.ingredient: line.name or line.ingredient for line in formula.lines if line.ppm > 0}
    found = []
    for rule in interactions().values():
        causes = [inside[key] for key in rule.ingredients if key in inside]
        if causes and any(word in treatment for word in rule.current for treatment in current):
            found.append(
                Finding(
                    level="stop" if rule.severity == "block" else "warn", rule=rule.key, subject=", ".join(causes),
                    message=rule.message, who=Who.PRESCRIBER, source=rule.source, verification=rule.verification,
                )
            )  # fmt: skip
    return tuple(found)
