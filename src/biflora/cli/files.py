"""Writing files: a plan's three or none, one other whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from biflora.clinic.consult import Consultation
from biflora.errors import OperatorMust


@dataclass(frozen=True)
class WrittenPlan:
    plan_json: Path
    report_html: Path
    report_pdf: Path


NAMES = ("plan.json", "report.html", "report.pdf")


def check_folder(folder: Path) -> None:
    """Raise OperatorMust at once, before any work, when the plan could not be written there."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    taken = next((name for name in NAMES if os.path.isdir(folder / name)), None)
    if not os.path.isdir(nearest):
        why = f"'{nearest.name}' is no folder"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        why = "it may not be written"
    elif taken is not None:
        why = f"a folder stands where {taken} belongs"
    else:
        return
    raise OperatorMust(f"The folder '{folder}' cannot be used ({why}); name another one with --out.")


def write_plan(result: Consultation, folder: Path) -> WrittenPlan:
    """Write plan.json, report.html and report.pdf into `folder`, made if absent.

    They are made aside first and moved in last, so that a failure leaves the folder as it was.
    Raises OperatorMust when the folder cannot be written.
    """
    from biflora.papers.report import report_html, report_pdf

    made_at = datetime.now(UTC)
    parts = (result.profile, result.forecast, result.plan, result.formula)
    contents = {
        "plan.json": (result.model_dump_json(indent=2) + "\n").encode(),
        "report.html": report_html(*parts, made_at=made_at).encode(),
        "report.pdf": report_pdf(*parts, made_at=made_at),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".biflora-", dir=folder))
        try:
            for name, content in contents.items():
                (aside / name).write_bytes(content)
            for name in contents:
                os.replace(aside / name, folder / name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise OperatorMust(
            f"The folder '{folder}' cannot be written ({error.strerror}); name another one with --out."
        ) from None
    return WrittenPlan(folder / "plan.json", folder / "report.html", folder / "report.pdf")


def check_file(path: Path, *, option: str) -> None:
    """Raise OperatorMust at once, before any work, when the file could not be written."""
    folder = path.absolute().parent
    if path.is_dir():
        why = "a folder stands there"
    elif not folder.is_dir():
        why = "its folder does not exist"
    elif not os.access(folder, os.W_OK | os.X_OK):
        why = "its folder may not be written"
    else:
        return
    raise OperatorMust(f"The file '{path}' cannot be written ({why}); name another one with {option}.")


def write_file(path: Path, text: str, *, option: str) -> None:
    """Write under another name first, so that nobody ever reads half a file. Raises OperatorMust."""
    check_file(path, option=option)
    handle, draft = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except OSError as error:
        Path(draft).unlink(missing_ok=True)
        raise OperatorMust(
            f"The file '{path}' cannot be written ({error.strerror}); name another one with {option}."
        ) from None
