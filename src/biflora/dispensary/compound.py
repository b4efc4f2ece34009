"""Making the batch: weights checked, lots checked, two people, label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from biflora.dispensary.batch import Batch, Lot
from biflora.dispensary.label import make_label
from biflora.dispensary.weighing import check_lots, with_weights
from biflora.dispensary.worksheet import make_worksheet
from biflora.errors import PharmacistMust
from biflora.knowledge.rows import release
from biflora.prescription.prescription import Signed


def compound(
    signed: Signed,
    *,
    made_on: date,
    made_at: datetime,
    lot_number: str,
    made_by: str,
    checked_by: str,
    pharmacy: str,
    pharmacy_contact: str,
    weighed_g: Mapping[str, float] | None = None,
    lots: Sequence[Lot] = (),
    recalled: Sequence[str] = (),
    batch_g: float | None = None,
) -> Batch:
    """The batch as made; `weighed_g` are grams by ingredient key (None: exactly the targets, for a dry run).

    Raises PharmacistMust when one person would check herself, a weight or a lot is wrong; NotAllowed when the
    prescription was changed after signing.
    """
    if (
        not made_by.strip()
        or not checked_by.strip()
        or made_by.strip().casefold() == checked_by.strip().casefold()
    ):
        raise PharmacistMust("Two people make and check a batch; enter both names.")
    sheet = make_worksheet(signed, made_on=made_on, batch_g=batch_g, lots=lots)
    check_lots(sheet, lots, made_on, recalled)
    if made_at.date() != made_on and abs((made_at.date() - made_on).days) > 1:
        raise PharmacistMust("Day and time of making differ; correct one of them.")
    sheet = with_weights(
        sheet, {x.ingredient: x.target_g for x in sheet.lines} if weighed_g is None else weighed_g
    )
    return Batch.make(
        "batch",
        release=release(),
        parents=(signed.id, sheet.id),
        worksheet=sheet,
        lot_number=lot_number,
        made_by=made_by,
        checked_by=checked_by,
        made_at=made_at,
        yield_g=round(sum(line.weighed_g or 0.0 for line in sheet.lines), 2),
        label=make_label(
            signed, sheet, lot_number=lot_number, pharmacy=pharmacy, pharmacy_contact=pharmacy_contact
        ),
    )
