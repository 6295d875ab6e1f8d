"""The checks of a potential: every derivative by differences of what it is derived from, and what it declares.

They look at the state that the kit has (``trial = {"configuration": ...}``), else at a liquid of the species that the
potential knows, at density 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.base import Capability, Potential
from pelplug.testing.checks import check, require
from pelplug.testing.differences import require_derivative
from pelplug.testing.states import liquid, supercell

__all__ = ["state_of"]

_STEP = 0.03  # of the distance of neighbours: the largest displacement
_MANY = 1000  # particles: more are not looked at


def state_of(potential: Potential, kit) -> Configuration:
    """Return the state that a potential is looked at in.

    Parameters
    ----------
    potential : Potential
    kit : Kit

    Raises
    ------
    AssertionError
        If the kit has none and the default does not suit.
    """

    def make() -> Configuration:
        if kit.configuration is not None:
            return kit.configuration.replace(velocities=None)
        state = liquid(64, species=getattr(potential, "species", ()) or "A")
        try:
            potential.energy_forces(state)
        except InputError as error:
            raise AssertionError(
                f"it has no energy of a liquid of density 1 ({error}); give the kit a configuration"
            ) from None
        return state

    return kit.once("state", make)


def spacing_of(state: Configuration) -> float:
    """Return the distance of neighbours, about [length]."""
    return state.density ** (-1.0 / state.dimension)


def scale_of(values: np.ndarray) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(values)))) + 1e-300


def with_capability(capability: Capability) -> Callable[[Potential], bool]:
    """Return whether a potential declares a capability, as `check` asks it."""
    return lambda potential: potential.can(capability)


def moved(state: Configuration, direction: np.ndarray, h: float) -> Configuration:
    """Return a state with its particles displaced."""
    return state.replace(positions=state.positions + h * direction)


def directions(state: Configuration, kit, few: int = 8) -> Iterator[np.ndarray]:
    """Yield displacements: of one particle, of a few, of all."""
    rng = np.random.default_rng(kit.seed + 1)
    for size in (1, 1, few, few, state.n):
        direction = np.zeros_like(state.positions)
        some = rng.choice(state.n, size=min(size, state.n), replace=False)
        direction[some] = rng.normal(size=(len(some), state.dimension))
        yield direction


# --- what it gives ----------------------------------------------------------------------------------------------------


@check("potential")
def check_energy_forces(potential, kit):
    """Energy is a number, forces are an array (N, d) of float64 of its own; asked again it gives the same."""
    state = state_of(potential, kit)
    energy, forces = potential.energy_forces(state)
    require(np.ndim(energy) == 0 and np.isfinite(energy), f"the energy is {energy!r}, no finite number")
    shape = state.positions.shape
    require(isinstance(forces, np.ndarray) and forces.shape == shape, f"the forces are no array of shape {shape}")
    require(forces.dtype == np.float64, f"the forces are {forces.dtype}, not float64")
    require(np.all(np.isfinite(forces)), "some forces are not finite")
    require(np.any(forces) or energy, "nothing interacts in this state; give the kit a configuration")
    kept = forces.copy()
    again, others = potential.energy_forces(state)
    require(np.array_equal(kept, forces), "a second call changes the array that the first one returned")
    close = 1e-12 * (scale_of(forces) + abs(energy))
    require(
        abs(again - energy) <= close and np.allclose(others, kept, rtol=0, atol=close), "it gives other numbers again"
    )
    require(potential.energy(state) == again, "energy() is not the energy of energy_forces()")


@check("potential")
def check_forces_are_derivatives(potential, kit):
    """The forces are minus the derivative of the energy, by differences."""
    state = state_of(potential, kit)
    forces, compared = potential.forces(state), 0
    for direction in directions(state, kit):
        norm = np.linalg.norm(direction)
        compared += require_derivative(
            -np.sum(forces * direction),
            lambda h, direction=direction: potential.energy_forces(moved(state, direction, h))[0],
            _STEP * spacing_of(state) / max(1.0, norm / 3),
            scale_of(forces) * norm,
            "minus the force along a displacement",
            "the energy",
            kit.tolerance * 1e-3,
        )
    require(compared >= 3, "its energy is too rough for differences: jumps, or noise")


@check("potential")
def check_evaluator_follows(potential, kit):
    """The evaluator gives what energy_forces gives along a path of small and large steps, and counts."""
    state = state_of(potential, kit)
    rng = np.random.default_rng(kit.seed)
    evaluate = potential.evaluator(state)
    x, forces = np.array(state.positions), np.empty_like(state.positions)
    spacing = spacing_of(state)
    for step in range(24):
        before = x.copy()
        energy = evaluate(x, forces)
        require(np.array_equal(before, x), "the evaluator moves the positions that it is given")
        known, wanted = potential.energy_forces(state.replace(positions=x))
        close = kit.tolerance * 1e-3 * (scale_of(wanted) + abs(known))
        require(
            abs(energy - known) <= close and np.allclose(forces, wanted, rtol=kit.tolerance * 1e-3, atol=close),
            f"after {step} steps the evaluator gives {energy:.10g} and energy_forces {known:.10g}; is its list old?",
        )
        require(evaluate.evaluations == step + 1, f"it counts {evaluate.evaluations} evaluations of {step + 1}")
        # Mostly small ones that a list survives; a slow drift that it must notice; one particle that goes far.
        x = x + rng.normal(scale=1e-3 * spacing, size=x.shape)
        x[step % state.n] += 0.05 * spacing * np.ones(state.dimension)
        x[0] += 0.04 * spacing
        if step % 8 == 7:
            x = _apart(x + rng.normal(scale=0.02 * spacing, size=x.shape), before)


def _apart(x: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return positions moved as a whole too, through the borders of the cell."""
    return x + 0.37 * np.ptp(before, axis=0)


