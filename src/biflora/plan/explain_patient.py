"""The plan in a patient's words: short sentences, everyday words, no promise and no alarm."""

from __future__ import annotations

from biflora.knowledge.deciding import candidate_measurements
from biflora.knowledge.planning import care_steps, diet_advice, plan_limit
from biflora.plan.explain import Paragraph
from biflora.plan.explain_known import from_trials, known
from biflora.plan.plan import Condition, Plan
from biflora.plan.rank import severity_observable
from biflora.plan.steps import applies
from biflora.plan.strains import strain_to_discuss
from biflora.profile.patient import Patient
from biflora.profile.profile import Profile
from biflora.twin.forecast import Arm, Forecast
from biflora.values import Band

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
EMERGENCY = frozenset({"sepsis_signs", "anaphylaxis_now", "severe_drug_reaction", "non_blanching_rash"})
"""Stops whose action is the emergency service: a patient does not wait for a call."""
SELF_HARM = "thoughts_of_self_harm"


def paragraphs(
    plan: Plan, profile: Profile, forecast: Forecast, decided: Arm | None = None
) -> tuple[Paragraph, ...]:
    """All paragraphs in the order of reading; once an arm is decided the words speak of that one."""
    if plan.stopped:
        return _stopped(plan)
    arm = decided or plan.proposed_arm
    return (
        Paragraph(heading="What this is", sentences=_what(plan, profile, decided)),
        Paragraph(heading="What we know, and what we do not", sentences=known(plan, profile)),
        Paragraph(heading="What may happen", sentences=_forecast(plan, profile, forecast, arm)),
        Paragraph(
            heading="Which way we suggest" if decided is None else "What was decided",
            sentences=_choice(plan) if decided is None else _decided(plan, decided),
        ),
        Paragraph(heading="What to do", sentences=_do(plan, profile, arm)),
        Paragraph(heading="More tests?", sentences=_tests(plan)),
        Paragraph(heading="When we meet again", sentences=_visits(plan)),
        Paragraph(heading="When to call us", sentences=_call(plan)),
        Paragraph(heading="Who does what next", sentences=_next(plan, decided)),
    )


def every_day(patient: Patient) -> tuple[str, ...]:
    """What she does each day whatever the arm: care of the skin and food, in her words."""
    rows = (*care_steps().values(), *diet_advice().values())
    return tuple(row.patient_words for row in rows if row.patient_words and applies(row, patient))


