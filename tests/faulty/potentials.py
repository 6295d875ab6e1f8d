"""A potential in plain numpy, right in everything, and others of it with one fault each."""

from __future__ import annotations

import itertools

import numpy as np
import scipy.sparse

import pelplug
from faulty import Faulty
from pelplug.potentials.base import ALL, Capability
from pelplug.testing.states import liquid


class Bell(pelplug.Potential):
    """``epsilon (1 - r**2 / c**2)**4`` between all pairs and images nearer than c."""

    capabilities = ALL

    def __init__(self, epsilon=1.0, cutoff=1.6):
        self.epsilon, self.cutoff = epsilon, cutoff

    def record(self):
        return {"form": "bell", "epsilon": self.epsilon, "cutoff": self.cutoff}

    def terms(self, s):
        """u, 2 du/ds, 4 d2u/ds2 of s = r**2."""
        c = self.cutoff**2
        left = np.clip(1.0 - s / c, 0.0, None)
        return self.epsilon * left**4, -8 * self.epsilon / c * left**3, 48 * self.epsilon / c**2 * left**2

    def near(self, configuration, reach):
        """i, j, r_j - r_i of every pair within reach, each once."""
        if set(configuration.species_names) - {"A"}:
            raise pelplug.InputError("Bells are of species A alone.")
        x, cell = configuration.positions, configuration.cell
        inverse = np.linalg.inv(cell)
        most = np.floor(reach * np.linalg.norm(inverse, axis=0) + 0.5).astype(int)
        found, nearest = [], x[None] - x[:, None]
        nearest = nearest - np.rint(nearest @ inverse) @ cell
        for shift in itertools.product(*(range(-m, m + 1) for m in most)):
            apart = nearest + np.array(shift) @ cell
            i, j = np.nonzero(np.sum(apart**2, axis=2) < reach**2)
            once = (i < j) | ((i == j) & (shift > (0,) * len(shift)))
            found.append((i[once], j[once], apart[i[once], j[once]]))
        return tuple(np.concatenate(part) for part in zip(*found, strict=True))

    def energy_forces(self, configuration):
        if configuration.dimension not in (2, 3):
            raise pelplug.InputError("Bells ring in two and three dimensions.")
        return self.summed(configuration, *self.near(configuration, self.cutoff))

    def summed(self, configuration, i, j, apart):
        u, slope, _ = self.terms(np.sum(apart**2, axis=1))
        forces = np.zeros(configuration.positions.shape)
        np.add.at(forces, i, slope[:, None] * apart)
        np.add.at(forces, j, -slope[:, None] * apart)
        return float(u.sum()), forces

    def blocks(self, apart):
        _, slope, curvature = self.terms(np.sum(apart**2, axis=1))
        return curvature[:, None, None] * apart[:, :, None] * apart[:, None, :] + slope[:, None, None] * np.eye(
            apart.shape[1]
        )

    def hessian(self, configuration):
        n, d = configuration.positions.shape
        i, j, apart = self.near(configuration, self.cutoff)
        full = np.zeros((n, n, d, d))
        for a, b, block in zip(i, j, self.blocks(apart), strict=True):
            full[a, a] += block
            full[b, b] += block
            full[a, b] -= block
            full[b, a] -= block
        return scipy.sparse.bsr_matrix(full.transpose(0, 2, 1, 3).reshape(n * d, n * d), blocksize=(d, d))

    def pairs(self, configuration):
        i, j, apart = self.near(configuration, self.cutoff)
        r = np.linalg.norm(apart, axis=1)
        _, slope, curvature = self.terms(r**2)
        return pelplug.Pairs(i, j, apart, r, slope * r, curvature * r**2 + slope, self.cutoff - r)

    def strain_derivatives(self, configuration):
        n, d = configuration.positions.shape
        i, j, apart = self.near(configuration, self.cutoff)
        _, slope, curvature = self.terms(np.sum(apart**2, axis=1))
        planes = tuple(itertools.combinations(range(d), 2))
        first = np.einsum("p,pa,pb->ab", slope, apart, apart)
        whole = np.einsum("p,pa,pb,pc,pe->abce", curvature, apart, apart, apart, apart)
        whole += np.einsum("ac,p,pb,pe->abce", np.eye(d), slope, apart, apart)

        def pull(a, b):
            out, pulls = np.zeros((n, d)), self.blocks(apart)[:, :, a] * apart[:, b, None]
            np.add.at(out, j, pulls)
            np.add.at(out, i, -pulls)
            return out.ravel()

        mixed = np.array([pull(a, b) for a, b in planes])
        strains = itertools.combinations_with_replacement(range(d), 2)
        coupling = np.array([(pull(a, b) + pull(b, a)) / 2 for a, b in strains])
        second = np.array([whole[a, b, a, b] for a, b in planes])
        return pelplug.StrainDerivatives(planes, first, second, mixed, whole, coupling)

    def evaluator(self, configuration):
        return Ringing(self, configuration)


