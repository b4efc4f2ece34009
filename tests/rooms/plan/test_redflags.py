"""The gate: cases of tests/rules/red_flags.yaml, and what is no sign at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import made_up
import pytest
import yaml

from biflora.errors import ClinicianMust, NotAllowed
from biflora.knowledge.redflags import red_flag_rules, sign_words
from biflora.plan.plan import Effect
from biflora.plan.redflags import answered, blocked_arms, find_red_flags

RULES = Path(__file__).resolve().parents[2] / "rules"
CASES: list[dict[str, Any]] = yaml.safe_load((RULES / "red_flags.yaml").read_text(encoding="utf-8"))
ANSWERS: list[dict[str, Any]] = yaml.safe_load((RULES / "flag_answers.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: str(case["name"]))
def test_answers_to_red_flags(case: dict[str, Any]) -> None:
    flags, at = find_red_flags(made_up.patient(**case["input"])), datetime(2026, 11, 26, tzinfo=UTC)
    expect = case["expect"]
    if "refused" in expect:
        with pytest.raises((ClinicianMust, NotAllowed)) as caught:
            answered(flags, case["answers"], by="Dr Demo", at=at)
        assert all(word in str(caught.value) for word in expect["refused"])
    else:
        found = answered(flags, case["answers"], by="Dr Demo", at=at)
        assert [answer.flag for answer in found] == expect["answered"]
        assert all((answer.by, answer.at) == ("Dr Demo", at) for answer in found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_red_flags(case: dict[str, Any]) -> None:
    flags = find_red_flags(made_up.patient(**case["input"]))
    keys, expect = {flag.key for flag in flags}, case["expect"]
    assert set(expect.get("flags", [])) <= keys
    assert not set(expect.get("not_flags", [])) & keys
    if expect.get("exactly"):
        assert keys == set(expect["flags"])
    assert any(flag.level == "stop" for flag in flags) is expect["stopped"]
    if "closed" in expect:
        assert set(blocked_arms(flags)) == set(expect["closed"])


def test_every_rule_is_tried_by_name_or_can_be_raised() -> None:
    """Each rule with a sign is raised by that sign (with the rule's own condition and age)."""
    for key, rule in red_flag_rules().items():
        if not (rule.signs_any or rule.signs_all):
            continue
        age = rule.age_at_least or (0.5 if rule.age_below is not None else 30)
        person = made_up.patient(
            condition=rule.conditions[0] if rule.conditions else "atopic_dermatitis",
            age_years=age,
            signs=rule.signs_all or rule.signs_any[:1],
        )
        assert key in {flag.key for flag in find_red_flags(person)}


def test_stops_come_first_and_carry_source_and_action() -> None:
    flags = find_red_flags(made_up.patient(signs=["fever", "punched_out_erosions"], central_line=True))
    order = ["stop", "reroute", "ask"]
    assert [order.index(f.level) for f in flags] == sorted(order.index(f.level) for f in flags)
    assert all(flag.action and flag.source and flag.verification for flag in flags)


def test_an_unknown_sign_names_close_words_and_not_the_entry() -> None:
    with pytest.raises(ClinicianMust) as caught:
        find_red_flags(made_up.patient(signs=["fever", "Punched out erosion"]))
    assert "entry 2" in str(caught.value)
    assert "punched_out_erosions" in str(caught.value)
    assert "Punched out erosion" not in str(caught.value)


def test_a_word_close_to_nothing_lists_what_is_accepted() -> None:
    with pytest.raises(ClinicianMust, match="accepted are:") as caught:
        find_red_flags(made_up.patient(signs=["zzzz"]))
    assert all(word in str(caught.value) for word in sign_words())


def test_effects_in_the_tables_exist() -> None:
    from biflora.knowledge.planning import need_rules

    assert {rule.effect for rule in need_rules().values()} <= {str(effect) for effect in Effect}
