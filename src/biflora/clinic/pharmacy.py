"""What the pharmacy does: the queue, an order's next state, the worksheet, the weights, the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from biflora.clinic.access import Role, User, require
from biflora.dispensary.batch import Batch, Lot, Order, OrderState, Worksheet
from biflora.errors import PharmacistMust
from biflora.prescription.prescription import Signed
from biflora.store.store import Store, now
from biflora.values import Finding

PHARMACY = "biflora demo pharmacy"
PHARMACY_CONTACT = "demonstration only, no telephone"

DONE = (OrderState.DELIVERED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.RECALLED)
NEEDS_A_REASON = (OrderState.CLARIFICATION, OrderState.REJECTED, OrderState.CANCELLED, OrderState.RECALLED)


@dataclass(frozen=True)
class OrderLine:
    """One order with its prescription, as a queue shows it."""

    patient_id: str
    order: Order
    prescription: Signed
    batch: Batch | None


def queue(store: Store, *, patient_id: str | None = None) -> list[OrderLine]:
    """All orders, open ones first, each group oldest first."""
    lines = []
    for owner, order in store.orders(patient_id=patient_id):
        signed = store.record(order.prescription_id, Signed, kind="prescription")
        if signed is not None:
            lines.append(OrderLine(owner, order, signed, batch_of(store, owner, signed)))
    return sorted(lines, key=lambda line: line.order.state in DONE)


def order_line(store: Store, order_id: str) -> OrderLine:
    """One order. Raises PharmacistMust when there is none of that number."""
    found = store.order(order_id)
    signed = None if found is None else store.record(found[1].prescription_id, Signed, kind="prescription")
    if found is None or signed is None:
        raise PharmacistMust("There is no order of that number; open it from the queue.")
    return OrderLine(found[0], found[1], signed, batch_of(store, found[0], signed))


def batch_of(store: Store, patient_id: str, signed: Signed) -> Batch | None:
    """The newest batch made for that prescription."""
    batches = store.records_of(patient_id, Batch, kind="batch")
    return next((b for b in reversed(batches) if b.worksheet.prescription_id == signed.id), None)


def open_states(line: OrderLine) -> tuple[OrderState, ...]:
    """The states that may lawfully follow by a move; the quality check begins with the weights alone."""
    from biflora.dispensary.order import next_states

    closed = {OrderState.QUALITY_CHECK} if line.batch else {OrderState.QUALITY_CHECK, OrderState.RELEASED}
    return tuple(state for state in next_states(line.order.state) if state not in closed)


def before_release(line: OrderLine, on: date | None = None) -> tuple[Finding, ...]:
    """What speaks against releasing the batch on that day; empty unless it waits for its quality check."""
    from biflora.dispensary.release import release_findings

    if line.batch is None or line.order.state is not OrderState.QUALITY_CHECK:
        return ()
    return release_findings(line.batch, on or now().date())


def move(
    store: Store, order_id: str, to: OrderState, *, by: User, reason: str = "", at: datetime | None = None
) -> Order:
    """Move an order on.

    Raises PharmacistMust when that step is not lawful now, lacks its reason, or a batch must not leave.
    """
    from biflora.dispensary.order import advance

    require(by, Role.PHARMACIST)
    line = order_line(store, order_id)
    if to not in open_states(line):
        raise PharmacistMust(f"An order that is '{line.order.state}' cannot become '{to}' now; see what is open.")
    if to in NEEDS_A_REASON and not reason.strip():
        raise PharmacistMust(f"Say in a sentence why the order becomes '{to}'; the prescriber reads it.")
    at = at or now()
    against = [f for f in before_release(line, at.date()) if f.level == "stop"]
    if to is OrderState.RELEASED and against:
        raise PharmacistMust("Not released. " + " ".join(f"{f.subject}: {f.message}" for f in against))
    moved = advance(line.order, to, at, by.display_name, reason.strip())
    with store.act(by.username, "order moved") as act:
        act.keep_order(moved, patient_id=line.patient_id)
    return moved


def worksheet_for(line: OrderLine, on: date | None = None) -> Worksheet:
    """The worksheet of the batch; before it is made, or when it is made again, as it would be `on` that day.

    `on` is today if None.
    """
    from biflora.dispensary.worksheet import make_worksheet

    if line.batch is not None and line.order.state is not OrderState.COMPOUNDING:
        return line.batch.worksheet
    return make_worksheet(line.prescription, made_on=on or now().date())


def weigh(
    store: Store,
    order_id: str,
    *,
    by: User,
    checked_by: str,
    lot_number: str,
    weighed_g: Mapping[str, float],
    lots: Sequence[Lot] = (),
    at: datetime | None = None,
) -> Batch:
    """Make the batch from what was weighed and send the order to the quality check, in one act.

    Raises PharmacistMust when the order is not being compounded, when one person would check herself, or when
    a weight is missing or out of tolerance (from the dispensary).
    """
    from biflora.dispensary.compound import compound
    from biflora.dispensary.order import advance

    require(by, Role.PHARMACIST)
    line = order_line(store, order_id)
    if line.order.state is not OrderState.COMPOUNDING:
        raise PharmacistMust(
            f"This order is '{line.order.state}'; weigh it when it is '{OrderState.COMPOUNDING}'."
        )
    if checked_by.strip().casefold() in ("", by.display_name.casefold()):
        raise PharmacistMust("A second person checks the weights; enter that person's name.")
    at = at or now()
    batch = compound(
        line.prescription,
        made_on=at.date(),
        made_at=at,
        lot_number=lot_number,
        made_by=by.display_name,
        checked_by=checked_by.strip(),
        pharmacy=PHARMACY,
        pharmacy_contact=PHARMACY_CONTACT,
        weighed_g=weighed_g,
        lots=lots,
    )
    moved = advance(line.order, OrderState.QUALITY_CHECK, at, by.display_name, "")
    with store.act(by.username, "batch made") as act:
        act.keep(batch, kind="batch", patient_id=line.patient_id)
        act.keep_order(moved, patient_id=line.patient_id)
    return batch


def next_lot_number(store: Store, on: date | None = None) -> str:
    """Year, month, day and a running number of all batches ever made; unique in this pharmacy."""
    made = sum(kinds.get("batch", 0) for kinds in store.kinds_by_patient().values())
    day = (on or now().date()).strftime("%y%m%d")
    return f"{day}-{made + 1:03d}"
