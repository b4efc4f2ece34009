"""The gate before a batch leaves: what speaks against releasing it, and which batches hold a recalled lot."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from biflora.dispensary.batch import Batch
from biflora.knowledge.pharmacy import beyond_use_rules
from biflora.values import Finding, Who


def release_findings(batch: Batch, on: date) -> tuple[Finding, ...]:
    """A `stop` for what forbids the release on that day, a `warn` for what the record lacks."""
    found = []
    sheet = batch.worksheet
    wrong = [
        line.name
        for line in sheet.lines
        if line.weighed_g is None or not abs(line.weighed_g - line.target_g) <= line.tolerance_g + 1e-9
    ]
    if wrong:
        found.append(_finding("stop", "weights", ", ".join(wrong), "Not weighed, or outside the tolerance."))
    if batch.made_by.strip().casefold() == batch.checked_by.strip().casefold():
        found.append(_finding("stop", "two_persons", "names", "One person made and checked it; a second checks."))
    expired = [line.name for line in sheet.lines if line.lot is not None and line.lot.expires_on < sheet.made_on]
    if expired:
        found.append(_finding("stop", "expired_lot", ", ".join(expired), "The lot had expired when it was made."))
    if on > sheet.beyond_use.on:
        rule = beyond_use_rules()[sheet.beyond_use.rule]
        found.append(
            _finding(
                "stop", rule.key, "beyond-use date", "The beyond-use date has passed; discard it.", rule.source
            )
        )
    missing = [line.name for line in sheet.lines if line.lot is None]
    if missing:
        found.append(
            _finding(
                "warn",
                "lots_missing",
                ", ".join(missing),
                "No lot was recorded; without it a recall cannot reach this patient. Enter lot and expiry.",
            )
        )
    return tuple(found)


def batches_with_lot(batches: Iterable[Batch], ingredient: str, lot_number: str) -> tuple[Batch, ...]:
    """The batches that hold that lot of that ingredient: whom a recall must reach."""
    return tuple(
        batch
        for batch in batches
        if any(
            line.ingredient == ingredient and line.lot is not None and line.lot.lot_number == lot_number
            for line in batch.worksheet.lines
        )
    )


def _finding(level: str, rule: str, subject: str, message: str, source: str = "") -> Finding:
    return Finding.model_validate(
        {
            "level": level,
            "rule": rule,
            "subject": subject,
            "message": message,
            "who": Who.PHARMACY,
            "source": source or "biflora developers, usual compounding practice",
            "verification": "assumed",
        }
    )
