"""Reading posted fields: a wrong one is a sentence that names the field, never what was typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from starlette.datastructures import FormData

from biflora.errors import BifloraError, ClinicianMust
from biflora.knowledge.instruments import instruments
from biflora.web.security import text

Word = TypeVar("Word", bound=str)


def decimal(
    form: FormData, name: str, low: float, high: float, *, error: type[BifloraError] = ClinicianMust
) -> float | None:
    """The number in that field, None when it was left empty. A decimal comma is read as a point."""
    given = text(form, name).replace(",", ".")
    if not given:
        return None
    try:
        value = float(given)
    except ValueError:
        raise error(f"'{label(name)}' must be a number.") from None
    if not low <= value <= high:
        raise error(f"'{label(name)}' must lie from {low:g} to {high:g}.")
    return value


def whole(form: FormData, name: str, low: int, high: int) -> int:
    value = decimal(form, name, low, high)
    if value is None or value != int(value):
        raise ClinicianMust(f"'{label(name)}' must be a whole number from {low} to {high}.")
    return int(value)


def one_of(form: FormData, name: str, words: Sequence[Word]) -> Word:
    """The chosen word. Raises ClinicianMust when none of `words` was chosen."""
    given = text(form, name)
    for word in words:
        if word == given:
            return word
    raise ClinicianMust(f"Choose one of the offered answers for '{label(name)}'.")


NAMES = {
    "age_years": "age",
    "weight_kg": "weight",
    "height_cm": "height",
    "scorad": "SCORAD",
    "easi": "EASI",
    "viga_ad": "vIGA-AD",
    "dlqi": "DLQI",
    "itch_nrs": "itch",
    "s_aureus": "S. aureus",
    "s_aureus_log10_copies_per_cm2": "S. aureus",
    "s_aureus_below_limit_log10": "S. aureus not found, limit",
    "tewl": "TEWL",
    "tewl_g_per_m2_h": "TEWL",
    "skin_ph": "skin pH",
    "faecal_butyrate_mmol_per_kg": "faecal butyrate",
}


def label(name: str) -> str:
    """A field's name as its page writes it: `area_face` as `area face`."""
    row = instruments().get(name)
    return NAMES.get(name, name.replace("_", " ") if row is None else row.label)
