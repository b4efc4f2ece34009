"""The beyond-use date, with the rule that gave it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from biflora.dispensary.batch import BeyondUseDate, Lot
from biflora.errors import PharmacistMust
from biflora.formula.formula import Formula
from biflora.formula.keeping import celsius, days_alive, jar_of, live_portions, live_storage_of
from biflora.knowledge.checking import checker_limits
from biflora.knowledge.pharmacy import beyond_use_rules, preservative_systems, vehicles

COMPONENT_CAP = "795_component_cap"
WATER = "purified_water"


LIVE_CAP = "live_viability"
"""The rule that shortens the date of a live preparation, as the formula's checker calls it."""


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
    alive = _days_alive(formula)
    cold = rule.room_days is None or system.refrigerate or (alive is not None and rule.fridge_days is not None)
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
    if alive is not None and alive < days:
        if alive < 1:
            raise PharmacistMust("Too few live cells from the first day: weigh in more of the strain.")
        on, used = made_on + timedelta(days=alive - 1), LIVE_CAP
        least = checker_limits()["live_min_log10"]
        source, verification = least.source, least.verification
        because += f"; shortened to {alive} days, until which enough cells are expected alive (start assumed)"
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


def _days_alive(formula: Formula) -> int | None:
    """Whole days for which every live strain is expected to hold the least number of cells; None without any.

    Live strains are kept cold wherever the rule allows it.
    """
    jar = jar_of(formula)
    if jar is None or not live_portions(jar):
        return None
    place = celsius(live_storage_of(jar).where)
    return int(min(days_alive(portion, jar, place).likely for portion in live_portions(jar)))
