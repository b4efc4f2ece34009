"""Label, worksheet, prescription: one page, equal bytes, nothing injected, a barcode that another program reads.

Witness: zxing-cpp decodes what zint encoded, from the rendered page.
"""

from __future__ import annotations

import re
import string
from datetime import date, timedelta
from typing import Any

import pypdfium2 as pdfium
import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biflora.dispensary.batch import Label, Lot
from biflora.dispensary.compound import compound
from biflora.dispensary.label import DEMO_GTIN_STEM, gs1_elements
from biflora.dispensary.worksheet import make_worksheet
from biflora.errors import OperatorMust, PharmacistMust
from biflora.papers import datamatrix
from biflora.papers.label import label_pdf
from biflora.papers.prescription import prescription_pdf
from biflora.papers.typeset import typeset
from biflora.papers.worksheet import worksheet_pdf
from pharmacy_sample import CREAM, MADE_AT, MADE_ON, Parts, cream, draft, signed

MM = 72 / 25.4
PLAIN = string.ascii_letters + string.digits + "-./_"
NASTY = '#panic("x") *b* $x^2$ \\ "q" <a> @b [c] `d` {e} // f /* g */ = h'
LONG_NAME = "Maximiliana-Alexandrina von Hohenstaufen-Wittgenstein de la Rosa y Cervantes"
MANY: Parts = CREAM | {
    "panthenol": (1.0, "A"), "sodium_hyaluronate": (0.2, "A"), "squalane": (2.0, "B"), "cholesterol": (0.5, "B"),
    "tocopherol": (0.2, "B"), "linoleic_acid": (0.5, "B"), "allantoin": (0.5, "A"), "ectoin": (1.0, "A"),
    "tretinoin": (0.025, "C"), "bisabolol": (0.5, "B"),
}  # fmt: skip


def label(**changes: Any) -> Label:
    made = compound(
        signed(), made_on=MADE_ON, made_at=MADE_AT, lot_number="261124-001", made_by="Pat Mortar",
        checked_by="Toni Scale", pharmacy="biflora demo pharmacy", pharmacy_contact="no telephone",
    )  # fmt: skip
    return made.label.model_copy(update=changes)


def pages(pdf: bytes) -> list[Any]:
    return list(pdfium.PdfDocument(pdf))


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages(pdf)).split())


def read_barcode(pdf: bytes) -> Any:
    (page,) = pages(pdf)
    found = zxingcpp.read_barcodes(page.render(scale=300 / 72).to_numpy())
    assert len(found) == 1
    return found[0]


elements = st.builds(
    lambda item, days, lot, serial: gs1_elements(
        gtin_stem=f"{item:013d}",
        expiry=(date(2026, 1, 1) + timedelta(days=days)).strftime("%y%m%d"),
        lot=lot,
        serial=serial,
    ),
    item=st.integers(0, 10**13 - 1),
    days=st.integers(0, 8000),
    lot=st.text(PLAIN, min_size=1, max_size=20),
    serial=st.text(PLAIN, min_size=1, max_size=20),
)
words = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), min_size=1, max_size=60)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(gs1=elements, name=words, directions=words, others=st.lists(words, max_size=20))
def test_random_labels_are_read_back_by_another_program(
    gs1: str, name: str, directions: str, others: list[str]
) -> None:
    made = label(gs1=gs1, patient_name=name, directions=directions, other_ingredients=tuple(others))
    code = read_barcode(label_pdf(made))
    assert (code.format, code.content_type) == (zxingcpp.BarcodeFormat.DataMatrix, zxingcpp.ContentType.GS1)
    assert code.text == gs1


@pytest.mark.parametrize("lot", ["1", "261124-001", "ABCDEFGHIJ1234567890"])
def test_the_symbol_measures_ten_millimetres_or_more(lot: str) -> None:
    """Corners as found on the page rendered at 600 dpi; the module is half a millimetre at least."""
    gs1 = gs1_elements(gtin_stem=DEMO_GTIN_STEM, expiry="261228", lot=lot, serial=lot)
    (page,) = pages(label_pdf(label(gs1=gs1)))
    (code,) = zxingcpp.read_barcodes(page.render(scale=600 / 72).to_numpy())
    edge_mm = (code.position.top_right.x - code.position.top_left.x) / 600 * 25.4
    count = len(datamatrix.modules(gs1))
    assert edge_mm >= 9.9
    assert edge_mm == pytest.approx(max(10.0, 0.5 * count), abs=0.2)


def test_a_wrong_check_digit_is_not_printed() -> None:
    wrong = re.sub(r"\(01\)(\d{13})4", r"(01)\g<1>5", label().gs1)
    assert wrong != label().gs1
    with pytest.raises(PharmacistMust, match="GS1"):
        label_pdf(label(gs1=wrong))


