"""LinearResponse: how a state at a minimum gives way to small forces."""

from __future__ import annotations

from typing import Any

import numpy as np

from pelplug.configuration import PER_PARTICLE, Configuration
from pelplug.errors import InputError, NotAMinimumError
from pelplug.landscape.hessian.iterative import IterativeFactor, expected_iterations
from pelplug.landscape.hessian.pair_rules import PAIR_RULES, pairs_by_rule, resolved
from pelplug.landscape.hessian.rattlers import SOFT, find_rattlers, pairs_among, without_soft
from pelplug.landscape.hessian.solvers import factorise
from pelplug.potentials.arguments import check_order
from pelplug.potentials.base import Capability, Pairs, Potential, StrainDerivatives
from pelplug.potentials.first_shells import FirstShells
from pelplug.potentials.from_forces.potential import FromForces, completed

__all__ = ["SAFETY", "LinearResponse", "require_response"]

# Largest force left in a minimum, in units of the mean |U'| of its pairs: float32 coordinates leave more.
FORCE_TOLERANCE = 1e-6
# Errors that are stated are this many times the change that another displacement makes.
SAFETY = 3.0


class LinearResponse:
    """The factorised Hessian of a minimum, its rattlers taken out.

    Parameters
    ----------
    configuration : Configuration
        A minimum of the potential energy.
    potential : Potential
        Its interactions; derivatives that it does not have are made from its forces (`FromForces`).
    solver : {"auto", "dense", "sparse", "cg"}
        How to invert the Hessian; ``"auto"`` decides by size, sparsity and memory.
    pairs : "all" or int
        How many dipoles will be asked for: only the choice of the solver depends on it.
    memory : float, optional
        Bytes that may be used; found out by default.
    determinant : bool
        Whether its determinant will be asked for (`pelplug.log_frequency_sum`): conjugate gradients do not give it.

    Attributes
    ----------
    configuration : Configuration
        As given.
    rattlers : ndarray of bool, shape (N,)
        Particles that nothing holds, found by `rattlers_by` repeatedly until none is left.
    rattlers_by : {"contacts", "blocks", "none"}
        ``contacts``: fewer than d + 1 of them, where all forces are sums over pairs and the potential lists them, or
        all repel. ``blocks``: an eigenvalue of the particle's block on the Hessian's diagonal, its stiffness while all
        others are held, is within 1e-5 of the mean stiffness of zero. ``none``: where only products of the Hessian with
        vectors are known none is looked for.
    backbone : Configuration
        The particles that remain.
    members : ndarray of int
        Their numbers in ``configuration``.
    evaluated : Configuration
        The state of which the potential is asked: the backbone, or all particles where rattlers were found by blocks.
    pairs : Pairs
        Pairs of the backbone, with the backbone's particle numbers: those that interact, until `choose_pairs`.
    pair_rule : str
        Whose pairs these are: ``interacting``, another of the rules, or a distance.
    potential : Potential
        As given, or a `FromForces` of it.
    hessian : bsr_matrix or LinearOperator
        The backbone's Hessian [energy / length**2]; an operator where only its products with vectors are found.
    factor : HessianFactor
        Its factorisation; ``factor.solver`` says which.

    Raises
    ------
    NotAMinimumError
        If forces are left, or the Hessian has a negative eigenvalue or a zero mode besides the translations.
    InputError
        If the solver would not fit in memory, or there is one particle only.
    """

    def __init__(
        self,
        configuration: Configuration,
        potential: Potential,
        *,
        solver: str = "auto",
        pairs: str | int = "all",
        memory: float | None = None,
        determinant: bool = False,
    ):
        check_order("LinearResponse", configuration, potential)
        if configuration.n < 2:
            raise InputError(
                "One particle has no pairs, and no vibrations besides the translations; give a state of two or more."
            )
        self.configuration = configuration
        sample = None if pairs == "all" else int(pairs)
        self.potential = potential = _by_products(completed(potential), configuration, solver, sample)
        found = potential.pairs(configuration)
        by_products = isinstance(potential, FromForces) and potential.hessian_as == "products"
        whole, self._condensed = None, None
        self.rattlers, self.rattlers_by = np.zeros(configuration.n, dtype=bool), "none"
        if _contacts_say(potential, found):
            self.rattlers = find_rattlers(found.i, found.j, configuration.n, configuration.dimension)
            self.rattlers_by = "contacts"
        elif not by_products:
            whole = potential.hessian(configuration)
            noise = potential.hessian_noise(configuration) if isinstance(potential, FromForces) else 0.0
            self.rattlers, self._condensed = without_soft(whole, noise)
            self.rattlers_by = "blocks"
        self.members = np.flatnonzero(~self.rattlers)
        if self.members.size == 0:
            raise NotAMinimumError(self._all_rattlers())
        self.backbone = configuration if self.members.size == configuration.n else _subset(configuration, self.members)
        self.evaluated = self.backbone if self.rattlers_by == "contacts" else configuration
        if self.evaluated is not configuration:
            self.pairs: Pairs = potential.pairs(self.backbone)
        else:
            self.pairs = found if self.backbone is configuration else pairs_among(found, ~self.rattlers)
        self.pair_rule = "interacting"
        self._check_forces()
        if isinstance(potential, FromForces) and by_products:
            self.hessian: Any = potential.products(self.backbone)
            self.factor: Any = IterativeFactor(self.hessian, configuration.dimension)
            return
        if self._condensed is not None:
            self.hessian = self._condensed.hessian
        else:
            self.hessian = potential.hessian(self.evaluated) if whole is None else whole
        self.factor = factorise(
            self.hessian,
            self.backbone.fractional(),
            self.backbone.heights,
            solver=solver,
            sample=sample,
            memory=memory,
            determinant=determinant,
        )

    @property
    def n_rattlers(self) -> int:
        """Number of particles taken out."""
        return int(np.count_nonzero(self.rattlers))

    @property
    def n_modes(self) -> int:
        """Number of vibrational modes of the backbone: without the d translations."""
        return self.configuration.dimension * (self.backbone.n - 1)

    def choose_pairs(self, rule: str | float, shells: FirstShells | None = None) -> None:
        """Take other pairs than those that interact: `dipole_stiffness` and `soft_modes` are of them.

        Parameters
        ----------
        rule : {"auto", "interacting", "first-shell", "bonds", "hessian"} or float
            ``interacting``: as the potential says, else within its cutoff, else whose block is not zero.
            ``first-shell``: nearer than the first minimum of g(r) of their species. ``bonds``: of the force field.
            ``hessian``: whose block of the Hessian is above 1e-6 of the largest, neighbours of neighbours too. A
            number: nearer than that [length]. ``auto``: interacting, but first-shell where forces are no sums over
            pairs and nobody knows a cutoff.
        shells : FirstShells, optional
            Those of the state itself by default.

        Raises
        ------
        InputError
            If the rule finds no pairs, with the remedy.
        """
        if isinstance(rule, str) and rule not in PAIR_RULES:
            raise InputError(f"{rule} is no rule for pairs; choose {', '.join(PAIR_RULES)}, or a distance.")
        rule = resolved(rule, self.potential)
        if rule == "interacting":
            if self.pair_rule != rule:
                raise InputError("Pairs were chosen before; make another LinearResponse for those that interact.")
            return
        state = self.configuration
        matrix = self.hessian if self.backbone is state else None
        if rule == "hessian" and matrix is None:
            matrix = self.potential.hessian(state)
        found = pairs_by_rule(rule, state, self.potential, matrix, shells)
        self.pairs, self.pair_rule = pairs_among(found, ~self.rattlers), rule if isinstance(rule, str) else f"{rule:g}"

    def correction(self, solutions: np.ndarray, forces: np.ndarray) -> np.ndarray | None:
        """Return by how much solutions of M z = f change with the Hessian that another displacement gives.

        Parameters
        ----------
        solutions, forces : ndarray, shape (N * d, K)
            z [length] and f [energy / length] of the backbone.

        Returns
        -------
        ndarray, shape (N * d, K), or None
            None where the Hessian is not found by differences.
        """
        if (other := self._other()) is None:
            return None
        return self.factor.solve(forces - self._times(other, solutions))

    def state_softest(self, field: np.ndarray) -> float | None:
        """Return, and record with the result, the relative error of the stiffness z.M.z of the softest mode.

        Parameters
        ----------
        field : ndarray, shape (N * d,) or (N, d)
            z on the backbone.

        Returns
        -------
        float or None
            None where the Hessian is not found by differences.
        """
        if (other := self._other()) is None:
            return None
        z = np.asarray(field, dtype=np.float64).ravel()
        stiffness = z @ (self.hessian @ z)
        error = SAFETY * abs(z @ self._times(other, z) / stiffness - 1.0)
        self.state_errors(softest_mode=float(error))
        return float(error)

    def state_errors(self, **errors: float) -> None:
        """Record relative errors of what follows from the Hessian, where it is found by differences."""
        if isinstance(self.potential, FromForces):
            self.potential.state_errors(**errors)

    def _other(self) -> Any:
        return self.potential.products(self.evaluated, second=True) if isinstance(self.potential, FromForces) else None

    def _times(self, matrix: Any, fields: np.ndarray) -> np.ndarray:
        """Return a matrix of the particles that were asked about times fields of the backbone."""
        return matrix @ fields if self._condensed is None else self._condensed.applied(matrix, fields)

    def of_backbone(self, strain: StrainDerivatives) -> StrainDerivatives:
        """Return derivatives by strain of ``evaluated`` for the backbone, which its rattlers follow.

        Parameters
        ----------
        strain : StrainDerivatives
        """
        return strain if self._condensed is None else self._condensed.strain(strain)

    def _all_rattlers(self) -> str:
        why = f"fewer than {self.configuration.dimension + 1} contacts"
        if self.rattlers_by == "blocks":
            why = f"in some direction each is held by less than {SOFT:g} of the mean stiffness"
        return f"All {self.configuration.n} particles are rattlers ({why}), so nothing is rigid; use a denser state."

    def _check_forces(self) -> None:
        left = float(np.abs(self.potential.forces(self.evaluated)).max())
        # In a state without stress pairs exert nothing: there a displacement by 1e-5 of their length is the measure.
        pairs = self.pairs
        typical = float(np.maximum(np.abs(pairs.first), 1e-5 * np.abs(pairs.second) * pairs.distances).mean())
        if not left <= FORCE_TOLERANCE * typical:
            raise NotAMinimumError(
                f"This state is not a minimum: a force of {left:.2g} is left where a pair exerts {typical:.2g}; quench "
                "it in double precision first."
            )


