"""Several processes that run one and the same program: what only the first may do, and how the others learn of it."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any

from pelplug.errors import PelplugError, RunError

__all__ = ["ALONE", "Ranks", "mpi_libraries", "rank_in_environment", "size_in_environment"]

_RANKS = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "MPI_LOCALRANKID")
_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "MPI_LOCALNRANKS")


class Ranks:
    """The processes that mpirun has started, or this one alone.

    The first one locks, reads and writes files, looks at the clock and decides; all others are told.

    Parameters
    ----------
    communicator : mpi4py.MPI.Comm, optional
        Whatever has ``rank``, ``size``, ``bcast``, ``allgather`` and ``Abort``; None for one process.
    """

    def __init__(self, communicator=None):
        self._communicator = communicator if communicator is not None and communicator.size > 1 else None

    @property
    def rank(self) -> int:
        """Number of this process; 0 is the first."""
        return 0 if self._communicator is None else self._communicator.rank

    @property
    def size(self) -> int:
        """How many there are."""
        return 1 if self._communicator is None else self._communicator.size

    def share(self, value: Any) -> Any:
        """Return the first process's value on all."""
        return value if self._communicator is None else self._communicator.bcast(value, root=0)

    def any(self, flag: bool) -> bool:
        """Return on all whether one of them says yes."""
        return bool(flag) if self._communicator is None else any(self._communicator.allgather(bool(flag)))

    def first(self, action: Callable[[], Any]) -> Any:
        """Do something on the first process only; all return what it returns, or raise what it raises."""
        if self._communicator is None:
            return action()
        outcome: tuple[Any, Any] = (None, None)
        if self.rank == 0:
            try:
                outcome = (action(), None)
            except PelplugError as error:
                outcome = (None, (type(error), str(error)))
            except KeyboardInterrupt:
                outcome = (None, (KeyboardInterrupt, ""))
            except Exception as error:
                outcome = (None, (RunError, f"The first process failed ({type(error).__name__}: {error})."))
        value, failure = self._communicator.bcast(outcome, root=0)
        if failure is not None:
            kind, text = failure
            raised = kind(text)
            raised.on_all_ranks = True
            raise raised
        return value

    def end_all(self, error: BaseException) -> None:
        """End every process if this one alone failed; otherwise the others would wait for it for ever.

        What is refused before work starts, and what `first` raises, is raised by all.
        """
        if self._communicator is None or getattr(error, "on_all_ranks", False):
            return
        os.write(2, f"pelplug: process {self.rank} failed: {' '.join(str(error).split())}\n".encode())
        self._communicator.Abort(getattr(error, "exit_code", 1))


ALONE = Ranks()
"""One process."""


def rank_in_environment() -> int:
    """Return the number that mpirun has given this process, without starting MPI; 0 without mpirun."""
    return _in_environment(_RANKS, 0)


def size_in_environment() -> int:
    """Return how many processes mpirun has started, without starting MPI; 1 without mpirun."""
    return _in_environment(_SIZES, 1)


def mpi_libraries() -> list[str]:
    """Return the MPI libraries in this process; empty where the system does not tell (anything but Linux)."""
    try:
        lines = pathlib.Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = (line.split(maxsplit=5)[-1] for line in lines if "libmpi.so" in line)
    return sorted({os.path.realpath(path) for path in found if os.path.basename(path).startswith("libmpi.so")})


def _in_environment(names: tuple[str, ...], otherwise: int) -> int:
    return next((int(os.environ[name]) for name in names if os.environ.get(name, "").isdigit()), otherwise)