def test_equal_input_gives_equal_bytes() -> None:
    made = signed()
    sheet = make_worksheet(made, made_on=MADE_ON)
    assert label_pdf(label()) == label_pdf(label())
    assert worksheet_pdf(sheet, made) == worksheet_pdf(sheet, made)
    assert prescription_pdf(made) == prescription_pdf(made)


def test_what_a_person_wrote_is_never_typesetting_code() -> None:
    text = text_of(label_pdf(label(patient_name=NASTY, directions=NASTY, pharmacy=NASTY)))
    assert text.count('#panic("x") *b* $x^2$ \\ "q" <a> @b [c]') == 3
    made = signed(patient_name=NASTY)
    assert '#panic("x") *b* $x^2$' in text_of(prescription_pdf(made))
    assert '#panic("x") *b* $x^2$' in text_of(worksheet_pdf(make_worksheet(made, made_on=MADE_ON), made))


def test_the_label_holds_all_that_must_be_on_it() -> None:
    made = label()
    text = text_of(label_pdf(made))
    for words_on_it in (
        made.patient_name, made.title, made.quantity, made.storage, made.lot_number, made.prescription_id,
        made.pharmacy, made.pharmacy_contact, made.prescriber, "28 Dec 2026", *made.actives,
        *made.other_ingredients, *made.cautions,
    ):  # fmt: skip
        assert words_on_it in text, words_on_it
    assert " ".join(made.directions.split()) in text


def test_only_a_synthetic_patients_papers_say_demo() -> None:
    assert "DEMO – NOT FOR USE" in text_of(label_pdf(label(synthetic=True)))
    assert "DEMO" not in text_of(label_pdf(label(synthetic=False)))
    for synthetic in (True, False):
        made = signed(synthetic=synthetic)
        sheet = worksheet_pdf(make_worksheet(made, made_on=MADE_ON), made)
        assert ("NOT FOR USE" in text_of(sheet)) is synthetic
        assert ("NOT FOR USE" in text_of(prescription_pdf(made))) is synthetic


def test_the_label_takes_the_lowest_stock_that_holds_everything() -> None:
    heights = []
    long = tuple(f"Caprylic/Capric Triglyceride Polyglyceryl-{n}" for n in range(20))
    for name, others in (("Ines Exemplar", ()), (LONG_NAME, long), (LONG_NAME, ("Aqua",) * 900)):
        (page,) = pages(label_pdf(label(patient_name=name, other_ingredients=others)))
        width, height = page.get_size()
        assert width == pytest.approx(101.6 * MM, abs=0.1)
        heights.append(height / MM)
        assert text_of(label_pdf(label(other_ingredients=others))).count("Aqua") == others.count("Aqua")
    assert heights[0] == pytest.approx(76.2, abs=0.1)
    assert heights[1] == pytest.approx(152.4, abs=0.1)
    assert heights[2] > 152.4


@pytest.mark.parametrize("paper", ["us-letter", "a4"])
def test_twenty_ingredients_fit_on_one_worksheet_page(paper: Any) -> None:
    made = signed(cream(MANY), patient_name=LONG_NAME)
    lots = [Lot(ingredient=key, lot_number=f"LOT-{key[:8]}", expires_on=date(2028, 1, 1)) for key in MANY]
    sheet = make_worksheet(made, made_on=MADE_ON, lots=lots)
    assert len(sheet.lines) == 20
    pdf = worksheet_pdf(sheet, made, paper=paper)
    assert len(pages(pdf)) == 1
    text = text_of(pdf)
    for line in sheet.lines:
        assert line.name in text
        assert f"{line.target_g:.3f}" in text
    assert "HAZARDOUS" in text
    assert "Released by" in text


def test_the_worksheet_prints_large_targets_and_what_was_weighed() -> None:
    made = compound(
        signed(), made_on=MADE_ON, made_at=MADE_AT, lot_number="1", made_by="A", checked_by="B", pharmacy="p",
        pharmacy_contact="c",
    )  # fmt: skip
    text = text_of(worksheet_pdf(made.worksheet))
    assert text.count("1.236") == 2
    assert "795_preserved_aqueous" in text


def test_a_draft_says_that_nobody_signed_it() -> None:
    assert "nobody has signed it" in text_of(prescription_pdf(draft()))
    text = text_of(prescription_pdf(signed()))
    assert "nobody has signed it" not in text
    assert signed().content_sha256 in text
    assert "Answered by the prescriber" in text
    assert "23 Nov 2026, 10:30 UTC" in text


def test_a_missing_template_field_is_the_operators() -> None:
    with pytest.raises(OperatorMust, match=r"label\.typ"):
        typeset("label.typ", {})