class Ringing(pelplug.Evaluator):
    """Keeps who is near whom until somebody has moved."""

    skin = 0.3

    def __init__(self, potential, configuration):
        self.potential, self.configuration, self.built = potential, configuration, None

    def __call__(self, positions, forces):
        self.evaluations += 1
        state = self.configuration.replace(positions=positions)
        if self.old(positions):
            self.built = np.array(positions)
            self.list = self.potential.near(state, self.potential.cutoff + self.skin)
            self.rebuilds += 1
        i, j, apart = self.list
        moved = positions - self.built
        energy, forces[...] = self.potential.summed(self.configuration, i, j, apart + moved[j] - moved[i])
        return energy

    def old(self, positions):
        return self.built is None or np.linalg.norm(positions - self.built, axis=1).max() > 0.5 * self.skin


# --- with one fault each ----------------------------------------------------------------------------------------------


class Restless(Bell):
    """Asked again it gives another energy."""

    asked = itertools.count()

    def energy_forces(self, configuration):
        energy, forces = super().energy_forces(configuration)
        return energy * (1.0 + 1e-11 * (next(self.asked) % 3)), forces


class WrongSign(Bell):
    """The sign of its forces is wrong."""

    def summed(self, configuration, i, j, apart):
        energy, forces = super().summed(configuration, i, j, apart)
        return energy, -forces


class OldList(Bell):
    """Its evaluator never looks who is near whom again."""

    def evaluator(self, configuration):
        found = Ringing(self, configuration)
        found.old = lambda positions: found.built is None
        return found


class TwiceTheCurvature(Bell):
    """U'' is twice what it should be."""

    def blocks(self, apart):
        _, _, curvature = self.terms(np.sum(apart**2, axis=1))
        return super().blocks(apart) + curvature[:, None, None] * apart[:, :, None] * apart[:, None, :]


class NotSymmetric(Bell):
    """One entry of its Hessian is not that across the diagonal."""

    def hessian(self, configuration):
        full = super().hessian(configuration).toarray()
        full[0, 1] *= 1.0 + 1e-6
        return scipy.sparse.bsr_matrix(full, blocksize=(configuration.dimension,) * 2)


class OtherShear(Bell):
    """d2U/(dg dx) has the other sign."""

    def strain_derivatives(self, configuration):
        found = super().strain_derivatives(configuration)
        return pelplug.StrainDerivatives(**{**vars(found), "mixed": -found.mixed})


class LessCurved(Bell):
    """It takes the derivative of a strain for that of the strain across."""

    def strain_derivatives(self, configuration):
        found = super().strain_derivatives(configuration)
        return pelplug.StrainDerivatives(**{**vars(found), "curvature": found.curvature.transpose(1, 0, 2, 3)})


