"""What the plan reads out of a profile: named signals, each with its value or the fact that it is unknown."""

from __future__ import annotations

from biflora.knowledge.instruments import instruments
from biflora.knowledge.planning import plan_limit
from biflora.profile.profile import Profile, Score, SiteProfile
from biflora.values import State, Value

BAND_LEVELS = {
    "clear": 0, "almost clear": 0, "clear or almost clear": 0, "mild": 1, "slight": 1, "moderate": 2,
    "definite": 2, "severe": 3, "marked": 3, "very severe": 4, "fiery": 4,
}  # fmt: skip
GUILD_SIGNALS = {"s_aureus": "s_aureus_share", "cons": "cons_share", "malassezia": "malassezia_share"}


class Signal(Value):
    """`value` is None when it was not measured or could not be resolved."""

    value: float | None = None
    warned: bool = False
    """True when it comes from a sample with a quality warning."""


def read_signals(profile: Profile) -> dict[str, Signal]:
    """All signals that need rules may name (see knowledge's need_rules)."""
    skin, laboratory = profile.skin, profile.patient.laboratory
    warned = skin is not None and any(f.level in ("warn", "stop") for f in skin.findings)
    signals = {"always": Signal(value=1.0), "tewl": Signal(value=laboratory.tewl_g_per_m2_h)}
    for guild, name in GUILD_SIGNALS.items():
        signals[name] = Signal(value=_share(skin, guild), warned=warned)
    load = laboratory.s_aureus_log10_copies_per_cm2
    signals["s_aureus_log10"] = Signal(value=load)
    shared = signals["s_aureus_share"]
    signals["s_aureus"] = Signal(value=load if load is not None else shared.value, warned=shared.warned)
    itch = profile.score("itch_nrs")
    signals["itch_nrs"] = Signal(value=None if itch is None else itch.value)
    score = main_score(profile)
    signals["severity_level"] = Signal(value=None if score is None else severity_level(score))
    return signals


def main_score(profile: Profile) -> Score | None:
    """The first scored instrument, in the order of knowledge's table, that measures this condition's severity."""
    scores = severity_scores(profile)
    return scores[0] if scores else None


def severity_scores(profile: Profile) -> list[Score]:
    """All scores that measure this condition's severity, in the order of knowledge's instruments."""
    return [
        score
        for key, row in instruments().items()
        if profile.patient.condition in row.severity_of and (score := profile.score(key)) is not None
    ]


def severity_level(score: Score) -> float:
    """0 clear, 1 mild, 2 moderate, 3 severe, 4 very severe: from the instrument's band, else from its range."""
    level = BAND_LEVELS.get(score.band.lower().strip())
    if level is not None:
        return level
    fraction = (score.value - score.minimum) / (score.maximum - score.minimum)
    if fraction >= plan_limit("severe_fraction").value:
        return 3
    if fraction >= plan_limit("moderate_fraction").value:
        return 2
    return 1 if fraction > 0 else 0


def _share(skin: SiteProfile | None, guild: str) -> float | None:
    row = None if skin is None else skin.guild(guild)
    if row is None:
        return None
    if row.state is State.BELOW_DETECTION:
        return 0.0  # below what this depth could see; every rule on a share is an upper or lower limit above that
    return row.share if row.state is State.MEASURED else None
