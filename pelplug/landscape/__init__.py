"""From a configuration to its inherent structure, and the Hessian there. For tasks and plugins."""

from pelplug.landscape.descent.steepest_descent import SteepestDescentResult, steepest_descent
from pelplug.landscape.dipoles import (
    DipoleResponse,
    DipoleStiffness,
    dipole_response,
    dipole_stiffness,
    pairs_near_cutoff,
)
from pelplug.landscape.elasticity import ElasticConstants, ShearModulus, elastic_constants, shear_modulus
from pelplug.landscape.frequencies import log_frequency_sum
from pelplug.landscape.hessian.response import LinearResponse
from pelplug.landscape.minimise.quench import MINIMISERS, QuenchResult, quench, quench_parameters
from pelplug.landscape.soft_modes import SoftModes, soft_modes
from pelplug.landscape.traps import TrapLandscape

__all__ = [
    "MINIMISERS",
    "DipoleResponse",
    "DipoleStiffness",
    "ElasticConstants",
    "LinearResponse",
    "QuenchResult",
    "ShearModulus",
    "SoftModes",
    "SteepestDescentResult",
    "TrapLandscape",
    "dipole_response",
    "dipole_stiffness",
    "elastic_constants",
    "log_frequency_sum",
    "pairs_near_cutoff",
    "quench",
    "quench_parameters",
    "shear_modulus",
    "soft_modes",
    "steepest_descent",
]
