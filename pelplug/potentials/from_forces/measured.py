"""What was measured of one state: noise, step, pattern, Hessian, pairs, strain; each when it is first asked for."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import scipy.sparse

from pelplug.configuration import Configuration
from pelplug.errors import InputError, PelplugError
from pelplug.potentials.base import Capability, Pairs, Potential, StrainDerivatives
from pelplug.potentials.from_forces.checks import SECOND_STEP, check_energy, require_checks, second_step
from pelplug.potentials.from_forces.colouring import colours_of
from pelplug.potentials.from_forces.displaced import DisplacedState, cutoff_of, spacing
from pelplug.potentials.from_forces.hessian import (
    BlockMatrix,
    enlarged,
    matrix_by_differences,
    own_hessian,
    symmetrised,
)
from pelplug.potentials.from_forces.pairs import (
    FoundPairs,
    count_near_cutoff,
    find_pairs,
    repeated_cell,
    times_repeated,
)
from pelplug.potentials.from_forces.products import HessianProducts
from pelplug.potentials.from_forces.reach import (
    MARGIN,
    PROBE,
    Pattern,
    Probe,
    farthest_changed,
    find_pattern,
    neighbours_within,
    pattern_within,
)
from pelplug.potentials.from_forces.steps import Noise, Step, choose_step, measure_noise
from pelplug.potentials.from_forces.strain import strain_by_differences

__all__ = ["MeasuredState"]

_SAMPLE = 6  # particles displaced to learn noise, step and reach
_ENLARGEMENTS = 4
_UNEXPECTED = 100.0  # times the error that was expected: something is missing
_LARGEST_CELL = 20_000  # particles of a repeated one
_SAME = 1e-4  # relative: a repeated cell is the same crystal of copies
_BARELY = 1e-8  # relative: less is not looked into


class MeasuredState:
    """Derivatives of a potential at one state.

    Parameters
    ----------
    potential : Potential
        What it can itself is taken from it.
    configuration : Configuration
    settings : dict
        Parameters of `FromForces`.

    Attributes
    ----------
    report : dict
        What was measured, plain data: settings found, checks, errors.
    """

    def __init__(self, potential: Potential, configuration: Configuration, settings: dict[str, Any]):
        if potential.rough:
            raise InputError(f"Second derivatives need smooth forces: {potential.rough}.")
        self.potential, self.configuration, self.settings = potential, configuration, settings
        self.report: dict[str, Any] = {}

    @functools.cached_property
    def state(self) -> DisplacedState:
        """Energy and forces around the state."""
        return DisplacedState(self.potential, self.configuration)

    @functools.cached_property
    def cutoff(self) -> float | None:
        """Distance beyond which no two particles interact, where the potential knows it."""
        return cutoff_of(self.potential, self.configuration)

    def _rng(self, of: int) -> np.random.Generator:
        return np.random.default_rng((self.settings["seed"], of))

    @functools.cached_property
    def sample(self) -> np.ndarray:
        """Some particles, of each species one at least."""
        rng, species = self._rng(0), self.configuration.species
        chosen = [int(rng.choice(np.flatnonzero(species == name))) for name in self.configuration.species_names]
        rest = np.setdiff1d(np.arange(self.configuration.n), chosen)
        more = rng.permutation(rest)[: max(0, _SAMPLE - len(chosen))]
        return np.concatenate([np.array(chosen, dtype=np.int64), more])

    @functools.cached_property
    def noise(self) -> Noise:
        """Of forces and energies."""
        found = measure_noise(self.state, self._rng(1))
        self.report |= {"noise_of_forces": found.force, "noise_of_energy": found.energy}
        return found

    @functools.cached_property
    def step(self) -> Step:
        """How far to displace."""
        found = choose_step(self.state, self.noise, self.sample, self._rng(2))
        self.report |= {"step": found.size, "order": found.order, "expected_error": found.error}
        return found

    @functools.cached_property
    def probe(self) -> Probe:
        """How a look at the reach is taken."""
        return Probe(max(PROBE * spacing(self.configuration), 4.0 * self.step.size), self.noise.force)

    @functools.cached_property
    def pattern(self) -> Pattern:
        """Which blocks may be other than zero, as first looked at."""
        reach = self.settings["reach"]
        return find_pattern(self.state, reach, self.sample, self.probe, self._rng(3))

    # --- the Hessian ----------------------------------------------------------------------------------------

    @functools.cached_property
    def blocks(self) -> BlockMatrix:
        """The Hessian as measured, with a reach that holds."""
        pattern = self.pattern
        found, second = self._matrix(pattern)
        expected = max(_UNEXPECTED * self.step.error, _BARELY)
        free = self.settings["reach"] == "auto" and len(pattern.matrix.data) < self.configuration.n**2
        for _ in range(_ENLARGEMENTS if free else 0):
            if second <= expected and found.leak < _UNEXPECTED:
                break
            wider = enlarged(self.configuration, pattern)
            again, of_it = self._matrix(wider)
            if of_it > 0.5 * second:  # not for want of reach
                break
            pattern, found, second = wider, again, of_it
        self._used = pattern
        reach = float(pattern.reach) if np.isfinite(pattern.reach) else "all"
        self.report |= {
            "reach": reach,
            "reach_origin": pattern.origin,
            "colours": found.colours,
            "refined_columns": found.refined,
            "unresolved_columns": found.unresolved,
        }
        self.report |= require_checks(
            self.state, found.matrix, second, self.noise, self.step, self.settings["tolerance"]
        )
        if self.settings["reach"] not in ("auto", "all") and (found.leak > _UNEXPECTED or second > expected):
            raise InputError(
                f"The reach {self.settings['reach']:g} is too small for the potential {self.state.name}: what acts "
                f"beyond it changes the Hessian by {second:.2g}; give a larger one, or reach='auto'."
            )
        self.report["energy"] = check_energy(self.state, found.matrix, self.noise, self._rng(5))
        self.report["evaluations"] = self.state.evaluations
        return found

    def _matrix(self, pattern: Pattern) -> tuple[BlockMatrix, float]:
        found = matrix_by_differences(self.state, pattern, self.noise, self.step, self.settings["workers"])
        return found, second_step(self.state, found.matrix, self.step, self._rng(4))

    @functools.cached_property
    def hessian(self) -> scipy.sparse.bsr_matrix:
        """Symmetric, after its checks."""
        if self.potential.can(Capability.HESSIAN):
            matrix, checks = own_hessian(self.potential, self.configuration)
            self.report |= {"hessian": "the potential's own", **checks}
            return matrix
        return symmetrised(self.blocks.matrix)

    def products(self, second: bool = False) -> HessianProducts:
        """Return the operator by differences, at the step of the columns or at that of the check."""
        return HessianProducts(self.state, self.step, SECOND_STEP if second else 1.0)

    def columns_cost(self) -> int:
        """Return how many evaluations the matrix takes."""
        return len(colours_of(self.pattern.matrix)) * self.configuration.dimension * self.step.order

    # --- pairs ----------------------------------------------------------------------------------------------

    @functools.cached_property
    def found_pairs(self) -> FoundPairs:
        """The pairs and who counts as one."""
        if self.potential.shifted:
            raise InputError(
                f"In the potential {self.state.name} particles see each other at shifted places, where nothing but the "
                "potential itself knows who is near; declare PAIRS, and write pairs()."
            )
        reach = self._reach_of_pairs()
        times = times_repeated(self.configuration, reach)
        near = neighbours_within(self.configuration, reach)
        own = self.potential.can(Capability.HESSIAN)
        if own:
            floor, error = 1e-12 * float(np.abs(self.hessian.data).max()), 1e-9
        else:
            floor = self.blocks.floor
            error = max(self.step.error, *(self.report[name] for name in ("asymmetry", "second_step")))
        if near.repeated:
            configuration, matrix, forces = self._repeated(times, reach)
            floor = self.blocks_of_images.floor
        else:
            configuration, matrix, forces = self.configuration, self.hessian, self.state.forces
        found = find_pairs(configuration, matrix, forces, reach, floor, error, self.cutoff, self.configuration.n)
        self.report |= {"pairs": found.rule, "n_pairs": len(found.pairs), "uncertain_pairs": found.pairs.uncertain}
        return found

    def _reach_of_pairs(self) -> float:
        """Distance beyond which no pair is: that of the blocks, but not beyond a cutoff."""
        if self.cutoff is not None:
            return self.cutoff
        return self._measured_reach

    @functools.cached_property
    def _measured_reach(self) -> float:
        """Distance of the farthest particle that one displaced acts on, in a cell so large that it is no image."""
        rng, times = self._rng(6), np.ones(self.configuration.dimension, dtype=int)
        state = self.state
        while True:
            reach = MARGIN * farthest_changed(state, self.sample, self.probe, rng)
            if np.isfinite(self.pattern.reach):
                reach = max(reach, self._used.reach if self._by_differences else 0.0)
            if np.all(2.0 * reach < state.configuration.heights):
                return reach
            times = np.where(2.0 * reach < state.configuration.heights, times, times + 1)
            if self.configuration.n * np.prod(times) > _LARGEST_CELL:
                raise InputError(
                    f"The potential {self.state.name} acts over more than {reach:.4g}, so that particles of this cell "
                    "interact with many images of each other, which cannot be told apart; declare its cutoff, or PAIRS."
                )
            state = self._in_repeated_cell(times, reach)

    @property
    def _by_differences(self) -> bool:
        return not self.potential.can(Capability.HESSIAN) and self.blocks is not None

    def _in_repeated_cell(self, times: np.ndarray, reach: float) -> DisplacedState:
        told = (
            f"Particles of this cell interact with several images of each other (within {reach:.4g}), which are told "
            f"apart in a cell repeated {'x'.join(map(str, times))}, and there the potential "
        )
        try:
            state = DisplacedState(self.potential, repeated_cell(self.configuration, times))
        except PelplugError as error:
            raise InputError(
                f"{told}fails ({str(error).rstrip('.')}); analyse a larger system, over {2.0 * reach:.4g} high in each "
                "direction, where each pair meets once."
            ) from error
        off = float(np.abs(state.forces[: self.configuration.n] - self.state.forces).max())
        copies = int(np.prod(times))
        lost = abs(state.energy / copies - self.state.energy)
        column = np.linalg.norm(self.state.forces) + self.step.scale * self.step.size
        if off > _SAME * column or lost > _SAME * abs(self.state.energy) + 100.0 * self.noise.energy:
            raise InputError(
                f"{told}gives another energy and other forces a particle; declare PAIRS, and write pairs()."
            )
        return state

    def _repeated(self, times: np.ndarray, reach: float):
        """Measure a repeated cell, in which images are particles of their own."""
        state = self._in_repeated_cell(times, reach)
        big = state.configuration
        atoms = np.arange(self.configuration.n)
        self.blocks_of_images = matrix_by_differences(
            state, pattern_within(big, reach, "images"), self.noise, self.step, self.settings["workers"], atoms
        )
        return big, self.blocks_of_images.matrix, self.state.forces

    @property
    def pairs(self) -> Pairs:
        """The interacting pairs."""
        return self.found_pairs.pairs

    def pairs_by_cutoff(self) -> Pairs:
        """Return all pairs nearer than the potential's cutoff: without a matrix nothing else can be told.

        ``first`` is 0 and ``second`` what the diagonal of the Hessian gives each on average.
        """
        cutoff = self.cutoff
        if cutoff is None:
            raise InputError(
                f"Products of the Hessian do not tell who interacts, and the potential {self.state.name} has no "
                "cutoff; declare it (cutoff = ... in the class), or take hessian='matrix' of pelplug.FromForces."
            )
        near = neighbours_within(self.configuration, cutoff).once()
        share = float(np.mean(self.products().diagonal())) * self.configuration.n * self.configuration.dimension
        second = np.full(len(near.i), share / max(1, 2 * len(near.i)))
        self.report |= {"hessian": "products", "pairs": "cutoff", "n_pairs": len(near.i)}
        gap = cutoff - near.distances
        return Pairs(near.i, near.j, near.vectors, near.distances, 0.0 * second, second, gap, central=False)

    def pairs_near_cutoff(self, tolerance: float) -> int | None:
        """Return how many pairs are within a fraction of their cutoff; None where no cutoff is known."""
        return count_near_cutoff(self.state, self.found_pairs, self._reach_of_pairs(), tolerance, self.noise.force)

    # --- strain ---------------------------------------------------------------------------------------------

    @functools.cached_property
    def strain(self) -> StrainDerivatives:
        """Derivatives by strain, with their errors."""
        found = strain_by_differences(self.state, self.noise, self.settings["tolerance"])
        self.report["strain_errors"] = found.errors
        self.report["evaluations"] = self.state.evaluations
        return found
