# The public face of pelplug: each public name once, with the module where it lives, grouped by whom it is for. Python,
# editors, type checkers and docs/api.md read this file; "X as X" is how a stub says that X is public.

# --- for users: notebooks and scripts
# -- what is run

from . import models as models
from .engines.isoconfigurational import IsoconfigurationalRuns as IsoconfigurationalRuns
from .engines.run import SimulationResult as SimulationResult
from .engines.swap.run import SwapResult as SwapResult
from .engines.swap.run import swap_monte_carlo as swap_monte_carlo
from .execution.device import Device as Device
from .host.analyses import analyses as analyses
from .host.figures import plot as plot
from .host.functions import analyze as analyze
from .host.functions import model as model
from .host.functions import potential as potential
from .host.simulations import isoconfigurational as isoconfigurational
from .host.simulations import simulate as simulate
from .host.studies import study as study
from .tasks.in_situ import InSitu as InSitu

# isort: split
# -- states, files and results

from .configuration import Configuration as Configuration
from .core.conditions import Conditions as Conditions
from .core.units import Units as Units
from .files.results import read_results as read_results
from .files.results import write_netcdf as write_netcdf
from .trajectories.energies import read_energies as read_energies
from .trajectories.opening import open_trajectory as open_trajectory
from .trajectories.opening import read_configuration as read_configuration
from .trajectories.readers.write import write_trajectory as write_trajectory
from .trajectories.trajectory import Trajectory as Trajectory

# isort: split
# -- from a state to its minimum, and there

from .landscape.descent.steepest_descent import SteepestDescentResult as SteepestDescentResult
from .landscape.descent.steepest_descent import steepest_descent as steepest_descent
from .landscape.dipoles import DipoleResponse as DipoleResponse
from .landscape.dipoles import DipoleStiffness as DipoleStiffness
from .landscape.dipoles import dipole_response as dipole_response
from .landscape.dipoles import dipole_stiffness as dipole_stiffness
from .landscape.elasticity import ElasticConstants as ElasticConstants
from .landscape.elasticity import ShearModulus as ShearModulus
from .landscape.elasticity import elastic_constants as elastic_constants
from .landscape.elasticity import shear_modulus as shear_modulus
from .landscape.frequencies import log_frequency_sum as log_frequency_sum
from .landscape.hessian.response import LinearResponse as LinearResponse
from .landscape.minimise.quench import QuenchResult as QuenchResult
from .landscape.minimise.quench import quench as quench
from .landscape.soft_modes import SoftModes as SoftModes
from .landscape.soft_modes import soft_modes as soft_modes
from .landscape.traps import TrapLandscape as TrapLandscape

# isort: split
# -- errors

from .errors import InputError as InputError
from .errors import NotAMinimumError as NotAMinimumError
from .errors import NotConvergedError as NotConvergedError
from .errors import PelplugError as PelplugError
from .errors import RunError as RunError

__version__: str

# isort: split
# --- for authors of plugins: analyses, studies, exporters, readers, commands
# -- what a plugin offers, and declares

from . import testing as testing
from .cli.file_command import file_command as file_command
from .core.fields import Field as Field
from .core.fields import Need as Need
from .core.parameters import Param as Param
from .host.hookspecs import hookimpl as hookimpl
from .tasks.analysis import Analysis as Analysis
from .tasks.collection import Collection as Collection
from .tasks.from_function import analysis as analysis
from .tasks.landscape_theory import LandscapeTheory as LandscapeTheory
from .tasks.quenching import QuenchingAnalysis as QuenchingAnalysis
from .tasks.series import Series as Series
from .tasks.study import Study as Study
from .trajectories.readers.reader import Reader as Reader

# isort: split
# -- what it computes with

from .execution.compile import kernel as kernel
from .execution.device import available_cores as available_cores
from .execution.device import thread_count as thread_count
from .execution.lammps import load_lammps as load_lammps
from .execution.processes import WorkerPool as WorkerPool
from .execution.progress import Progress as Progress
from .execution.threads import run_ranges as run_ranges
from .landscape.dipoles import pairs_near_cutoff as pairs_near_cutoff
from .plotting.panel import Panel as Panel
from .plotting.text import unit_label as unit_label
from .potentials.first_minimum import first_minimum as first_minimum
from .potentials.first_shells import FirstShells as FirstShells
from .potentials.first_shells import first_shells as first_shells
from .potentials.length_scale import LengthScale as LengthScale
from .potentials.length_scale import length_scale as length_scale
from .potentials.near_pairs import NearPairs as NearPairs
from .potentials.near_pairs import near_pairs as near_pairs
from .potentials.particle_sizes import ParticleSizes as ParticleSizes
from .potentials.particle_sizes import particle_sizes as particle_sizes
from .tasks.independence import average_frames as average_frames
from .tasks.independence import bin_errors as bin_errors
from .tasks.independence import frame_sums as frame_sums
from .tasks.independence import independent_samples as independent_samples
from .tasks.independence import sample_histograms as sample_histograms
from .tasks.independence import scatter_of_blocks as scatter_of_blocks
from .tasks.independence import too_few_samples as too_few_samples
from .tasks.independence import unit_sums as unit_sums
from .tasks.statistics import FEWEST_FOR_ERROR as FEWEST_FOR_ERROR
from .tasks.statistics import FEWEST_FOR_INTERVAL as FEWEST_FOR_INTERVAL
from .tasks.statistics import ONE_SIGMA as ONE_SIGMA
from .tasks.statistics import Bootstrap as Bootstrap
from .tasks.statistics import Jackknife as Jackknife
from .tasks.statistics import block_of as block_of
from .tasks.statistics import block_sums as block_sums
from .tasks.statistics import effective_samples as effective_samples
from .tasks.statistics import relative_to as relative_to
from .tasks.statistics import standard_error as standard_error
from .tasks.statistics import state_errors as state_errors
from .tasks.statistics import statistical_inefficiency as statistical_inefficiency
from .tasks.statistics import student_factor as student_factor

# isort: split
# --- for authors of models and potentials

from .host.functions import form as form
from .models.base import Model as Model
from .potentials.base import Capability as Capability
from .potentials.base import Evaluator as Evaluator
from .potentials.base import Pairs as Pairs
from .potentials.base import Potential as Potential
from .potentials.base import StrainDerivatives as StrainDerivatives
from .potentials.constraints import Constraints as Constraints
from .potentials.eam import EAMPotential as EAMPotential
from .potentials.eam_file import EAMTables as EAMTables
from .potentials.eam_file import read_eam as read_eam
from .potentials.form import Form as Form
from .potentials.from_forces.potential import FromForces as FromForces
from .potentials.pair import PairPotential as PairPotential
from .potentials.provider import Provider as Provider
from .potentials.stillinger_weber import StillingerWeberPotential as StillingerWeberPotential

# isort: split
# --- for authors of engines

from .engines.energy_log import EnergyLog as EnergyLog
from .engines.engine import Engine as Engine
from .engines.engine import EngineStatus as EngineStatus
from .engines.engine import EquationsOfMotion as EquationsOfMotion
from .engines.engine import Session as Session
from .engines.velocities import kinetic_temperature as kinetic_temperature
from .engines.velocities import thermalised as thermalised
