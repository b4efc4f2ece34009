"""The mutation fuzzer: damaged laboratory files must give a profile or a sentence, never a traceback or a hang.

Each case is made from (seed, number) alone, read and profiled in a worker process under a memory limit and an
alarm; a worker that a C library holds is killed and counted, and the case is put to the guard that the product has
for it (`clinic/reading.py`). The summary is JSON.
Run: python tests/fuzz/mutate.py --cases 100000 --seed 1 --jobs 2 --out fuzz.json
One case again: python tests/fuzz/mutate.py --seed 1 --one 4711 --keep FOLDER
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tests.fuzz.mutations import flip_bits, mutated  # noqa: E402
from tests.fuzz.seeds import Seed, generated, real, taxonomies  # noqa: E402

MEMORY_OVER_START = 1_500_000_000
ALARM_SECONDS = 10
HUNGRY_MB = 200.0
"""A case that needs so much more than all before it is named."""
KILL_SECONDS = 15.0
"""A worker that says nothing for so long is held by a C library."""
SHARE_OF_TAXONOMIES = 0.1
ANSWERED = "answered by the guard"
NOT_MADE = "not made"


class TooSlowError(BaseException):
    """The alarm rang inside Python; no reader may catch it."""


def all_seeds() -> list[Seed]:
    shared = Path(os.environ.get("BIFLORA_SHARED", REPOSITORY.parent / "shared"))
    return generated() + real(shared / "data")


@dataclass(frozen=True)
class Case:
    """One file to read, and the taxonomy that lies beside it."""

    name: str
    content: bytes
    beside: Seed | None = None

    def write(self, folder: Path) -> Path:
        for each in (self, self.beside):
            if each is not None:
                (folder / each.name).write_bytes(each.content)
        return folder / self.name


def case(seeds: list[Seed], seed: int, number: int) -> Case:
    """What one number stands for: a damaged table, or a good one beside a damaged taxonomy."""
    random_ = random.Random(f"{seed}-{number}")
    if random_.random() < SHARE_OF_TAXONOMIES:
        table = next(each for each in generated() if each.name == "run.shared")
        beside = random_.choice(taxonomies())
        return Case(table.name, table.content, Seed(beside.name, damaged(beside, random_, table.content)))
    chosen = random_.choice(seeds)
    other = random_.choice(seeds).content
    return Case(chosen.name, damaged(chosen, random_, other))


def damaged(chosen: Seed, random_: random.Random, other: bytes) -> bytes:
    try:
        return mutated(chosen, random_, other)
    except Exception:  # a mishap that a library refuses to make; the case becomes plain noise
        return flip_bits(chosen.content, random_)


def outcome(path: Path, site: str) -> dict[str, str]:
    """What reading and profiling came to."""
    from biflora.errors import BifloraError
    from biflora.profile.laboratory_file import read_laboratory_file
    from biflora.profile.sample import profile_sample

    try:
        file = read_laboratory_file(path)
        profile = profile_sample(file, "skin" if site == "skin" else "gut", sample=file.table.samples[0])
        profile.model_dump_json()
    except BifloraError as problem:
        text = str(problem)
        if (
            not any(name in text for name in os.listdir(path.parent))
            or len(text) > 1500
            or any(ord(c) < 32 for c in text)
        ):
            return {"kind": "unclear", "what": text[:300]}
        return {"kind": type(problem).__name__ + (" (memory)" if "more memory" in text else "")}
    except TooSlowError:
        return {"kind": "slow"}
    except Exception as problem:  # every other exception is what this program looks for
        where = [f for f in traceback.extract_tb(problem.__traceback__) if "biflora" in f.filename][-1:]
        place = f"{Path(where[0].filename).name}:{where[0].lineno} {where[0].name}" if where else "?"
        return {"kind": "traceback", "what": f"{type(problem).__name__}: {str(problem)[:120]} at {place}"}
    return {"kind": "profile"}


def guarded(made: Case) -> bool:
    """True when the product's own guard answers this case with a sentence."""
    from biflora.clinic.reading import check_apart
    from biflora.errors import LaboratoryMust

    with tempfile.TemporaryDirectory() as folder:
        path = made.write(Path(folder))
        try:
            check_apart(path, seconds=KILL_SECONDS)
        except LaboratoryMust as problem:
            return "was stopped" in str(problem) or "reader broke" in str(problem)
    return False


