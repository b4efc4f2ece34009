"""How much to prescribe: finger-tip units from area, grams from units, a container that holds them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from biflora.errors import ClinicianMust
from biflora.knowledge.dispensing import Container, containers, dispensing_setting
from biflora.knowledge.planning import plan_limit
from biflora.plan.needs import topical_amount
from biflora.plan.plan import BodySite
from biflora.prescription.prescription import Amount

ADULT_YEARS = 18.0


def amount_for(
    sites: Sequence[tuple[BodySite, float]],
    *,
    age_years: float,
    applications_per_day: int,
    days: int,
    weight_kg: float | None = None,
    height_cm: float | None = None,
) -> Amount:
    """Finger-tip units and grams for the affected area (percent of body surface).

    One unit covers two palms, about 2 % of an adult's skin. A child's skin is smaller, so the same percentage
    needs fewer units: the count is scaled by body surface. Raises ClinicianMust when no area is given, or one
    that cannot be.
    """
    area = sum(percent for _, percent in sites)
    if not sites or not area > 0 or not all(percent > 0 for _, percent in sites):
        raise ClinicianMust("No affected area was entered; enter each site with its percent of the body surface.")
    if not area <= 100:
        raise ClinicianMust("The affected areas add up to more than the whole skin; correct them.")
    per_unit = plan_limit("percent_bsa_per_finger_tip_unit")
    grams = plan_limit("grams_per_finger_tip_unit")
    step = dispensing_setting("round_finger_tip_units_to").value
    exact = topical_amount(area, age_years, weight_kg=weight_kg, height_cm=height_cm).finger_tip_units
    units = max(step, math.ceil(exact / step - 1e-9) * step)
    each = units * grams.value
    return Amount(
        finger_tip_units_per_application=units,
        grams_per_application=each,
        applications_per_day=applications_per_day,
        days=days,
        grams_total=round(each * applications_per_day * days, 1),
        because=f"{area:g} % of the body surface at {per_unit.value:g} % a unit"
        + ("" if age_years >= ADULT_YEARS else ", scaled to a child's body surface")
        + f", rounded up to {step:g} unit; {grams.value:g} g a unit",
        source=f"{grams.source} ({grams.verification}); {per_unit.source} ({per_unit.verification})",
    )


def container_for(grams: float, dosage_form: str) -> tuple[Container, int]:
    """The fewest, then the smallest containers of that form that hold `grams`.

    Raises ClinicianMust when one prescription would be too large.
    """
    limit = dispensing_setting("largest_quantity_g").value
    if grams > limit:
        raise ClinicianMust(
            f"{grams:g} g is more than {limit:g} g, the most one prescription orders here; prescribe fewer days."
        )
    fitting = sorted((c for c in containers().values() if dosage_form in c.dosage_forms), key=lambda c: c.grams)
    if not fitting:
        fitting = sorted(containers().values(), key=lambda c: c.grams)
    for container in fitting:
        if container.grams >= grams:
            return container, 1
    largest = fitting[-1]
    return largest, math.ceil(grams / largest.grams)