class PairsTwice(Bell):
    """Each pair is listed from both ends."""

    def pairs(self, configuration):
        one = vars(super().pairs(configuration))
        twice = {name: np.concatenate([values, values]) for name, values in one.items() if np.ndim(values)}
        return pelplug.Pairs(**{**one, **twice})


class ShortSighted(Bell):
    """States a cutoff that is not its own."""

    def __init__(self, epsilon=1.0, cutoff=1.6):
        super().__init__(epsilon, cutoff)
        self.far = cutoff
        self.cutoff = 0.3 * cutoff

    def terms(self, s):
        return Bell(self.epsilon, self.far).terms(s)

    def near(self, configuration, reach):
        return super().near(configuration, reach - self.cutoff + self.far)

    def pairs(self, configuration):
        one = super().pairs(configuration)
        return pelplug.Pairs(**{**vars(one), "gap": self.far - one.distances})


class Drifting(Bell):
    """A small force pulls all particles along x."""

    def summed(self, configuration, i, j, apart):
        energy, forces = super().summed(configuration, i, j, apart)
        forces[:, 0] += 1e-7
        return energy, forces


class AlongTheAxes(Bell):
    """It sees along x a little farther."""

    def near(self, configuration, reach):
        i, j, apart = super().near(configuration, reach)
        return i, j, apart * np.array([1.0 + 1e-7, 1.0, 1.0])[: apart.shape[1]]


class Unwrapped(Bell):
    """It sees only the images next to where a particle is."""

    def near(self, configuration, reach):
        x, cell = configuration.positions, configuration.cell
        found = []
        for shift in itertools.product((-1, 0, 1), repeat=configuration.dimension):
            apart = x[None] - x[:, None] + np.array(shift) @ cell
            i, j = np.nonzero(np.sum(apart**2, axis=2) < reach**2)
            once = (i < j) | ((i == j) & (shift > (0,) * len(shift)))
            found.append((i[once], j[once], apart[i[once], j[once]]))
        return tuple(np.concatenate(part) for part in zip(*found, strict=True))


class OneImage(Bell):
    """It sees one image of each particle, the nearest in the directions of the cell vectors."""

    def near(self, configuration, reach):
        x, cell = configuration.positions, configuration.cell
        apart = x[None] - x[:, None]
        apart = apart - np.rint(apart @ np.linalg.inv(cell)) @ cell
        i, j = np.nonzero(np.sum(apart**2, axis=2) < reach**2)
        once = i < j
        return i[once], j[once], apart[i[once], j[once]]


class FirstIsSpecial(Bell):
    """The first particle counts for more."""

    def summed(self, configuration, i, j, apart):
        energy, forces = super().summed(configuration, i, j, apart)
        more, pulls = super().summed(configuration, i[i == 0], j[i == 0], apart[i == 0])
        return energy + 1e-6 * more, forces + 1e-6 * pulls


class Offset(Bell):
    """It has an energy of its own, however many particles there are."""

    def summed(self, configuration, i, j, apart):
        energy, forces = super().summed(configuration, i, j, apart)
        return energy + 1.0, forces


class Promises(Bell):
    """It has a Hessian and does not say so."""

    capabilities = Capability.PAIRS | Capability.STRAIN | Capability.EVALUATOR


class OneSize(Bell):
    """It gives one diameter for all."""

    def sizes(self, configuration):
        return np.ones(1)


class Handle(Bell):
    """It tells an engine an object."""

    def native(self, engine):
        return {"style": object()} if engine == "lammps" else None


class HalfRecorded(Bell):
    """Its record leaves the strength out."""

    def record(self):
        return {"form": "bell", "cutoff": self.cutoff}


class Forgetful(Bell):
    """A copy of it has another strength inside."""

    def terms(self, s):
        return tuple(self.__dict__.get("hidden", 1.0) * one for one in super().terms(s))

    def __reduce__(self):
        return _weaker, (type(self), self.epsilon, self.cutoff)


