"""From profile and forecast to a plan: a proposal for a clinician to decide on, never a decision."""

from __future__ import annotations

from biflora.knowledge.rows import release
from biflora.plan.measures import measures_for, not_known
from biflora.plan.needs import make_needs
from biflora.plan.plan import Plan, RedFlag
from biflora.plan.rank import Ranking, rank_arms
from biflora.plan.redflags import blocked_arms, find_red_flags
from biflora.plan.steps import steps_for
from biflora.plan.strains import strains_tried
from biflora.plan.verdict import listed, verdict
from biflora.profile.patient import Patient
from biflora.profile.profile import Profile
from biflora.twin.forecast import ARMS, Arm, Forecast
from biflora.values import Finding, Who

LIVE_RULE = "live_bacteria_never_compounded"


def make_plan(profile: Profile, forecast: Forecast) -> Plan:
    """The dual plan. A stop flag leaves no needs, no arms and no strains; the referral is the plan then.

    Raises ClinicianMust for an unknown sign.
    """
    patient = profile.patient
    flags = find_red_flags(patient)
    stopped = any(flag.level == "stop" for flag in flags)
    blocked = _with_wishes(blocked_arms(flags), patient)
    ranking = rank_arms(profile, forecast, blocked)
    proposed = None if stopped else ranking.proposed
    needs = None if stopped or not patient.preferences.topical_ok else make_needs(profile)
    strains = () if stopped else strains_tried(patient, oral_blocked_because=blocked.get("oral", ()))
    measures = () if stopped else measures_for(profile, proposed)
    return Plan.make(
        "plan",
        release=release(),
        parents=tuple(x for x in (profile.id, forecast.id) if x),
        condition=patient.condition,
        red_flags=flags,
        arms=() if stopped else ranking.arms,
        proposed_arm=proposed,
        separable=not stopped and ranking.separable,
        verdict=verdict(ranking, flags, forecast.ranking_flips),
        steps=steps_for(
            patient,
            flags=flags,
            proposed=proposed,
            needs=needs,
            oral_open="oral" not in blocked,
            strains=strains,
            measures=measures,
        ),
        strains=strains,
        needs=needs,
        measures=measures,
        not_known=not_known(profile, forecast),
        findings=_findings(flags, ranking, stopped, forecast.ranking_flips),
    )


def _with_wishes(blocked: dict[Arm, tuple[str, ...]], patient: Patient) -> dict[Arm, tuple[str, ...]]:
    """What the patient does not want closes an arm as a flag does, and says so."""
    closed = dict(blocked)
    wishes = patient.preferences
    for arm in ARMS:
        reasons = list(closed.get(arm, ()))
        if arm in ("oral", "combination") and not wishes.oral_ok:
            reasons.append("The patient does not want an oral product.")
        if arm in ("topical", "combination") and not wishes.topical_ok:
            reasons.append("The patient does not want a topical product.")
        if reasons:
            closed[arm] = tuple(reasons)
    return closed


def _findings(
    flags: tuple[RedFlag, ...], ranking: Ranking, stopped: bool, structure_flips: tuple[str, ...]
) -> tuple[Finding, ...]:
    levels = {"stop": "stop", "reroute": "warn", "ask": "warn"}
    found = [
        Finding.model_validate(
            {
                "level": levels[flag.level], "rule": flag.key, "subject": "red flag",
                "message": f"{flag.message} {flag.action}", "who": Who.PRESCRIBER,
                "source": flag.source, "verification": flag.verification,
            }
        )
        for flag in flags
    ]  # fmt: skip
    if stopped:
        return tuple(found)
    found.append(
        Finding(
            level="note", rule=LIVE_RULE, subject="topical", who=Who.LAW,
            message="The pharmacy's topical holds no live cells. Trials of topical bacteria used live ones, so "
            "the forecast of the topical arm does not carry over to this topical by evidence. A live topical "
            "exists only in a registered trial; a cosmetic or oral microbial product stays a second product.",
            source="FDA-2010-D-0500; biflora decision 11", verification="secondary",
        )
    )  # fmt: skip
    if ranking.flips:
        found.append(
            Finding(
                level="warn", rule="ranking_flips_without_gut_link", subject="ranking", who=Who.EVIDENCE,
                message="With the gut link switched off another arm would be proposed; discuss the choice as a "
                "bet on that link.",
                source="biflora decision 7", verification="assumed",
            )
        )  # fmt: skip
    elif ranking.best_gut_link_off not in (None, ranking.best):
        found.append(
            Finding(
                level="note", rule="order_changes_without_gut_link", subject="ranking", who=Who.EVIDENCE,
                message="With the gut link switched off another arm would stand first in the order; the proposal "
                "stays the same.",
                source="biflora decision 7", verification="assumed",
            )
        )  # fmt: skip
    if structure_flips:
        found.append(
            Finding(
                level="warn", rule="ranking_flips_between_structures", subject="ranking", who=Who.EVIDENCE,
                message=f"Another structure of the model puts another arm first: {listed(structure_flips)}. Weigh "
                "them by the table beside the forecast; discuss the choice as a bet on one structure.",
                source="biflora developers, the same patient forecast by each structure", verification="assumed",
            )
        )  # fmt: skip
    return tuple(found)
