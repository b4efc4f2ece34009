"""What to measure, and when; and what is not known today."""

from __future__ import annotations

from biflora.knowledge.planning import measures
from biflora.plan.plan import Measure
from biflora.plan.signals import main_score
from biflora.profile.profile import Profile, SiteProfile
from biflora.twin.forecast import Arm, Forecast
from biflora.values import State


def measures_for(profile: Profile, proposed: Arm | None) -> tuple[Measure, ...]:
    """The visits and the tests that would tell most, by week."""
    missing = missing_parts(profile)
    if proposed in ("oral", "combination"):
        missing.add("oral")
    rows = [
        row
        for row in measures().values()
        if profile.patient.condition in row.conditions and (row.when == "always" or row.when in missing)
    ]
    rows.sort(key=lambda row: row.week)
    return tuple(
        Measure(
            what=row.what, week=row.week, because=row.because, source=row.source, verification=row.verification
        )
        for row in rows
    )


def missing_parts(profile: Profile) -> set[str]:
    """Which measurements are missing, by the words of knowledge's measures and candidate_measurements."""
    laboratory = profile.patient.laboratory
    load, below = laboratory.s_aureus_log10_copies_per_cm2, laboratory.s_aureus_below_limit_log10
    aureus = below if load is None else load  # below its limit is measured too
    given = {
        "itch": profile.score("itch_nrs"),
        "s_aureus_load": aureus,
        "skin_ph": laboratory.skin_ph,
        "tarc": laboratory.tarc_pg_per_ml,
        "total_ige": laboratory.total_ige_iu_per_ml,
        "faecal_butyrate": laboratory.faecal_butyrate_mmol_per_kg,
    }
    missing = {f"{name}_missing" for name, value in given.items() if value is None}
    if main_score(profile) is None:
        missing.add("severity_missing")
    if profile.skin is None:
        missing.add("skin_missing")
    if profile.gut is None:
        missing.add("gut_missing")
    if laboratory.tewl_g_per_m2_h is None:
        missing.add("tewl_missing")
    if aureus is None:
        guild = None if profile.skin is None else profile.skin.guild("s_aureus")
        if guild is None or guild.state in (State.NOT_RESOLVED, State.NOT_MEASURED):
            missing.add("s_aureus_unresolved")
    return missing


def not_known(profile: Profile, forecast: Forecast) -> tuple[str, ...]:
    """Everything that was not measured or not resolved, in words, each once."""
    words: list[str] = []
    if main_score(profile) is None:
        words.append("Severity: no instrument of this condition was scored.")
    for name, site in (("Skin", profile.skin), ("Gut", profile.gut)):
        if site is None:
            words.append(f"{name} microbiome: no sample was handed in.")
        else:
            words.extend(_guilds(name, site))
    if not profile.patient.sites:
        words.append("Affected area: not entered; the amount a day is a guess.")
    words.extend(f"{text[:1].upper()}{text[1:]}" for text in forecast.not_informed)
    return tuple(dict.fromkeys(words))


def _guilds(name: str, site: SiteProfile) -> list[str]:
    words = {
        State.NOT_RESOLVED: "not resolved by this assay",
        State.NOT_MEASURED: "not measured by this assay",
    }
    return [f"{name}, {guild.label}: {words[guild.state]}." for guild in site.guilds if guild.state in words]