@check("potential", when=with_capability(Capability.HESSIAN))
def check_hessian_is_derivative(potential, kit):
    """The Hessian is minus the derivative of the forces, by differences."""
    state = state_of(potential, kit)
    hessian = potential.hessian(state)
    size = state.positions.size
    require(hessian.shape == (size, size), f"the Hessian has the shape {hessian.shape}, not {(size, size)}")
    compared = 0
    for direction in directions(state, kit):
        given = np.asarray(hessian @ direction.ravel()).reshape(direction.shape)
        compared += require_derivative(
            given,
            lambda h, direction=direction: -potential.forces(moved(state, direction, h)),
            _STEP * spacing_of(state) / max(1.0, np.abs(direction).max()),
            scale_of(given[np.any(given, axis=1)]) if np.any(given) else 1.0,
            "a component of the Hessian times a displacement",
            "the forces",
            kit.tolerance * 1e-3,
        )
    require(compared >= 2 * size, "its forces are too rough for differences: jumps, or noise")


@check("potential", when=with_capability(Capability.HESSIAN))
def check_hessian_is_symmetric(potential, kit):
    """The Hessian is symmetric, and the displacement of all particles by one vector costs nothing."""
    state = state_of(potential, kit)
    hessian = potential.hessian(state)
    close = kit.tolerance * 1e-3 * float(abs(hessian).max())
    off = float(abs(hessian - hessian.T).max())
    require(off <= close, f"the Hessian is not symmetric: H_ij and H_ji differ by up to {off:.3g}")
    for axis in range(state.dimension):
        shift = np.zeros_like(state.positions)
        shift[:, axis] = 1.0
        left = float(np.abs(hessian @ shift.ravel()).max())
        require(left <= close * np.sqrt(state.n), f"moving all particles along axis {axis} costs forces of {left:.3g}")


