"""Starting OpenMM: systems, contexts and topologies of GROMACS, for the potentials and the engine that use it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import importlib.metadata
import importlib.util
import itertools
import warnings
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from pelplug.core.cells import compact, upper_triangular
from pelplug.errors import InputError, RunError, reason_of
from pelplug.execution.device import thread_count

__all__ = [
    "DOUBLE",
    "INSTALL",
    "PLATFORMS",
    "Ewald",
    "ewald_edges",
    "forces_at_cutoff",
    "gromacs_system",
    "gromacs_topology",
    "load_openmm",
    "openmm_errors",
    "openmm_version",
    "reduced_box",
    "start_context",
    "system_of",
]

INSTALL = "Install OpenMM with `pip install 'pelplug[openmm]'`."

PLATFORMS = ("Reference", "CPU", "CUDA", "OpenCL", "HIP")
"""What OpenMM may compute on."""

DOUBLE = {"CUDA": "Precision", "OpenCL": "Precision", "HIP": "Precision"}
"""The property of each platform that makes it compute in double precision, where it can be asked to."""

_NO_ENERGY = (
    "AndersenThermostat",
    "CMMotionRemover",
    "MonteCarloAnisotropicBarostat",
    "MonteCarloBarostat",
    "MonteCarloFlexibleBarostat",
    "MonteCarloMembraneBarostat",
    "RPMDMonteCarloBarostat",
)
_KINDS = 20  # of particles whose pairs are looked at, of more the first
_NEAR = 0.05  # logarithm of edges whose sums over images are as fine


def openmm_version() -> str | None:
    """Return the version that is installed, "unknown" if it does not say, None without OpenMM; it is not loaded."""
    if importlib.util.find_spec("openmm") is None:
        return None
    try:
        return importlib.metadata.version("openmm")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def load_openmm() -> ModuleType:
    """Import the module ``openmm``.

    Raises
    ------
    InputError
        If it is not installed or cannot be loaded.
    """
    try:
        return importlib.import_module("openmm")
    except (ImportError, OSError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "openmm":
            raise InputError(f"OpenMM is not installed. {INSTALL}") from None
        raise InputError(f"OpenMM is installed but does not start ({reason_of(error)}). {INSTALL}") from error


@contextlib.contextmanager
def openmm_errors(what: str, kind: type[InputError] | type[RunError] = InputError) -> Iterator[None]:
    """Turn what OpenMM raises into one sentence that begins with ``what``."""
    try:
        yield
    except (InputError, RunError):
        raise
    except Exception as error:
        raise kind(f"{what}: {reason_of(error).rstrip('.')}.") from error


def start_context(system: Any, integrator: Any, platform: str) -> Any:
    """Return a Context of a System, in double precision where the platform can be asked for it.

    Raises
    ------
    InputError
        If there is no such platform here, or it cannot compute this System.
    """
    openmm = load_openmm()
    known = [openmm.Platform.getPlatform(k).getName() for k in range(openmm.Platform.getNumPlatforms())]
    if platform not in known:
        raise InputError(f"OpenMM has no platform {platform} here; it has {', '.join(known)}.")
    properties = {DOUBLE[platform]: "double"} if platform in DOUBLE else {}
    if platform == "CPU":
        properties["Threads"] = str(thread_count())
    with openmm_errors(f"OpenMM does not take this System on its platform {platform}"):
        return openmm.Context(system, integrator, openmm.Platform.getPlatformByName(platform), properties)


def reduced_box(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of a lattice as OpenMM wants them, and the rotation that turns row vectors into their axes.

    Parameters
    ----------
    cell : ndarray, shape (3, 3)
        Cell vectors as rows [length].

    Returns
    -------
    box : ndarray, shape (3, 3)
        Of the same lattice, turned: zero above the diagonal, tilted by half a length at most [length].
    rotation : ndarray, shape (3, 3)
    """
    box, rotation = upper_triangular(compact(cell))
    for row, along in ((1, 0), (2, 1), (2, 0)):
        box[row] -= np.rint(box[row, along] / box[along, along]) * box[along]
    return box, rotation


@functools.cache
def _topology_class(flexible: bool) -> type:
    """Return OpenMM's reader of GROMACS's topologies, GROMACS's FLEXIBLE and a list of what is read."""
    app: Any = importlib.import_module("openmm.app")

    class Topology(app.GromacsTopFile):
        def _processFile(self, file: str) -> None:  # noqa: N802 (OpenMM's)
            if not hasattr(self, "read"):
                self.read: list[str] = []
                if not flexible:
                    self._defines.pop("FLEXIBLE", None)  # OpenMM sets it always, and has rigid water of its own instead
            self.read.append(file)
            super()._processFile(file)

    return Topology


