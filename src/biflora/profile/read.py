"""Patient and laboratory files become one Profile."""

from __future__ import annotations

from pathlib import Path

from biflora.knowledge.instruments import instruments
from biflora.knowledge.rows import release
from biflora.profile.host.instruments import score
from biflora.profile.host.laboratory import laboratory_findings
from biflora.profile.host.score_change import derived_scores
from biflora.profile.host.surface import surface_findings
from biflora.profile.numbers.indices import dual_site_index
from biflora.profile.patient import Condition, Patient
from biflora.profile.profile import Profile, Score, SiteName, SiteProfile
from biflora.profile.reference.library import open_library
from biflora.profile.sample import profile_site
from biflora.values import Finding, Who

WHAT_IS_UNKNOWN: dict[SiteName, str] = {
    "skin": "S. aureus, the commensal staphylococci and Malassezia on the skin are not known; the forecast of "
    "the skin's microbes starts from the population's spread, with wider intervals. A swab of the worst site "
    "would tell.",
    "gut": "Bifidobacterium and the butyrate producers in the gut are not known; the forecast of the gut, and so "
    "of the oral arm, starts from the population's spread, with wider intervals. A stool sample would tell.",
}


def read_profile(
    patient: Patient,
    *,
    skin: Path | None = None,
    gut: Path | None = None,
    skin_sample: str | None = None,
    gut_sample: str | None = None,
) -> Profile:
    """The whole person as far as measured; a missing file leaves its site None and a finding says what is unknown.

    Raises LaboratoryMust for a file, ClinicianMust for a score.
    """
    sites: dict[SiteName, SiteProfile | None] = {}
    findings: list[Finding] = []
    for name, path, sample in (("skin", skin, skin_sample), ("gut", gut, gut_sample)):
        site: SiteName = "skin" if name == "skin" else "gut"
        if path is None:
            sites[site] = None
            findings.append(
                Finding(level="note", rule=f"no_{site}_file", subject=f"{site} microbiome",
                        message=f"No {site} file was given: {WHAT_IS_UNKNOWN[site]}", who=Who.PRESCRIBER,
                        source="the files handed in", verification="computed")
            )  # fmt: skip
            continue
        sites[site] = profile_site(
            path,
            site,
            sample=sample,
            age_years=patient.age_years,
            laboratory=patient.laboratory,
            sampling=patient.skin_sampling if site == "skin" else patient.gut_sampling,
            library=open_library(),
        )
    scores = tuple(score(given, patient.age_years) for given in patient.scores)
    scores += derived_scores(patient.scores, patient.age_years)
    findings += [*_score_findings(patient, scores), *laboratory_findings(patient), *surface_findings(patient)]
    parents = tuple(site.id for site in sites.values() if site is not None)
    return Profile.make(
        "profile",
        release=release(),
        parents=parents,
        patient=patient,
        scores=scores,
        skin=sites["skin"],
        gut=sites["gut"],
        quantities=(dual_site_index(sites["skin"], sites["gut"]),) if any(sites.values()) else (),
        findings=tuple(findings),
    )


def _score_findings(patient: Patient, scores: tuple[Score, ...]) -> list[Finding]:
    table = instruments()
    found = []
    of_condition = [row for row in table.values() if patient.condition.value in row.severity_of]
    given = {each.instrument for each in scores}
    if of_condition and not given.intersection(row.key for row in of_condition):
        names = ", ".join(row.label for row in of_condition[:3])
        found.append(
            Finding(
                level="note" if patient.condition is not Condition.ATOPIC_DERMATITIS else "warn",
                rule="no_severity_score",
                subject="severity score",
                message="No severity score of this condition was entered; the forecast starts from the "
                f"population's spread. Enter one of: {names}.",
                who=Who.PRESCRIBER,
                source="the patient's file",
                verification="computed",
            )
        )
    for key in sorted(given):
        row = table.get(key)
        if row is not None and row.min_age_years is not None and patient.age_years < row.min_age_years:
            found.append(
                Finding(
                    level="warn",
                    rule="instrument_age",
                    subject=row.label,
                    message=f"{row.label} is made for people of {row.min_age_years:g} years and older; use the "
                    "children's form, and read this score with caution.",
                    who=Who.PRESCRIBER,
                    source=row.source,
                    verification=row.verification,
                )
            )
    return found
