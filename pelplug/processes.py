"""Processes that work for another one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading

__all__ = ["start_worker"]


def start_worker() -> None:
    """Leave Ctrl-C to the process that started this one, and end when that does; initialises workers of a pool.

    A worker of `concurrent.futures` whose master was killed would go on with its task and then wait for ever for the
    next one, since it holds the other end of the queue itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow():
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, name="follow-parent", daemon=True).start()
