"""Other programs asked the same question: LAMMPS and matscipy on a pelplug Configuration.

Import it as ``import oracles`` from any test below ``tests`` (conftest.py puts that folder on the path).
Nothing here uses pelplug's potentials or coefficients: the physics is stated again, in the other program's words.
"""

from oracles.numbers import (
    IPL_COEFFICIENTS,
    STICKY_COEFFICIENTS,
    exact_ipl_coefficients,
    exact_sticky_coefficients,
    smooth_terms,
)
from oracles.states import numerical_gradient, numerical_hessian
from oracles.supercooled import compare_searches, supercooled_run
from oracles.with_lammps import (
    Answer,
    build_lammps,
    harmonic_sphere_commands,
    ipl_commands,
    lammps,
    lj_commands,
    soft_sphere_commands,
    start_lammps,
    sticky_commands,
)
from oracles.with_matscipy import (
    ase_atoms,
    matscipy,
    matscipy_calculator,
    matscipy_hessian,
    matscipy_pair_functions,
)

__all__ = [
    "IPL_COEFFICIENTS",
    "STICKY_COEFFICIENTS",
    "Answer",
    "ase_atoms",
    "build_lammps",
    "compare_searches",
    "exact_ipl_coefficients",
    "exact_sticky_coefficients",
    "harmonic_sphere_commands",
    "ipl_commands",
    "lammps",
    "lj_commands",
    "matscipy",
    "matscipy_calculator",
    "matscipy_hessian",
    "matscipy_pair_functions",
    "numerical_gradient",
    "numerical_hessian",
    "replicated",
    "rotation",
    "settle",
    "smooth_terms",
    "soft_sphere_commands",
    "start_lammps",
    "sticky_commands",
    "supercooled_run",
    "tilted",
]