def gromacs_topology(file: str, edge: float, folder: str | None, defines: Mapping[str, str]) -> Any:
    """Read a topology of GROMACS; its attribute ``read`` lists the files, of which the first is ``file``.

    Parameters
    ----------
    file : str
        ``topol.top``.
    edge : float
        Of some cubic box, which a topology does not have [nm].
    folder : str, optional
        Where includes are looked for besides the topology's own folder; GROMACS's own by default.
    defines : mapping of str to str
        As ``-D`` in the mdp's ``define``.

    Raises
    ------
    InputError
        If it cannot be read, with OpenMM's reason.
    """
    openmm = load_openmm()
    with openmm_errors(f"OpenMM cannot read the topology {file}"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves files open
        return _topology_class("FLEXIBLE" in defines)(
            file, unitCellDimensions=openmm.Vec3(edge, edge, edge), includeDir=folder, defines=dict(defines)
        )


def gromacs_system(
    topology: Any, cutoff: float, modifier: str, switch: float | None, electrostatics: str, constraints: str
) -> tuple[str, list[str], int]:
    """Return a topology's System as text, the name of each atom, and how many are charged.

    Parameters
    ----------
    topology
        From `gromacs_topology`.
    cutoff, switch : float
        Where forces end, and where the switch begins [nm].
    modifier : {"none", "potential-shift", "potential-switch"}
        GROMACS's vdw-modifier.
    electrostatics : {"none", "ewald", "pme"}
    constraints : {"none", "h-bonds", "all-bonds"}
        Besides those of the topology itself.
    """
    app = importlib.import_module("openmm.app")
    openmm = load_openmm()
    method = {"none": app.CutoffPeriodic, "ewald": app.Ewald, "pme": app.PME}[electrostatics]
    held = {"none": None, "h-bonds": app.HBonds, "all-bonds": app.AllBonds}[constraints]
    with openmm_errors("OpenMM cannot compute what the topology asks for"):
        system = topology.createSystem(
            nonbondedMethod=method,
            nonbondedCutoff=cutoff,
            constraints=held,
            rigidWater=False,  # the topology says so itself: [ settles ]
            removeCMMotion=False,
            switchDistance=switch,
            useDispersionCorrection=False,
        )
    if modifier == "potential-shift":
        _shift(openmm, system, cutoff)
    (coulomb,) = (force for force in system.getForces() if isinstance(force, openmm.NonbondedForce))
    charges = [coulomb.getParticleParameters(k)[0]._value for k in range(system.getNumParticles())]
    kinds = topology._moleculeTypes  # its public Topology has other names, those of the PDB
    names = [atom[4] for name, count in topology._molecules for atom in kinds[name].atoms * count]
    return openmm.XmlSerializer.serialize(system), names, sum(charge != 0.0 for charge in charges)


def _shift(openmm: ModuleType, system: Any, cutoff: float) -> None:
    """Take from each pair's Lennard-Jones energy what it is at the cutoff, as GROMACS does by default."""
    for force in list(system.getForces()):
        if isinstance(force, openmm.CustomNonbondedForce):
            energy, *rest = force.getEnergyFunction().split(";")
            at_end = energy.replace("r6", "s6").replace("r^", f"{cutoff!r}^")
            force.setEnergyFunction(";".join([f"{energy}-({at_end})", *rest, f"s6={cutoff**6!r}"]))
        elif isinstance(force, openmm.NonbondedForce):
            constant = openmm.CustomNonbondedForce(f"-4*sqrt(e1*e2)*(x^2-x); x=(0.5*(s1+s2)/{cutoff!r})^6")
            constant.setName("PotentialShift")
            constant.addPerParticleParameter("s")
            constant.addPerParticleParameter("e")
            for k in range(force.getNumParticles()):
                _, sigma, epsilon = force.getParticleParameters(k)
                constant.addParticle([sigma, epsilon])
            for k in range(force.getNumExceptions()):
                constant.addExclusion(*force.getExceptionParameters(k)[:2])
            constant.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffPeriodic)
            constant.setCutoffDistance(cutoff)
            system.addForce(constant)


