"""Intake: a person comes in with her laboratory files, and the first consultation is kept."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from biflora.clinic.access import User
from biflora.clinic.consult import Consultation, consult, consult_on
from biflora.clinic.reading import READ_SECONDS, read_apart
from biflora.errors import BifloraError, ClinicianMust, LaboratoryMust
from biflora.profile.patient import Patient
from biflora.store.store import Store

LARGEST_FILE_BYTES = 32 * 1024 * 1024
"""A microbiome table of one person is far smaller; a study's table belongs on the terminal."""


@dataclass(frozen=True)
class UploadedFile:
    """What a laboratory sent: the name as given, and the content."""

    name: str
    content: bytes
    sample: str | None = None


def next_patient_id(store: Store) -> str:
    """The next free number, P01, P02, ... Opaque: nothing of the person stands in it."""
    taken = {patient.patient_id for patient in store.patients()}
    number = 1
    while f"P{number:02d}" in taken:
        number += 1
    return f"P{number:02d}"


def keep_file(folder: Path, patient_id: str, file: UploadedFile) -> Path:
    """Write a delivery under its own hash, unchanged, and give its path.

    Only the last part of the given name is kept, and of that only harmless letters: a name from outside
    never chooses a path here. Raises LaboratoryMust when the file is empty or too large.
    """
    plain = (
        "".join(c if c.isalnum() or c in "._-" else "_" for c in Path(file.name).name).lstrip(".")[-80:] or "file"
    )
    if not file.content:
        raise LaboratoryMust(f"{plain}: the file is empty; send it again.")
    if len(file.content) > LARGEST_FILE_BYTES:
        raise LaboratoryMust(
            f"{plain}: the file is larger than {LARGEST_FILE_BYTES // 2**20} MB; send this patient's sample alone."
        )
    place = folder / "files" / patient_id / hashlib.sha256(file.content).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    path = place / plain
    path.write_bytes(file.content)
    return path


def admit(
    store: Store,
    folder: Path,
    patient: Patient,
    *,
    by: User,
    skin: UploadedFile | None = None,
    gut: UploadedFile | None = None,
    seed: int = 2026,
    read_seconds: float = READ_SECONDS,
    on_step: Callable[[str], None] = lambda step: None,
) -> Consultation:
    """Read the files apart, consult, and keep person and consultation in one act; nothing is kept on an error."""
    if store.patient(patient.patient_id) is not None:
        raise ClinicianMust("That patient number is taken; give this patient another one.")
    paths = {
        site: keep_file(folder, patient.patient_id, file)
        for site, file in (("skin", skin), ("gut", gut))
        if file is not None
    }
    try:
        if paths:
            on_step("Reading the files")
            profile = read_apart(
                patient,
                skin=paths.get("skin"),
                gut=paths.get("gut"),
                skin_sample=skin.sample if skin else None,
                gut_sample=gut.sample if gut else None,
                seconds=read_seconds,
            )
            result = consult_on(profile, seed=seed, on_step=on_step)
        else:
            result = consult(patient, seed=seed, on_step=on_step)
        keep_new_patient(store, result, by=by.username)
    except BifloraError:
        shutil.rmtree(folder / "files" / patient.patient_id, ignore_errors=True)
        raise
    return result


def keep_new_patient(store: Store, result: Consultation, *, by: str) -> None:
    """Admit the person and keep her first consultation, in one act."""
    from biflora.clinic.decide import keep_consultation_in

    with store.act(by, "intake") as act:
        act.admit(result.profile.patient)
        keep_consultation_in(act, result)
