"""The gate before every plan: signs and circumstances that stop or reroute it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches

from biflora.errors import ClinicianMust, NotAllowed
from biflora.knowledge.redflags import RedFlagRule, red_flag_rules, sign_words
from biflora.plan.considered import FlagAnswer
from biflora.plan.plan import RedFlag
from biflora.profile.patient import Patient
from biflora.twin.forecast import ARMS, Arm

SHORTEST_ANSWER, LONGEST_ANSWER = 3, 500
"""Characters of an answer to a red flag."""


def find_red_flags(patient: Patient) -> tuple[RedFlag, ...]:
    """Every rule that holds for this patient, stops first.

    Raises ClinicianMust for a sign that is no word of the red-flag table.
    """
    check_signs(patient.signs)
    order = ("stop", "reroute", "ask")
    rules = [rule for rule in red_flag_rules().values() if holds(rule, patient)]
    return tuple(_flag(rule) for rule in sorted(rules, key=lambda r: order.index(r.level)))


def check_signs(signs: Iterable[str]) -> None:
    """Raises ClinicianMust naming the entry's place and close words; the entry itself is not repeated."""
    known = sign_words()
    for number, sign in enumerate(signs, start=1):
        if sign in known:
            continue
        near = get_close_matches(sign.lower().replace(" ", "_").replace("-", "_"), known, n=3, cutoff=0.4)
        meant = f"did you mean {', '.join(near)}?" if near else f"accepted are: {', '.join(known)}."
        raise ClinicianMust(f"signs, entry {number}: this is no sign that biflora knows; {meant}")


def holds(rule: RedFlagRule, patient: Patient) -> bool:
    """Whether every filled condition column of the rule holds for this patient."""
    signs = set(patient.signs)
    columns: list[tuple[tuple[str, ...], bool]] = [
        (rule.signs_any, bool(signs & set(rule.signs_any))),
        (rule.signs_all, signs >= set(rule.signs_all)),
        (rule.flags, any(getattr(patient, flag) for flag in rule.flags)),
        (rule.immune_status, patient.immune_status in rule.immune_status),
        (rule.skin_integrity, patient.skin_integrity in rule.skin_integrity),
        (rule.pregnancy, patient.pregnancy in rule.pregnancy),
        (rule.sexes, patient.sex in rule.sexes),
        (rule.sites, any(site.site in rule.sites for site in patient.sites)),
        (rule.allergies, _mentions(patient.allergies, rule.allergies)),
        (rule.treatments, _mentions(patient.current_treatments, rule.treatments)),
        (rule.conditions, patient.condition in rule.conditions),
    ]
    if rule.age_at_least is not None and patient.age_years < rule.age_at_least:
        return False
    if rule.age_below is not None and patient.age_years >= rule.age_below:
        return False
    return all(holds for column, holds in columns if column)


def blocked_arms(flags: Iterable[RedFlag]) -> dict[Arm, tuple[str, ...]]:
    """Arms that a flag or the patient's wish closes, each with the reasons; a stop closes all four."""
    reasons: dict[Arm, list[str]] = {arm: [] for arm in ARMS}
    for flag in flags:
        for arm in ARMS if flag.level == "stop" else flag.blocks:
            reasons[arm].append(flag.message)
    return {arm: tuple(found) for arm, found in reasons.items() if found}


def answered(
    flags: Iterable[RedFlag], found: Mapping[str, str], *, by: str, at: datetime
) -> tuple[FlagAnswer, ...]:
    """One answer for each flag that asks or reroutes, from what was found by flag key.

    An answer lifts no closed arm; it says that a person looked. Raises NotAllowed while a stop stands,
    ClinicianMust naming the unanswered rules, too short an answer, or an answer to no flag of this plan.
    """
    flags = tuple(flags)
    if any(flag.level == "stop" for flag in flags):
        raise NotAllowed(
            "A red flag stops this plan. Resolve it and start a new consultation; nothing is approved."
        )
    known = {flag.key for flag in flags}
    foreign = sorted(set(found) - known)
    if foreign:
        raise ClinicianMust(f"answers: this plan has no red flag named {', '.join(key[:40] for key in foreign)}.")
    given = {key: " ".join(text.split()) for key, text in found.items()}
    open_flags = [flag.key for flag in flags if not given.get(flag.key)]
    if open_flags:
        raise ClinicianMust(
            f"Answer these red flags before you approve: {', '.join(open_flags)}. Say for each what was found."
        )
    wrong = [flag.key for flag in flags if not SHORTEST_ANSWER <= len(given[flag.key]) <= LONGEST_ANSWER]
    if wrong:
        raise ClinicianMust(
            f"The answers to {', '.join(wrong)} must say what was found in {SHORTEST_ANSWER} to {LONGEST_ANSWER} "
            "characters."
        )
    return tuple(FlagAnswer(flag=flag.key, found=given[flag.key], by=by, at=at) for flag in flags)


def _mentions(entries: Iterable[str], words: Iterable[str]) -> bool:
    texts = [entry.lower() for entry in entries]
    return any(word in text for word in words for text in texts)


def _flag(rule: RedFlagRule) -> RedFlag:
    return RedFlag(
        key=rule.key, level=rule.level, message=rule.message, action=rule.action,
        blocks=ARMS if rule.level == "stop" else rule.blocks,
        leaves_plain_topical=rule.leaves_plain_topical,
        source=rule.source, verification=rule.verification,
    )  # fmt: skip
