"""pelplug: the potential energy landscape of glass-forming liquids, as a small host with plugins.

Everything a plugin or a notebook may use is a name of this package; names are imported when first used,
so that ``import pelplug`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pelplug import models
    from pelplug.cli.file_command import file_command
    from pelplug.configuration import Configuration
    from pelplug.core.conditions import Conditions
    from pelplug.core.fields import Field, Need
    from pelplug.core.parameters import Param
    from pelplug.core.units import Units
    from pelplug.engines.engine import Dynamics, EnergyLog, Engine, EngineStatus, Session
    from pelplug.engines.isoconfigurational import IsoconfigurationalRuns
    from pelplug.engines.run import SimulationResult
    from pelplug.engines.swap.run import SwapResult, swap_monte_carlo
    from pelplug.errors import InputError, NotAMinimumError, NotConvergedError, PelplugError, RunError
    from pelplug.execution.compile import kernel
    from pelplug.execution.device import Device, available_cores, thread_count
    from pelplug.execution.lammps import load_lammps
    from pelplug.execution.processes import WorkerPool
    from pelplug.execution.progress import Progress
    from pelplug.execution.threads import run_ranges
    from pelplug.files.results import read_results, write_netcdf
    from pelplug.host.functions import analyze, model
    from pelplug.host.hookspecs import hookimpl
    from pelplug.host.simulations import isoconfigurational, simulate
    from pelplug.landscape import (
        DipoleStiffness,
        ElasticConstants,
        LinearResponse,
        QuenchResult,
        ShearModulus,
        SoftModes,
        SteepestDescentResult,
        dipole_stiffness,
        elastic_constants,
        pairs_near_cutoff,
        quench,
        quench_parameters,
        shear_modulus,
        soft_modes,
        steepest_descent,
    )
    from pelplug.models.base import Model
    from pelplug.plotting.style import unit_label
    from pelplug.potentials.base import Potential
    from pelplug.potentials.eam import EAMPotential
    from pelplug.potentials.eam_file import EAMTables, read_eam
    from pelplug.potentials.form import Form
    from pelplug.potentials.interaction import require_interaction
    from pelplug.potentials.pair import PairPotential
    from pelplug.potentials.stillinger_weber import StillingerWeberPotential
    from pelplug.tasks.analysis import Analysis
    from pelplug.tasks.in_situ import InSitu
    from pelplug.tasks.quenching import QuenchingAnalysis
    from pelplug.tasks.series import Series
    from pelplug.trajectories.energies import read_energies
    from pelplug.trajectories.opening import open_trajectory, read_configuration
    from pelplug.trajectories.readers.write import write_trajectory
    from pelplug.trajectories.trajectory import Trajectory

    __version__: str

# Which module each public name lives in.
_HOMES = {
    "pelplug.tasks.analysis": ("Analysis",),
    "pelplug.cli.file_command": ("file_command",),
    "pelplug.configuration": ("Configuration",),
    "pelplug.errors": ("InputError", "NotAMinimumError", "NotConvergedError", "PelplugError", "RunError"),
    "pelplug.execution.lammps": ("load_lammps",),
    "pelplug.core.conditions": ("Conditions",),
    "pelplug.core.fields": ("Field", "Need"),
    "pelplug.host.hookspecs": ("hookimpl",),
    "pelplug.host.functions": ("analyze", "model"),
    "pelplug.host.simulations": ("isoconfigurational", "simulate"),
    "pelplug.tasks.in_situ": ("InSitu",),
    "pelplug.tasks.quenching": ("QuenchingAnalysis",),
    "pelplug.tasks.series": ("Series",),
    "pelplug.execution.compile": ("kernel",),
    "pelplug.landscape": (
        "DipoleStiffness",
        "ElasticConstants",
        "LinearResponse",
        "QuenchResult",
        "ShearModulus",
        "SoftModes",
        "SteepestDescentResult",
        "dipole_stiffness",
        "elastic_constants",
        "pairs_near_cutoff",
        "quench",
        "quench_parameters",
        "shear_modulus",
        "soft_modes",
        "steepest_descent",
    ),
    "pelplug.models.base": ("Model",),
    "pelplug.core.parameters": ("Param",),
    "pelplug.plotting.style": ("unit_label",),
    "pelplug.potentials.base": ("Potential",),
    "pelplug.potentials.eam": ("EAMPotential",),
    "pelplug.potentials.eam_file": ("EAMTables", "read_eam"),
    "pelplug.potentials.form": ("Form",),
    "pelplug.potentials.interaction": ("require_interaction",),
    "pelplug.potentials.pair": ("PairPotential",),
    "pelplug.potentials.stillinger_weber": ("StillingerWeberPotential",),
    "pelplug.execution.device": ("Device", "available_cores", "thread_count"),
    "pelplug.execution.processes": ("WorkerPool",),
    "pelplug.execution.progress": ("Progress",),
    "pelplug.execution.threads": ("run_ranges",),
    "pelplug.files.results": ("read_results", "write_netcdf"),
    "pelplug.engines.engine": ("Dynamics", "EnergyLog", "Engine", "EngineStatus", "Session"),
    "pelplug.engines.isoconfigurational": ("IsoconfigurationalRuns",),
    "pelplug.engines.run": ("SimulationResult",),
    "pelplug.engines.swap.run": ("SwapResult", "swap_monte_carlo"),
    "pelplug.trajectories.energies": ("read_energies",),
    "pelplug.trajectories.opening": ("open_trajectory", "read_configuration"),
    "pelplug.trajectories.readers.write": ("write_trajectory",),
    "pelplug.trajectories.trajectory": ("Trajectory",),
    "pelplug.core.units": ("Units",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("engines", "files", "host", "landscape", "models", "potentials", "testing", "trajectories")

__all__ = [
    "Analysis",
    "Conditions",
    "Configuration",
    "Device",
    "DipoleStiffness",
    "Dynamics",
    "EAMPotential",
    "EAMTables",
    "ElasticConstants",
    "EnergyLog",
    "Engine",
    "EngineStatus",
    "Field",
    "Form",
    "InSitu",
    "InputError",
    "IsoconfigurationalRuns",
    "LinearResponse",
    "Model",
    "Need",
    "NotAMinimumError",
    "NotConvergedError",
    "PairPotential",
    "Param",
    "PelplugError",
    "Potential",
    "Progress",
    "QuenchResult",
    "QuenchingAnalysis",
    "RunError",
    "Series",
    "Session",
    "ShearModulus",
    "SimulationResult",
    "SoftModes",
    "SteepestDescentResult",
    "StillingerWeberPotential",
    "SwapResult",
    "Trajectory",
    "Units",
    "WorkerPool",
    "__version__",
    "analyze",
    "available_cores",
    "dipole_stiffness",
    "elastic_constants",
    "file_command",
    "hookimpl",
    "isoconfigurational",
    "kernel",
    "load_lammps",
    "model",
    "models",
    "open_trajectory",
    "pairs_near_cutoff",
    "quench",
    "quench_parameters",
    "read_configuration",
    "read_eam",
    "read_energies",
    "read_results",
    "require_interaction",
    "run_ranges",
    "shear_modulus",
    "simulate",
    "soft_modes",
    "steepest_descent",
    "swap_monte_carlo",
    "thread_count",
    "unit_label",
    "write_netcdf",
    "write_trajectory",
]


def __getattr__(name: str):
    if name in _HOME_OF:
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"pelplug.{name}")
    elif name == "__version__":
        from importlib.metadata import version

        value = version("pelplug")
    else:
        raise AttributeError(f"module 'pelplug' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
