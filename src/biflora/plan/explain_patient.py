"""The plan in a patient's words: short sentences, everyday words, no promise and no alarm."""

from __future__ import annotations

from biflora.knowledge.deciding import candidate_measurements
from biflora.knowledge.planning import care_steps, diet_advice, plan_limit
from biflora.plan.explain import Paragraph
from biflora.plan.plan import Condition, Plan
from biflora.plan.rank import severity_observable
from biflora.plan.signals import main_score
from biflora.plan.steps import applies
from biflora.plan.strains import strain_to_discuss
from biflora.profile.profile import GuildShare, Profile
from biflora.twin.forecast import Arm, Forecast
from biflora.values import Band, State

NAMES: dict[Condition, str] = {
    Condition.ATOPIC_DERMATITIS: "eczema",
    Condition.ACNE: "acne",
    Condition.ROSACEA: "rosacea",
    Condition.PSORIASIS: "psoriasis",
    Condition.SEBORRHOEIC_DERMATITIS: "red and flaky skin",
    Condition.SCALP_HAIR: "hair and scalp",
    Condition.DRY_SENSITIVE_SKIN: "dry skin",
}
ARMS: dict[Arm, str] = {
    "standard_care": "your usual care",
    "oral": "a capsule of live germs",
    "topical": "a mixed cream",
    "combination": "the capsule and the cream together",
}
PARENT_BELOW_YEARS = 12
"""A younger patient's plan speaks to the parent."""
GERM = "the germ S. aureus"


def paragraphs(plan: Plan, profile: Profile, forecast: Forecast) -> tuple[Paragraph, ...]:
    """All paragraphs in the order of reading."""
    if plan.stopped:
        return _stopped(plan)
    return (
        Paragraph(heading="What this is", sentences=_what(plan, profile)),
        Paragraph(heading="What we know, and what we do not", sentences=_known(plan, profile)),
        Paragraph(heading="What may happen", sentences=_forecast(plan, profile, forecast)),
        Paragraph(heading="Which way we suggest", sentences=_choice(plan)),
        Paragraph(heading="What to do", sentences=_do(plan, profile)),
        Paragraph(heading="More tests?", sentences=_tests(plan)),
        Paragraph(heading="When we meet again", sentences=_visits(plan)),
        Paragraph(heading="When to call us", sentences=_call(plan)),
        Paragraph(heading="Who does what next", sentences=_next(plan)),
    )


def _stopped(plan: Plan) -> tuple[Paragraph, ...]:
    return (
        Paragraph(
            heading="First see a doctor",
            sentences=(
                "One thing you told us needs a doctor to look at it today.",
                "So there is no plan for the skin yet.",
                "Please do not start a new cream or a new pill now.",
                "The clinic calls you today and tells you where to go.",
                "If nobody has called you by noon, call the clinic.",
            ),
        ),
        Paragraph(
            heading="When to call at once",
            sentences=(
                "Call the emergency number at once if it is hard to breathe or if your face swells.",
                "Call it, too, if you feel very ill.",
            ),
        ),
        Paragraph(
            heading="Who does what next",
            sentences=(
                "The doctor looks at the skin and treats what is found.",
                "When that is done, we start again and make a plan with you.",
            ),
        ),
    )


def _what(plan: Plan, profile: Profile) -> tuple[str, ...]:
    name = NAMES[plan.condition]
    first = f"This is a plan for your {name}."
    if profile.patient.age_years < PARENT_BELOW_YEARS:
        first = f"This is a plan for your child's {name}. Read it with your child. Here, you means your child."
    return (first, "It is not a promise.", "Your doctor reads it with you, and the two of you decide.")


def _known(plan: Plan, profile: Profile) -> tuple[str, ...]:
    found = []
    score = main_score(profile)
    if score is None:
        found.append("Nobody has scored your skin yet. So we do not know how bad it is today.")
    else:
        found.append(
            f"Your skin score today is {score.value:g}. The scale ends at {score.maximum:g}. Low is good."
        )
    found.extend(_skin(profile))
    if profile.gut is None:
        found.append("We had no gut sample. So we do not know which germs live in your gut.")
    else:
        found.append("We looked at the germs in your gut sample.")
    if profile.patient.laboratory.tewl_g_per_m2_h is None and plan.condition is Condition.ATOPIC_DERMATITIS:
        found.append("How much water your skin loses was not measured.")
    found.append("What was not measured may be high or low. We do not count it as zero.")
    return tuple(found)


def _skin(profile: Profile) -> list[str]:
    if profile.patient.laboratory.s_aureus_log10_copies_per_cm2 is not None:
        return [f"We counted {GERM} on your skin."]
    if profile.skin is None:
        return ["We had no skin sample. So we do not know which germs live on your skin."]
    guild = profile.skin.guild("s_aureus")
    said = ["We looked at the germs in your skin sample."]
    return [*said, _germ(guild)] if guild is not None else said


def _germ(guild: GuildShare) -> str:
    match guild.state:
        case State.MEASURED if guild.share is not None and guild.share >= 0.01:
            return f"Of each 100 germs in it, about {guild.share * 100:.0f} were {GERM}. It can make skin sore."
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


