"""The order's states: which may follow which, who acts next, when it should arrive."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from biflora.dispensary.batch import Order, OrderState, OrderStep
from biflora.errors import PharmacistMust
from biflora.knowledge.dispensing import dispensing_setting
from biflora.knowledge.rows import release
from biflora.prescription.prescription import Signed
from biflora.prescription.signing import verify

S = OrderState
TRANSITIONS: dict[OrderState, tuple[OrderState, ...]] = {
    S.RECEIVED: (S.IN_REVIEW, S.CANCELLED),
    S.IN_REVIEW: (S.VERIFIED, S.CLARIFICATION, S.REJECTED, S.CANCELLED),
    S.CLARIFICATION: (S.IN_REVIEW, S.REJECTED, S.CANCELLED),
    S.VERIFIED: (S.COMPOUNDING, S.CLARIFICATION, S.CANCELLED),
    S.COMPOUNDING: (S.QUALITY_CHECK, S.CLARIFICATION, S.CANCELLED),
    S.QUALITY_CHECK: (S.RELEASED, S.COMPOUNDING, S.REJECTED),
    S.RELEASED: (S.SHIPPED, S.RECALLED),
    S.SHIPPED: (S.DELIVERED, S.RECALLED),
    S.DELIVERED: (S.RECALLED,),
    S.CANCELLED: (),
    S.REJECTED: (),
    S.RECALLED: (),
}
NEXT_ACTOR: dict[OrderState, str] = {
    S.RECEIVED: "pharmacist: review",
    S.IN_REVIEW: "pharmacist: verify or ask",
    S.CLARIFICATION: "prescriber: answer",
    S.VERIFIED: "pharmacy: make it",
    S.COMPOUNDING: "pharmacy: weigh and make",
    S.QUALITY_CHECK: "pharmacist: release",
    S.RELEASED: "pharmacy: ship",
    S.SHIPPED: "carrier: deliver",
    S.DELIVERED: "patient: use it",
    S.CANCELLED: "nobody",
    S.REJECTED: "prescriber: see the reason",
    S.RECALLED: "pharmacy: reach the patient today",
}
BEFORE_RELEASE = (S.RECEIVED, S.IN_REVIEW, S.VERIFIED, S.COMPOUNDING, S.QUALITY_CHECK)


def receive(signed: Signed, at: datetime, by: str) -> Order:
    """The pharmacy receives a signed prescription. Raises NotAllowed when it was changed after signing."""
    verify(signed)
    return Order.make(
        "order",
        release=release(),
        parents=(signed.id,),
        prescription_id=signed.id,
        steps=(OrderStep(state=S.RECEIVED, at=at, by=by),),
        next_actor=NEXT_ACTOR[S.RECEIVED],
        eta=_eta(S.RECEIVED, at),
    )


def next_states(state: OrderState) -> tuple[OrderState, ...]:
    """The states that may lawfully follow."""
    return TRANSITIONS[state]


def advance(
    order: Order, to: OrderState, at: datetime, by: str, reason: str = "", *, tracking_number: str | None = None
) -> Order:
    """The order one step further; its id stays. Raises PharmacistMust when that step may not follow."""
    if to not in TRANSITIONS[order.state]:
        allowed = ", ".join(TRANSITIONS[order.state]) or "nothing any more"
        raise PharmacistMust(f"An order that is '{order.state}' cannot become '{to}'; it can become: {allowed}.")
    if at < order.steps[-1].at:
        raise PharmacistMust("This step lies before the last one; check the clock.")
    return order.model_copy(
        update={
            "steps": (*order.steps, OrderStep(state=to, at=at, by=by, reason=reason)),
            "next_actor": NEXT_ACTOR[to],
            "eta": _eta(to, at),
            "tracking_number": tracking_number or order.tracking_number,
        }
    )


def _eta(state: OrderState, at: datetime) -> date | None:
    making, transit = (dispensing_setting(key).value for key in ("making_days", "transit_days"))
    if state in BEFORE_RELEASE:
        return (at + timedelta(days=making + transit)).date()
    return (at + timedelta(days=transit)).date() if state in (S.RELEASED, S.SHIPPED) else None
