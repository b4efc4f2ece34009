"""The registry of the formula room's rules: every rule is written down, proved, and has its cases."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from formula_cases import formula_of, needs_of, registered, rule_cases

from biflora.formula import check_keeping
from biflora.formula.check import check_formula
from biflora.formula.check_amounts import family_of
from biflora.formula.keeping import storage_of
from biflora.knowledge.check import table_types
from biflora.knowledge.formula_rules import bulk_bases, formula_rules, soaps
from biflora.knowledge.formulating import amount_ratios
from biflora.knowledge.pharmacy import incompatibilities, ingredients, strength_limits

CASES = rule_cases()
ROOM = Path(check_formula.__code__.co_filename).parent
NOT_REACHED = {("preservative_cover", "stop"), ("live_viability", "stop")}
"""Levels that no formula of this release reaches; each has a test of its own with a made-up row."""


def levels_of(rule: str) -> set[str]:
    """The levels that need a case: those of the rule, or those that the rows of a family have."""
    table = formula_rules()[rule].family_of
    if table == "strength_limits":
        rows = [row.severity for row in strength_limits().values() if family_of(row) == rule]
    elif table == "incompatibilities":
        rows = [row.severity for row in incompatibilities().values() if row.severity != "allow"]
    elif rule == "amount_ratio":
        rows = [row.severity for row in amount_ratios().values()]
    else:
        return set(formula_rules()[rule].severity)
    return {"stop" if severity == "block" else "warn" for severity in rows}


@pytest.mark.parametrize("rule", list(formula_rules()))
def test_every_rule_has_a_case_that_triggers_it_and_one_that_just_does_not(rule: str) -> None:
    triggered = {case["level"] for case in CASES if "triggers" in case and registered(case["triggers"]) == rule}
    wanted = {level for level in levels_of(rule) if (rule, level) not in NOT_REACHED}
    assert wanted <= triggered, f"no case triggers {rule} at {wanted - triggered}"
    assert [case for case in CASES if "just_not" in case and registered(case["just_not"]) == rule]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_cases_stand_in_the_file_of_their_group(case: dict[str, str]) -> None:
    rule = case.get("triggers") or case.get("just_not")
    assert rule is None or formula_rules()[registered(rule)].group == case["group"]


def test_rows_of_the_registry_hold_together() -> None:
    assert not formula_rules().keys() & (strength_limits().keys() | incompatibilities().keys())
    assert not strength_limits().keys() & incompatibilities().keys()
    for key, rule in formula_rules().items():
        assert len(rule.who) in (1, len(rule.severity)), key
        assert len(rule.severity) == 1 or rule.how, f"{key}: on what does the level depend?"
        assert set(rule.tables) <= table_types().keys(), key
        assert rule.statement.endswith("."), key
        assert not rule.family_of or rule.family_of in rule.tables, key
    known = ingredients().keys() | {"sodium_borate"}  # the alkali of cold cream, also before it has its row
    for soap in soaps().values():
        assert {*soap.fatty_acids, *soap.alkalis} <= known


def test_every_route_of_an_active_is_one_that_some_rule_speaks_of() -> None:
    marks = [basis.mark for basis in bulk_bases().values()] + ["EXC", "BIO_FLAG", "LBP", "NIOSH"]
    for key, row in ingredients().items():
        for part in row.us_route.split(";"):
            assert any(part.startswith(mark) for mark in marks), (key, part)


def test_every_finding_in_the_code_names_a_rule_and_a_level_of_the_registry() -> None:
    """Read from the source, so that a branch no case reaches cannot raise a level that was not agreed."""
    seen: set[str] = set()
    for path in ROOM.glob("check*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "finding"):
                continue
            family = [word.value for word in node.keywords if word.arg == "family"]
            if family:
                continue  # a row's own key; the row-driven tests cover these
            rule = node.args[1]
            if isinstance(rule, ast.Constant):
                seen.add(rule.value)
                given = node.args[0]
                branches = [given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]
                levels = {branch.value for branch in branches if isinstance(branch, ast.Constant)}
                assert levels <= set(formula_rules()[rule.value].severity), (path.name, rule.value, levels)
    by_table = {"water_range", "oil_range"}
    families = {key for key, rule in formula_rules().items() if rule.family_of}
    assert seen | by_table | families == set(formula_rules())


def test_live_cells_that_are_all_dead_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    # A tenfold loss takes at most some weeks at 40 degrees, so ten years leave nothing of 10^7.
    case = next(each for each in CASES if each["name"] == "too few live cells on the last day")
    rule = storage_of
    monkeypatch.setattr(check_keeping, "live_storage_of", lambda jar: rule(jar)._replace(days=36_500, where="hot"))
    found = check_formula(formula_of(case), needs_of(case))
    assert [each.level for each in found if each.rule == "live_viability"] == ["stop"]
