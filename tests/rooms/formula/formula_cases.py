"""Cases that a pharmacist can read (tests/rules/formula, tests/golden/formulas), made into formulas and needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from biflora.formula.formula import MILLION, Formula, Line
from biflora.knowledge.formula_rules import formula_rules
from biflora.knowledge.pharmacy import incompatibilities, strength_limits
from biflora.plan.plan import Needs

RULES = Path(__file__).resolve().parents[2] / "rules" / "formula"
PERSON: dict[str, Any] = {
    "condition": "atopic_dermatitis",
    "needs": [{"effect": "hydration", "weight": 0.5, "confidence": 0.5}],
    "age_years": 30,
    "sites": ["arms"],
    "pregnancy": "no",
    "immune_status": "normal",
}


def rule_cases() -> list[dict[str, Any]]:
    """Every case of tests/rules/formula with the group (file) it stands in."""
    cases: list[dict[str, Any]] = []
    for path in sorted(RULES.glob("*.yaml")):
        page = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert set(page) <= {"bases", "cases"}, path.name
        cases += [{"group": path.stem} | case for case in page["cases"]]
    return cases


def lines_of(given: dict[str, Any] | list[list[Any]]) -> tuple[Line, ...]:
    """Lines from percentages; `qs` fills up to 100 %. A list of pairs may name an ingredient twice."""
    pairs = list(given.items()) if isinstance(given, dict) else [(key, percent) for key, percent in given]
    rest = MILLION - sum(round(percent * 10_000) for _, percent in pairs if percent != "qs")
    return tuple(
        Line(ingredient=key, ppm=max(rest, 0), quantum_satis=True)
        if percent == "qs"
        else Line(ingredient=key, ppm=round(percent * 10_000))
        for key, percent in pairs
    )


def formula_of(case: dict[str, Any]) -> Formula:
    return Formula(
        vehicle=case["vehicle"],
        condition=case.get("condition", ""),
        ph=case.get("ph"),
        preservative_system=case["preservative_system"],
        rinse_off=case.get("rinse_off", False),
        container=case.get("container"),
        lines=lines_of(case["lines"]),
    )


def needs_of(case: dict[str, Any]) -> Needs | None:
    given = case.get("needs") or {}
    return None if given == "none" else Needs.model_validate(PERSON | given)


def registered(rule: str) -> str:
    """The registry's key for a finding's rule: itself, or the family of its row. Raises KeyError for neither."""
    if rule in formula_rules():
        return rule
    if rule in incompatibilities():
        return "incompatible_pair"
    limit = strength_limits()[rule]
    families = (
        ("limit_by_pregnancy", bool(limit.pregnancy)),
        ("limit_by_age", limit.age_below_years is not None),
        ("limit_by_skin", bool(limit.skin_integrity)),
        ("limit_by_site", bool(limit.sites)),
        ("limit_by_condition", bool(limit.conditions)),
        ("limit_by_rinsing", limit.rinse_off != "any"),
        ("limit_for_all", True),
    )
    return next(key for key, holds in families if holds)
