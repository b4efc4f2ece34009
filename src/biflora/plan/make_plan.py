"""From profile and forecast to a plan: a proposal for a clinician to decide on, never a decision."""

from __future__ import annotations

from biflora.knowledge.rows import release
from biflora.plan.considered import OralLine, Separation, WorthMeasuring
from biflora.plan.draws import Alike, alike
from biflora.plan.measures import measures_for, not_known
from biflora.plan.needs import make_needs
from biflora.plan.oral import gut_prompts, oral_lines
from biflora.plan.plan import Plan, RedFlag, Step
from biflora.plan.rank import Ranking, rank_arms
from biflora.plan.redflags import blocked_arms, find_red_flags
from biflora.plan.steps import steps_for
from biflora.plan.strains import strain_to_discuss, strains_tried
from biflora.plan.verdict import listed, verdict
from biflora.plan.visits import follow_up_plan
from biflora.plan.weighing import difference_to_watch, separation
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
    open_arms = [arm for arm in ARMS if arm not in blocked]
    like = None if stopped or ranking.observable is None else alike(profile, forecast)
    worth = None if stopped else _worth(profile, forecast, ranking, open_arms, like)
    strains = () if stopped else strains_tried(patient, oral_blocked_because=blocked.get("oral", ()))
    measures = () if stopped else measures_for(profile, proposed)
    oral_use = () if stopped else oral_lines(patient, strain_to_discuss(strains), proposed)
    return Plan.make(
        "plan",
        release=release(),
        parents=tuple(x for x in (profile.id, forecast.id) if x),
        condition=patient.condition,
        red_flags=flags,
        arms=() if stopped else ranking.arms,
        proposed_arm=proposed,
        separable=not stopped and ranking.separable,
        separation=None if stopped else _separation(ranking, worth),
        worth_measuring=worth,
        follow_up=None
        if stopped
        else follow_up_plan(
            patient,
            measures,
            like=like,
            observable=ranking.observable,
            proposed=proposed,
            best=ranking.best,
            smallest=difference_to_watch(profile, ranking.smallest),
        ),
        oral_use=oral_use,
        gut_prompts=() if stopped else gut_prompts(patient),
        verdict=verdict(ranking, flags, forecast.ranking_flips),
        steps=(
            *steps_for(
                patient,
                flags=flags,
                proposed=proposed,
                needs=needs,
                oral_open="oral" not in blocked,
                strains=strains,
                measures=measures,
            ),
            *_now(oral_use),
        ),
        strains=strains,
        needs=needs,
        measures=measures,
        not_known=not_known(profile, forecast),
        findings=(
            *_findings(flags, ranking, stopped, forecast.ranking_flips),
            *(() if stopped else _above_budget(ranking)),
        ),
    )


def _worth(
    profile: Profile, forecast: Forecast, ranking: Ranking, open_arms: list[Arm], like: Alike | None
) -> WorthMeasuring:
    """Whether to measure before deciding; said in words too where no model can tell."""
    if like is None or ranking.observable is None:
        return WorthMeasuring(
            said="What a further measurement would change cannot be computed: "
            + (
                "the forecast was not told from virtual patients."
                if forecast.mechanistic
                else "there is no model of this condition to ask."
            )
        )
    from biflora.plan.value_of_measuring import worth_measuring
    from biflora.twin.bands import PAIRS

    burdens = {summary.arm: summary.burden_points for summary in ranking.arms}
    return worth_measuring(profile, like, ranking.observable, open_arms, burdens, PAIRS, forecast.seed)


def _separation(ranking: Ranking, worth: WorthMeasuring | None) -> Separation | None:
    chance = next((a.probability_best for a in ranking.arms if a.arm == ranking.best), None)
    unit = next((a.unit for a in ranking.arms if a.unit), "points")
    return separation(
        ranking.best, ranking.not_separable_from_best, better_by=ranking.best_gains_over,
        extra_burden=ranking.extra_burden, chance_of_best=chance, unit=unit, worth=worth,
        proposed=ranking.proposed,
    )  # fmt: skip


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


def _now(lines: tuple[OralLine, ...]) -> tuple[Step, ...]:
    """Interactions of an oral strain that meet this patient, as lines of the plan."""
    return tuple(
        Step(kind="oral", text=row.text, because=row.because, source=row.source, verification=row.verification)
        for row in lines
        if row.applies_now
    )


def _above_budget(ranking: Ranking) -> tuple[Finding, ...]:
    arm = next((a for a in ranking.arms if a.arm == ranking.proposed), None)
    if arm is None or arm.within_budget is not False or arm.monthly_cost is None:
        return ()
    return (
        Finding(
            level="warn", rule="proposal_above_budget", subject="cost", who=Who.PATIENT,
            message="Even the lowest assumed cost of the proposed arm lies above what the patient can pay "
            "in a month, as told: ask before anything is ordered.",
            source=arm.monthly_cost.source, verification=arm.monthly_cost.verification,
        ),
    )  # fmt: skip


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
