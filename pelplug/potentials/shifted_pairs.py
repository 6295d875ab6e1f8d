"""ShiftedPairPotential: a pair term between particles that see each other at random shifts."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.execution.threads import run_ranges
from pelplug.potentials.base import ALL, Evaluator, Pairs, Potential, StrainDerivatives
from pelplug.potentials.form import Form
from pelplug.potentials.neighbours import NeighbourList
from pelplug.potentials.neighbours.search import search_kernels
from pelplug.potentials.pair import PairPotential, _PairSystem
from pelplug.potentials.random_shifts import MOST_DRAWS, shift_kernels

__all__ = ["ShiftedPairPotential"]


class ShiftedPairPotential(Potential):
    """The sum of ``u(|r_i - r_j + A_ij|)`` over all pairs and periodic images closer than the cutoff.

    The shifts ``A_ij = -A_ji`` are uniform in the cubic cell, or, for planting, drawn from ``exp(-u / T)`` of the pair
    vector at random reference positions: these are then a sample of the equilibrium at T. Shifts and reference
    positions come from a counter-based generator and are found anew whenever they are needed. A search for neighbours
    looks at all N (N - 1) / 2 pairs; what is within reach is kept in an ordinary `NeighbourList`, in which every
    neighbour is a site of its own.

    It is no `PairPotential`, so that what would leave the shifts out (Monte Carlo moves over a cell list, other
    programs) refuses it.

    Parameters
    ----------
    form : Form
        The functional form u; for planting u must not be negative below the cutoff.
    cutoff : float
        Where u ends [length].
    parameters : mapping of str to float
        Of the form; its sigma is 1.
    particles : int
        Number of particles: the shifts belong to their numbers, so no configuration of others is evaluated.
    seed : int
        Which shifts, from 0 to 2**64 - 1.
    planted_temperature : float, optional
        T of planting [energy]; uniform shifts if None.
    planted_length : float, optional
        Edge of the cell in which planting takes place [length]; needed with ``planted_temperature``.

    Raises
    ------
    InputError
        If a number is out of range.

    Notes
    -----
    A uniform strain carries the shifts along, as it does the cell: the stress is that of the pair vectors.

    References
    ----------
    R. Mari and J. Kurchan, J. Chem. Phys. 135, 124504 (2011).
    """

    shifted = True
    capabilities = ALL

    def __init__(
        self,
        form: Form,
        *,
        cutoff: float,
        parameters,
        particles: int,
        seed: int,
        planted_temperature: float | None = None,
        planted_length: float | None = None,
    ):
        if planted_temperature is not None and not (
            planted_temperature > 0 and planted_length is not None and planted_length > 0
        ):
            raise InputError("Planting needs a positive temperature and the edge of the cell.")
        if not 0 <= seed < 2**64:
            raise InputError(f"The seed of the shifts is a whole number from 0 to 2**64 - 1, not {seed}.")
        self.particles = particles
        self.planted_temperature = planted_temperature
        self._key = np.array([seed & 0xFFFFFFFF, seed >> 32], dtype=np.uint64)
        self._beta = 0.0 if planted_temperature is None else 1.0 / planted_temperature
        self._planted_length = 1.0 if planted_length is None else float(planted_length)
        self._pairwise = _ShiftedTerm(self, form, cutoff, parameters)
        self._place: np.ndarray | None = None

    def record(self) -> dict[str, Any]:
        """Return the form with its numbers, and what the shifts are drawn from."""
        planted = self.planted_temperature
        return {
            "potential": "shifted-pairs",
            "pair": self._pairwise.record(),
            "particles": self.particles,
            "seed": int(self._key[0]) | int(self._key[1]) << 32,
            "planted_temperature": planted,
            "planted_length": None if planted is None else self._planted_length,
        }

    def sizes(self, configuration: Configuration) -> np.ndarray:
        """Return the range of the pair term for each particle, shape (N,) [length]."""
        return np.full(configuration.n, self.cutoff)

    @property
    def pairwise(self) -> PairPotential:
        """The pair term, over the shifted neighbours."""
        return self._pairwise

    @property
    def cutoff(self) -> float:  # type: ignore[override]  # of the pairs
        """Range of the pair term [length]."""
        return self._pairwise.cutoff

    def evaluator(self, configuration: Configuration, skin: float | None = None) -> Evaluator:
        """Return an evaluator; ``skin`` [length] is the first neighbour-list margin, adapted as it runs."""
        return self._pairwise.evaluator(configuration, skin)

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, d) [energy / length]."""
        return self._pairwise.energy_forces(configuration)

    def hessian(self, configuration: Configuration) -> scipy.sparse.bsr_matrix:
        """Return d2U/dxdx [energy / length**2] as a BSR matrix, shape (N * d, N * d), blocks (d, d)."""
        return self._pairwise.hessian(configuration)

    def pairs(self, configuration: Configuration) -> Pairs:
        """Return the interacting pairs, each once; their vectors are ``r_j - r_i - A_ij``."""
        return self._pairwise.pairs(configuration)

    def strain_derivatives(self, configuration: Configuration) -> StrainDerivatives:
        """Return the derivatives of U with respect to strain, which carries the shifts along."""
        return self._pairwise.strain_derivatives(configuration)

    def reference_positions(self, dimension: int) -> np.ndarray:
        """Return the positions at which the shifts were planted, in units of the cell's edge, shape (N, d)."""
        return self._places(dimension) / 2.0**32

    def shifts(self, i, j, dimension: int) -> np.ndarray:
        """Return A_ij of some pairs in units of the cell's edge: in [0, 1) for i < j, and A_ji = -A_ij.

        Parameters
        ----------
        i, j : array_like of int, shape (P,)
            Particle numbers, i != j.
        dimension : int
            d.

        Returns
        -------
        ndarray, shape (P, d)

        Raises
        ------
        InputError
            If a number is not that of a particle or i = j, or planting has no room for a pair.
        """
        i, j = np.broadcast_arrays(np.asarray(i, dtype=np.int64), np.asarray(j, dtype=np.int64))
        if np.any(i == j) or min(i.min(), j.min()) < 0 or max(i.max(), j.max()) >= self.particles:
            raise InputError(f"A shift belongs to two different particles with numbers from 0 to {self.particles - 1}.")
        words = np.empty((*i.shape, dimension), dtype=np.uint32)
        term = self._pairwise
        failed = run_ranges(
            self._kernels(dimension).shifts, i.size, np.minimum(i, j).ravel(), np.maximum(i, j).ravel(),
            self._places(dimension), self._key, self._beta, self._planted_length, term.cutoff,
            term.numbers[0, 0], words.reshape(-1, dimension),
        )  # fmt: skip
        self._check_planted(sum(failed))
        return np.where(i < j, 1.0, -1.0)[..., None] * (words / 2.0**32)

    def neighbours(self, positions: np.ndarray, cell: np.ndarray, skin: float) -> NeighbourList:
        """List, for every particle, all others whose shifted distance is below the cutoff plus ``skin`` [length].

        Raises
        ------
        InputError
            If planting has no room for a pair.
        """
        n, d = positions.shape
        term = self._pairwise
        length = float(cell[0, 0])
        tally = np.empty((n, 1), dtype=np.int64)
        found = run_ranges(
            self._kernels(d).search, n, positions / length, self._places(d), self._key, self._beta,
            self._planted_length, length, term.cutoff, skin, term.numbers[0, 0], tally,
            serial_below=200,
        )  # fmt: skip
        self._check_planted(sum(part[2] for part in found))
        total = n + int(tally.sum())
        owner = np.concatenate((np.arange(n), *(part[0] for part in found)))
        offset = np.concatenate((np.zeros((n, d)), *(part[1] for part in found)))
        ends = n + np.cumsum(tally)
        rows = np.arange(n)
        groups, reach = np.zeros(n, dtype=np.int64), np.full((1, 1), term.cutoff)
        return NeighbourList(
            owner=owner,
            shift=np.zeros((total, d), dtype=np.int32),  # asked for only to tell images of one particle apart
            offset=offset,
            site_positions=positions[owner] + offset,
            rows=rows,
            row_site=rows.copy(),
            start=np.ascontiguousarray(np.column_stack((ends - tally[:, 0], ends))),
            neighbours=np.arange(total, dtype=np.uint32),
            built_at=positions.copy(),
            skin=skin,
            search=(search_kernels(d, None), groups, np.ones(n), reach),
        )

    def _places(self, dimension: int) -> np.ndarray:
        if self._place is None or self._place.shape[1] != dimension:
            place = np.empty((self.particles, dimension), dtype=np.uint32)
            run_ranges(self._kernels(dimension).places, self.particles, self._key, place)
            self._place = place
        return self._place

    def _kernels(self, dimension: int):
        return shift_kernels(self._pairwise.truncated, dimension)

    def _check_planted(self, failed: int) -> None:
        if failed:
            raise InputError(
                f"The cell has no room to plant {self.particles} particles at T = {self.planted_temperature:g}: a pair "
                f"was refused {MOST_DRAWS} times; take more particles or a higher temperature."
            )

    def __repr__(self) -> str:
        planted = "not planted" if self.planted_temperature is None else f"planted at T = {self.planted_temperature:g}"
        return f"<ShiftedPairPotential: {self._pairwise.form.name}, cutoff {self.cutoff:.6g}, {planted}>"


