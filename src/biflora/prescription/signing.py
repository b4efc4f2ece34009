"""Signing: the gate before the pharmacy. What is signed can be proved unchanged; a correction is a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from biflora.errors import ClinicianMust, NotAllowed
from biflora.prescription.prescription import Draft, Prescriber, Signed
from biflora.values import canonical_json


def sign(draft: Draft, by: Prescriber, at: datetime, acknowledged: Sequence[str] = ()) -> Signed:
    """Sign `draft`. `acknowledged` names the rules of the warnings that the prescriber has answered.

    Raises NotAllowed while a stop finding stands or the licence is of another state; ClinicianMust while a
    warning is unanswered, or when the draft is not valid on that day. `at` carries its time zone.
    """
    return _signed(draft, by, at, acknowledged, parents=(draft.id,))


def replace(old: Signed, draft: Draft, by: Prescriber, at: datetime, acknowledged: Sequence[str] = ()) -> Signed:
    """Sign `draft` in place of `old`, for the same patient; the new one names the old one as its parent.

    Raises what `sign` raises, and ClinicianMust for another patient or a signature before the old one.
    """
    verify(old)
    if draft.patient_id != old.draft.patient_id:
        raise ClinicianMust("A prescription is replaced for the same patient only; write a new one.")
    if at <= old.signed_at:
        raise ClinicianMust("The replacement is signed before what it replaces; check the clock.")
    return _signed(draft, by, at, acknowledged, parents=(draft.id, old.id))


def _signed(
    draft: Draft, by: Prescriber, at: datetime, acknowledged: Sequence[str], *, parents: tuple[str, ...]
) -> Signed:
    stops = sorted({f.rule for f in draft.findings if f.level == "stop"})
    if stops:
        raise NotAllowed(f"This draft breaks rules that a signature cannot lift: {', '.join(stops)}.")
    if by.licence_state != draft.patient_state:
        raise NotAllowed(
            f"The prescriber's licence is of {by.licence_state}, the patient lives in {draft.patient_state}; "
            "a prescriber licensed there must sign."
        )
    open_warnings = sorted({f.rule for f in draft.findings if f.level == "warn"} - set(acknowledged))
    if open_warnings:
        raise ClinicianMust(f"Answer these warnings before signing: {', '.join(open_warnings)}.")
    if at.tzinfo is None:
        raise ClinicianMust("The time of signing lacks its time zone; add it.")
    if not draft.written_on <= at.date() <= draft.expires_on:
        raise ClinicianMust("The draft is not valid on the day of signing; write it again.")
    answered = draft.model_copy(update={"acknowledged": tuple(sorted(set(acknowledged)))})
    unsigned = Signed(
        parent_ids=parents,
        knowledge_release=draft.knowledge_release,
        draft=answered,
        prescriber=by,
        signed_at=at,
        content_sha256="",
    )
    return Signed.make(
        "sig",
        release=draft.knowledge_release,
        parents=parents,
        draft=answered,
        prescriber=by,
        signed_at=at,
        content_sha256=content_hash(unsigned),
    )


def content_hash(signed: Signed) -> str:
    """SHA-256 of the canonical JSON of all that was signed: the draft, who, when, in which meaning, from what."""
    content = signed.model_dump(mode="json", exclude={"id", "content_sha256"})
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def verify(signed: Signed) -> None:
    """Raise NotAllowed when what was signed is not what stands there now."""
    if content_hash(signed) != signed.content_sha256:
        raise NotAllowed("This prescription was changed after it was signed; it is void. Ask for a new one.")
