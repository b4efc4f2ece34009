"""The checker against cases a pharmacist can read (tests/rules/formula) and against published tables."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from formula_cases import PERSON, formula_of, needs_of, registered, rule_cases

from biflora.errors import ClinicianMust
from biflora.formula import check_clashes, check_preservation
from biflora.formula.check import check_formula
from biflora.formula.check_preservation import undissociated_share
from biflora.knowledge.formula_rules import formula_rules
from biflora.knowledge.pharmacy import incompatibilities, preservative_systems
from biflora.plan.plan import Needs
from biflora.values import Who

CASES = rule_cases()
FIELDS = {
    "group", "name", "triggers", "just_not", "level", "vehicle", "ph", "preservative_system", "rinse_off",
    "container", "condition", "lines", "needs", "stop", "warn", "note", "absent", "nothing_stops", "subjects",
    "absent_subjects",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case['group']}: {case['name']}" for case in CASES])
def test_a_case_of_the_pharmacist(case: dict[str, Any]) -> None:
    assert set(case) <= FIELDS, "a field of the case is misspelt"
    found = check_formula(formula_of(case), needs_of(case))
    by_level: dict[str, set[str]] = {"stop": set(), "warn": set(), "note": set()}
    for each in found:
        by_level[each.level].add(each.rule)
        assert each.level in formula_rules()[registered(each.rule)].severity, each
        assert each.subject
        assert each.source
        assert each.verification
        assert each.message.endswith(".")
    everything = set().union(*by_level.values())
    subjects = {each.subject for each in found}
    if "triggers" in case:
        rule, level = case["triggers"], case["level"]
        assert rule in by_level[level], by_level
        subjects = {each.subject for each in found if (each.rule, each.level) == (rule, level)}
    if "just_not" in case:
        assert case["just_not"] not in (by_level[case["level"]] if "level" in case else everything), by_level
    for level in ("stop", "warn", "note"):
        assert set(case.get(level) or ()) <= by_level[level], (level, by_level)
    assert not set(case.get("absent") or ()) & everything
    if case.get("nothing_stops"):
        assert by_level["stop"] == set()
    named = {name for subject in subjects for name in (subject, *subject.split(", "), *subject.split(" + "))}
    assert set(case.get("subjects") or ()) <= named
    for rule, names in (case.get("absent_subjects") or {}).items():
        assert not [each for each in found if each.rule == rule and each.subject in names]


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


def test_a_system_that_leaves_a_group_of_germs_out_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    # No system of this release does, so one is made up: phenoxyethanol that were powerless against mould.
    case = next(each for each in CASES if each["name"] == "a plain cream passes")
    blind = preservative_systems()["phenoxyethanol_ehg"].model_copy(update={"mould": "no"})
    monkeypatch.setattr(check_preservation, "preservative_systems", lambda: {"phenoxyethanol_ehg": blind})
    found = [each for each in check_formula(formula_of(case), needs_of(case)) if each.rule == "preservative_cover"]
    assert [(each.level, "mould" in each.message) for each in found] == [("stop", True), ("note", False)]


def test_a_row_that_allows_a_pair_lifts_what_keeps_it_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    # Tretinoin and benzoyl peroxide are kept apart by a row and by the marks of the ingredients table.
    case = next(each for each in CASES if each["name"] == "tretinoin with benzoyl peroxide")
    rows = dict(incompatibilities())
    rows["made_up"] = rows["tretinoin_bpo"].model_copy(update={"key": "made_up", "severity": "allow"})
    monkeypatch.setattr(check_clashes, "incompatibilities", lambda: rows)
    rules = {each.rule for each in check_formula(formula_of(case), needs_of(case))}
    assert not rules & {"tretinoin_bpo", "incompatible", "made_up"}


def test_who_can_lift_a_finding_depends_on_its_level() -> None:
    # A contraindication is lifted by evidence alone, a caution by the prescriber.
    cases = {each["name"]: each for each in CASES}
    for name, who in (
        ("a retinoid while breastfeeding", Who.EVIDENCE),
        ("metronidazole in pregnancy, with caution", Who.PRESCRIBER),
    ):
        found = check_formula(formula_of(cases[name]), needs_of(cases[name]))
        assert {each.who for each in found if each.rule == "pregnancy"} == {who}


def test_the_checker_shares_no_code_with_the_optimiser() -> None:
    room = Path(check_formula.__code__.co_filename).parent
    own = {"biflora.formula.formula", "biflora.formula.jar", "biflora.formula.keeping"}
    for path in [room / "jar.py", *room.glob("check*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("biflora.formula"):
                assert node.module in own or node.module.startswith("biflora.formula.check_"), (
                    path.name,
                    node.module,
                )