def rss_mb() -> float:
    """Highest memory of this program so far; `ru_maxrss` would count what the parent had when it forked."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def limit_memory(over_start: int = MEMORY_OVER_START) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + over_start
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def work(seed: int, start: int, stop: int, step: int) -> None:
    """A worker: one JSON line before and one after each case."""
    from biflora.profile.names import clean, name_feature

    seeds = all_seeds()
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm.biom"
        for first in generated():
            warm = warm.with_name(first.name)
            warm.write_bytes(first.content)
            outcome(warm, "skin")
        limit_memory()
        base = rss_mb()
        held = 0.0

        def ring(_number: int, _frame: FrameType | None) -> None:
            raise TooSlowError

        signal.signal(signal.SIGALRM, ring)
        for number in range(start, stop, step):
            print(json.dumps({"make": number}), flush=True)
            made = case(seeds, seed, number)
            print(json.dumps({"begin": number}), flush=True)
            place = Path(folder) / "case"
            place.mkdir()
            path = made.write(place)
            began = time.perf_counter()
            signal.setitimer(signal.ITIMER_REAL, ALARM_SECONDS)
            try:
                found = outcome(path, "skin" if number % 2 else "gut")
            except TooSlowError:
                found = {"kind": "slow"}
            signal.setitimer(signal.ITIMER_REAL, 0)
            shutil.rmtree(place)
            seconds = time.perf_counter() - began
            before, held = held, rss_mb() - base
            for kept in (clean, name_feature):  # names of earlier cases are not this case's memory
                kept.cache_clear()
            print(
                json.dumps(
                    {
                        "end": number,
                        "file": made.beside.name if made.beside else made.name,
                        **found,
                        "seconds": round(seconds, 3),
                        "over_mb": held,
                        "grew_mb": held - before,
                    }
                ),
                flush=True,
            )


def run(cases: int, seed: int, jobs: int, first: int = 0) -> dict[str, Any]:
    """All cases in `jobs` workers; a silent worker is killed, counted, and followed by another."""
    kinds: Counter[str] = Counter()
    by_format: Counter[str] = Counter()
    notable: list[dict[str, Any]] = []
    slowest = {"seconds": 0.0}
    peak = 0.0
    began = time.perf_counter()
    watch = selectors.DefaultSelector()
    workers: dict[int, dict[str, Any]] = {}

    def start(job: int, number: int) -> None:
        process = subprocess.Popen(
            [sys.executable, __file__, "--work", str(number), str(first + cases), str(jobs), "--seed", str(seed)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        watch.register(process.stdout, selectors.EVENT_READ, job)
        workers[job] = {
            "process": process,
            "at": None,
            "heard": time.monotonic() + 30,
            "next": number,
            "said": 0,
            "making": None,
        }

    def finish(job: int, kind: str) -> None:
        worker = workers.pop(job)
        watch.unregister(worker["process"].stdout)
        worker["process"].kill()
        worker["process"].wait()
        if worker["making"] is not None:  # a library ended the worker while the case was made; the next one
            kinds[NOT_MADE] += 1
            worker["next"], worker["at"] = worker["making"] + jobs, None
        elif worker["at"] is None and not worker["said"]:
            notable.append({"kind": "no start", "number": worker["next"]})
            return
        if worker["at"] is not None:
            kinds[kind] += 1
            made = case(all_seeds(), seed, worker["at"])
            answered = guarded(made)
            for other in workers.values():  # nobody listened to them meanwhile
                other["heard"] = time.monotonic()
            kinds[ANSWERED] += answered
            notable.append({"kind": kind, "number": worker["at"], "file": made.name, ANSWERED: answered})
            worker["next"] = worker["at"] + jobs
        if worker["next"] < first + cases:
            start(job, worker["next"])

    for job in range(min(jobs, cases)):
        start(job, first + job)
    while workers:
        for key, _ in watch.select(timeout=1.0):
            worker = workers[key.data]
            line = worker["process"].stdout.readline()
            if not line:
                finish(key.data, "crash")
                continue
            said = json.loads(line)
            worker["heard"], worker["said"] = time.monotonic(), 1
            if "make" in said:
                worker["making"] = said["make"]
                continue
            if "begin" in said:
                worker["at"], worker["making"] = said["begin"], None
                continue
            worker["at"], worker["next"] = None, said["end"] + jobs
            kinds[said["kind"]] += 1
            by_format[f"{Path(said['file']).suffix or 'none'} {said['kind']}"] += 1
            peak = max(peak, said["over_mb"])
            slowest = max(slowest, {k: said[k] for k in ("seconds", "end", "file")}, key=lambda s: s["seconds"])
            if said["grew_mb"] > HUNGRY_MB:
                notable.append(
                    {"number": said["end"], "kind": "hungry", "mb": round(said["grew_mb"]), "file": said["file"]}
                )
            if said["kind"] in ("traceback", "slow", "unclear"):
                notable.append(
                    {"number": said["end"], **{k: said[k] for k in ("kind", "what", "file") if k in said}}
                )
        for job in [j for j, w in workers.items() if time.monotonic() - w["heard"] > KILL_SECONDS]:
            finish(job, "hang")
    seconds = time.perf_counter() - began
    return {
        "cases": sum(n for kind, n in kinds.items() if kind not in (ANSWERED, NOT_MADE)),
        "seed": seed, "jobs": jobs,
        "seconds": round(seconds, 1),
        "profiles": kinds["profile"], "outcomes": dict(kinds.most_common()),
        "tracebacks": kinds["traceback"], "hangs_in_c": kinds["hang"], "crashes": kinds["crash"],
        "hangs_and_crashes_answered_by_the_guard": kinds[ANSWERED],
        "slow_in_python": kinds["slow"], "unclear_messages": kinds["unclear"],
        "peak_mb_over_start": round(peak), "memory_limit_mb_over_start": MEMORY_OVER_START // 1_000_000,
        "slowest": slowest, "by_ending": dict(by_format.most_common()), "notable": notable[:200],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="where the JSON summary goes; the screen without it")
    parser.add_argument("--one", type=int, help="run this case alone and show its traceback")
    parser.add_argument("--keep", type=Path, help="with --one: the folder where its files are kept")
    parser.add_argument("--work", type=int, nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.seed, *given.work)
        return
    if given.one is not None:
        made = case(all_seeds(), given.seed, given.one)
        path = made.write(given.keep or Path(tempfile.mkdtemp()))
        from biflora.profile.sample import profile_site

        print(path, len(made.content), outcome(path, "skin"))
        profile_site(path, "skin", sample=None)
        return
    text = json.dumps(run(given.cases, given.seed, given.jobs, given.first), indent=1)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
