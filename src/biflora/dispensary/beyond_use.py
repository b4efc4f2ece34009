"""The beyond-use date, with the rule that gave it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from biflora.dispensary.batch import BeyondUseDate, Lot
from biflora.errors import PharmacistMust
from biflora.formula.formula import Formula
from biflora.knowledge.pharmacy import beyond_use_rules, preservative_systems, vehicles

COMPONENT_CAP = "795_component_cap"
WATER = "purified_water"


def beyond_use_date(formula: Formula, made_on: date, lots: Sequence[Lot] = ()) -> BeyondUseDate:
    """Last day the patient may use it; the day of making counts as day 1.

    The rule is that of the vehicle, preserved or not; no component may expire before. Raises PharmacistMust
    when no rule covers this form without a preservative, when water stands in a form that should hold none, or
    when a component has already expired.
    """
    vehicle = vehicles()[formula.vehicle]
    if not vehicle.aqueous and any(line.ingredient == WATER and line.ppm > 0 for line in formula.lines):
        raise PharmacistMust(
            f"{vehicle.label} should hold no water, and this formula has some: measure the water activity and "
            "choose a vehicle that counts as aqueous."
        )
    system = preservative_systems()[formula.preservative_system]
    parts = formula.preservative_system not in ("none_anhydrous", "none_refrigerated")
    preserved = parts and not system.refrigerate
    key = vehicle.bud_rule_preserved if preserved or not vehicle.aqueous else vehicle.bud_rule_unpreserved
    if key is None:
        raise PharmacistMust(
            f"{vehicle.label} has no beyond-use rule without a preservative; choose a preservative system."
        )
    rule = beyond_use_rules()[key]
    cold = rule.room_days is None or system.refrigerate
    days = rule.fridge_days if cold else rule.room_days
    if days is None:
        raise PharmacistMust(f"The rule '{key}' gives no number of days; assign the date from your own record.")
    kind = (
        "without water" if not vehicle.aqueous else "aqueous, preserved" if preserved else "aqueous, not preserved"
    )
    because = (
        f"{vehicle.label} is {kind}: "
        f"{rule.category}; {days} days {'in the refrigerator' if cold else 'at room temperature'}; "
        "the day of making is day 1"
    )
    on = made_on + timedelta(days=days - 1)
    used, source, verification = key, rule.source, rule.verification
    expired = [lot for lot in lots if lot.expires_on < made_on]
    if expired:
        raise PharmacistMust(
            "Expired: "
            + ", ".join(f"{lot.ingredient}, lot {lot.lot_number}" for lot in expired)
            + ". Use other lots."
        )
    first = min(lots, key=lambda lot: lot.expires_on, default=None)
    if first is not None and first.expires_on < on:
        cap = beyond_use_rules()[COMPONENT_CAP]
        on, used, source, verification = first.expires_on, COMPONENT_CAP, cap.source, cap.verification
        because += f"; shortened, because {first.ingredient}, lot {first.lot_number}, expires first"
    return BeyondUseDate(
        on=on,
        days=(on - made_on).days + 1,
        rule=used,
        because=because,
        storage="Keep in the refrigerator (2-8 °C)." if cold else "Keep at room temperature (20-25 °C), closed.",
        source=source,
        verification=verification,
    )
