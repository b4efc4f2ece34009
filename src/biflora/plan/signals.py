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
GUT_SIGNALS = ("faecal_butyrate", "bifidobacterium_share")
"""Signals from the gut: a need of the topical follows from one only where a row of need_rules names it."""
SIGNALS = {
    "always": "holds for everybody with the condition",
    "s_aureus_share": "S. aureus, share of the skin sample's classified reads, 0 to 1",
    "s_aureus_log10": "S. aureus load by qPCR or culture, log10 copies per cm²",
    "s_aureus": "whether S. aureus is known at all, by load or by share",
    "cons_share": "coagulase-negative staphylococci, share of the skin sample, 0 to 1",
    "s_aureus_to_cons": "log10 of S. aureus over coagulase-negative staphylococci in the skin sample",
    "malassezia_share": "Malassezia, share of the skin sample, 0 to 1 (16S cannot see it)",
    "tewl": "water loss of the skin, g/m²/h",
    "itch_nrs": "worst itch, 0 to 10",
    "severity_level": "0 clear, 1 mild, 2 moderate, 3 severe, 4 very severe, by the instrument's bands",
    "faecal_butyrate": "butyrate in stool, mmol/kg (gut)",
    "bifidobacterium_share": "Bifidobacterium, share of the gut sample, 0 to 1 (gut)",
}
"""Every signal that a row of need_rules may name, in words."""
GUILD_SIGNALS = {"s_aureus": "s_aureus_share", "cons": "cons_share", "malassezia": "malassezia_share"}


class Signal(Value):
    """`value` is None when it was not measured or could not be resolved."""

    value: float | None = None
    upper: float | None = None
    """It lies below this: what the assay could still have seen, when it was below detection."""
    warned: bool = False
    """True when it comes from a sample with a quality warning."""


def read_signals(profile: Profile) -> dict[str, Signal]:
    """All signals that need rules may name (see knowledge's need_rules)."""
    skin, laboratory = profile.skin, profile.patient.laboratory
    warned = skin is not None and any(f.level in ("warn", "stop") for f in skin.findings)
    signals = {"always": Signal(value=1.0), "tewl": Signal(value=laboratory.tewl_g_per_m2_h)}
    for guild, name in GUILD_SIGNALS.items():
        signals[name] = _of_guild(skin, guild, warned)
    signals["s_aureus_to_cons"] = _balance(skin, warned)
    load = laboratory.s_aureus_log10_copies_per_cm2
    below = laboratory.s_aureus_below_limit_log10
    signals["s_aureus_log10"] = Signal(value=load, upper=below)
    shared = signals["s_aureus_share"]
    own = Signal(value=load, upper=below, warned=shared.warned)
    signals["s_aureus"] = shared if load is None and below is None else own
    signals["faecal_butyrate"] = Signal(value=laboratory.faecal_butyrate_mmol_per_kg)
    signals["bifidobacterium_share"] = _of_guild(profile.gut, "bifidobacterium", False)
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


def _balance(skin: SiteProfile | None, warned: bool) -> Signal:
    quantity = None if skin is None else skin.quantity("log10_s_aureus_to_cons")
    measured = quantity is not None and quantity.state is State.MEASURED
    return Signal(value=quantity.value if quantity is not None and measured else None, warned=warned)


def _of_guild(site: SiteProfile | None, guild: str, warned: bool) -> Signal:
    """Measured: its share; below detection: only the limit; not resolved or not measured: nothing."""
    row = None if site is None else site.guild(guild)
    if row is None or row.state in (State.NOT_RESOLVED, State.NOT_MEASURED):
        return Signal(warned=warned)
    if row.state is State.BELOW_DETECTION:
        # without a stated limit the depth is taken to have sufficed, as for every sample that passed its checks
        return Signal(upper=row.detection_limit or 0.0, warned=warned)
    return Signal(value=row.share, warned=warned)
