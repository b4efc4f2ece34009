"""A batch of another size is the same formula: its lots, and the weights of its worksheet."""

from __future__ import annotations

import random
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st
from random_needs import SEEDS, changed, easy_needs, either_needs, examples, with_lots

from biflora.dispensary.worksheet import make_worksheet
from biflora.formula.formula import MILLION, Formula
from biflora.formula.formulate import formulate
from biflora.knowledge.dispensing import dispensing_setting
from pharmacy_sample import MADE_ON, signed

SECONDS = 60.0
"""So much that only a proof ends a search."""


@examples(5)
@given(seed=SEEDS, factor=st.sampled_from([0.5, 2, 3, 7, 10]))
def test_a_larger_batch_from_as_much_larger_lots_is_the_same_formula(seed: int, factor: float) -> None:
    needs = with_lots(either_needs(seed))
    first = formulate(needs, alternatives=0, time_limit_seconds=SECONDS)
    assume(isinstance(first, Formula))
    assert isinstance(first, Formula)
    # Two lots become scarce, so that they matter: less than the formula takes, or half as much again.
    draw = random.Random(seed)
    scarce = {line.ingredient: line.ppm * draw.choice([0.3, 0.8, 1.5]) for line in draw.sample(first.lines, 2)}
    lots = [
        lot.model_copy(
            update={"grams": scarce.get(lot.ingredient, MILLION) * needs.batch_grams / MILLION}
        ).model_dump()
        for lot in needs.stock or ()
    ]
    larger = [lot | {"grams": lot["grams"] * factor} for lot in lots]
    one, other = (
        formulate(changed(needs, batch_grams=grams, stock=stock), alternatives=0, time_limit_seconds=SECONDS)
        for grams, stock in ((needs.batch_grams, lots), (needs.batch_grams * factor, larger))
    )
    assert type(one) is type(other)
    if isinstance(one, Formula) and isinstance(other, Formula):
        assert (one.vehicle, one.ph, one.lines) == (other.vehicle, other.ph, other.lines)


@examples(5)
@given(seed=SEEDS, factor=st.sampled_from([2, 3, 7, 10]), quarters=st.integers(0, 400))
def test_the_weights_of_a_larger_batch_are_as_many_times_larger(seed: int, factor: int, quarters: int) -> None:
    """Against exact fractions: a weight lies within half of what the balance can show of batch times share.

    So k times the weight for g lies within (k + 1) halves of the weight for k g, and all weights together within
    as many halves of the batch as there are lines.
    """
    formula = formulate(easy_needs(seed), alternatives=0, time_limit_seconds=SECONDS)
    assume(isinstance(formula, Formula))
    assert isinstance(formula, Formula)
    order = signed(formula)
    grams = order.draft.quantity_g + quarters / 4
    small, large = (
        make_worksheet(order, made_on=MADE_ON, batch_g=batch).lines for batch in (grams, factor * grams)
    )
    half = Fraction(str(dispensing_setting("balance_resolution_g").value)) / 2
    parts = {line.ingredient: Fraction(line.ppm, MILLION) for line in formula.lines}
    assert sum(line.ppm for line in formula.lines) == MILLION
    assert [line.ingredient for line in small] == [line.ingredient for line in large]
    assert {line.ingredient for line in small} == set(parts)
    for one, many in zip(small, large, strict=True):
        weight, larger = Fraction(str(one.target_g)), Fraction(str(many.target_g))
        assert abs(weight - Fraction(grams) * parts[one.ingredient]) <= half
        assert abs(larger - factor * Fraction(grams) * parts[one.ingredient]) <= half
        assert abs(larger - factor * weight) <= (factor + 1) * half
        assert (larger / (2 * half)).denominator == 1
    total = sum(Fraction(str(line.target_g)) for line in large)
    assert abs(total - factor * Fraction(grams)) <= len(large) * half
