"""Laboratory values beside what they stand beside at this age, as one table."""

from __future__ import annotations

from biflora.papers.grid import Grid
from biflora.papers.wording import DASH, prose
from biflora.profile.host.laboratory import laboratory_values
from biflora.profile.patient import Patient


def laboratory_grid(patient: Patient) -> Grid | None:
    """Every value that was entered, in biflora's unit; None without one."""
    rows = tuple(
        (
            value.label,
            f"{value.limit}{value.limit and ' '}{value.value:g} {value.unit}",
            value.as_entered,
            prose("; ".join(value.references)) or "no reference is kept for this age",
            value.note or ("" if value.plausible else "implausible: check the unit") or DASH,
        )
        for value in laboratory_values(patient)
    )
    columns = ("Laboratory value", "Value", "As entered", "Beside", "Note")
    return Grid("Laboratory values", columns, rows, right=(1,)) if rows else None
