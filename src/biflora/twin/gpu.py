"""The engine on a GPU: the same compiled functions, one trajectory per CUDA thread (extra `gpu`).

Each thread has its own room, its own step sizes and its own status, so that a stiff patient holds up only the
few dozen who share a warp with her. It never ran on a GPU where it was written: held there are the numbers of
Numba's CUDA simulator and a compilation for compute capability 9.0.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from biflora.errors import OperatorMust
from biflora.twin.engine import N_INPUTS, N_SEEN, N_STATES, RELATIVE, follow
from biflora.twin.regimen import Timetable
from biflora.twin.structured import WORK

Array = NDArray[np.float64]
Keys = NDArray[np.uint64]
THREADS = 64
"""Threads of one block: few, because each needs many registers."""
CHUNK = 131_072
"""Trajectories that are on the GPU at one time: about half a gigabyte with states and observables."""


# fmt: off
def trajectory(y0: Array, p: Array, keys: Keys, plan: Array, edges: Array, drive: Array, started: float,
               link: float, perfect: bool, rtol: float, ends: Array, seen: NDArray[np.float32], course: Array,
               status: NDArray[np.int64], want_seen: bool, want_states: bool) -> None:
    """What one thread does: one patient through the timetable, in local memory."""
    # fmt: on
    i = cuda.grid(1)
    if i >= y0.shape[0]:
        return
    y = cuda.local.array(N_STATES, np.float64)
    u = cuda.local.array(N_INPUTS, np.float64)
    after = cuda.local.array(N_INPUTS, np.float64)
    f0 = cuda.local.array(N_STATES, np.float64)
    f1 = cuda.local.array(N_STATES, np.float64)
    z = cuda.local.array(N_STATES, np.float64)
    k = cuda.local.array((6, N_STATES), np.float64)
    w = cuda.local.array(WORK, np.float64)
    jac = cuda.local.array((N_STATES, N_STATES), np.float64)
    shown = cuda.local.array(N_STATES, np.float64)
    status[i] = follow(
        y0[i], p[i], keys[i], plan, edges, drive[i], started, link, perfect, rtol, ends[i],
        seen[i * want_seen], course[i * want_states], want_seen, want_states,
        y, u, after, f0, f1, z, k, w, jac, shown,
    )  # fmt: skip


@cache
def _compiled() -> Any:
    return cuda.jit(trajectory)


def run_on_gpu(
    y0: Array, p: Array, keys: Keys, table: Timetable, drive: Array, *, started: float = 0.0,
    gut_link: bool = True, perfect: bool = False, want_seen: bool = True, want_states: bool = False,
    rtol: float = RELATIVE,
) -> tuple[Array, NDArray[np.float32], Array, NDArray[np.int64]]:  # fmt: skip
    """As `engine.run`, chunk by chunk on the first CUDA device. Raises OperatorMust where there is none."""
    if not cuda.is_available():
        raise OperatorMust(
            "No CUDA device can be used. Install the extra (pip install 'biflora[gpu]') on a machine with an "
            "NVIDIA GPU and its driver, or leave the GPU out: the engine runs on the CPU."
        )
    n, weeks = drive.shape
    assert weeks == table.weeks
    ends, status = np.empty((n, N_STATES)), np.zeros(n, np.int64)
    seen = np.full((n if want_seen else 0, weeks + 1, N_SEEN), np.nan, np.float32)
    course = np.full((n if want_states else 0, weeks + 1, N_STATES), np.nan)
    plan = cuda.to_device(np.ascontiguousarray(table.plan))
    edges = cuda.to_device(np.ascontiguousarray(table.edges))
    for start in range(0, n, CHUNK):
        here = slice(start, min(start + CHUNK, n))
        count = here.stop - here.start
        shown = cuda.to_device(seen[here] if want_seen else np.empty((1, weeks + 1, N_SEEN), np.float32))
        walked = cuda.to_device(course[here] if want_states else np.empty((1, weeks + 1, N_STATES)))
        last, codes = cuda.device_array((count, N_STATES)), cuda.device_array(count, np.int64)
        _compiled()[(count + THREADS - 1) // THREADS, THREADS](
            cuda.to_device(np.ascontiguousarray(y0[here])), cuda.to_device(np.ascontiguousarray(p[here])),
            cuda.to_device(np.ascontiguousarray(keys[here], dtype=np.uint64)), plan, edges,
            cuda.to_device(np.ascontiguousarray(drive[here])), float(started), float(gut_link), perfect,
            float(rtol), last, shown, walked, codes, want_seen, want_states,
        )  # fmt: skip
        ends[here], status[here] = last.copy_to_host(), codes.copy_to_host()
        if want_seen:
            seen[here] = shown.copy_to_host()
        if want_states:
            course[here] = walked.copy_to_host()
    return ends, seen, course, status
