"""Weights and lots: what was weighed must be what was ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from biflora.dispensary.batch import Lot, Worksheet
from biflora.errors import PharmacistMust
from biflora.values import Record


def with_weights(worksheet: Worksheet, weighed_g: Mapping[str, float]) -> Worksheet:
    """The worksheet with what was weighed (grams by ingredient key): a new record whose parent is the blank one.

    Raises PharmacistMust naming every ingredient that is missing or outside its tolerance.
    """
    wrong = []
    for line in worksheet.lines:
        weighed = weighed_g.get(line.ingredient)
        if weighed is None:
            wrong.append(f"{line.name}: no weight was entered")
        elif not abs(weighed - line.target_g) <= line.tolerance_g + 1e-9:
            wrong.append(
                f"{line.name}: {weighed:g} g is outside {line.target_g:g} g ± {line.tolerance_g:g} g; weigh again"
            )
    unknown = sorted(set(weighed_g) - {line.ingredient for line in worksheet.lines})
    wrong.extend(f"{key}: is not on this worksheet" for key in unknown)
    if wrong:
        raise PharmacistMust("; ".join(wrong) + ".")
    lines = tuple(line.model_copy(update={"weighed_g": weighed_g[line.ingredient]}) for line in worksheet.lines)
    fields = {name: getattr(worksheet, name) for name in Worksheet.model_fields if name not in Record.model_fields}
    return Worksheet.make(
        "sheet",
        release=worksheet.knowledge_release,
        parents=(*worksheet.parent_ids, worksheet.id),
        **fields | {"lines": lines},
    )


def check_lots(worksheet: Worksheet, lots: Sequence[Lot], on: date, recalled: Sequence[str] = ()) -> None:
    """Raise PharmacistMust for a lot that has expired, was recalled, or belongs to no line."""
    inside = {line.ingredient for line in worksheet.lines}
    wrong = []
    for lot in lots:
        if lot.ingredient not in inside:
            wrong.append(f"{lot.ingredient} is not on this worksheet")
        if lot.expires_on < on:
            wrong.append(f"{lot.ingredient}, lot {lot.lot_number}, expired on {lot.expires_on}")
        if lot.lot_number in recalled:
            wrong.append(f"{lot.ingredient}, lot {lot.lot_number}, was recalled")
    if wrong:
        raise PharmacistMust("; ".join(wrong) + ". Use other lots.")
