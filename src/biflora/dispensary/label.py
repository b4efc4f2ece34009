"""The label's content: what the patient and the next pharmacist must be able to read."""

from __future__ import annotations

from biflora.dispensary.batch import Label, Worksheet
from biflora.errors import PharmacistMust
from biflora.knowledge.pharmacy import ingredients, vehicles
from biflora.prescription.prescription import Signed

ACTIVE = ("conventional_drug", "keratolytic", "hair", "probiotic_live")
DEMO_GTIN_STEM = "0952001234567"
"""Thirteen digits under GS1's prefix for documentation and demonstration (952); a pharmacy enters its own."""
AI_LIMIT = 20
"""Lot and serial numbers hold at most 20 characters (GS1 application identifiers 10 and 21)."""


def make_label(
    signed: Signed, worksheet: Worksheet, *, lot_number: str, pharmacy: str, pharmacy_contact: str
) -> Label:
    """Everything that is printed on the container. Raises PharmacistMust for a lot number GS1 cannot carry."""
    draft = signed.draft
    formula = draft.formula
    rows = ingredients()
    inside = sorted((line for line in formula.lines if line.ppm > 0), key=lambda line: -line.ppm)
    actives = [line for line in inside if rows[line.ingredient].klass in ACTIVE]
    others = [line for line in inside if line not in actives]
    vehicle = vehicles()[formula.vehicle]
    cautions = ["For external use only.", "Keep out of the reach of children."]
    if any(line.hazardous for line in worksheet.lines):
        cautions.append("Others must not touch this preparation.")
    if any(rows[line.ingredient].pregnancy in ("avoid", "contraindicated") for line in inside):
        cautions.append("Not in pregnancy.")
    if formula.rinse_off:
        cautions.append("Rinse off after use.")
    return Label(
        title=formula.name or vehicle.label,
        patient_name=draft.patient_name,
        patient_id=draft.patient_id,
        actives=tuple(f"{line.name or rows[line.ingredient].name} {line.percent:g} %" for line in actives),
        other_ingredients=tuple(line.inci or rows[line.ingredient].inci for line in others),
        form=vehicle.label,
        quantity=f"{draft.quantity_g:g} g",
        directions=draft.directions,
        storage=worksheet.beyond_use.storage,
        beyond_use=worksheet.beyond_use.on,
        lot_number=lot_number,
        prescription_id=signed.id,
        pharmacy=pharmacy,
        pharmacy_contact=pharmacy_contact,
        prescriber=signed.prescriber.name,
        cautions=tuple(cautions),
        gs1=gs1_elements(
            gtin_stem=DEMO_GTIN_STEM, expiry=worksheet.beyond_use.on.strftime("%y%m%d"), lot=lot_number,
            serial=signed.id.removeprefix("sig-"),
        ),
        synthetic=draft.synthetic,
    )  # fmt: skip


def gs1_elements(*, gtin_stem: str, expiry: str, lot: str, serial: str) -> str:
    """GS1 element string: (01) GTIN, (17) use by, (10) lot, (21) serial.

    Raises PharmacistMust for a lot or serial number that is empty, too long or not plain.
    """
    for what, text in (("lot number", lot), ("serial number", serial)):
        if (
            not 0 < len(text) <= AI_LIMIT
            or not text.isascii()
            or not all(c.isalnum() or c in "-./_" for c in text)
        ):
            raise PharmacistMust(
                f"The {what} must be 1 to {AI_LIMIT} plain letters, digits, '-', '.', '/' or '_'."
            )
    return f"(01){gtin_stem}{check_digit(gtin_stem)}(17){expiry}(10){lot}(21){serial}"


def check_digit(stem: str) -> int:
    """GS1 check digit of a 13-digit stem: weights 3 and 1 from the right, to the next ten."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(stem)))
    return -total % 10
