"""The files of `biflora formula batch`: what goes in, one line of results a patient, and going on after a stop."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from biflora.cli.files import check_file, write_file
from biflora.errors import BifloraError, ClinicianMust, OperatorMust
from biflora.formula.batch import Job, MadeWith, Result, jobs_of
from biflora.values import Value, parse

READABLE = (".json", ".toml")


class Summary(Value):
    """How a batch ended."""

    patients: int
    designed: int
    impossible: int
    errors: int
    kept: int
    """Results that an earlier run had already written."""
    seconds_median: float | None
    """Of one patient, over all lines of the file that are no error."""
    seconds_worst: float | None
    wall_seconds: float


class Ended(NamedTuple):
    """One result without its formula: a summary of ten thousand must not hold them all."""

    id: str
    status: str
    seconds: float


class Kept(NamedTuple):
    """What stands in the results' file already."""

    results: tuple[Ended, ...]
    redone: int
    """Lines taken out to be done again: a torn last one, or an error whose needs were mended since."""


def read_jobs(place: Path) -> list[Job]:
    """Jobs from a JSONL file (one needs object a line), or from a folder of needs files (.json, .toml).

    Raises ClinicianMust when there is nothing to read; a wrong line is no error here, it becomes a result.
    """
    if place.is_dir():
        files = sorted(each for each in place.iterdir() if each.suffix.lower() in READABLE and each.is_file())
        if not files:
            raise ClinicianMust(f"{place.name}: the folder holds no needs file (.json or .toml).")
        return jobs_of((file.name, _needs_file(file)) for file in files)
    text = _text(place)
    # not splitlines(): it would also split inside a text that holds a line separator
    lines = [(f"{place.name}: line {n}", line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise ClinicianMust(f"{place.name}: the file is empty; write one needs object a line.")
    return jobs_of(lines)


def _needs_file(path: Path) -> str:
    """A file of a folder as JSON text that names its patient by the file where it names none."""
    try:
        text = _text(path)
        if path.suffix.lower() == ".toml":
            import tomllib

            fields: Any = tomllib.loads(text)
        else:
            fields = json.loads(text)
        if isinstance(fields, dict):
            text = json.dumps({"patient": path.stem} | fields)
    except (BifloraError, ValueError, RecursionError):
        return f"not readable: {path.name}"  # becomes this file's error line
    return text


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ClinicianMust(f"{path.name}: no such file or folder; mend the path.") from None
    except (OSError, UnicodeDecodeError, ValueError):
        raise ClinicianMust(f"{path.name or path}: cannot be read as text; send it as UTF-8 JSON lines.") from None


def keep_what_is_done(out: Path, jobs: Sequence[Job], made_with: MadeWith) -> Kept:
    """Complete lines of an earlier run on the same input; a torn last line leaves the file.

    Raises OperatorMust for a file that is none of ours, or was made from other needs, with another knowledge
    release or other options: nothing in it is touched then.
    """
    check_file(out, option="--out")
    if not out.exists():
        return Kept((), 0)
    try:
        text = out.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise OperatorMust(f"The file '{out}' cannot be read as text; name another one with --out.") from None
    lines = text.split("\n")
    torn = lines.pop()  # behind the last line's end there is nothing, or a line that was cut short
    wanted = {job.id for job in jobs}
    results: list[Ended] = []
    kept_lines: list[str] = []
    stale = strange = 0
    for number, line in enumerate(lines, start=1):
        result = parse(Result, line, where=f"{out.name}: line {number}", error=_NotOurs)
        _refuse_other(result.made_with, made_with, out)
        if result.id in wanted:
            wanted.discard(result.id)
            results.append(ended(result))
            kept_lines.append(line + "\n")
        elif result.status == "error":
            stale += 1
        else:
            strange += 1
    if strange:
        raise OperatorMust(
            f"The file '{out}' holds {strange} results for needs that this input does not hold; "
            "name another one with --out."
        )
    redone = stale + bool(torn)
    if redone:
        write_file(out, "".join(kept_lines), option="--out")
    return Kept(tuple(results), redone)


class _NotOurs(OperatorMust):
    def __init__(self, text: str) -> None:
        super().__init__(f"{text.splitlines()[0]}\nThat is no file of results; name another one with --out.")


def _refuse_other(theirs: MadeWith, ours: MadeWith, out: Path) -> None:
    if theirs == ours:
        return
    differ = [
        f"{name.replace('_', ' ')} {getattr(theirs, name)}, now {getattr(ours, name)}"
        for name in MadeWith.model_fields
        if getattr(theirs, name) != getattr(ours, name)
    ]
    raise OperatorMust(
        f"The file '{out}' was made otherwise ({'; '.join(differ)}); name another one with --out, or use the same."
    )


@contextmanager
def open_results(out: Path) -> Iterator[IO[bytes]]:
    """The results' file for appending, held by one run at a time. Raises OperatorMust."""
    try:
        file = out.open("ab", buffering=0)
    except OSError as error:
        raise OperatorMust(
            f"The file '{out}' cannot be written ({error.strerror}); name another one with --out."
        ) from None
    with file:
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise OperatorMust(f"Another run is writing to '{out}'; wait for it, or stop it.") from None
        yield file


def append(file: IO[bytes], result: Result, out: Path) -> None:
    """One line in one write, on the disk before the next. Raises OperatorMust when the disk is full."""
    try:
        line = line_of(result).encode()
        if file.write(line) != len(line):
            raise OSError(0, "the disk may be full")
        os.fsync(file.fileno())
    except OSError as error:
        raise OperatorMust(
            f"The file '{out}' cannot be written ({error.strerror}); mend that, and the same command goes on."
        ) from None


@contextmanager
def counting(*, total: int, done: int, show: bool) -> Iterator[Callable[[], None]]:
    """A bar on standard error while patients are designed; only on a terminal."""
    if not show or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Designing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("Designing", total=total, completed=done)
        yield lambda: progress.advance(task)


def line_of(result: Result) -> str:
    return result.model_dump_json() + "\n"


def ended(result: Result) -> Ended:
    return Ended(result.id, result.status, result.seconds)


def summary_of(results: Iterable[Ended], *, kept: int, wall_seconds: float) -> Summary:
    found = list(results)
    count = Counter(result.status for result in found)
    seconds = [result.seconds for result in found if result.status != "error"]
    return Summary(
        patients=len(found),
        designed=count["designed"],
        impossible=count["impossible"],
        errors=count["error"],
        kept=kept,
        seconds_median=round(statistics.median(seconds), 3) if seconds else None,
        seconds_worst=max(seconds, default=None),
        wall_seconds=round(wall_seconds, 1),
    )