def _stopped(plan: Plan) -> tuple[Paragraph, ...]:
    stops = {flag.key for flag in plan.red_flags if flag.level == "stop"}
    if SELF_HARM in stops:
        return _not_alone()
    if "neonate" in stops:
        first = ("Your baby is very young. A baby doctor must look at the skin first.",)
    else:
        first = ("One thing you told us needs a doctor to look at it today.",)
    at_once = ("Please call the emergency number now. Say what you told us.",) if stops & EMERGENCY else ()
    return (
        Paragraph(
            heading="First see a doctor",
            sentences=(
                *first,
                *at_once,
                "So there is no plan for the skin yet.",
                "Please do not start a new cream or a new pill now.",
                "The clinic must call you today and tell you where to go.",
                "If nobody has called you in two hours, call the clinic. Do not wait for the next day.",
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


def _not_alone() -> tuple[Paragraph, ...]:
    return (
        Paragraph(
            heading="First let us talk",
            sentences=(
                "You told us that you think of hurting yourself. Thank you for saying so.",
                "You are not alone with it, and there is help.",
                "A doctor must talk with you today. The plan for the skin can wait.",
                "If nobody has called you in two hours, call the clinic.",
            ),
        ),
        Paragraph(
            heading="When to call at once",
            sentences=(
                "If you may hurt yourself now, call the emergency number. In the USA you can call 988, too.",
                "Stay with someone you trust.",
            ),
        ),
    )


def _what(plan: Plan, profile: Profile, decided: Arm | None) -> tuple[str, ...]:
    name = NAMES[plan.condition]
    first = f"This is a plan for your {name}."
    if profile.patient.age_years < PARENT_BELOW_YEARS:
        first = f"This is a plan for your child's {name}. Read it with your child. Here, you means your child."
    if decided is not None:
        return (first, "It is not a promise.", "If you want to change a part of it, tell your doctor.")
    return (first, "It is not a promise.", "Your doctor reads it with you, and the two of you decide.")


def _forecast(plan: Plan, profile: Profile, forecast: Forecast, arm: Arm | None) -> tuple[str, ...]:
    name = NAMES[plan.condition]
    observable = severity_observable(profile, forecast)
    course = None if observable is None or arm is None else forecast.course(arm, observable)
    if not forecast.mechanistic or course is None or arm is None:
        return (
            f"For {name} we have no computer model. So we cannot say how your own skin will do.",
            "We can only show what trials found in other people. Your skin may do better or worse.",
            *from_trials(plan.condition),
        )
    band = course.bands[-1]
    label = next((o.label for o in forecast.observables if o.key == observable), "score")
    others = [
        f"With {ARMS[other.arm]} it may be near {end.median:.0f}. For 8 of 10 it would be from "
        f"{max(end.q10, 0.0):.0f} to {end.q90:.0f}."
        for other in plan.arms
        if other.allowed and other.arm != arm and (end := _end(forecast, other.arm, observable)) is not None
    ]
    return (
        f"A computer model made a guess for week {course.weeks[-1]}, with {ARMS[arm]}.",
        f"The {label} score may then be near {band.median:.0f}.",
        f"In 8 of 10 people like you it would lie between {max(band.q10, 0.0):.0f} and {band.q90:.0f}.",
        "In 2 of 10 it would lie outside of that. It is a guess, so we look at your skin again and again.",
        *others,
        *(
            ("The model thinks of a cream with live germs. The pharmacy's has none, so it may do less.",)
            if any(each.allowed and each.arm in ("topical", "combination") for each in plan.arms)
            else ()
        ),
    )


def _end(forecast: Forecast, arm: Arm, observable: str | None) -> Band | None:
    course = None if observable is None else forecast.course(arm, observable)
    return None if course is None else course.bands[-1]


def _decided(plan: Plan, decided: Arm) -> tuple[str, ...]:
    found = [f"Your doctor decided with you on this: {ARMS[decided]}."]
    if len([row for row in plan.arms if row.allowed]) > 1 and not plan.separable:
        found.append("We cannot tell which way works best for you. So we watch how your skin does.")
    found.append("You can stop or change it at any time. Tell us first, if you can.")
    return tuple(found)


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
    if len(open_arms) > 1:
        found.append("You may choose another way that is open. Tell your doctor what you want.")
    return tuple(found)


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _do(plan: Plan, profile: Profile, arm: Arm | None) -> tuple[str, ...]:
    found = list(every_day(profile.patient))
    if arm in ("topical", "combination") and plan.needs is not None:
        tips = plan.needs.grams_per_day / plan_limit("grams_per_finger_tip_unit").value
        found.append(
            f"Use the mixed cream each day. You need about {max(tips, 1.0):.0f} finger tips of it a day. "
            "It has no live germs."
        )
    if arm in ("oral", "combination"):
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
    if len([row for row in plan.arms if row.allowed]) == 1:
        return ("Only one way is open to you now. So no test would change which way we suggest.",)
    if worth is None or not worth.measurements:
        return ("We cannot work out if one more test would change the plan. Ask your doctor if you need one.",)
    labels = candidate_measurements()
    first = [labels[m.key].patient_label for m in worth.measurements if m.worth == "worth measuring first"][:2]
    if first:
        return (f"One more test could change what we suggest: {_or(first)}. Your doctor will ask if you want it.",)
    return ("We know of no test that would change what we suggest. So you need no more tests for that now.",)


def _visits(plan: Plan) -> tuple[str, ...]:
    weeks = [] if plan.follow_up is None else [week for week in plan.follow_up.weeks if week > 0]
    if not weeks:
        return ("Your doctor tells you when to come back.",)
    listed = f"{', '.join(str(week) for week in weeks[:-1])} and {weeks[-1]}" if len(weeks) > 1 else str(weeks[0])
    return (
        f"We look at your skin again in weeks {listed}.",
        "If your skin gets no better, we check how you use things, and then change the plan.",
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


def _next(plan: Plan, decided: Arm | None) -> tuple[str, ...]:
    cream_open = any(row.allowed and row.arm in ("topical", "combination") for row in plan.arms)
    if decided is not None:
        cream = decided in ("topical", "combination") and plan.needs is not None
        return (
            "You do what stands here under what to do.",
            *(("The pharmacy makes your cream when your doctor has signed for it.",) if cream else ()),
            "Tell us how it goes. Your page asks you four short questions, and your doctor reads what you say.",
        )
    asks = len(plan.must_be_answered)
    found = []
    if asks:
        point = "one thing" if asks == 1 else f"{asks} things"
        found.append(f"Your doctor first asks you about {point} and writes down what you say.")
    found.append(f"{'Then your' if asks else 'Your'} doctor says yes or no to the plan. You can say no, too.")
    if plan.needs is not None and cream_open:
        found.append("If you both want a mixed cream, the pharmacy makes it. It makes nothing before that.")
    return tuple(found)
