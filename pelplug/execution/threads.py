"""Run a numba kernel over ranges of particles on several threads.

Kernels are compiled with ``nogil`` and take ``(begin, end, ...)``. Plain threads are used rather than numba's
own parallel regions: those cannot survive the ``fork`` of a multiprocessing analysis, and their results depend
on how a reduction was split.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

from pelplug.errors import InputError

__all__ = ["SERIAL_BELOW", "run_ranges", "thread_count"]

SERIAL_BELOW = 2000
"""Particles below which a kernel over pairs runs on one thread."""

_pool: tuple[int, int, ThreadPoolExecutor] | None = None


def thread_count() -> int:
    """Return the number of threads kernels may use.

    The environment variables ``PELPLUG_NUM_THREADS``, ``NUMBA_NUM_THREADS`` and ``OMP_NUM_THREADS`` are asked in
    this order, then the number of usable cores; a worker process of a parallel analysis uses one thread.
    """
    for name in ("PELPLUG_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        if value := os.environ.get(name):
            if not value.isdigit() or int(value) < 1:
                raise InputError(f"The environment variable {name} is {value!r}; set it to a positive whole number.")
            return int(value)
    if multiprocessing.parent_process() is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_ranges(kernel, n: int, *arguments, serial_below: int = SERIAL_BELOW) -> list:
    """Call ``kernel(begin, end, *arguments)`` so that the ranges cover ``0..n``.

    Parameters
    ----------
    kernel : callable
        Compiled with ``nogil=True``; ranges must write to disjoint memory.
    n : int
        Number of particles.
    *arguments
        Passed on.
    serial_below : int
        With fewer particles one thread does everything: waking another one would cost more.

    Returns
    -------
    list
        What the kernel returned for each range, in order.
    """
    threads = 1 if n < serial_below else min(thread_count(), n)
    if threads == 1:
        return [kernel(0, n, *arguments)]
    bounds = [n * k // threads for k in range(threads + 1)]
    futures = [_executor(threads).submit(kernel, bounds[k], bounds[k + 1], *arguments) for k in range(1, threads)]
    mine = kernel(0, bounds[1], *arguments)
    return [mine, *(future.result() for future in futures)]


def _executor(threads: int) -> ThreadPoolExecutor:
    # A forked child inherits the object but not its threads: the process number tells.
    global _pool
    if _pool is None or _pool[0] != os.getpid() or _pool[1] < threads:
        _pool = (os.getpid(), threads, ThreadPoolExecutor(threads, thread_name_prefix="pelplug"))
    return _pool[2]
