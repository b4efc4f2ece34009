"""The checker against cases a pharmacist wrote (tests/rules/formula_checks.yaml) and against published tables."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from biflora.errors import ClinicianMust
from biflora.formula.check import check_formula
from biflora.formula.check_preservation import undissociated_share
from biflora.formula.formula import MILLION, Formula, Line
from biflora.plan.plan import Needs

RULES = Path(__file__).resolve().parents[2] / "rules" / "formula_checks.yaml"
CASES = yaml.safe_load(RULES.read_text(encoding="utf-8"))
PERSON: dict[str, Any] = {
    "condition": "atopic_dermatitis",
    "needs": [{"effect": "hydration", "weight": 0.5, "confidence": 0.5}],
    "age_years": 30,
    "sites": ["arms"],
    "pregnancy": "no",
    "immune_status": "normal",
}
FIELDS = {
    "name", "vehicle", "ph", "preservative_system", "rinse_off", "lines", "needs", "stop", "warn", "note",
    "absent", "nothing_stops", "subjects", "absent_subjects",
}  # fmt: skip


def formula_of(case: dict[str, Any]) -> Formula:
    ppm = {key: round(percent * 10_000) for key, percent in case["lines"].items() if percent != "qs"}
    rest = MILLION - sum(ppm.values())
    lines = tuple(
        Line(ingredient=key, ppm=ppm.get(key, rest), quantum_satis=percent == "qs")
        for key, percent in case["lines"].items()
    )
    return Formula(
        vehicle=case["vehicle"],
        ph=case.get("ph"),
        preservative_system=case["preservative_system"],
        rinse_off=case.get("rinse_off", False),
        lines=lines,
    )


def needs_of(case: dict[str, Any]) -> Needs | None:
    given = case.get("needs") or {}
    return None if given == "none" else Needs.model_validate(PERSON | given)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_case_of_the_pharmacist(case: dict[str, Any]) -> None:
    assert set(case) <= FIELDS, "a field of the case is misspelt"
    found = check_formula(formula_of(case), needs_of(case))
    by_level: dict[str, set[str]] = {"stop": set(), "warn": set(), "note": set()}
    for each in found:
        by_level[each.level].add(each.rule)
    for level in ("stop", "warn", "note"):
        assert set(case.get(level) or ()) <= by_level[level], (level, by_level)
    everything = set().union(*by_level.values())
    assert not set(case.get("absent") or ()) & everything
    if case.get("nothing_stops"):
        assert by_level["stop"] == set()
    subjects = {each.subject for each in found}
    assert set(case.get("subjects") or ()) <= subjects
    for rule, names in (case.get("absent_subjects") or {}).items():
        assert not [each for each in found if each.rule == rule and each.subject in names]
    for each in found:
        assert each.subject
        assert each.source
        assert each.verification
        assert each.message.endswith(".")


def test_the_undissociated_share_agrees_with_the_published_table() -> None:
    # Percent undissociated at pH 4.0, 4.5, 5.0, 5.5, 6.0, as the project's research tabulates them.
    table = {4.20: (61, 33, 14, 4.8, 1.6), 4.76: (85, 64, 36, 15, 5.4), 5.27: (95, 85, 65, 37, 16)}
    for pka, shares in table.items():
        for ph, share in zip((4.0, 4.5, 5.0, 5.5, 6.0), shares, strict=True):
            assert 100 * undissociated_share(ph, pka) == pytest.approx(share, abs=0.6)


def test_the_gravest_stands_first_and_an_unknown_allergy_is_refused() -> None:
    case = next(each for each in CASES if each["name"] == "tretinoin with benzoyl peroxide")
    levels = [each.level for each in check_formula(formula_of(case), needs_of(case))]
    assert levels == sorted(levels, key=["stop", "warn", "note"].index)
    with pytest.raises(ClinicianMust, match="closest names"):
        check_formula(formula_of(case), Needs.model_validate(PERSON | {"allergies": ["kryptonite"]}))


def test_the_checker_shares_no_code_with_the_optimiser() -> None:
    room = Path(check_formula.__code__.co_filename).parent
    own = {"biflora.formula.formula", "biflora.formula.jar"}
    for path in [room / "jar.py", *room.glob("check*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("biflora.formula"):
                assert node.module in own or node.module.startswith("biflora.formula.check_"), (
                    path.name,
                    node.module,
                )
