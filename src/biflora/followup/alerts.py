"""Who must do something now, by the rows of the follow-up table."""

from __future__ import annotations

import re
from collections.abc import Sequence

from biflora.followup.outcome import AdverseEvent
from biflora.knowledge.dispensing import FollowUpRule, follow_up_rules
from biflora.profile.profile import Profile, Score
from biflora.values import Finding, Who


def alerts_for(
    profile: Profile,
    *,
    week: float,
    scores: Sequence[Score],
    adverse_events: Sequence[AdverseEvent],
    adherence_percent: float | None,
    inside_forecast_80: bool | None,
) -> tuple[Finding, ...]:
    """One finding for each rule that this visit raises. Texts name no patient data beyond the rule's subject."""
    found = []
    for rule in follow_up_rules().values():
        subject = _raised_by(rule, profile, week, scores, adverse_events, adherence_percent, inside_forecast_80)
        if subject:
            found.append(
                Finding(
                    level=rule.level, rule=rule.key, subject=subject, message=rule.message, who=Who.PRESCRIBER,
                    source=rule.source, verification=rule.verification,
                )
            )  # fmt: skip
    return tuple(found)


def _raised_by(
    rule: FollowUpRule, profile: Profile, week: float, scores: Sequence[Score], events: Sequence[AdverseEvent],
    adherence_percent: float | None, inside: bool | None,
) -> str:  # fmt: skip
    """What raised the rule, or an empty text."""
    match rule.what:
        case "serious_event":
            return "adverse event" if any(event.serious for event in events) else ""
        case "severe_event":
            return "adverse event" if any(e.severity == "severe" and not e.serious for e in events) else ""
        case "infection_words":
            text = " ".join(event.what for event in events).casefold()
            return "adverse event" if any(_spoken(word, text) for word in rule.words) else ""
        case "worsening":
            return ", ".join(s.label for s, rise, sid in _changes(profile, scores) if rise >= rule.threshold * sid)
        case "not_improved":
            changes = _changes(profile, scores)
            improved = any(rise <= -sid for _, rise, sid in changes)
            still = [s.label for s, rise, sid in changes if rise < sid]
            return "" if improved or week < rule.threshold else ", ".join(still)
        case "low_adherence":
            low = adherence_percent is not None and adherence_percent < rule.threshold
            return "adherence" if low else ""
        case "outside_forecast":
            return "forecast" if inside is False else ""
    return ""


def _spoken(word: str, text: str) -> bool:
    """Whether the word stands in the text, also in its plural; `pus` is not heard in `pustule`."""
    return re.search(rf"\b{re.escape(word)}(?:s|es)?\b", text) is not None


def _changes(profile: Profile, scores: Sequence[Score]) -> list[tuple[Score, float, float]]:
    """Each score with its rise since the start and its smallest important difference, where both are known."""
    changes = []
    for score in scores:
        start = profile.score(score.instrument)
        if start is not None and score.smallest_important_difference is not None:
            changes.append((score, score.value - start.value, score.smallest_important_difference))
    return changes
