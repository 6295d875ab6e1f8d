"""Run a numba kernel over ranges of particles on several threads.

Kernels are compiled with ``nogil`` and take ``(begin, end, ...)``. Plain threads are used rather than numba's
own parallel regions: those cannot survive the ``fork`` of a multiprocessing analysis, and their results depend
on how a reduction was split.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pelplug.execution.device import thread_count

__all__ = ["SERIAL_BELOW", "run_ranges"]

SERIAL_BELOW = 2000
"""Particles below which a kernel over pairs runs on one thread."""

_pool: tuple[int, int, ThreadPoolExecutor] | None = None


def run_ranges(kernel: Callable, n: int, *arguments: Any, serial_below: int = SERIAL_BELOW) -> list:
    """Call ``kernel(begin, end, *arguments)`` so that the ranges cover ``0..n``, one for each thread of the `Device`.

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