class _ShiftedTerm(PairPotential):
    """Evaluates the pair term over the shifted neighbours: everything but the search is that of any pair potential."""

    def __init__(self, owner: ShiftedPairPotential, form: Form, cutoff: float, parameters):
        super().__init__(form, sigma=1.0, cutoff=cutoff, parameters=parameters)
        self._owner = owner

    def _system(self, configuration: Configuration) -> _PairSystem:
        return _ShiftedSystem(self, configuration)


class _ShiftedSystem(_PairSystem):
    def __init__(self, potential: _ShiftedTerm, configuration: Configuration):
        super().__init__(potential, configuration)
        if configuration.n != potential._owner.particles:
            raise InputError(
                f"The random shifts belong to {potential._owner.particles} numbered particles and the configuration "
                f"has {configuration.n}; particles cannot be left out or added."
            )
        length = self.cell[0, 0]
        if not (length > 0 and np.allclose(self.cell, length * np.eye(len(self.cell)), rtol=0, atol=1e-6 * length)):
            raise InputError("Random shifts are drawn in a cubic cell; the configuration's has another shape.")

    def list(self, positions: np.ndarray, skin: float) -> NeighbourList:
        """Build a neighbour list."""
        if not np.all(np.isfinite(positions)):
            raise InputError("Positions became NaN or infinite; the configuration cannot be evaluated.")
        return self.potential._owner.neighbours(positions, self.cell, skin)