@check("potential", when=with_capability(Capability.STRAIN))
def check_strain_is_derivative(potential, kit):
    """The derivatives by strain are those of energy, stress and forces, by differences under strain."""
    state = state_of(potential, kit)
    forces = potential.forces(state)
    strain, d, size = potential.strain_derivatives(state), state.dimension, state.positions.size
    require(
        tuple(map(tuple, strain.planes)) == tuple(itertools.combinations(range(d), 2)),
        f"the planes are {strain.planes}, not every (a, b) with a < b",
    )
    require(np.shape(strain.first) == (d, d), f"dU/dF has the shape {np.shape(strain.first)}, not {(d, d)}")
    require(np.shape(strain.mixed) == (len(strain.planes), size), "d2U/(dg dx) has another shape")
    scale = float(np.abs(strain.first).max()) + spacing_of(state) * scale_of(forces) * np.sqrt(state.n)
    numbers = np.zeros((d, d))
    for a, b in _strains(d):
        numbers[a, b] = 1.0
        # A strain moves the farthest particle by the step times the size of the box.
        step = _STEP * spacing_of(state) / float(np.abs(state.cell).max())
        unit = numbers.copy()
        numbers[a, b] = 0.0
        require_derivative(
            np.asarray(strain.first)[a, b],
            lambda h, unit=unit: potential.energy(strained(state, unit, h)),
            step,
            scale,
            f"dU/dF_{'xyzuvwst'[a]}{'xyzuvwst'[b]}",
            "the energy under strain",
            kit.tolerance * 1e-3,
        )
        if a < b:
            k = list(map(tuple, strain.planes)).index((a, b))
            mixed = np.asarray(strain.mixed)[k]
            require_derivative(
                mixed,
                lambda h, unit=unit: -potential.forces(strained(state, unit, h)).ravel(),
                step,
                scale_of(mixed),
                "d2U/(dg dx)",
                "the forces under shear",
                kit.tolerance * 1e-3,
            )
            require_derivative(
                np.asarray(strain.second)[k],
                lambda h, unit=unit, a=a, b=b: potential.strain_derivatives(strained(state, unit, h)).first[a][b],
                step,
                abs(float(np.asarray(strain.second)[k])) + scale,
                "d2U/dg2",
                "dU/dg under shear",
                kit.tolerance * 1e-3,
            )
    stress = potential.stress(state)
    require(np.allclose(stress, strain.first / state.volume), "the stress is not dU/dF over the volume")


@check("potential", when=with_capability(Capability.STRAIN))
def check_strain_curvature(potential, kit):
    """Second derivatives by every strain, where known, are those of dU/dF and the forces, by differences."""
    state = state_of(potential, kit)
    strain, d = potential.strain_derivatives(state), state.dimension
    if strain.curvature is None and strain.coupling is None:
        return
    require(strain.curvature is not None and strain.coupling is not None, "of curvature and coupling it has only one")
    step = _STEP * spacing_of(state) / float(np.abs(state.cell).max())
    scale = scale_of(strain.curvature)
    for c, e in _strains(d):
        unit = np.zeros((d, d))
        unit[c, e] = 1.0

        def slope(h, unit=unit):
            # dU/dF at F, from dU/dF' of a further deformation F' F.
            first = potential.strain_derivatives(strained(state, unit, h)).first
            return np.asarray(first) @ np.linalg.inv(np.eye(d) + h * unit).T

        given, named = np.asarray(strain.curvature)[:, :, c, e], f"d2U/(dF dF_{'xyzuvwst'[c]}{'xyzuvwst'[e]})"
        require_derivative(given, slope, step, scale, named, "dU/dF under strain", kit.tolerance * 1e-3)
    for k, (a, b) in enumerate(itertools.combinations_with_replacement(range(d), 2)):
        if (a, b) not in _strains(d):
            continue
        unit = np.zeros((d, d))
        unit[a, b] += 0.5
        unit[b, a] += 0.5
        require_derivative(
            np.asarray(strain.coupling)[k],
            lambda h, unit=unit: -potential.forces(strained(state, unit, h)).ravel(),
            step,
            scale_of(strain.coupling),
            "d2U/(dF dx)",
            "the forces under strain",
            kit.tolerance * 1e-3,
        )


def _strains(d: int) -> list[tuple[int, int]]:
    """Return the components of strain to look at: all, but some in many dimensions."""
    return list(itertools.product(range(d), repeat=2)) if d < 4 else [(0, 0), (0, 1), (d - 2, d - 1), (d - 1, 0)]