def forces_at_cutoff(force: Any) -> np.ndarray:
    """Return the force of each pair of kinds of particles just inside the cutoff of a CustomNonbondedForce [kJ/mol/nm].

    Positive where particles repel each other; empty where it has a switch.
    """
    openmm = load_openmm()
    if force.getUseSwitchingFunction():
        return np.zeros(0)
    kinds = sorted({tuple(force.getParticleParameters(k)) for k in range(force.getNumParticles())})[:_KINDS]
    pair = openmm.CustomNonbondedForce(force.getEnergyFunction())
    for k in range(force.getNumPerParticleParameters()):
        pair.addPerParticleParameter(force.getPerParticleParameterName(k))
    for k in range(force.getNumGlobalParameters()):
        pair.addGlobalParameter(force.getGlobalParameterName(k), force.getGlobalParameterDefaultValue(k))
    for k in range(force.getNumTabulatedFunctions()):
        function = openmm.XmlSerializer.clone(force.getTabulatedFunction(k))
        pair.addTabulatedFunction(force.getTabulatedFunctionName(k), function)
    system, r = openmm.System(), force.getCutoffDistance()._value
    for _ in range(2):
        system.addParticle(1.0)
        pair.addParticle(kinds[0])
    system.addForce(pair)
    with openmm_errors("OpenMM cannot compute a pair of particles of this System"):
        context = start_context(system, openmm.VerletIntegrator(1e-3), "Reference")
        context.setPositions(np.array([[0.0, 0.0, 0.0], [r, 0.0, 0.0]]))
        found = []
        for one, other in itertools.combinations_with_replacement(kinds, 2):
            for k, kind in enumerate((one, other)):
                pair.setParticleParameters(k, kind)
            pair.updateParametersInContext(context)
            found.append(context.getState(getForces=True).getForces(asNumpy=True)._value[1, 0])
    return np.array(found)


@dataclasses.dataclass(frozen=True)
class Ewald:
    """How fine sums over images are, in GROMACS's terms.

    Attributes
    ----------
    screening : float
        The splitting parameter, from ``ewald-rtol``: ``erfc(screening * cutoff) = ewald-rtol`` [1 / nm].
    cutoff : float
        Of the direct sum [nm].
    spacing : float or None
        Largest distance of the points of the grid, ``fourierspacing`` [nm]; None for the plain sum.
    """

    screening: float
    cutoff: float
    spacing: float | None


def system_of(xml: str, ewald: Ewald | None = None, box: np.ndarray | None = None) -> Any:
    """Return the System that a text stands for, without what has no energy, and with every bond to the nearest image.

    Parameters
    ----------
    xml : str
        As OpenMM's XmlSerializer writes it.
    ewald : Ewald, optional
        With it, the sum over images is made as fine as it says in ``box``; else as the System says.
    box : ndarray, shape (3, 3), optional
        As `reduced_box` gives it.

    Raises
    ------
    InputError
        If it is none.
    """
    openmm = load_openmm()
    with openmm_errors("The file is no serialised System of OpenMM (XmlSerializer.serialize(system))"):
        system = openmm.XmlSerializer.deserialize(xml)
        if not isinstance(system, openmm.System):
            raise InputError(f"The file is a {type(system).__name__} of OpenMM, not a System; serialise the System.")
    for k in reversed(range(system.getNumForces())):
        force = system.getForce(k)
        if type(force).__name__ in _NO_ENERGY:
            system.removeForce(k)
        elif hasattr(force, "setUsesPeriodicBoundaryConditions"):
            force.setUsesPeriodicBoundaryConditions(True)  # molecules of a wrapped file are broken
        elif hasattr(force, "setExceptionsUsePeriodicBoundaryConditions"):
            force.setExceptionsUsePeriodicBoundaryConditions(True)
    if ewald is not None and box is not None:
        _refine(system, ewald, box)
    return system


def ewald_edges(box: np.ndarray) -> tuple[float, ...]:
    """Return edges for which the sum over images is made: the same for boxes that are nearly so, a little larger."""
    return tuple(float(np.exp(_NEAR * np.ceil(np.log(edge) / _NEAR))) for edge in np.diag(box))


def _refine(system: Any, ewald: Ewald, box: np.ndarray) -> None:
    edges = ewald_edges(box)
    openmm = load_openmm()
    system.setDefaultPeriodicBoxVectors(*(openmm.Vec3(*row) for row in np.diag(edges).tolist()))
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            if ewald.spacing is None:  # OpenMM has screening = sqrt(-ln(2 tolerance)) / cutoff
                force.setEwaldErrorTolerance(0.5 * float(np.exp(-((ewald.screening * ewald.cutoff) ** 2))))
            else:
                force.setPMEParameters(ewald.screening, *(int(np.ceil(edge / ewald.spacing)) for edge in edges))
