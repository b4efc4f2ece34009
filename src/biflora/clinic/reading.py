"""Reading files from outside in a process of their own, which ends when it takes too long.

A flipped byte in an HDF5 file can make the HDF5 library loop for ever; nothing inside a process stops that.
Run as a module, this reads one request from its input and answers on its output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from biflora import errors
from biflora.errors import BifloraError, LaboratoryMust
from biflora.profile.patient import Patient
from biflora.profile.profile import Profile

READ_SECONDS = 30.0
"""A file of 32 MB takes a few seconds."""
READER = (sys.executable, "-m", "biflora.clinic.reading")


def read_apart(
    patient: Patient,
    *,
    skin: Path | None = None,
    gut: Path | None = None,
    skin_sample: str | None = None,
    gut_sample: str | None = None,
    seconds: float = READ_SECONDS,
    reader: tuple[str, ...] = READER,
) -> Profile:
    """`read_profile` in a child process that has `seconds`; the same errors.

    Raises LaboratoryMust too when the time is up or the reader broke.
    """
    names = " and ".join(path.name for path in (skin, gut) if path is not None)
    mend = "The file is probably damaged: send it again, or export it in another format (a plain table is safest)."
    request = {
        "patient": patient.model_dump(mode="json"),
        "skin": str(skin) if skin else None,
        "gut": str(gut) if gut else None,
        "skin_sample": skin_sample,
        "gut_sample": gut_sample,
    }
    try:
        # What the child writes on its error stream could hold values of the file; it is not kept.
        done = subprocess.run(
            reader, input=json.dumps(request), text=True, encoding="utf-8", timeout=seconds,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise LaboratoryMust(f"{names}: reading took longer than {seconds:g} s and was stopped. {mend}") from None
    if done.returncode != 0:
        raise LaboratoryMust(f"{names}: the reader broke on it. {mend}")
    answer = json.loads(done.stdout)
    if "profile" in answer:
        return Profile.model_validate(answer["profile"])
    kind = getattr(errors, answer["error"], BifloraError)
    raise kind(answer["text"])


def _answer(request: dict[str, object]) -> dict[str, object]:
    from biflora.profile.read import read_profile

    def path(name: str) -> Path | None:
        return Path(str(request[name])) if request[name] else None

    def sample(name: str) -> str | None:
        return str(request[name]) if request[name] else None

    try:
        profile = read_profile(
            Patient.model_validate(request["patient"]),
            skin=path("skin"),
            gut=path("gut"),
            skin_sample=sample("skin_sample"),
            gut_sample=sample("gut_sample"),
        )
    except BifloraError as problem:
        return {"error": type(problem).__name__, "text": str(problem)}
    return {"profile": profile.model_dump(mode="json")}


def main() -> None:
    # A library that prints must not write into the answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with answer:
        json.dump(_answer(json.load(sys.stdin)), answer)


if __name__ == "__main__":
    main()
