"""The batch, its label and its release."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from biflora.dispensary.batch import Batch, Lot
from biflora.dispensary.compound import compound
from biflora.dispensary.label import check_digit, gs1_elements
from biflora.dispensary.release import batches_with_lot, release_findings
from biflora.errors import PharmacistMust
from pharmacy_sample import CREAM, MADE_AT, MADE_ON, cream, signed


def batch(**changes: Any) -> Batch:
    fields: dict[str, Any] = {
        "made_on": MADE_ON,
        "made_at": MADE_AT,
        "lot_number": "261124-001",
        "made_by": "Pat Mortar",
        "checked_by": "Toni Scale",
        "pharmacy": "biflora demo pharmacy",
        "pharmacy_contact": "no telephone",
    }
    return compound(changes.pop("signed", None) or signed(), **fields | changes)


def lots_for_all(made: Batch) -> list[Lot]:
    return [
        Lot(ingredient=line.ingredient, lot_number=f"L{number}", expires_on=date(2028, 1, 1))
        for number, line in enumerate(made.worksheet.lines)
    ]


def test_a_batch_carries_its_parents_its_yield_and_its_label() -> None:
    made = batch()
    assert made.yield_g == 123.6
    assert made.parent_ids[0] == signed().id
    assert made.parent_ids[1] == made.worksheet.id
    label = made.label
    assert (label.patient_name, label.beyond_use, label.quantity) == ("Ines Exemplar", date(2026, 12, 28), "120 g")
    assert label.actives == ("Niacinamide 4 %", "Hydrocortisone 1 %")
    assert len(label.actives) + len(label.other_ingredients) == 10
    assert label.synthetic


def test_one_person_cannot_check_herself() -> None:
    for checker in ("", "  pat mortar "):
        with pytest.raises(PharmacistMust, match="Two people"):
            batch(checked_by=checker)


def test_an_expired_lot_is_refused() -> None:
    old = Lot(ingredient="glycerin", lot_number="G1", expires_on=date(2026, 11, 23))
    with pytest.raises(PharmacistMust, match="glycerin, lot G1"):
        batch(lots=[old])


def test_a_recalled_lot_is_refused() -> None:
    lot = Lot(ingredient="glycerin", lot_number="G1", expires_on=date(2028, 1, 1))
    with pytest.raises(PharmacistMust, match="recalled"):
        batch(lots=[lot], recalled=["G1"])


def test_cautions_follow_from_the_ingredients() -> None:
    plain = batch().label.cautions
    hazardous = batch(signed=signed(cream(CREAM | {"tretinoin": (0.025, "C")}))).label.cautions
    assert "Others must not touch this preparation." in set(hazardous) - set(plain)
    assert "Not in pregnancy." in set(hazardous) - set(plain)


def test_the_gs1_element_string_by_hand() -> None:
    """GTIN 0952001234567: from the right 7x3 6x1 5x3 4x1 3x3 2x1 1x3 0x1 0x3 2x1 5x3 9x1 0x3

    = 21 + 6 + 15 + 4 + 9 + 2 + 3 + 0 + 0 + 2 + 15 + 9 + 0 = 86; to 90 are 4.
    """
    assert check_digit("0952001234567") == 4
    made = batch()
    serial = made.label.prescription_id.removeprefix("sig-")
    assert made.label.gs1 == f"(01)09520012345674(17)261228(10)261124-001(21){serial}"


def test_the_check_digit_of_a_published_example() -> None:
    """GS1's own example: GTIN-13 629104150021 has the check digit 3."""
    assert check_digit("0629104150021") == 3


@pytest.mark.parametrize("lot", ["", "A" * 21, "lot 1", "lot(1)", "Ünlü", "a\u001d10"])
def test_a_lot_number_that_gs1_cannot_carry_is_refused(lot: str) -> None:
    with pytest.raises(PharmacistMust, match="lot number"):
        gs1_elements(gtin_stem="0952001234567", expiry="261228", lot=lot, serial="1")


def test_release_asks_for_lots_and_stops_after_the_beyond_use_date() -> None:
    bare = batch()
    assert [(f.level, f.rule) for f in release_findings(bare, MADE_ON)] == [("warn", "lots_missing")]
    full = batch(lots=lots_for_all(bare))
    assert release_findings(full, date(2026, 12, 28)) == ()
    late = release_findings(full, date(2026, 12, 29))
    assert [(f.level, f.rule) for f in late] == [("stop", "795_preserved_aqueous")]


def test_a_record_changed_by_hand_is_not_released() -> None:
    full = batch(lots=lots_for_all(batch()))
    first, *others = full.worksheet.lines
    line = first.model_copy(update={"weighed_g": first.target_g + 2 * first.tolerance_g})
    wrong = full.worksheet.model_copy(update={"lines": (line, *others)})
    found = release_findings(full.model_copy(update={"worksheet": wrong, "checked_by": "Pat Mortar"}), MADE_ON)
    assert [(f.level, f.rule) for f in found] == [("stop", "weights"), ("stop", "two_persons")]
    assert found[0].subject == first.name


def test_a_recall_finds_the_batches_that_hold_the_lot() -> None:
    bare = batch()
    lots = lots_for_all(bare)
    full = batch(lots=lots)
    assert batches_with_lot([bare, full], lots[0].ingredient, lots[0].lot_number) == (full,)
    assert batches_with_lot([bare, full], lots[0].ingredient, "another") == ()
