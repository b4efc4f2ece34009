"""The order's states, every pair of them."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest

from biflora.dispensary.batch import Order, OrderState, OrderStep
from biflora.dispensary.order import NEXT_ACTOR, TRANSITIONS, advance, next_states, receive
from biflora.errors import NotAllowed, PharmacistMust
from pharmacy_sample import signed

S = OrderState
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LAWFUL = {
    "received": "in review, cancelled",
    "in review": "verified, clarification, rejected, cancelled",
    "clarification": "in review, rejected, cancelled",
    "verified": "compounding, clarification, cancelled",
    "compounding": "quality check, clarification, cancelled",
    "quality check": "released, compounding, rejected",
    "released": "shipped, recalled",
    "shipped": "delivered, recalled",
    "delivered": "recalled",
    "cancelled": "",
    "rejected": "",
    "recalled": "",
}
"""Written down apart from the code: what a pharmacist expects."""


def order_in(state: OrderState) -> Order:
    step = OrderStep(state=state, at=AT, by="Pat Mortar")
    return Order(id="order-1", prescription_id="sig-1", steps=(step,))


@pytest.mark.parametrize(("now", "to"), itertools.product(S, S))
def test_every_pair_of_states(now: OrderState, to: OrderState) -> None:
    lawful = [name for name in LAWFUL[now].split(", ") if name]
    order = order_in(now)
    assert [state.value for state in next_states(now)] == lawful
    if to.value in lawful:
        moved = advance(order, to, AT + timedelta(hours=1), "Pat Mortar", "because")
        assert (moved.state, moved.id, len(moved.steps)) == (to, order.id, 2)
        assert moved.steps[0] == order.steps[0]
        assert moved.next_actor == NEXT_ACTOR[to]
        return
    with pytest.raises(PharmacistMust) as refused:
        advance(order, to, AT + timedelta(hours=1), "Pat Mortar")
    assert (", ".join(lawful) or "nothing any more") in str(refused.value)


def test_nothing_is_released_without_a_quality_check() -> None:
    """Every way from received to released passes verified, compounding and quality check."""
    ways = [[S.RECEIVED]]
    found = []
    while ways:
        way = ways.pop()
        if way[-1] is S.RELEASED:
            found.append(way)
            continue
        ways.extend([*way, state] for state in TRANSITIONS[way[-1]] if state not in way)
    assert found
    assert all({S.VERIFIED, S.COMPOUNDING, S.QUALITY_CHECK} <= set(way) for way in found)


def test_the_whole_way_with_its_dates() -> None:
    """2 days of making and 3 of shipping: 28 November; shipped on the 24th it is due on the 27th."""
    order = receive(signed(), AT, "Dr Dana Demo")
    assert (order.state, order.eta) == (S.RECEIVED, date(2026, 11, 28))
    at = AT
    for state in (S.IN_REVIEW, S.VERIFIED, S.COMPOUNDING, S.QUALITY_CHECK, S.RELEASED):
        at += timedelta(hours=1)
        order = advance(order, state, at, "Pat Mortar")
    order = advance(order, S.SHIPPED, datetime(2026, 11, 24, 9, 0, tzinfo=UTC), "Pat Mortar", tracking_number="T1")
    assert (order.eta, order.tracking_number) == (date(2026, 11, 27), "T1")
    order = advance(order, S.DELIVERED, datetime(2026, 11, 26, 9, 0, tzinfo=UTC), "carrier")
    assert (order.eta, order.tracking_number, len(order.steps)) == (None, "T1", 8)


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(PharmacistMust, match="clock"):
        advance(order_in(S.RECEIVED), S.IN_REVIEW, AT - timedelta(seconds=1), "Pat Mortar")


def test_a_changed_prescription_is_not_received() -> None:
    made = signed()
    with pytest.raises(NotAllowed, match="changed"):
        receive(made.model_copy(update={"meaning": "Something else."}), AT, "Pat Mortar")
