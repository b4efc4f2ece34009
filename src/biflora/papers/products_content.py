"""The clinic's oral products beside the strains that trials tried."""

from __future__ import annotations

from biflora.papers.grid import Grid
from biflora.papers.wording import DASH, number
from biflora.plan.plan import Plan
from biflora.plan.products import ProductMatch, Shelf, matches
from biflora.profile.patient import Patient


def shelf_grid(plan: Plan, patient: Patient, shelf: Shelf | None) -> tuple[Grid | None, str]:
    """Products that hold a tried strain, usable ones first, and a sentence; nothing where oral is not open."""
    oral_open = any(arm.allowed and arm.arm in ("oral", "combination") for arm in plan.arms)
    if shelf is None or plan.stopped or not oral_open or not plan.strains:
        return None, ""
    if shelf.told:
        return None, shelf.told
    found = matches(shelf.products, plan.strains, patient)
    near = [match for match in found if match.match != "not a match"]
    usable = len({match.product for match in near if match.usable})
    said = (
        "Products on this clinic's list that hold a tried strain at the tried dose and meet no allergy: "
        f"{usable} of {len(shelf.products)}."
    )
    if not near:
        return None, f"{said} A label without the strain's name matches no trial."
    columns = ("Product", "Tried strain", "Match", "Why", "Mind", "Storage", "USD a month")
    title = "Oral products on this clinic's list, by their labels; the operator's entries"
    return Grid(title, columns, tuple(_row(match) for match in near), right=(6,)), said


def _row(match: ProductMatch) -> tuple[str, ...]:
    allergens = (f"Not for this patient until cleared: {', '.join(match.allergens)}.",) if match.allergens else ()
    return (
        match.product,
        match.strain_id,
        match.match,
        " ".join(match.because),
        " ".join((*allergens, *match.cautions)) or DASH,
        match.storage or "not told",
        DASH if match.usd_per_month is None else number(match.usd_per_month, 0),
    )
