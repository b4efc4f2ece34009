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
    warning is unanswered, or when the draft has expired.
    """
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
    if not draft.written_on <= at.date() <= draft.expires_on:
        raise ClinicianMust("The draft is not valid on the day of signing; write it again.")
    answered = draft.model_copy(update={"acknowledged": tuple(sorted(set(acknowledged)))})
    return Signed.make(
        "sig",
        release=draft.knowledge_release,
        parents=(draft.id,),
        draft=answered,
        prescriber=by,
        signed_at=at,
        content_sha256=content_hash(answered),
    )


def content_hash(draft: Draft) -> str:
    """SHA-256 of the draft's canonical JSON."""
    return hashlib.sha256(canonical_json(draft.model_dump(mode="json")).encode()).hexdigest()


def verify(signed: Signed) -> None:
    """Raise NotAllowed when what was signed is not what stands there now."""
    if content_hash(signed.draft) != signed.content_sha256:
        raise NotAllowed("This prescription was changed after it was signed; it is void. Ask for a new one.")
