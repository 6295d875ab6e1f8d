"""Placement: where the frames of an analysis are computed."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from pelplug.core.arguments import Arguments
from pelplug.core.parameters import Param

__all__ = ["Placement"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement(Arguments):
    """Where the frames of an analysis are computed; the results are the same everywhere."""

    backend: Annotated[
        Literal["serial", "multiprocessing", "dask"] | None,
        Param("where frames are computed", details="Serial; multiprocessing with workers, dask with a scheduler."),
    ] = None
    workers: Annotated[int | None, Param("number of processes", metavar="N", minimum=1, formerly=("n_workers",))] = None
    scheduler: Annotated[str | None, Param("address of a running dask scheduler", metavar="ADDRESS")] = None

    @property
    def chosen(self) -> str:
        """The backend, by what else is given where it is not named."""
        if self.backend is not None:
            return self.backend
        if self.scheduler is not None:
            return "dask"
        return "serial" if self.workers in (None, 1) else "multiprocessing"
