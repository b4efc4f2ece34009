"""The verdict in one or two sentences: which arm, how sure, and why not another."""

from __future__ import annotations

from collections.abc import Sequence

from biflora.plan.plan import ArmSummary, RedFlag
from biflora.plan.rank import Ranking
from biflora.twin.forecast import ARM_LABELS, Arm
from biflora.values import Band

SD_WORDS = "0.2 SD is called small, 0.5 medium, 0.8 large."
"""Cohen's convention, so that a reader who thinks in points has a measure."""


def verdict(ranking: Ranking, flags: tuple[RedFlag, ...], structure_flips: Sequence[str] = ()) -> str:
    """What the clinician reads first. `structure_flips`: where another structure puts another arm first."""
    stops = [flag for flag in flags if flag.level == "stop"]
    if stops:
        return f"Stopped. {stops[0].message} {stops[0].action}"
    if ranking.proposed is None:
        return "No arm is open; see the reasons beside each."
    closed = [ARM_LABELS[arm.arm].lower() for arm in ranking.arms if not arm.allowed]
    tail = f" Closed: {', '.join(closed)}." if closed else ""
    if ranking.best is None:
        return (
            f"No forecast exists for this condition: the arms cannot be separated. {_name(ranking.proposed)} is "
            "proposed as the least burdensome; what trials found stands beside each arm."
            f"{_in_trials(ranking)}{tail}"
        )
    return _with_forecast(ranking) + _flip(ranking) + _between_structures(structure_flips) + tail


def _with_forecast(ranking: Ranking) -> str:
    assert ranking.proposed is not None
    assert ranking.best is not None
    best = next(arm for arm in ranking.arms if arm.arm == ranking.best)
    if ranking.separable:
        return f"{_name(ranking.best)} is proposed{_by(best)}; it can be told from the other open arms."
    if len([arm for arm in ranking.arms if arm.allowed]) == 1:
        return f"{_name(ranking.best)} is the only arm that is open."
    together = ", ".join(_name(arm).lower() for arm in (ranking.best, *ranking.not_separable_from_best))
    if "standard_care" in ranking.not_separable_from_best or ranking.best == "standard_care":
        why = f"no other arm clearly gives more than it asks{_by(best)}"
    elif ranking.proposed == ranking.best:
        why = f"its gain over standard care is clear{_by(best)} and no lighter arm's is"
    else:
        why = f"its gain over standard care is clear and it asks less than {_name(ranking.best).lower()}"
    return f"These cannot be separated: {together}. {_name(ranking.proposed)} is proposed because {why}."


def _in_trials(ranking: Ranking) -> str:
    """Where trials gave a number without a model behind it: that number, and what it is not."""
    found = [
        f"{_name(arm.arm).lower()} {interval(arm.gain_over_standard_care, decimals)} {arm.unit} better than its "
        f"comparator{'' if arm.unit == 'SD' else f' ({arm.instrument})'}"
        for arm in ranking.arms
        if arm.gain_over_standard_care is not None
        and arm.arm != "standard_care"
        and (decimals := 2 if arm.unit == "SD" else 1)
    ]
    if not found:
        return ""
    scale = f" {SD_WORDS}" if any(arm.unit == "SD" for arm in ranking.arms) else ""
    return f" In trials, between the means of their arms: {'; '.join(found)}.{scale}"


def _flip(ranking: Ranking) -> str:
    if not ranking.flips or ranking.proposed_gut_link_off is None:
        return ""
    return (
        f" With the gut link switched off the proposal would be {_name(ranking.proposed_gut_link_off).lower()}: "
        "this choice rests on an assumption that no trial has tested."
    )


def _between_structures(flips: Sequence[str]) -> str:
    """One sentence, however many structures disagree."""
    if not flips:
        return ""
    return f" The ranking flips between structures of the model: {listed(flips)}."


def listed(sentences: Sequence[str]) -> str:
    """Sentences as the parts of one."""
    return "; ".join(text.strip().rstrip(".") for text in sentences)


def _by(arm: ArmSummary) -> str:
    gain = arm.gain_over_standard_care
    if gain is None or arm.arm == "standard_care":
        return ""
    return f" ({ARM_LABELS[arm.arm].lower()}: {interval(gain)} {arm.instrument} points better than standard care)"


def interval(band: Band, decimals: int = 1) -> str:
    """`6.1, 80 % interval -2.0 to 14.3`"""
    told = [
        f"{round(value, decimals) + 0.0:.{decimals}f}" for value in (band.median, band.q10, band.q90)
    ]  # no "-0.0"
    return f"{told[0]}, 80 % interval {told[1]} to {told[2]}"


def _name(arm: Arm) -> str:
    return ARM_LABELS[arm]
