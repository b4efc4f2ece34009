"""What is known of this patient and what trials found, in everyday words."""

from __future__ import annotations

from biflora.plan.plan import Condition, Plan
from biflora.plan.signals import main_score
from biflora.profile.profile import GuildShare, Profile, SiteProfile
from biflora.twin.forecast import Arm
from biflora.twin.pooled import PooledEffect, pooled_effects
from biflora.values import State

GERM = "the germ S. aureus"
TRIED: dict[Arm, str] = {
    "oral": "a capsule of live germs",
    "topical": "a cream made with germs",
    "combination": "the capsule and the cream together",
}
"""What the trials gave; the pharmacy's cream is none of it."""


def known(plan: Plan, profile: Profile) -> tuple[str, ...]:
    """Score, skin, gut, and what was not measured."""
    found = [*_score(profile), *_skin(profile), *_gut(profile)]
    if profile.patient.laboratory.tewl_g_per_m2_h is None and plan.condition is Condition.ATOPIC_DERMATITIS:
        found.append("How much water your skin loses was not measured.")
    found.append("What was not measured may be high or low. We do not count it as zero.")
    return tuple(found)


def from_trials(condition: Condition) -> tuple[str, ...]:
    """What trials in other people found, arm by arm; also that none was found."""
    pooled = {found.arm: found for found in pooled_effects(condition.value)}
    said = []
    for arm, what in TRIED.items():
        found = pooled.get(arm)
        if found is None:
            said.append(f"We found no trial of {what}.")
        elif found.effect is None:
            said.append(f"Some people tried {what}. The trials gave no number that we can use.")
        else:
            said.append(_judged(what, found))
            if found.not_positive and found.high is not None and found.high < 0:
                said.append("Some other trials saw no gain.")
    if any(arm in pooled for arm in ("topical", "combination")):
        said.append("The cream from the pharmacy has no germs in it.")
    return tuple(said)


def _judged(what: str, found: PooledEffect) -> str:
    assert found.low is not None
    assert found.high is not None
    if found.from_review:
        who = "A look at the trials so far"
    elif len(found.trials) == 1:
        who = f"One trial with {found.n} people"
    else:
        who = f"{len(found.trials)} trials with {found.n} people"
    if found.high < 0:
        return f"{who} found that skin did better with {what}."
    if found.low > 0:
        return f"{who} found that skin did worse with {what}."
    return f"{who} could not show if {what} helps."


def _score(profile: Profile) -> tuple[str, ...]:
    score = main_score(profile)
    if score is None:
        return ("Nobody has scored your skin yet. So we do not know how bad it is today.",)
    band = f" Doctors call that {score.band}." if score.band else ""
    return (
        f"Your skin score ({score.label}) is {score.value:g}. The scale ends at {score.maximum:g}. "
        f"Low is good.{band}",
    )


def _skin(profile: Profile) -> list[str]:
    laboratory = profile.patient.laboratory
    counted = []
    if laboratory.s_aureus_log10_copies_per_cm2 is not None:
        counted = [f"A lab counted {GERM} on your skin. Your doctor has the count."]
    elif laboratory.s_aureus_below_limit_log10 is not None:
        counted = [f"A lab looked for {GERM} on your skin. It found none, or too few to count."]
    if profile.skin is None:
        return counted or ["We had no skin sample. So we do not know which germs live on your skin."]
    said = ["We looked at the germs in your skin sample."]
    guild = profile.skin.guild("s_aureus")
    if guild is not None and (guild.state in (State.MEASURED, State.BELOW_DETECTION) or not counted):
        said.append(_germ(guild, profile.patient.condition))
    return [*said, *counted]


def _germ(guild: GuildShare, condition: Condition) -> str:
    match guild.state:
        case State.MEASURED if guild.share is not None and guild.share >= 0.01:
            said = f"Of each 100 germs in it, about {guild.share * 100:.0f} were {GERM}."
            if condition is Condition.ATOPIC_DERMATITIS:
                said += " It is often found on sore skin."
            return said + _beside_others(guild)
        case State.MEASURED:
            return f"Less than 1 in 100 germs in it was {GERM}. That is low."
        case State.BELOW_DETECTION:
            return f"The test found none of {GERM}. A tiny bit may still be there, too little for this test."
        case State.NOT_RESOLVED:
            return (
                f"This test cannot tell {GERM} from germs that look like it. So we do not know how much is there."
            )
        case State.NOT_MEASURED:
            return f"This test does not look for {GERM}. So we do not know if it is there."


def _gut(profile: Profile) -> list[str]:
    if profile.gut is None:
        return ["We had no gut sample. So we do not know which germs live in your gut."]
    return ["We looked at the germs in your gut sample.", *_feeders(profile.gut)]


def _feeders(gut: SiteProfile) -> list[str]:
    guild = gut.guild("butyrate_producers")
    if guild is None or guild.state is not State.MEASURED or guild.share is None:
        return []
    share = "less than 1" if guild.share < 0.01 else f"about {guild.share * 100:.0f}"
    return [
        f"Of each 100, {share} were of a kind that feeds the gut wall.{_beside_others(guild)}",
        "No one knows yet if that helps the skin.",
    ]


def _beside_others(guild: GuildShare) -> str:
    """Beside the middle half of well people, where samples were read the same way; empty where not."""
    reference = guild.reference
    if reference is None or guild.share is None or reference.limits != "IQR" or reference.mismatch:
        return ""
    if guild.share > reference.high:
        return " That is more than in most of the well people in one study."
    if guild.share < reference.low:
        return " That is less than in most of the well people in one study."
    return " That is like many of the well people in one study."
