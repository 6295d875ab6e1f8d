"""What computes, and by how many threads: said once, at the top, and looked up by the kernels below."""

from __future__ import annotations

import contextvars
import dataclasses
import multiprocessing
import numbers
import os
import sys

from pelplug.errors import InputError

__all__ = ["KINDS", "LIBRARY_VARIABLES", "Device", "available_cores", "device_in_use", "tell_libraries", "thread_count"]

KINDS = ("auto", "cpu", "cuda")
_SPELLINGS = {"gpu": "cuda"}
LIBRARY_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What linear algebra asks for its threads, once, when it is loaded."""

_VARIABLES = ("PELPLUG_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")


@dataclasses.dataclass(frozen=True)
class Device:
    """What to compute on; in a ``with`` block, all that pelplug computes there goes by it.

    What is not said here is as around it: in an enclosing block, else in the environment.

    Parameters
    ----------
    kind : {"auto", "cpu", "cuda"}
        auto is a GPU where an engine can use one, else the CPU; ``gpu`` is another spelling of ``cuda``.
    threads : int, optional
        Threads of each process on a CPU. Else the environment variables ``PELPLUG_NUM_THREADS``, ``NUMBA_NUM_THREADS``
        and ``OMP_NUM_THREADS`` are asked in this order, then the number of usable cores.

    Raises
    ------
    InputError
        If there is no such device, or the number of threads is not positive.

    Examples
    --------
    >>> with pelplug.Device(threads=2):
    ...     result = pelplug.quench(configuration, potential)
    """

    kind: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        kind = _SPELLINGS.get(self.kind, self.kind)
        if kind == "mpi":
            raise InputError("MPI is no device but an option of the engine hoomd (--engine hoomd --mpi).")
        if kind not in KINDS:
            raise InputError(f"There is no device {self.kind!r}; it is one of {', '.join(KINDS)} (gpu means cuda).")
        object.__setattr__(self, "kind", kind)
        threads = self.threads
        if threads is None:
            return
        if isinstance(threads, bool) or not isinstance(threads, numbers.Integral) or threads < 1:
            raise InputError(f"The number of threads must be a whole number, at least 1, not {threads!r}.")
        object.__setattr__(self, "threads", int(threads))

    @classmethod
    def of(cls, device: str | Device, threads: int | None = None) -> Device:
        """Return the device that two arguments ``device=`` and ``threads=`` mean, where they are given."""
        if isinstance(device, Device):
            device = device if threads is None else dataclasses.replace(device, threads=threads)
        else:
            device = cls(device, threads)
        around = device_in_use()
        kind = around.kind if device.kind == "auto" else device.kind
        return cls(kind, around.threads if device.threads is None else device.threads)

    def require_cpu(self, what: str) -> None:
        """Refuse a GPU for what has no kernels for one; ``what`` begins a sentence."""
        if self.kind == "cuda":
            raise InputError(f"{what} is computed on the CPU only; leave --device out, or give --device cpu.")

    def __enter__(self) -> Device:
        device = Device.of(self)
        count = thread_count() if device.threads is None else device.threads
        _in_use.set((*_in_use.get(), (device, count)))
        return device

    def __exit__(self, *exception: object) -> None:
        _in_use.set(_in_use.get()[:-1])


# The blocks around what runs now: each device, and how many threads it came to when its block was entered.
_in_use: contextvars.ContextVar[tuple[tuple[Device, int], ...]] = contextvars.ContextVar("pelplug.device", default=())


def device_in_use() -> Device:
    """Return the device of the innermost block, with what was said of it; `Device()` outside of any."""
    blocks = _in_use.get()
    return blocks[-1][0] if blocks else Device()


def thread_count() -> int:
    """Return the number of threads kernels may use here.

    That of the `Device` in use; outside of any, what the environment says. A process that another one has started for
    its own purposes uses one thread unless the environment says otherwise.
    """
    blocks = _in_use.get()
    return blocks[-1][1] if blocks else _threads_of_environment()


def tell_libraries(threads: int) -> None:
    """Have linear algebra use so many threads, if it is not loaded yet: it asks the environment, once."""
    if "numpy" not in sys.modules:
        os.environ.update(dict.fromkeys(LIBRARY_VARIABLES, str(threads)))


def available_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _threads_of_environment() -> int:
    for name in _VARIABLES:
        if value := os.environ.get(name):
            if not value.isdigit() or int(value) < 1:
                raise InputError(f"The environment variable {name} is {value!r}; set it to a positive whole number.")
            return int(value)
    return 1 if multiprocessing.parent_process() is not None else available_cores()
