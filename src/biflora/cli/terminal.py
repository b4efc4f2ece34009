"""How biflora behaves in a terminal: progress on standard error, results on standard output."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import typer

from biflora.errors import BifloraError, OperatorMust
from biflora.values import Finding


@contextmanager
def working(first_step: str) -> Iterator[Callable[[str], None]]:
    """Show what is being done while it lasts, on a terminal only; the caller names each next step.

    Ctrl-C ends it at the next step at the latest, even where a library swallowed the exception.
    """
    with _heard_ctrl_c() as end_if_heard:
        if not sys.stderr.isatty():
            yield lambda step: end_if_heard()
            return
        from rich.console import Console

        with Console(stderr=True).status(f"{first_step} ...") as status:

            def say(step: str) -> None:
                end_if_heard()
                status.update(f"{step} ...")

            yield say


@contextmanager
def _heard_ctrl_c() -> Iterator[Callable[[], None]]:
    """Remember a Ctrl-C, and raise it again when asked: some imports catch whatever is raised inside them."""
    heard = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        heard = True
        raise KeyboardInterrupt

    def end_if_heard() -> None:
        if heard:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield end_if_heard
        return
    before = signal.signal(signal.SIGINT, hear)
    try:
        yield end_if_heard
        end_if_heard()
    finally:
        signal.signal(signal.SIGINT, before)


def complain(problem: BifloraError) -> None:
    """One sentence or more on standard error: what is wrong, and who must mend it."""
    who = f" ({problem.who} must act)" if problem.who != "nobody" else ""
    typer.echo(f"biflora: {problem}{who}", err=True)


def print_json(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def print_findings(
    findings: Sequence[Finding], *, as_json: bool, none: str, show: Callable[[Sequence[Finding]], None]
) -> None:
    if as_json:
        from biflora.values import FindingList

        print_json(FindingList.dump_json(list(findings), indent=2).decode())
    elif findings:
        show(findings)
    else:
        typer.echo(none)


def serve(data: Path, *, host: str, port: int) -> None:
    """Serve the pages until stopped. Raises OperatorMust when the port is taken."""
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OperatorMust(
                f"Port {port} on {host} cannot be opened ({error.strerror}). Stop the program that holds it, or "
                f"choose another: biflora serve --port {port + 1 if port < 65535 else 8000}"
            ) from None
    import uvicorn

    from biflora.web.app import create_app

    application = create_app(data_folder=data)
    typer.echo(f"The clinic is open at http://{host}:{port} (stop with Ctrl-C).")
    uvicorn.run(application, host=host, port=port, log_level="warning", access_log=False)
