"""HOOMD-blue as an engine."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.parameters import Param
from pelplug.engines.engine import Engine, EngineStatus, EquationsOfMotion
from pelplug.engines.hoomd.session import HoomdSession
from pelplug.errors import InputError
from pelplug.execution.device import Device
from pelplug.execution.ranks import Ranks, mpi_libraries, size_in_environment
from pelplug.models.base import Model

__all__ = ["HoomdEngine"]

_INSTALL = "install it with `conda install -c conda-forge hoomd`, or make an environment from environment.yml."


class HoomdEngine(Engine):
    """HOOMD-blue: every model in two and three dimensions, by its own forces or by pelplug's kernels.

    With mpi every rank runs the same commands, and the first one decides and writes.

    Raises
    ------
    InputError
        If HOOMD-blue is not installed, has no such device, or a name is unknown.

    References
    ----------
    J. A. Anderson, J. Glaser and S. C. Glotzer, Comput. Mater. Sci. 173, 109363 (2020).
    """

    name = "hoomd"
    holds_pressure = True
    summary = "HOOMD-blue: molecular dynamics on CPU, GPU or MPI, with every model of pelplug through custom forces"

    entries_before = (
        'device : {"auto", "cpu", "cuda"} or Device\n    See `pelplug.engines.engine.Engine`.',
        "threads : int, optional\n    Threads of pelplug's kernels.",
    )

    def __init__(
        self,
        device: str | Device = "auto",
        threads: int | None = None,
        *,
        route: Annotated[
            Literal["auto", "native", "table", "kernel"],
            Param(
                "how forces are computed: HOOMD's own pair force, HOOMD's interpolation of a table, pelplug's kernels; "
                "auto is the fastest that is exact"
            ),
        ] = "auto",
        mpi: Annotated[
            bool, Param("all ranks that mpirun has started run each simulation together, on CPUs; else each its own")
        ] = False,
    ):
        if device == "mpi":
            warnings.warn(
                "MPI is now an option of the engine hoomd, --mpi (mpi=True in Python), and "
                "--device mpi is taken as that",
                stacklevel=2,
            )
            device, mpi = "auto", True
        super().__init__(device, threads)
        hoomd = _load()
        if hoomd is None:
            raise InputError(self.status().missing)
        self.route = route
        self.kind = _kind(hoomd, self.device.kind, mpi)
        self._device = None
        if self.kind == "mpi":
            from mpi4py import MPI

            self.ranks = Ranks(MPI.COMM_WORLD)

    @classmethod
    def status(cls) -> EngineStatus:
        """Return version, devices, and what is missing; never an error."""
        try:
            hoomd = _load()
        except Exception as error:  # a broken installation must not stop the list of engines
            said = " ".join(str(error).split()) or type(error).__name__
            return EngineStatus(False, missing=f"HOOMD-blue is installed but cannot be imported ({said}); {_INSTALL}")
        if hoomd is None:
            return EngineStatus(False, missing=f"HOOMD-blue is not installed; {_INSTALL}")
        devices = ["cpu"]
        if _has_gpu(hoomd):
            devices += [f"cuda: {name}" for name in hoomd.device.GPU.get_available_devices()]
        if hoomd.version.mpi_enabled:
            devices.append("cpu by MPI")
        missing = ""
        if not hoomd.version.gpu_enabled:
            missing = 'This build has no GPU support; conda-forge has one: `conda install "hoomd=*=*gpu*"`.'
        return EngineStatus(True, str(hoomd.version.version), tuple(devices), missing)

    def session(
        self,
        configuration: Configuration,
        model: Model,
        dynamics: EquationsOfMotion,
        *,
        seed: int,
        log_every: int = 0,
        internal: dict[str, np.ndarray] | None = None,
    ) -> HoomdSession:
        """Take up a system; see `pelplug.engines.engine.Engine.session`."""

        def on(kind: str) -> HoomdSession:
            return HoomdSession(
                configuration,
                model,
                dynamics,
                device=self._get_device(kind),
                kind=kind,
                route=self.route,
                on=self.device,
                seed=seed,
                log_every=log_every,
                internal=internal,
            )

        return _first_that_can(on, self.kind, self.device.kind)

    def __getstate__(self):
        # Devices and communicators stay in their process.
        return {name: value for name, value in self.__dict__.items() if name != "ranks"} | {"_device": None}

    def _get_device(self, kind: str):
        # One device for all sessions: making one costs more than a short run.
        if self._device is None or self._device[0] != kind:
            import hoomd

            if hoomd.version.mpi_enabled and len(found := mpi_libraries()) > 1:
                raise InputError(
                    "This HOOMD-blue was built with MPI, and another MPI is in this process already, most likely that "
                    f"of LAMMPS ({', '.join(found)}); run HOOMD-blue in a process of its own."
                )
            make = hoomd.device.GPU if kind == "cuda" else hoomd.device.CPU
            shared = {}
            if hoomd.version.mpi_enabled and kind != "mpi" and size_in_environment() > 1:
                shared["communicator"] = hoomd.communicator.Communicator(ranks_per_partition=1)
            try:
                self._device = (kind, make(notice_level=1, **shared))
            except RuntimeError as error:
                if kind != "cuda":
                    raise
                raise InputError(f"HOOMD-blue cannot use the GPU here ({_said(error)}); use device cpu.") from error
        return self._device[1]


def _first_that_can(on: Callable[[str], HoomdSession], kind: str, wanted: str) -> HoomdSession:
    try:
        return on(kind)
    except InputError as error:
        if not (wanted == "auto" and kind == "cuda"):
            raise
        # A model without a CUDA kernel, a box too small for HOOMD's neighbour list, or numba without CUDA.
        session = on("cpu")
        warnings.warn(f"The simulation runs on the CPU, not on the GPU: {error}", stacklevel=2)
        return session


def _load():
    """Return the package, or None where it is not installed."""
    if importlib.util.find_spec("hoomd") is None:
        return None
    hoomd = importlib.import_module("hoomd")
    importlib.import_module("hoomd.md")
    return hoomd


def _has_gpu(hoomd) -> bool:
    return bool(hoomd.version.gpu_enabled and hoomd.device.GPU.is_available())


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _why_no_gpu(hoomd) -> str:
    """Return what HOOMD-blue has against the GPUs that are here; empty if there is none, or no support for one."""
    if not hoomd.version.gpu_enabled:
        return ""
    try:
        reasons = hoomd.device.GPU.get_unavailable_device_reasons()
    except (AttributeError, RuntimeError) as error:
        return _said(error)
    return "; ".join(" ".join(str(reason).split()) for reason in reasons)


def _kind(hoomd, wanted: str, mpi: bool) -> str:
    """Return what a session runs on: cpu, cuda, or mpi, which is the CPUs of several processes."""
    if mpi:
        return _with_mpi(hoomd, wanted)
    if wanted == "auto":
        if hoomd.version.mpi_enabled and (size := size_in_environment()) > 1:
            raise InputError(
                f"mpirun has started {size} processes; say --mpi for one simulation by all of them, or --device cpu "
                "(or cuda) where each has an output of its own."
            )
        if _has_gpu(hoomd):
            return "cuda"
        if reason := _why_no_gpu(hoomd):
            warnings.warn(
                f"The simulation runs on the CPU, for HOOMD-blue cannot use a GPU here: {reason}", stacklevel=3
            )
        return "cpu"
    if wanted == "cuda" and not _has_gpu(hoomd):
        reason = _why_no_gpu(hoomd) or "there is none, or it was built without GPU support"
        raise InputError(f"HOOMD-blue finds no GPU here ({reason}); use device cpu.")
    return wanted


def _with_mpi(hoomd, wanted: str) -> str:
    if wanted == "cuda":
        raise InputError("With MPI the engine hoomd runs on CPUs; leave out --device cuda, or --mpi.")
    if not hoomd.version.mpi_enabled:
        raise InputError("This HOOMD-blue was built without MPI; install an MPI build, or leave --mpi out.")
    if importlib.util.find_spec("mpi4py") is None:
        raise InputError("Running HOOMD-blue with MPI needs mpi4py, which is not installed; install mpi4py.")
    return "mpi"
