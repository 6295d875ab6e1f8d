"""EAMPotential: atoms embedded in the electron density of their neighbours, from a tabulated potential."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.sparse

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.execution.threads import run_ranges
from pelplug.potentials.base import ALL, Pairs, Potential, StrainDerivatives
from pelplug.potentials.eam_file import EAMTables, setfl_rows
from pelplug.potentials.eam_kernels import (
    add_shares,
    densities,
    embeddings,
    entry_values,
    halve,
    pair_forces,
    spline_coefficients,
    virials,
)
from pelplug.potentials.following import FollowingEvaluator, overlap_sentence
from pelplug.potentials.neighbours import NeighbourList, build_neighbour_list
from pelplug.potentials.pair import group_numbers
from pelplug.potentials.strain import pair_strain_derivatives

__all__ = ["EAMPotential"]


class EAMPotential(Potential):
    """The sum of F(rho_i) over atoms and phi(r_ij) over pairs, ``rho_i = sum_j f_ji(r_ij)``.

    F, f and r phi are the piecewise cubics that LAMMPS puts through the tables of the same file. They have continuous
    first derivatives; the Hessian uses their own second derivatives, which jump where pieces meet. Below the first
    value of a table its first piece goes on; above the last density F is a straight line.

    Parameters
    ----------
    tables : EAMTables
        What `pelplug.potentials.eam_file.read_eam` returns.

    References
    ----------
    M. S. Daw and M. I. Baskes, Phys. Rev. B 29, 6443 (1984); M. W. Finnis and J. E. Sinclair, Philos. Mag. A 50, 45
    (1984).
    """

    capabilities = ALL
    cutoff: float

    def __init__(self, tables: EAMTables):
        self.tables = tables
        self.species = tables.elements
        self.cutoff = tables.cutoff
        # By species of an atom and of its neighbour: r phi, and the density that the neighbour makes at the atom.
        density = spline_coefficients(tables.density.swapaxes(0, 1))
        self._radial = np.concatenate([spline_coefficients(tables.pair), density], axis=-1)
        self._embedding = spline_coefficients(tables.embedding)

    def __reduce__(self) -> tuple:
        return EAMPotential, (self.tables,)

    def record(self) -> dict[str, Any]:
        """Return the SHA-256 of the file that its tables are from."""
        tables = self.tables
        return {"potential": "eam", "kind": tables.kind, "elements": list(tables.elements), "sha256": tables.checksum}

    def native(self, engine: str) -> dict[str, Any] | None:
        """Return the tables for LAMMPS, which puts the same cubics through them."""
        if engine != "lammps" or type(self) is not EAMPotential:
            return None
        # Under names of elements that LAMMPS's input can hold.
        elements = {name: f"E{k}" for k, name in enumerate(self.tables.elements)}
        file = {"rows": setfl_rows(self.tables, list(elements.values())), "elements": elements}
        return {"style": [f"eam/{self.tables.kind}"], "file": file, "sets_masses": True}

    def evaluator(self, configuration: Configuration, skin: float | None = None) -> EAMEvaluator:
        """Return an evaluator; ``skin`` [length] is the margin of the wide neighbour list."""
        return EAMEvaluator(self, configuration, skin)

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, 3) [energy / length].

        Raises
        ------
        InputError
            If two atoms are at one point, a species is not in the file, or the dimension is not 3.
        """
        system, neighbours = self._at(configuration)
        forces = np.empty_like(configuration.positions)
        return system.checked_energy_forces(configuration, neighbours, forces), forces

    def hessian(self, configuration: Configuration) -> scipy.sparse.bsr_matrix:
        """Return d2U/dxdx [energy / length**2] as a BSR matrix, shape (3 N, 3 N), blocks (3, 3).

        Atoms with a common neighbour are coupled, so a row reaches twice as far as the forces do::

            d2U/dxdx = sum over pairs of their effective stiffness + sum_k F''(rho_k) grad rho_k (x) grad rho_k

        Raises
        ------
        InputError
            As `energy_forces`.
        """
        entries = self._entries(configuration)
        n = configuration.n
        keys, blocks, gradient = _merged(entries, n)
        rows, columns = np.divmod(keys, n)
        columns = columns.astype(np.int32)
        pointer = np.searchsorted(keys, np.arange(n + 1) * n).astype(np.int32)
        shape = (n, 3 * n)
        jacobian = scipy.sparse.bsr_matrix((gradient[:, None, :], columns, pointer), shape=shape)
        bent = gradient * entries.curvatures[rows, None]
        hessian = jacobian.T @ scipy.sparse.bsr_matrix((bent[:, None, :], columns, pointer), shape=shape)
        hessian.sort_indices()
        where = np.repeat(np.arange(n), np.diff(hessian.indptr)) * n + hessian.indices
        hessian.data[np.searchsorted(where, keys)] += blocks
        if not np.all(np.isfinite(hessian.data)):
            raise InputError(overlap_sentence(configuration))
        return hessian

    def pairs(self, configuration: Configuration) -> Pairs:
        """Return the pairs nearer than the cutoff, each once.

        ``first`` and ``second`` are the effective derivatives by r at fixed F' of the two atoms::

            phi' + F'(rho_i) f_ji' + F'(rho_j) f_ij'    and    phi'' + F'(rho_i) f_ji'' + F'(rho_j) f_ij''

        Forces and stress follow from ``first`` as from a pair potential's; the Hessian has F'' in addition.

        Raises
        ------
        InputError
            As `energy_forces`.
        """
        return self._entries(configuration).pairs(self.cutoff)

    def strain_derivatives(self, configuration: Configuration) -> StrainDerivatives:
        """Return the derivatives of U with respect to every strain.

        To those of the effective pairs are added, with ``s_k = d rho_k / dF_ab``, ``sum F'' s_k t_k`` in the second
        (t_k of another strain) and ``sum F'' s_k grad rho_k`` in the mixed derivative.
        """
        entries = self._entries(configuration)
        n = configuration.n
        of_pairs = pair_strain_derivatives(entries.pairs(self.cutoff), n, 3)
        mixed, coupling = of_pairs.mixed.copy(), of_pairs.coupling.copy()
        pull = entries.vectors * (entries.here / entries.distances)[:, None]
        change = np.empty((3, 3, n))
        for a, b in itertools.combinations_with_replacement(range(3), 2):
            change[a, b] = change[b, a] = np.bincount(entries.i, pull[:, a] * entries.vectors[:, b], n)
        curvature = of_pairs.curvature + np.einsum("abi,i,cdi->abcd", change, entries.curvatures, change, optimize=True)
        for k, (a, b) in enumerate(itertools.combinations_with_replacement(range(3), 2)):
            weighted = pull * (entries.curvatures * change[a, b])[entries.i, None]
            added = np.empty((n, 3))
            for c in range(3):
                added[:, c] = np.bincount(entries.j, weighted[:, c], n) - np.bincount(entries.i, weighted[:, c], n)
            coupling[k] += added.ravel()
            if a != b:
                mixed[of_pairs.planes.index((a, b))] += added.ravel()
        second = np.array([curvature[a, b, a, b] for a, b in of_pairs.planes])
        return StrainDerivatives(of_pairs.planes, of_pairs.first, second, mixed, curvature, coupling)

    def _at(self, configuration: Configuration) -> tuple[_EmbeddedSystem, NeighbourList]:
        system = _EmbeddedSystem(self, configuration)
        # For a list that is used once the margin only has to cover rounding.
        return system, system.list(configuration.positions, 1e-9 * self.cutoff)

    def _entries(self, configuration: Configuration) -> _EmbeddedEntries:
        system, neighbours = self._at(configuration)
        system.checked_energy_forces(configuration, neighbours, np.empty_like(configuration.positions))
        return _EmbeddedEntries(system, neighbours)

    def __repr__(self) -> str:
        return f"<EAMPotential: {'/'.join(self.species)} from {self.tables.path}, cutoff {self.cutoff:.6g}>"


