"""Declared arguments that say what computes: the device, and for the frames of an analysis the processes."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pelplug.core.arguments import Arguments, takes
from pelplug.core.parameters import Param
from pelplug.execution.device import Device

__all__ = ["Computing", "Placement", "Workers", "computed_on_the_cpu"]

_R = TypeVar("_R")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Computing(Arguments):
    """What computes; see `pelplug.Device`."""

    device: Annotated[
        Any,
        Param(
            "what computes: auto, cpu or cuda",
            metavar="NAME",
            details="A name or a `Device`; gpu is another spelling of cuda; auto is a GPU where an engine can use one.",
        ),
    ] = "auto"
    threads: Annotated[
        int | None,
        Param(
            "threads of each process on a CPU",
            metavar="N",
            minimum=1,
            details="Else PELPLUG_NUM_THREADS, NUMBA_NUM_THREADS or OMP_NUM_THREADS says how many, else the cores.",
        ),
    ] = None

    def used(self) -> Device:
        """Return the device that is meant here, for a ``with`` block.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        return Device.of(self.device, self.threads)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workers(Arguments):
    """How many processes compute the parts of a study; the result is the same with any number."""

    workers: Annotated[
        int | None,
        Param("number of processes", metavar="N", minimum=1, details="All usable cores by default."),
    ] = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement(Computing):
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


def computed_on_the_cpu(
    what: str, renamed: Mapping[str, str] | None = None
) -> Callable[[Callable[..., _R]], Callable[..., _R]]:
    """Give a function ``device=`` and ``threads=``, and have it compute under them.

    Its docstring has an entry ``computing : Computing``, which their own take the place of.

    Parameters
    ----------
    what : str
        Begins the sentence that refuses a GPU: ``"A quench"``.
    renamed : mapping of str to str, optional
        As in `takes`.
    """

    def decorate(function: Callable[..., _R]) -> Callable[..., _R]:
        @functools.wraps(function)
        def told(*arguments: Any, computing: Computing, **keywords: Any) -> _R:
            Device(computing.device).require_cpu(what)  # one around is another's: of the engine that an analysis runs
            with computing.used():
                return function(*arguments, **keywords)

        written = inspect.signature(function)
        *first, last = written.parameters.values()
        own = inspect.Parameter("computing", inspect.Parameter.KEYWORD_ONLY)
        named = last.kind is not last.VAR_KEYWORD
        public = written.replace(parameters=[*first, last, own] if named else [*first, own, last])
        told.__signature__ = public  # type: ignore[attr-defined]  # inspect reads it
        checked = takes(renamed=renamed, computing=Computing)(told)
        names = {"computing", *Computing.names()}

        @functools.wraps(checked)
        def call(*arguments: Any, **keywords: Any) -> _R:
            # Reading what is not there would take a third of a millisecond, which short quenches feel.
            return (function if names.isdisjoint(keywords) else checked)(*arguments, **keywords)

        return call

    return decorate