def _contacts_say(potential: Potential, pairs: Pairs) -> bool:
    """Whether the number of a particle's contacts says that it is held: by tension fewer hold it too, as in a chain."""
    listed = not isinstance(potential, FromForces) or potential.potential.can(Capability.PAIRS)
    return pairs.central and (listed or bool(np.all(pairs.first <= 0.0)))


def _by_products(potential: Potential, configuration: Configuration, solver: str, sample: int | None) -> Potential:
    """Return the potential, one that gives products of its Hessian alone where conjugate gradients then ask less."""
    if not isinstance(potential, FromForces) or not potential.can_be_products:
        return potential
    if potential.hessian_as == "products" and solver not in ("auto", "cg"):
        raise InputError(
            f"The solver {solver} needs the Hessian as a matrix, and pelplug.FromForces(potential, hessian='products') "
            "gives its products alone; choose the solver cg, or hessian='matrix'."
        )
    if solver != "cg" or potential.hessian_as != "auto" or sample is None or potential.reach(configuration) is None:
        return potential
    solves = sample + configuration.dimension * (configuration.dimension + 1) // 2
    products = 2 * solves * expected_iterations(configuration.n, configuration.dimension)
    return potential if potential.columns_cost(configuration) <= products else potential.with_products()


def _subset(configuration: Configuration, members: np.ndarray) -> Configuration:
    """Return the configuration of some particles only, in the same cell."""
    values = {name: getattr(configuration, name) for name in PER_PARTICLE}
    return configuration.replace(**{name: value[members] for name, value in values.items() if value is not None})


def require_response(response: object) -> None:
    """Refuse what is no `LinearResponse`, such as the configuration that one is made of.

    Raises
    ------
    InputError
        With the remedy.
    """
    if not isinstance(response, LinearResponse):
        kind = type(response).__name__
        raise InputError(f"{kind} is no linear response; pelplug.LinearResponse(configuration, potential) makes one.")
