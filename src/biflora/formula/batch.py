"""Formulas for many patients at once: one process a core, each patient on their own, in whatever order they end.

What a patient's line needs goes in as values and comes out as values; files, progress and resuming belong to
the terminal.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from pydantic import Field

from biflora import __version__
from biflora.errors import BifloraError, ClinicianMust
from biflora.formula.formula import Formula, Impossible
from biflora.knowledge.rows import release
from biflora.values import Value, canonical_json, read_json_object

STOP = None
"""What the parent sends a process that has nothing more to do."""


class MadeWith(Value):
    """What decides a result beside the needs; results of different ones do not belong into one file."""

    biflora: str = __version__
    knowledge_release: str = Field(default_factory=release)
    alternatives: int = Field(default=5, ge=0, le=5)
    time_limit_seconds: float = Field(default=10.0, gt=0)


class Job(Value):
    """One patient's needs as they stood in the input, not yet read."""

    id: str
    patient: str | None = None
    """The reference that the input gives, as it stands there."""
    where: str
    """The file, and the line in it."""
    text: str


class Result(Value):
    """What became of one patient's needs; one line of the results' file."""

    id: str
    patient: str | None = None
    status: Literal["designed", "impossible", "error"]
    formula: Formula | None = None
    impossible: Impossible | None = None
    error: str = ""
    """What is wrong, and in which field; never what stood there."""
    who: str = ""
    """Who must act on the error."""
    seconds: float = 0.0
    made_with: MadeWith


def jobs_of(lines: Iterable[tuple[str, str]]) -> list[Job]:
    """Jobs from (where, JSON text); the id is a hash of patient and needs, so the order does not matter.

    The same needs for the same reference twice are two jobs: the second id ends in `-2`.
    """
    jobs: list[Job] = []
    counted: dict[str, int] = {}
    for where, text in lines:
        patient, content = _told(text)
        digest = hashlib.sha256(f"{patient}\n{content}".encode()).hexdigest()[:12]
        counted[digest] = counted.get(digest, 0) + 1
        again = "" if counted[digest] == 1 else f"-{counted[digest]}"
        jobs.append(Job(id=f"needs-{digest}{again}", patient=patient, where=where, text=text))
    return jobs


def _told(text: str) -> tuple[str | None, str]:
    """The patient's reference, and the content in one spelling: spaces and order do not make another job."""
    try:
        fields = read_json_object(text, where="")
    except BifloraError:
        return None, text
    patient = fields.get("patient")
    return (None if patient is None else str(patient)), canonical_json(fields)


def design_one(job: Job, made_with: MadeWith) -> Result:
    """A formula or the reasons why there is none; what is wrong with the needs becomes an error line."""
    from biflora.formula.formulate import formulate
    from biflora.formula.read import needs_from

    began = time.perf_counter()

    def result(status: Literal["designed", "impossible", "error"], **more: Any) -> Result:
        seconds = round(time.perf_counter() - began, 3)
        return Result(
            id=job.id, patient=job.patient, status=status, seconds=seconds, made_with=made_with, **more
        )  # fmt: skip

    try:
        fields: Mapping[str, Any] = read_json_object(job.text, where=job.where, error=ClinicianMust)
        fields = {name: value for name, value in fields.items() if name != "patient"}
        made = formulate(
            needs_from(fields, where=job.where),
            alternatives=made_with.alternatives,
            time_limit_seconds=made_with.time_limit_seconds,
        )
    except BifloraError as problem:
        return result("error", error=str(problem), who=problem.who)
    except Exception as problem:  # one patient's defect must not end the others' work; its type is no patient data
        return result(
            "error", error=f"{job.where}: biflora failed ({type(problem).__name__}).", who="the operator"
        )
    if isinstance(made, Impossible):
        return result("impossible", impossible=made)
    return result("designed", formula=made)


def design_all(
    jobs: Iterable[Job], made_with: MadeWith, *, workers: int | None = None
) -> Generator[Result, None, None]:
    """Results as they come, from one process a core (or `workers`); leaving the loop early ends the processes.

    A process that dies takes only its own patient with it: an error line says so, and a new one goes on.
    """
    waiting = iter(jobs)
    crew: dict[Connection, tuple[BaseProcess, Job]] = {}
    try:
        for job in _some(waiting, workers or os.cpu_count() or 1):
            _start(crew, job, made_with)
        while crew:
            for connection in wait(list(crew)):
                assert isinstance(connection, Connection)
                process, job = crew.pop(connection)
                try:
                    result = Result.model_validate_json(connection.recv_bytes())
                    alive = True
                except (EOFError, OSError):
                    alive = False
                    result = Result(
                        id=job.id, patient=job.patient, status="error", who="the operator", made_with=made_with,
                        error=f"{job.where}: the process that designed it died; is there memory enough?",
                    )  # fmt: skip
                following = next(waiting, None)
                if alive and following is not None:
                    connection.send(following)
                    crew[connection] = (process, following)
                else:
                    _let_go(connection, process, alive)
                    if following is not None:
                        _start(crew, following, made_with)
                yield result
    finally:
        for connection, (process, _) in crew.items():
            process.terminate()
            connection.close()
        for process, _ in crew.values():
            process.join()


def _some(jobs: Iterator[Job], count: int) -> Iterator[Job]:
    for _ in range(count):
        job = next(jobs, None)
        if job is None:
            return
        yield job


def _start(crew: dict[Connection, tuple[BaseProcess, Job]], job: Job, made_with: MadeWith) -> None:
    # spawned, not forked: a fork copies the solver's and the libraries' threads in a broken state
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, made_with), daemon=True)
    process.start()
    theirs.close()
    ours.send(job)
    crew[ours] = (process, job)


def _let_go(connection: Connection, process: BaseProcess, alive: bool) -> None:
    if alive:
        connection.send(STOP)
    connection.close()
    process.join()


def _work(jobs: Connection, made_with: MadeWith) -> None:
    """One process: knowledge is loaded with the first patient and stays. Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            job = jobs.recv()
        except (EOFError, OSError):  # the parent is gone
            return
        if job is STOP:
            return
        try:
            jobs.send_bytes(design_one(job, made_with).model_dump_json().encode())
        except OSError:  # the parent is gone
            return
