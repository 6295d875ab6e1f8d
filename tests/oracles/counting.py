"""An analysis that tells how many threads its kernels may use, in whatever process it runs."""

import os
from typing import Annotated

import numpy as np

import pelplug


class Threads(pelplug.Analysis):
    name = "threads"
    summary = "How many threads there are"
    needs = pelplug.Need.POSITIONS
    provides = {  # noqa: RUF012 (as in every analysis)
        "kernels": pelplug.Field(("frame",), "1", "threads of pelplug's kernels"),
        "libraries": pelplug.Field(("frame",), "1", "threads that linear algebra was told of, 0 if of none"),
        "process": pelplug.Field(("frame",), "1", "number of the process"),
    }

    def __init__(self, trajectory, *, nothing: Annotated[int, pelplug.Param("of no use")] = 0, **base):
        super().__init__(trajectory, **base)

    def compute(self, configuration):
        return {
            "kernels": np.array(pelplug.thread_count()),
            "libraries": np.array(int(os.environ.get("OMP_NUM_THREADS", 0))),
            "process": np.array(os.getpid()),
        }


class Plugin:
    """What an installed package would offer."""

    @pelplug.hookimpl
    def pelplug_analyses(self):
        return [Threads]