class _EmbeddedSystem:
    """What of a configuration does not change while its atoms move, and room for what does."""

    def __init__(self, potential: EAMPotential, configuration: Configuration):
        n, d = configuration.positions.shape
        if d != 3:
            raise InputError(f"Embedded-atom potentials work in 3 dimensions; the configuration has {d}.")
        self.potential = potential
        self.cell = np.array(configuration.cell)
        self.groups = group_numbers(configuration, potential.species)
        self._reach = np.full((len(potential.species),) * 2, potential.cutoff)
        self._energies, self.slopes, self.curvatures = np.empty(n), np.empty(n), np.empty(n)
        # Sums of their own for parts of the rows; more of them would cost more to add up than they save.
        chunks = min(max(n // 400, 1), 16)
        self._densities, self._forces = np.empty((chunks, n)), np.empty((chunks, n, 3))
        self._ends = np.empty(n, dtype=np.int64)
        self._half_of: tuple | None = None
        self._half: np.ndarray

    def list(self, positions: np.ndarray, skin: float) -> NeighbourList:
        """Build a neighbour list."""
        if not np.all(np.isfinite(positions)):
            raise InputError("Positions became NaN or infinite; the configuration cannot be evaluated.")
        return build_neighbour_list(positions, self.cell, self.groups, len(self._reach), self._reach, skin)

    def arguments(self, neighbours: NeighbourList) -> NeighbourList:
        """Return what `energy_forces` takes."""
        return neighbours

    def _halved(self, neighbours: NeighbourList) -> None:
        """Keep each pair of the list in one direction, unless that has been done since the list was last filled."""
        kept = self._half_of
        if kept is not None and kept[0] is neighbours and kept[1] == neighbours.fillings:
            return
        entries = int(neighbours.start[-1, -1])
        if kept is None or kept[0] is not neighbours:
            self._start = np.empty_like(neighbours.start)
        if self._half_of is None or len(self._half) < entries // 2 + len(self.groups):
            room = entries // 2 + entries // 16 + len(self.groups)
            self._half, self._inside = np.empty((2, room), dtype=np.uint32)
            self._pulls = np.empty((room, 3))
        halve(neighbours.rows, neighbours.row_site, neighbours.start, neighbours.neighbours, neighbours.owner,
              neighbours.shift, self._start, self._half)  # fmt: skip
        self._half_of = (neighbours, neighbours.fillings)

    def energy_forces(self, neighbours: NeighbourList, forces: np.ndarray) -> float:
        """Fill ``forces`` and return the energy where the neighbour list's sites are."""
        self._halved(neighbours)
        p, n, chunks = self.potential, len(forces), len(self._densities)
        of, grid = neighbours, p.tables
        run_ranges(densities, chunks, chunks, of.site_positions, of.rows, of.row_site, self._start, self._half,
                   of.owner, self.groups, p._radial, 1.0 / grid.dr, p.cutoff**2, self._energies, self._densities,
                   self._inside, self._ends, self._pulls, serial_below=2)  # fmt: skip
        run_ranges(embeddings, n, self._densities, self.groups, p._embedding, 1.0 / grid.drho, self._energies,
                   self.slopes, self.curvatures)  # fmt: skip
        run_ranges(pair_forces, chunks, chunks, of.site_positions, of.rows, of.row_site, self._start, of.owner,
                   self._inside, self._ends, self._pulls, self.slopes, self._forces, serial_below=2)  # fmt: skip
        run_ranges(add_shares, n, self._forces, forces)
        # Summed in one order whatever the threads did.
        return float(self._energies.sum())

    def virial(self, neighbours: NeighbourList) -> float:
        """Return the sum of r times the effective slope over the pairs, after `energy_forces`."""
        sums = np.empty(len(self.groups))
        run_ranges(virials, len(sums), neighbours.site_positions, neighbours.rows, neighbours.row_site, self._start,
                   neighbours.owner, self._inside, self._ends, self._pulls, self.slopes, sums)  # fmt: skip
        return float(sums.sum())

    def checked_energy_forces(
        self, configuration: Configuration, neighbours: NeighbourList, forces: np.ndarray
    ) -> float:
        """Like `energy_forces`, and raise `InputError` if two atoms are at one point."""
        energy = self.energy_forces(neighbours, forces)
        if not (np.isfinite(energy) and np.all(np.isfinite(forces))):
            raise InputError(overlap_sentence(configuration))
        return energy


class EAMEvaluator(FollowingEvaluator):
    """Energy and forces with a neighbour list that follows the atoms."""

    def __init__(self, potential: EAMPotential, configuration: Configuration, skin: float | None = None):
        skin = potential.cutoff / 6.0 if skin is None else skin
        super().__init__(_EmbeddedSystem(potential, configuration), configuration.positions, potential.cutoff, skin)


class _EmbeddedEntries:
    """Every pair of an atom i and a neighbour j within the cutoff, in both directions, with its derivatives."""

    def __init__(self, system: _EmbeddedSystem, neighbours: NeighbourList):
        p, n, most = system.potential, len(system.groups), len(neighbours.neighbours)
        self.curvatures = system.curvatures
        inside = np.zeros(most, dtype=np.bool_)
        i, j, image = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64), np.empty((most, 3), np.int32)
        vectors, scalars = np.empty((most, 3)), np.empty((most, 5))
        run_ranges(entry_values, n, neighbours.site_positions, neighbours.rows, neighbours.row_site, neighbours.start,
                   neighbours.neighbours, neighbours.owner, system.groups, p._radial, 1.0 / p.tables.dr,
                   p.cutoff**2, system.slopes, neighbours.shift, inside, i, j, image, vectors, scalars,
                   serial_below=400)  # fmt: skip
        self.i, self.j, self.image, self.vectors = i[inside], j[inside], image[inside], vectors[inside]
        self.distances, self.first, self.second, self.here, self.there = np.ascontiguousarray(scalars[inside].T)

    def pairs(self, cutoff: float) -> Pairs:
        """Take one direction of each: i < j, and of an atom and its own images the lexicographically positive."""
        x, y, z = self.image.T
        positive = (x > 0) | ((x == 0) & ((y > 0) | ((y == 0) & (z > 0))))
        once = (self.i < self.j) | ((self.i == self.j) & positive)
        once = np.flatnonzero(once)
        once = once[np.argsort(self.i[once], kind="stable")]
        distances = self.distances[once]
        return Pairs(self.i[once], self.j[once], self.vectors[once], distances, self.first[once], self.second[once],
                     cutoff - distances, central=False)  # fmt: skip


def _merged(entries: _EmbeddedEntries, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add up the images of one neighbour and fill the diagonal.

    Returns
    -------
    keys : ndarray of int, shape (M,)
        i * n + j in increasing order, every i = j among them.
    blocks : ndarray, shape (M, 3, 3)
        Hessian of the effective pairs.
    gradient : ndarray, shape (M, 3)
        d rho_i / dx_j.
    """
    other = entries.i != entries.j  # an image moves with its atom
    vectors, distances = entries.vectors[other], entries.distances[other, None]
    unit = vectors / distances
    across = entries.first[other, None] / distances
    blocks = ((entries.second[other, None] - across) * unit)[:, :, None] * unit[:, None, :]
    blocks[:, np.arange(3), np.arange(3)] += across
    diagonal = np.arange(n) * (n + 1)
    keys = np.concatenate([entries.i[other] * n + entries.j[other], diagonal])
    blocks = np.concatenate([-blocks, np.zeros((n, 3, 3))])
    gradient = np.concatenate([entries.here[other, None] * unit, np.zeros((n, 3))])
    order = np.argsort(keys, kind="stable")
    keys, first = np.unique(keys[order], return_index=True)
    blocks = np.add.reduceat(blocks[order], first)
    gradient = np.add.reduceat(gradient[order], first)
    rows = np.searchsorted(keys, np.arange(n) * n)
    at = np.searchsorted(keys, diagonal)
    blocks[at] = -np.add.reduceat(blocks, rows)
    gradient[at] = -np.add.reduceat(gradient, rows)
    return keys, blocks, gradient
