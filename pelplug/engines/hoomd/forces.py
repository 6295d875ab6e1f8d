"""The routes by which HOOMD-blue gets the forces of a model: its own pair force, a table, or pelplug's kernels."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from pelplug.configuration import Configuration
from pelplug.engines.hoomd.view import HoomdView
from pelplug.errors import InputError
from pelplug.execution.compile import Family
from pelplug.potentials.base import Potential
from pelplug.potentials.forms.lennard_jones import lennard_jones
from pelplug.potentials.pair import PairPotential, group_numbers
from pelplug.potentials.truncations import cut, shift

__all__ = ["Route", "choose_route"]


_BUFFER = 0.4  # margin of HOOMD's neighbour list in units of the largest sigma
_LEAST_BUFFER = 0.1  # below this it would be rebuilt every few steps
_TABLE_WIDTH = 20_000
_HARD = 1e4  # a table begins where the energy is this many times the largest one beyond sigma


@dataclasses.dataclass(frozen=True)
class Route:
    """How the forces of a model reach HOOMD-blue.

    Attributes
    ----------
    kind : {"native", "table", "kernel"}
        HOOMD's pair force, HOOMD's interpolation of a table, or pelplug's own kernels.
    text : str
        The same with what does it.
    build : callable
        ``build(simulation, frame, configuration, raw)`` returns the `hoomd.md.force.Force`.
    interpolation_error : dict or None
        Of a table: largest error of pair ``energy`` [energy] and ``force`` [energy / length] anywhere from
        ``distance`` [units of the pair's sigma] on; ``jump``, the largest force at a cutoff, which HOOMD spreads over
        the last interval of the table, where the error is as large; and ``inside``, that of the force before it.
    reach : float
        Of HOOMD's neighbour list: the longest cutoff and its margin [length]; 0 where the route has its own list.
    """

    kind: str
    text: str
    build: Callable
    interpolation_error: dict[str, float] | None = None
    reach: float = 0.0


def choose_route(wanted: str, potential: Potential, frame: HoomdView, configuration: Configuration, kind: str) -> Route:
    """Return the route for a model on cpu, cuda or mpi.

    ``auto`` is the kernel on one process's CPU: it is in double precision, exact, right in small boxes, and was
    measured to be about twice as fast as HOOMD's ``pair.LJ`` there. On a GPU and with MPI it is HOOMD's own force
    where that is exact, else a table, else (on a GPU) the CUDA kernel.

    Raises
    ------
    InputError
        If there is no such route for the potential, the box or the device.
    """
    by_type = type(potential) is PairPotential and not potential.per_particle
    native = by_type and potential.form.function is lennard_jones
    native = native and potential.truncated in (cut(potential.form), shift(potential.form))
    if wanted == "auto":
        elsewhere = "native" if native else "table"
        wanted = "kernel" if kind == "cpu" or not by_type else elsewhere
    if wanted == "kernel":
        if kind == "mpi":
            raise InputError(
                "With MPI the engine hoomd runs pair potentials between species only, by HOOMD's own force or a table; "
                "leave --mpi out: in one process pelplug's kernels run in threads."
            )
        return _cuda(potential, configuration) if kind == "cuda" else _kernel(potential)
    if wanted == "native" and not native:
        raise InputError(
            "HOOMD-blue has no pair force of exactly this form; its pair.LJ is Lennard-Jones between species, cut or "
            "shifted in energy: use the route kernel or table."
        )
    if not by_type:
        raise InputError(
            "A table serves a pair potential between species only, and this one has many-body terms or a diameter "
            "for each particle; use the route kernel."
        )
    buffer = _buffer(potential, configuration)
    return _native(potential, frame, buffer) if wanted == "native" else _table(potential, frame, configuration, buffer)


def _buffer(potential: PairPotential, configuration: Configuration) -> float:
    scale = float(configuration.diameters.max()) if potential.per_particle else float(potential.sigma.max())
    reach = potential.cutoff * (scale if potential.per_particle else 1.0)
    room = 0.5 * float(np.min(configuration.heights)) - reach
    if room < _LEAST_BUFFER * scale:
        raise InputError(
            f"HOOMD's neighbour list needs half the box ({0.5 * np.min(configuration.heights):.6g}) to be larger than "
            f"the cutoff {reach:.6g} by {_LEAST_BUFFER * scale:.3g} at least; use the route kernel, which "
            "sums over images, or a larger system."
        )
    return min(_BUFFER * scale, 0.999 * room)


def _pairs(frame: HoomdView, potential: PairPotential):
    groups = frame.groups(potential.species)
    for a in range(frame.n_types):
        for b in range(a, frame.n_types):
            yield (frame.names[a], frame.names[b]), (groups[a], groups[b])


def _native(potential: PairPotential, frame: HoomdView, buffer: float) -> Route:
    def build(simulation, frame, configuration, raw):
        import hoomd

        mode = "shift" if potential.truncated == shift(potential.form) else "none"
        force = hoomd.md.pair.LJ(hoomd.md.nlist.Cell(buffer=buffer), mode=mode)
        for names, at in _pairs(frame, potential):
            force.params[names] = {
                "epsilon": float(potential.parameters["epsilon"][at]),
                "sigma": float(potential.sigma[at]),
            }
            force.r_cut[names] = float(potential.pair_cutoff[at])
        return force

    return Route("native", "native: hoomd.md.pair.LJ", build, reach=potential.cutoff + buffer)


def _table(potential: PairPotential, frame: HoomdView, configuration: Configuration, buffer: float) -> Route:
    found = potential.pairs(configuration)
    groups = group_numbers(configuration, potential.species)
    nearest = float((found.distances / potential.sigma[groups[found.i], groups[found.j]]).min(initial=0.9))
    tables, errors = {}, []
    for names, at in _pairs(frame, potential):
        sigma, cutoff = float(potential.sigma[at]), float(potential.pair_cutoff[at])
        start = _table_start(potential, at)
        if start > 0 and start >= 0.9 * nearest:
            raise InputError(
                f"Two particles are {nearest:.3g} sigma apart, nearer than the table of this potential begins; "
                "quench or melt the configuration with the route kernel first."
            )
        r = np.linspace(start * sigma, cutoff, _TABLE_WIDTH, endpoint=False)
        energy, force = _evaluate(potential, at, r)
        tables[names] = (start * sigma, cutoff, energy, force)
        errors.append(_interpolation_error(potential, at, max(start, 0.9 * nearest) * sigma, *tables[names]))
    ends = [
        _evaluate(potential, at, np.array([float(potential.pair_cutoff[at])])) for _, at in _pairs(frame, potential)
    ]
    # Beyond the cutoff there is nothing: what is left of energy and force there goes over the last interval.
    jumps = {"energy": max(abs(float(e[0])) for e, _ in ends), "force": max(abs(float(f[0])) for _, f in ends)}
    inside = {"energy": max(e for e, _ in errors), "force": max(f for _, f in errors)}
    error = {name: max(inside[name], jumps[name]) for name in inside}
    error |= {"jump": jumps["force"], "inside": inside["force"], "distance": 0.9 * nearest}

    def build(simulation, frame, configuration, raw):
        import hoomd

        force = hoomd.md.pair.Table(hoomd.md.nlist.Cell(buffer=buffer))
        for names, (r_min, cutoff, energies, forces) in tables.items():
            force.params[names] = {"r_min": r_min, "U": energies, "F": forces}
            force.r_cut[names] = cutoff
        return force

    text = f"table: hoomd.md.pair.Table, {_TABLE_WIDTH} values, errors up to {error['energy']:.1e} in the energy and "
    text += f"{error['force']:.1e} in the force of a pair"
    if error["jump"] > error["inside"]:
        text += f" (its jump at the cutoff; {error['inside']:.1e} elsewhere)"
    return Route("table", text, build, error, potential.cutoff + buffer)


def _evaluate(potential: PairPotential, at: tuple[int, int], r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair energy and force -U'(r) of the truncated form, below the cutoff."""
    sigma = potential.sigma[at]
    x = np.maximum(r / sigma, 1e-9)
    energy, slope = np.empty_like(x), np.empty_like(x)
    _form_kernel(potential.truncated.function)(x, potential.numbers[at], energy, slope)
    return energy, -slope / sigma


@functools.cache
def _form_kernel(function):
    family = Family(function, constants=("table",))
    form = family.use(function)

    @family.kernel(error_model="numpy")
    def tabulate(x, p, energy, slope):
        for k in range(len(x)):
            u, du, _ = form(x[k], p)
            energy[k] = u
            slope[k] = du

    return tabulate


def _table_start(potential: PairPotential, at: tuple[int, int]) -> float:
    """Where the table begins [sigma]: at 0 for a form that is finite there, else deep in the core."""
    sigma = float(potential.sigma[at])
    grid = np.linspace(1.0, potential.pair_cutoff[at] / sigma, 50)
    scale = float(np.abs(_evaluate(potential, at, grid * sigma)[0]).max()) or float(np.abs(potential.numbers[at]).max())
    inside = np.linspace(0.999, 0.001, 999)
    with np.errstate(all="ignore"):
        energies = np.abs(_evaluate(potential, at, inside * sigma)[0])
    hard = np.flatnonzero(~(energies < _HARD * scale))
    return float(inside[hard[0]]) if len(hard) else 0.0


def _interpolation_error(potential, at, low, r_min, cutoff, energy, force) -> tuple[float, float]:
    """Largest error of linear interpolation at three places in every interval from ``low`` to the last but one."""
    width = (cutoff - r_min) / len(energy)
    first = min(max(0, int((low - r_min) / width)), len(energy) - 2)
    index = np.arange(first, len(energy) - 1)
    worst = [0.0, 0.0]
    for fraction in (0.25, 0.5, 0.75):
        exact = _evaluate(potential, at, r_min + (index + fraction) * width)
        for k, values in enumerate((energy, force)):
            guess = values[index] + fraction * (values[index + 1] - values[index])
            worst[k] = max(worst[k], float(np.abs(guess - exact[k]).max()))
    return worst[0], worst[1]


def _kernel(potential: Potential) -> Route:
    def build(simulation, frame, configuration, raw):
        from pelplug.engines.hoomd.kernel import evaluator_force

        return evaluator_force(potential.evaluator(configuration.wrapped()), frame, raw.image)

    text = f"kernel: pelplug's {type(potential).__name__} by hoomd.md.force.Custom, on the CPU"
    return Route("kernel", text, build)


def _cuda(potential: Potential, configuration: Configuration) -> Route:
    if type(potential) is not PairPotential:
        raise InputError(
            f"There is no CUDA kernel for {type(potential).__name__}, only for pair potentials; use device cpu."
        )

    buffer = _buffer(potential, configuration)

    def build(simulation, frame, configuration, raw):
        from pelplug.engines.hoomd.cuda import cuda_force

        return cuda_force(potential, simulation, frame, buffer)

    return Route("kernel", "kernel: pelplug's PairPotential by hoomd.md.force.Custom and numba.cuda", build)
