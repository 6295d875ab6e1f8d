"""Columns of the Hessian by displaced particles, several at once, in worker processes where that pays."""

from __future__ import annotations

import multiprocessing
import pickle
import time
from collections.abc import Iterator, Sequence

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError, PelplugError, RunError
from pelplug.execution.device import available_cores, device_in_use
from pelplug.execution.processes import WorkerPool
from pelplug.potentials.base import Potential
from pelplug.potentials.from_forces.displaced import DisplacedState
from pelplug.potentials.from_forces.steps import Step

__all__ = ["Columns", "columns_of", "columns_of_groups"]

_WORTH_IT = 20.0  # seconds that one process would take: starting others takes some
_PARTS = 4  # of the work for each process, so that slow ones do not keep all waiting

Columns = tuple[np.ndarray, np.ndarray]
"""Of a group, by axis: -dF/dx, shape (d, N, d), and how far the change is from linear, shape (d, N)."""

_sent: tuple[Potential, Configuration] | bytes = b""
_held: DisplacedState | None = None


def columns_of(state: DisplacedState, group: np.ndarray, size: float, order: int) -> Columns:
    """Displace a group of particles along each axis and return how forces change.

    Parameters
    ----------
    state : DisplacedState
    group : ndarray of int
        Particles that move together.
    size : float
        How far [length].
    order : {2, 4}
        Of the differences.

    Returns
    -------
    columns : ndarray, shape (d, N, d)
        The derivative of each force, with the Hessian's sign [energy / length**2].
    bend : ndarray, shape (d, N)
        |F(+h) + F(-h) - 2 F(0)| of each particle [energy / length].
    """
    n, d = state.shape
    columns, bend = np.empty((d, n, d)), np.empty((d, n))
    for axis in range(d):
        shift = np.zeros((n, d))
        shift[group, axis] = size
        ahead, behind = state(shift)[1], state(-shift)[1]
        columns[axis] = (behind - ahead) / (2.0 * size)
        bend[axis] = np.linalg.norm(ahead + behind - 2.0 * state.forces, axis=1)
        if order == 4:
            ahead, behind = state(2.0 * shift)[1], state(-2.0 * shift)[1]
            columns[axis] = (4.0 * columns[axis] - (behind - ahead) / (4.0 * size)) / 3.0
            bend[axis] = np.maximum(bend[axis], 0.5 * np.linalg.norm(ahead + behind - 2.0 * state.forces, axis=1))
    return columns, bend


def columns_of_groups(
    state: DisplacedState, groups: Sequence[np.ndarray], step: Step, workers: int | str
) -> Iterator[Columns]:
    """Yield the columns of each group, in order.

    Parameters
    ----------
    state : DisplacedState
    groups : sequence of ndarray of int
    step : Step
    workers : int or "auto"
        Processes; ``"auto"`` uses the cores where the work is long, the potential can be sent to them, and this
        process is no worker itself.

    Raises
    ------
    InputError
        If the potential fails.
    """
    each = state.shape[1] * step.order
    begin = time.perf_counter()
    first = columns_of(state, groups[0], step.size, step.order)
    yield first
    groups = groups[1:]
    count = _processes(state, workers, (time.perf_counter() - begin) * len(groups), len(groups))
    if count == 1:
        for group in groups:
            yield columns_of(state, group, step.size, step.order)
        return
    done = 0
    try:
        for found in _from_workers(state, groups, step, count, plain=workers != "auto"):
            yield found
            done += 1
            state.evaluations += each
    except RunError:  # workers that could not be had, or died
        if workers != "auto":
            raise
    for group in groups[done:]:
        yield columns_of(state, group, step.size, step.order)


def _from_workers(state: DisplacedState, groups, step: Step, count: int, plain: bool) -> Iterator[Columns]:
    sent = (state.potential, state.configuration)
    parts = np.array_split(np.arange(len(groups)), min(len(groups), _PARTS * count))
    # As text it comes to a worker that may not know the classes in it, and can say so.
    with WorkerPool(count, _take, (sent if plain else pickle.dumps(sent),)) as pool:
        calls = [(_part, [groups[k] for k in part], step.size, step.order) for part in parts]
        for future in pool.submit(calls):
            found, error = future.result()
            if error is not None:
                raise error
            yield from found


def _processes(state: DisplacedState, workers: int | str, seconds: float, groups: int) -> int:
    if groups < 2:
        return 1
    if workers != "auto":
        return min(int(workers), groups)
    cores = device_in_use().threads or available_cores()
    if cores == 1 or seconds < _WORTH_IT or multiprocessing.parent_process() is not None:
        return 1
    try:
        pickle.dumps(state.potential)
    except Exception:  # a handle of a library, an open file: it stays where it is
        return 1
    if type(state.potential).__module__ == "__main__":
        return 1
    return min(cores, groups)


def _take(sent: tuple[Potential, Configuration] | bytes) -> None:
    global _sent
    _sent = sent


def _part(groups: list[np.ndarray], size: float, order: int) -> tuple[list[Columns], PelplugError | None]:
    """Return the columns of some groups in a worker, or what went wrong: exceptions of others may not travel."""
    global _held
    try:
        if _held is None:
            _held = DisplacedState(*(pickle.loads(_sent) if isinstance(_sent, bytes) else _sent))
        return [columns_of(_held, group, size, order) for group in groups], None
    except PelplugError as error:
        return [], InputError(str(error))
    except Exception as error:
        return [], RunError(f"A worker process cannot have the potential: {' '.join(str(error).split())}.")