def _weaker(cls, *arguments):
    made = cls(*arguments)
    made.hidden = 0.5
    return made


class Divides(Bell):
    """It divides by the distance."""

    def summed(self, configuration, i, j, apart):
        energy, forces = super().summed(configuration, i, j, apart)
        r = np.linalg.norm(apart, axis=1)
        with np.errstate(all="ignore"):
            return energy * float(np.prod(np.where(r > 0, 1.0, r / r))), forces


class KnowsOnlyA(Bell):
    """Another species is a KeyError."""

    def energy_forces(self, configuration):
        for name in configuration.species_names:
            {"A": 1.0}[name]
        return super().energy_forces(configuration)


class TakesAnything(Bell):
    """Its evaluator makes an energy of positions that are none."""

    def evaluator(self, configuration):
        found = Ringing(self, configuration)
        call = found.__class__.__call__

        class Fearless(Ringing):
            def __call__(self, positions, forces):
                return call(self, np.ascontiguousarray(np.nan_to_num(positions)), forces)

        return Fearless(self, configuration)


STATE = liquid(12, 2, density=0.9, seed=2)
KIT = {"configuration": STATE}


def _fault(thing, check, words, *also, **kit):
    return Faulty(thing, check, words, kit={**KIT, **kit}, also=also)


GOOD = Bell()
DERIVATIVES = ("check_hessian_is_derivative", "check_strain_is_derivative", "check_strain_curvature")
OF_ENERGY = ("check_forces_are_derivatives", "check_evaluator_follows")
DRIFT = ("check_forces_are_derivatives", "check_energy_rotation")
FAULTY = [
    _fault(Restless(), "check_energy_forces", "other numbers again"),
    _fault(WrongSign(), "check_forces_are_derivatives", "minus the force", *DERIVATIVES),
    _fault(OldList(), "check_evaluator_follows", "is its list old"),
    _fault(TwiceTheCurvature(), "check_hessian_is_derivative", "component of the Hessian", *DERIVATIVES[1:]),
    _fault(NotSymmetric(), "check_hessian_is_symmetric", "H_ij and H_ji"),
    _fault(OtherShear(), "check_strain_is_derivative", r"d2U/\(dg dx\)"),
    _fault(LessCurved(), "check_strain_curvature", r"d2U/\(dF dF"),
    _fault(PairsTwice(), "check_pairs", "more than once"),
    _fault(ShortSighted(), "check_cutoff_is_kept", "states a range of"),
    _fault(
        Drifting(),
        "check_energy_translation",
        "the forces add to",
        "check_forces_are_derivatives",
        "check_energy_rotation",
    ),
    _fault(AlongTheAxes(), "check_energy_rotation", "with space turned", *DERIVATIVES, *OF_ENERGY),
    _fault(Unwrapped(), "check_energy_images", "in other images", "check_energy_cell"),
    _fault(OneImage(), "check_energy_cell", "by other cell vectors"),
    _fault(FirstIsSpecial(), "check_energy_permutation", "in another order", *DERIVATIVES, "check_energy_supercell"),
    _fault(Offset(), "check_energy_supercell", "a cell of several"),
    _fault(Promises(), "check_capabilities", "does not declare HESSIAN"),
    _fault(OneSize(), "check_describes_itself", r"sizes\(\) gives neither"),
    _fault(Handle(), "check_native_is_plain", "not plain data"),
    _fault(HalfRecorded(), "check_record", "leaves a parameter out", others=(HalfRecorded(2.0),)),
    _fault(Forgetful(), "check_pickled_copy", "gives other numbers"),
    _fault(Divides(), "check_refuses_overlap", "not finite"),
    _fault(KnowsOnlyA(), "check_refuses_strangers", "ends in KeyError"),
    _fault(TakesAnything(), "check_evaluator_refuses_nan", "it makes the energy"),
]
