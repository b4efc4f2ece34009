"""Reading files from outside in a process of their own, which ends when it takes too long or too much memory.

A flipped byte in an HDF5 file can make the HDF5 library loop for ever, or ask for all memory; nothing inside a
process stops that. Run as a module, this reads one request from its input and answers on its output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from biflora import errors
from biflora.errors import BifloraError, LaboratoryMust
from biflora.profile.patient import Patient
from biflora.profile.profile import Profile

READ_SECONDS = 30.0
"""A file of 32 MB takes a few seconds."""
MEMORY_OVER_START = 900_000_000
"""Bytes that reading may take beyond what the program itself has, where the platform can limit it."""
READER = (sys.executable, "-m", "biflora.clinic.reading")
COULD_LOOP = (b"\x89HDF", b"PK\x03\x04", b"\x1f\x8b")
"""First bytes of HDF5 and of what may hold it: nothing in a process stops the HDF5 library once it loops."""
MEND = "The file is probably damaged: send it again, or export it in another format (a plain table is safest)."


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

    Raises LaboratoryMust too when the time is up, the memory is spent or the reader broke.
    """
    request = {
        "patient": patient.model_dump(mode="json"),
        "skin": str(skin) if skin else None,
        "gut": str(gut) if gut else None,
        "skin_sample": skin_sample,
        "gut_sample": gut_sample,
    }
    names = " and ".join(path.name for path in (skin, gut) if path is not None)
    return Profile.model_validate(_asked(request, names, seconds, reader)["profile"])


def check_apart(path: Path, *, seconds: float = READ_SECONDS, reader: tuple[str, ...] = READER) -> None:
    """Read a file once in a child process, so that reading it here is known to end.

    Only HDF5 files and artifacts, which hold one, are read twice; others return at once. Raises what reading
    raises, and LaboratoryMust when the time is up, the memory is spent or the reader broke.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(8)
    except (OSError, ValueError):
        return  # the reader itself says best what is wrong with the name
    if start.startswith(COULD_LOOP):
        _asked({"check": str(path)}, Path(path).name, seconds, reader)


def _asked(request: dict[str, Any], names: str, seconds: float, reader: tuple[str, ...]) -> dict[str, Any]:
    """The child's answer, or its error raised here."""
    try:
        # What the child writes on its error stream could hold values of the file; it is not kept.
        done = subprocess.run(
            reader, input=json.dumps(request), text=True, encoding="utf-8", timeout=seconds,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise LaboratoryMust(f"{names}: reading took longer than {seconds:g} s and was stopped. {MEND}") from None
    if done.returncode != 0:
        raise LaboratoryMust(f"{names}: the reader broke on it. {MEND}")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "error" not in answer:
        return answer
    if answer["error"] == "MemoryError":
        raise LaboratoryMust(
            f"{names}: reading needs more than {MEMORY_OVER_START / 1e9:g} GB of memory and was stopped; send the "
            f"one patient's samples only. {MEND}"
        )
    kind = getattr(errors, answer["error"], BifloraError)
    raise kind(answer["text"])


def limit_memory(over_start: int = MEMORY_OVER_START) -> None:
    """From here on the process may take `over_start` bytes more; nothing happens where that cannot be set."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + over_start
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
    except (ImportError, OSError, ValueError):
        return


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    def path(name: str) -> Path | None:
        return Path(str(request[name])) if request[name] else None

    try:
        if "check" in request:
            from biflora.profile.laboratory_file import read_laboratory_file

            limit_memory()
            read_laboratory_file(Path(request["check"]))
            return {"checked": True}
        from biflora.profile.read import read_profile

        limit_memory()
        profile = read_profile(
            Patient.model_validate(request["patient"]),
            skin=path("skin"),
            gut=path("gut"),
            skin_sample=request["skin_sample"] or None,
            gut_sample=request["gut_sample"] or None,
        )
    except BifloraError as problem:
        return {"error": type(problem).__name__, "text": str(problem)}
    except MemoryError:
        return {"error": "MemoryError"}
    return {"profile": profile.model_dump(mode="json")}


def main() -> None:
    # A library that prints must not write into the answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with answer:
        json.dump(_answer(json.load(sys.stdin)), answer)


if __name__ == "__main__":
    main()