def strained(state: Configuration, unit: np.ndarray, h: float) -> Configuration:
    """Return a state deformed by ``1 + h unit``."""
    deformation = np.eye(state.dimension) + h * unit
    return state.replace(positions=state.positions @ deformation.T, cell=state.cell @ deformation.T)


@check("potential", when=with_capability(Capability.PAIRS))
def check_pairs(potential, kit):
    """Each pair is there once, with the vector to the image that interacts and a block in the Hessian."""
    state = state_of(potential, kit)
    pairs = potential.pairs(state)
    require(len(pairs) > 0, "there is no pair; give the kit a configuration in which particles interact")
    require(np.all(pairs.i <= pairs.j) and np.all(pairs.j < state.n) and np.all(pairs.i >= 0), "not every i <= j < N")
    length = np.linalg.norm(pairs.vectors, axis=1)
    require(np.allclose(length, pairs.distances, rtol=1e-10), "distances are not the lengths of the vectors")
    if potential.shifted:  # pairs meet elsewhere than where they are
        return
    cells = (pairs.vectors - state.positions[pairs.j] + state.positions[pairs.i]) @ np.linalg.inv(state.cell)
    require(np.allclose(cells, np.rint(cells), atol=1e-7), "a vector is not r_j - r_i to an image of j")
    # A particle and its own image are seen from both sides: the two are one pair.
    signs = np.where((pairs.i == pairs.j) & (np.rint(cells) @ 3.0 ** np.arange(state.dimension) < 0), -1.0, 1.0)
    seen = np.unique(np.column_stack([pairs.i, pairs.j, np.rint(cells) * signs[:, None]]), axis=0)
    require(len(seen) == len(pairs), f"{len(pairs) - len(seen)} pairs are there more than once")
    require(np.all(pairs.gap > 0), "a pair is listed that is not within its cutoff")
    if potential.can(Capability.HESSIAN):
        blocks = abs(potential.hessian(state)).tobsr((state.dimension, state.dimension))
        rows = np.repeat(np.arange(state.n), np.diff(blocks.indptr))
        linked = {(min(i, j), max(i, j)) for i, j in zip(rows.tolist(), blocks.indices.tolist(), strict=True)}
        unseen = {(i, j) for i, j in zip(pairs.i.tolist(), pairs.j.tolist(), strict=True)} - linked
        require(not unseen, f"{len(unseen)} pairs have no block in the Hessian")


@check("potential")
def check_cutoff_is_kept(potential, kit):
    """A particle that moves is not felt beyond twice the cutoff, where one is stated (forces of many bodies)."""
    state = state_of(potential, kit)
    reach = potential.reach(state)
    if reach is None or potential.shifted:
        return
    require(np.isfinite(reach) and reach > 0, f"the cutoff is {reach!r}; it is a positive length, or None")
    far = 2.0 * reach + 0.1 * spacing_of(state)
    # Images are looked at one by one, and there are too many in high dimensions.
    while np.min(state.heights) < 2.0 * far and state.n * 6**state.dimension <= 27 * _MANY:
        state = supercell(state, 2)
    push = np.zeros_like(state.positions)
    push[0] = 0.02 * spacing_of(state)
    change = np.linalg.norm(potential.forces(moved(state, push, 1.0)) - potential.forces(state), axis=1)
    away = nearest_image(state, state.positions - state.positions[0])
    felt = change > kit.tolerance * 1e-3 * scale_of(potential.forces(state))
    require(
        not np.any(felt & (away > far)),
        f"it states a range of {reach:.4g}, and a particle that moves is felt {away[felt].max():.4g} away",
    )


def nearest_image(state: Configuration, vectors: np.ndarray) -> np.ndarray:
    """Return the lengths of vectors to their nearest images, shape (N,)."""
    images = np.array(list(itertools.product((-1, 0, 1), repeat=state.dimension))) @ state.cell
    inside = vectors - np.rint(vectors @ np.linalg.inv(state.cell)) @ state.cell
    return np.linalg.norm(inside[:, None] + images, axis=2).min(axis=1)
