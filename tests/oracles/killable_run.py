"""A simulation in a process of its own that says how far it is, to be killed."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import signal
import unittest.mock

import pelplug
import pelplug.engines.driver
from pelplug.engines.run import run_simulation
from pelplug.testing.toy_engine import ToyEngine

# One process imports everything, and each run is a copy of it.
_CONTEXT = multiprocessing.get_context("forkserver" if hasattr(os, "fork") else "spawn")
_CONTEXT.set_forkserver_preload(["oracles.killable_run", "oracles.warm"])


class KillableRun:
    """A run of 60 particles; `said` waits for its next report.

    Parameters
    ----------
    path : path_like
        Trajectory.
    pause : float
        After each step [s].
    """

    def __init__(self, path, pause=0.0):
        self.reports, far = _CONTEXT.Pipe(duplex=False)
        self.process = _CONTEXT.Process(target=_run, args=(str(path), pause, far))
        # The process that is copied finds modules to load early by this variable only (until Python 3.13).
        with unittest.mock.patch.dict(os.environ, PYTHONPATH=str(pathlib.Path(__file__).parents[1])):
            self.process.start()
        far.close()

    def said(self):
        """Return stage and step of the next report, None if the run is at its end."""
        try:
            return self.reports.recv()
        except EOFError:
            return None

    def kill(self):
        """Kill it, and tell whether it was alive."""
        alive = self.process.is_alive()
        if alive:
            os.kill(self.process.pid, signal.SIGKILL)
        return alive

    def finish(self):
        """Wait for the end."""
        while self.said() is not None:
            pass
        self.process.join()
        self.reports.close()
        return self.process.exitcode


def _run(path, pause, reports):
    ToyEngine.seconds_a_step = pause
    pelplug.engines.driver._SECONDS = 0.05  # many reports and checkpoints
    run_simulation(
        pelplug.model("kob-andersen", cutoff=1.8), ToyEngine(), path, n=60, temperature=2.0, steps=400, melt_steps=50,
        seed=4, log_every=7, frames="blocks:50:3", longest_equilibration=600, checkpoint_seconds=0.0,
        progress=lambda stage, done, total: reports.send((stage, done)),
    )  # fmt: skip
