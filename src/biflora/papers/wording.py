"""How numbers are written for people: true minus signs, intervals, percentages, dates."""

from __future__ import annotations

import re
from datetime import date, datetime

from biflora.values import Band

MINUS = "−"
DASH = "–"
_RANGE = re.compile(r"(?<![\w./-])(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)(?![\w/-])")
_NEGATIVE = re.compile(r"(?<![\w./)-])-(?=\d)")
_ADDRESS = re.compile(r"https?://(?:www\.)?")


def number(value: float, digits: int = 0) -> str:
    """`-8.66` as `−8.7`; never `−0`."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = f"{0:.{digits}f}"
    return text.replace("-", MINUS)


def short(value: float, digits: int = 1) -> str:
    """Like `number`, without zeros behind the point: `29.0` as `29`."""
    text = number(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(value: float, digits: int = 0) -> str:
    """Like `number`, with a plus sign in front of a rise."""
    text = number(value, digits)
    return text if text.startswith(MINUS) or float(text) == 0 else f"+{text}"


def interval(low: float, high: float, digits: int = 0) -> str:
    """`20 to 44`; in words, because a dash beside a minus sign misleads."""
    return f"{number(low, digits)} to {number(high, digits)}"


def band(value: Band, digits: int = 0) -> str:
    """`31 (80 % interval 20 to 44)`."""
    return f"{number(value.median, digits)} (80 % interval {interval(value.q10, value.q90, digits)})"


def percent(share: float, digits: int | None = None) -> str:
    """A share 0-1 as percent, with more digits the smaller it is."""
    points = 100 * share
    if digits is None:
        digits = 0 if abs(points) >= 10 else 1 if abs(points) >= 0.1 else 3
    return f"{number(points, digits)} %"


def chance(probability: float) -> str:
    """A probability as percent; a simulation never shows certainty, so its ends are `< 1 %` and `> 99 %`."""
    if probability < 0.01:
        return "< 1 %"
    return "> 99 %" if probability > 0.99 else percent(probability, 0)


def share_interval(low: float, high: float) -> str:
    """Two shares 0-1 as `37.0 to 39.4 %`, with so many digits that the ends differ."""
    width = 100 * (high - low)
    digits = 0 if width >= 5 else 1 if width >= 0.5 else 2 if width >= 0.05 else 3
    return f"{number(100 * low, digits)} to {number(100 * high, digits)} %"


def digits_for(span: float) -> int:
    """Digits after the point that suit a range of that width: 0 from 20 up, 1 from 2 up, else 2."""
    return 0 if span >= 20 else 1 if span >= 2 else 2


def words(key: str) -> str:
    """A key in words: `atopic_dermatitis` as `atopic dermatitis`."""
    return key.replace("_", " ")


def day(value: date) -> str:
    return value.strftime("%Y-%m-%d")


def minute(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M")


def verification_words(verification: str) -> str:
    """How far a source was checked, in words a reader understands."""
    known = {
        "memory": "from memory, source not read",
        "assumed": "assumed",
        "page_read": "source read",
        "abstract_read": "abstract read",
        "abstract": "abstract read",
        "full_text": "full text read",
        "secondary": "from a secondary source",
        "IID": "read in the FDA's database",
    }
    return known.get(verification, words(verification))


def is_doubtful(verification: str) -> bool:
    """True when at least part of it was remembered or assumed: the reader must be told."""
    return any(word in verification for word in ("memory", "assumed", "inference"))


def prose(text: str) -> str:
    """A sentence of ours or of a source with true minus and range signs, and addresses without their beginning."""
    text = _RANGE.sub("\\1–\\2", text)
    text = _NEGATIVE.sub(MINUS, text)
    return (
        _ADDRESS.sub("", text).replace(" degrees C", " °C").replace("fda_iid", "FDA Inactive Ingredient Database")
    )
