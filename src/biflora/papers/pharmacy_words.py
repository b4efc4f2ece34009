"""How the pharmacy's papers write dates, weights and findings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from biflora.values import Finding

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DEMO = "DEMO – NOT FOR USE"
LEVELS = {"stop": "■ Stop", "warn": "▲ Warning", "note": "○ Note"}


def day(when: date) -> str:
    """`5 Jan 2027`: no reader can swap day and month."""
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def minute(at: datetime) -> str:
    """Day, clock and time zone."""
    zone = at.tzname() or "local time"
    return f"{day(at.date())}, {at:%H:%M} {zone}"


def grams(value: float) -> str:
    """Always three decimals, so that the decimal points of a column stand below each other."""
    return f"{value:.3f}"


def percent(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def findings(found: Sequence[Finding], answered: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Findings as rows for a paper, gravest first."""
    order = list(LEVELS)
    return [
        {
            "level": LEVELS[f.level],
            "subject": f.subject,
            "message": f.message,
            "source": "; ".join(part for part in (f.source, f.verification) if part),
            "answered": f.level == "warn" and f.rule in answered,
        }
        for f in sorted(found, key=lambda f: order.index(f.level))
    ]