def _forecast(plan: Plan, profile: Profile, forecast: Forecast) -> tuple[str, ...]:
    name = NAMES[plan.condition]
    observable = severity_observable(profile, forecast)
    arm = plan.proposed_arm
    course = None if observable is None or arm is None else forecast.course(arm, observable)
    if not forecast.mechanistic or course is None or arm is None:
        return (
            f"For {name} we have no computer model. So we cannot say how your own skin will do.",
            "What trials found in other people is all we can show. Your skin may do better or worse.",
        )
    band = course.bands[-1]
    label = next((o.label for o in forecast.observables if o.key == observable), "score")
    return (
        f"A computer model made a guess for week {course.weeks[-1]}, with {ARMS[arm]}.",
        f"The {label} score may then be near {band.median:.0f}.",
        f"In 8 of 10 people like you it would lie between {max(band.q10, 0.0):.0f} and {band.q90:.0f}.",
        "In 2 of 10 it would lie outside of that. It is a guess, so we look at your skin again and again.",
        *(
            f"With {ARMS[other.arm]} it may be near {end.median:.0f}, most likely from {max(end.q10, 0.0):.0f} to "
            f"{end.q90:.0f}."
            for other in plan.arms
            if other.allowed and other.arm != arm and (end := _end(forecast, other.arm, observable)) is not None
        ),
        *(
            ("The model thinks of a cream with live germs. The pharmacy's has none, so it may do less.",)
            if any(each.allowed and each.arm in ("topical", "combination") for each in plan.arms)
            else ()
        ),
    )


def _end(forecast: Forecast, arm: Arm, observable: str | None) -> Band | None:
    course = None if observable is None else forecast.course(arm, observable)
    return None if course is None else course.bands[-1]


def _choice(plan: Plan) -> tuple[str, ...]:
    arm = plan.proposed_arm
    if arm is None:
        return ("No way is open to you right now. Your doctor will tell you why.",)
    found = []
    closed = [row for row in plan.arms if not row.allowed]
    open_arms = [row.arm for row in plan.arms if row.allowed]
    if len(open_arms) == 1:
        found.append(f"One way is open to you now: {ARMS[arm]}.")
    elif plan.separation is not None:
        alike = [each for each in plan.separation.arms if each != arm]
        found += [
            "We cannot tell which way works best for you.",
            f"We suggest {ARMS[arm]}, as it asks the least of you.",
            f"You might do as well, or better, with {_or([ARMS[each] for each in alike])}.",
        ]
    elif plan.separable:
        found.append(f"In our model one way looks better for you than the rest: {ARMS[arm]}.")
    else:
        found += [
            "We cannot tell which way works best for you.",
            f"We suggest {ARMS[arm]}, as it asks the least of you.",
        ]
    if closed:
        found.append("Some ways are closed to keep you safe, or since you do not want them. Ask us why.")
    found.append("You may choose another way that is open. Tell your doctor what you want.")
    return tuple(found)


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _do(plan: Plan, profile: Profile) -> tuple[str, ...]:
    patient = profile.patient
    rows = (*care_steps().values(), *diet_advice().values())
    found = [row.patient_words for row in rows if row.patient_words and applies(row, patient)]
    if plan.proposed_arm in ("topical", "combination") and plan.needs is not None:
        tips = plan.needs.grams_per_day / plan_limit("grams_per_finger_tip_unit").value
        found.append(
            f"Use the mixed cream each day. You need about {tips:.0f} finger tips of it in all. "
            "It has no live germs."
        )
    if plan.proposed_arm in ("oral", "combination"):
        chosen = strain_to_discuss(plan.strains)
        found.append(
            "Ask your doctor which germs to take. No trial in people of your age shows which ones help."
            if chosen is None
            else f"Take the germs once a day. The pack must bear this name: {chosen.strain_id}. Others were not "
            "tried. If you miss a day, do not take two the next day."
        )
    return tuple(found)


def _tests(plan: Plan) -> tuple[str, ...]:
    worth = plan.worth_measuring
    if worth is None or not worth.measurements:
        return ("We cannot work out if one more test would change the plan. Ask your doctor if you need one.",)
    labels = candidate_measurements()
    first = [labels[m.key].patient_label for m in worth.measurements if m.worth == "worth measuring first"][:2]
    if first:
        return (f"One more test could change what we suggest: {_or(first)}. Your doctor will ask if you want it.",)
    return ("You need no more tests before you start. They would not change what we suggest.",)


def _visits(plan: Plan) -> tuple[str, ...]:
    weeks = [] if plan.follow_up is None else [week for week in plan.follow_up.weeks if week > 0]
    if not weeks:
        return ("Your doctor tells you when to come back.",)
    listed = f"{', '.join(str(week) for week in weeks[:-1])} and {weeks[-1]}" if len(weeks) > 1 else str(weeks[0])
    return (
        f"We look at your skin again in weeks {listed}.",
        "If your skin is no better by then, we check how you use things, and then change the plan.",
        "If it is clear, we take things away one by one.",
    )


def _call(plan: Plan) -> tuple[str, ...]:
    rules = [] if plan.follow_up is None else [rule for rule in plan.follow_up.rules if rule.patient_words]
    at_once = [rule.patient_words for rule in rules if rule.key == "serious_reaction"]
    same_day = [rule.patient_words for rule in rules if rule.key != "serious_reaction"]
    found = [f"Call the emergency number at once in this case: {w[0].lower()}{w[1:]}." for w in at_once]
    if same_day:
        found.append("Call us the same day in these cases.")
        found.extend(f"{words}." for words in same_day)
    return tuple(found)


def _next(plan: Plan) -> tuple[str, ...]:
    asks = len(plan.must_be_answered)
    found = []
    if asks:
        point = "one thing" if asks == 1 else f"{asks} things"
        found.append(f"Your doctor first asks you about {point} and writes down what you say.")
    found.append(f"{'Then your' if asks else 'Your'} doctor says yes or no to the plan. You can say no, too.")
    if plan.needs is not None:
        found.append("If you both want a mixed cream, the pharmacy makes it. It makes nothing before that.")
    return tuple(found)
