"""Body surface, each site's share of it, and finger-tip units: one arithmetic for all rooms."""

from __future__ import annotations

import math

from biflora.errors import ClinicianMust
from biflora.knowledge.planning import body_surface_m2 as usual_surface_m2
from biflora.knowledge.planning import plan_limit
from biflora.knowledge.surface import region_shares, site_regions, surface_setting
from biflora.profile.patient import BodySite, Patient
from biflora.values import Finding, Value, Who


class TopicalAmount(Value):
    """What one application takes, before it is rounded to what a finger can dose."""

    area_percent_bsa: float
    body_surface_m2: float
    finger_tip_units: float
    grams: float


def body_surface_m2(age_years: float, weight_kg: float | None = None, height_cm: float | None = None) -> float:
    """Body surface by Mosteller's formula where weight and height are known, else the usual one of that age.

    Raises ClinicianMust when weight or height is not above zero.
    """
    if weight_kg is None or height_cm is None:
        return usual_surface_m2(age_years)
    if not (weight_kg > 0 and height_cm > 0):
        raise ClinicianMust("weight_kg, height_cm: both must be above zero; correct them or leave one out.")
    return math.sqrt(height_cm * weight_kg / surface_setting("mosteller_divisor"))


def palms_to_percent(palms: float) -> float:
    """Percent of the body surface that so many of the patient's own palms, with fingers, cover."""
    return palms * surface_setting("palm_percent")


def site_share_percent(site: BodySite, age_years: float) -> float | None:
    """Percent of the body surface that the whole site holds at this age; None where no chart line fits."""
    row = site_regions().get(site.value)
    if row is None:
        return None
    shares = region_shares(age_years)
    pieces = (part.split(":") for part in row.parts)
    return sum(shares[region] * float(part) for region, part in pieces)


def finger_tip_units(area_percent_bsa: float, surface_m2: float) -> float:
    """Adult finger-tip units for one application to that share of the patient's surface, not rounded.

    A unit covers two adult palms, 2 % of an adult's surface; the same share of a smaller body needs fewer.
    """
    if not 0 < area_percent_bsa <= 100:
        raise ClinicianMust("The affected area must lie above 0 and up to 100 percent of the body surface.")
    scale = surface_m2 / plan_limit("adult_body_surface").value
    return area_percent_bsa / plan_limit("percent_bsa_per_finger_tip_unit").value * scale


def topical_amount(
    area_percent_bsa: float, age_years: float, *, weight_kg: float | None = None, height_cm: float | None = None
) -> TopicalAmount:
    """Finger-tip units and grams of one application. Raises ClinicianMust for an area that cannot be."""
    surface = body_surface_m2(age_years, weight_kg, height_cm)
    units = finger_tip_units(area_percent_bsa, surface)
    return TopicalAmount(
        area_percent_bsa=area_percent_bsa, body_surface_m2=surface, finger_tip_units=units,
        grams=units * plan_limit("grams_per_finger_tip_unit").value,
    )  # fmt: skip


def surface_findings(patient: Patient) -> tuple[Finding, ...]:
    """A question for each site whose affected area is more than that site holds at this age."""
    found = []
    for affected in patient.sites:
        share = site_share_percent(affected.site, patient.age_years)
        if share is not None and affected.area_percent_bsa > surface_setting("area_slack") * share:
            name = affected.site.value
            row = site_regions()[name]
            found.append(
                Finding(
                    level="warn", rule="area_beyond_site", subject=name, who=Who.PRESCRIBER,
                    message=f"The affected area of the {name} is more than the whole {name} holds at this age "
                    f"(about {share:g} % of the body). Enter percent of the whole body surface, not of the site.",
                    source=row.source, verification=row.verification,
                )
            )  # fmt: skip
    return tuple(found)
