"""Local dipole stiffness: how stiffly a state answers the force dipole of each interacting pair."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np

from pelplug.core.arguments import takes
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.landscape.hessian.factor import unit_dipoles
from pelplug.landscape.hessian.response import SAFETY, LinearResponse, require_response
from pelplug.potentials.from_forces.potential import FromForces

__all__ = ["DipoleResponse", "DipoleStiffness", "dipole_response", "dipole_stiffness", "pairs_near_cutoff"]

# Pairs of which the response to another Hessian, by another displacement, is looked at.
_LOOKED_AT = 12


@dataclasses.dataclass(frozen=True)
class DipoleStiffness:
    """Dipole stiffnesses of one state.

    Attributes
    ----------
    i, j : ndarray of int, shape (P,)
        Particle numbers of each pair; a pair through another image is an entry of its own.
    unit : ndarray, shape (P, d)
        Unit vectors from i to j.
    kappa_ij : ndarray, shape (P,)
        d.M^-1.d / d.M^-2.d [energy / length**2].
    compliance : ndarray, shape (P,)
        d.M^-1.d [length**2 / energy].
    kappa_i : ndarray, shape (N,)
        Mean of kappa_ij over the particle's pairs [energy / length**2]; NaN for rattlers and particles without a pair
        in the sample.
    n_pairs : int
        Interacting pairs there are, sampled or not.
    errors : dict of str to float, optional
        Relative errors of ``kappa_ij`` and ``kappa_i`` (the largest) and of ``mean`` (``kappa_mean``), where the
        Hessian was found by differences; None else.
    """

    i: np.ndarray
    j: np.ndarray
    unit: np.ndarray
    kappa_ij: np.ndarray
    compliance: np.ndarray
    kappa_i: np.ndarray
    n_pairs: int
    errors: dict[str, float] | None = None

    @property
    def mean(self) -> float:
        """Mean of kappa_ij over the pairs [energy / length**2]."""
        return float(self.kappa_ij.mean())


@takes()
def dipole_stiffness(
    response: LinearResponse,
    pairs: Annotated[int | Literal["all"], Param("every pair, or how many to draw", minimum=1)] = "all",
    seed: int | Sequence[int] = 0,
) -> DipoleStiffness:
    """Return kappa_ij of every pair of the response, or of a random sample: interacting ones, or those chosen.

    The dipole of a pair is ``d_ij = (1/sqrt 2) dr_ij/dx``, its response ``z_ij = M^-1 d_ij``, and
    ``kappa_ij = (z.M.z) / (z.z) = d.M^-1.d / d.M^-2.d``, the inverse taken off the d translations.

    Parameters
    ----------
    response : LinearResponse
        The state and its factorised Hessian.
    pairs : "all" or int
        Every pair, or how many to draw without replacement.
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    DipoleStiffness

    Raises
    ------
    InputError
        If ``pairs`` is neither ``"all"`` nor a positive number.

    References
    ----------
    Kapteijns et al., J. Chem. Phys. 155, 074502 (2021), Eqs. A2-A4.
    """
    require_response(response)
    found = response.pairs
    # A particle and its own image are no dipole: their distance is the cell's.
    chosen = np.flatnonzero(found.i != found.j)
    n_pairs = chosen.size
    if pairs != "all" and pairs < n_pairs:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, pairs, replace=False))
    i, j = found.i[chosen].astype(np.int64), found.j[chosen].astype(np.int64)
    unit = found.vectors[chosen] / found.distances[chosen, None]
    first, second = response.factor.dipole_products(i, j, unit)
    kappa = first / second

    n = response.configuration.n
    members = response.members
    i, j = members[i], members[j]
    count = np.bincount(i, minlength=n) + np.bincount(j, minlength=n)
    total = np.bincount(i, kappa, minlength=n) + np.bincount(j, kappa, minlength=n)
    kappa_i = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    errors = _errors(response, chosen, unit, kappa, count)
    return DipoleStiffness(i, j, unit, kappa, first, kappa_i, n_pairs, errors)


@dataclasses.dataclass(frozen=True)
class DipoleResponse:
    """Displacement fields with which one state answers force dipoles.

    Attributes
    ----------
    i, j : ndarray of int, shape (K,)
        Particle numbers of each pair.
    unit : ndarray, shape (K, d)
        Unit vectors from i to j.
    forces : ndarray, shape (K, N, d)
        The dipoles d_ij, of norm one: -unit/sqrt 2 on i and +unit/sqrt 2 on j, which push them apart [1].
    fields : ndarray, shape (K, N, d)
        z_ij = M^-1 d_ij: how far each particle moves for a dipole of strength one [length**2 / energy], along the
        force and not normalised, free of translations; zero for rattlers, which no force holds.
    kappa : ndarray, shape (K,)
        (z.M.z) / (z.z) [energy / length**2].
    """

    i: np.ndarray
    j: np.ndarray
    unit: np.ndarray
    forces: np.ndarray
    fields: np.ndarray
    kappa: np.ndarray


@takes()
def dipole_response(response: LinearResponse, i: Any, j: Any, unit: Any = None) -> DipoleResponse:
    """Return the displacement fields z_ij = M^-1 d_ij that answer the dipoles of some pairs.

    Parameters
    ----------
    response : LinearResponse
        The state and its factorised Hessian.
    i, j : int or array_like of int, shape (K,)
        Particle numbers of interacting pairs.
    unit : array_like, shape (K, d), optional
        Unit vectors from i to j, for pairs that interact through several images; by default the nearest one's.

    Returns
    -------
    DipoleResponse

    Raises
    ------
    InputError
        If two particles do not interact, or one of them is a rattler.

    References
    ----------
    Kapteijns et al., J. Chem. Phys. 155, 074502 (2021), Eqs. A2-A4 and Fig. 1.
    """
    require_response(response)
    i, j = (np.atleast_1d(np.asarray(one)).astype(np.int64) for one in (i, j))
    n, members, d = response.configuration.n, response.members, response.configuration.dimension
    vectors = _nearest(response, i, j) if unit is None else np.asarray(unit, dtype=np.float64).reshape(i.size, d)
    number = np.full(n, -1)
    number[members] = np.arange(members.size)
    dipoles = unit_dipoles(number[i], number[j], vectors, members.size)
    solved = response.factor.solve(dipoles)
    if (change := response.correction(solved, dipoles)) is not None:
        off = np.linalg.norm(change, axis=0) / np.linalg.norm(solved, axis=0)
        response.state_errors(response_field=SAFETY * float(off.max()))
    forces, fields = np.zeros((2, i.size, n, d))
    for full, part in ((forces, dipoles), (fields, solved)):
        full[:, members] = part.T.reshape(i.size, members.size, d)
    kappa = np.einsum("xp,xp->p", dipoles, solved) / np.einsum("xp,xp->p", solved, solved)
    return DipoleResponse(i, j, vectors, forces, fields, kappa)


def _nearest(response: LinearResponse, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Return unit vectors from i to j, of the nearest of the images through which they interact."""
    found, members = response.pairs, response.members
    vectors = np.empty((i.size, response.configuration.dimension))
    for place, (a, b) in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        forward = (members[found.i] == a) & (members[found.j] == b)
        either = np.flatnonzero(forward | ((members[found.i] == b) & (members[found.j] == a)))
        if not either.size or a == b:
            raise InputError(
                f"The particles {a} and {b} have no dipole: they do not interact in this inherent structure, or one is "
                "a rattler; choose an interacting pair."
            )
        one = either[np.argmin(found.distances[either])]
        vectors[place] = found.vectors[one] / found.distances[one] * (1.0 if forward[one] else -1.0)
    return vectors


def _errors(
    response: LinearResponse, chosen: np.ndarray, unit: np.ndarray, kappa: np.ndarray, count: np.ndarray
) -> dict[str, float] | None:
    """Return relative errors: by what another Hessian says of some pairs, and by pairs that may be none, or lack."""
    some = np.sort(np.random.default_rng(0).permutation(chosen.size)[:_LOOKED_AT])
    found = response.pairs
    dipoles = unit_dipoles(found.i[chosen[some]], found.j[chosen[some]], unit[some], response.backbone.n)
    fields = response.factor.solve(dipoles)
    if (change := response.correction(fields, dipoles)) is None:
        return None
    other = fields + change
    again = np.einsum("xp,xp->p", dipoles, other) / np.einsum("xp,xp->p", other, other)
    off = np.abs(again / kappa[some] - 1.0)
    spread = float(np.std(kappa) / kappa.mean())
    fewest, uncertain = max(1, int(count[count > 0].min())), found.uncertain
    doubt = SAFETY * spread * min(1.0, (1.0 + 2.0 * uncertain / response.backbone.n) / fewest) if uncertain else 0.0
    errors = {
        "kappa_ij": SAFETY * float(off.max()),
        "kappa_i": SAFETY * float(off.max()) + doubt,
        "kappa_mean": SAFETY * float(off.mean()) + spread * uncertain / len(found),
    }
    response.state_errors(**errors)
    return errors


@takes()
def pairs_near_cutoff(response: LinearResponse, tolerance: float = 1e-6) -> int:
    """Count pairs whose distance is the cutoff, to within ``tolerance`` as a fraction of it, on either side.

    With the truncation ``shift`` the force jumps at the cutoff, so a minimum can sit on the kink and the Hessian
    changes when a pair crosses it.

    Parameters
    ----------
    response : LinearResponse
        The state.
    tolerance : float
        Fraction of the largest cutoff.

    Returns
    -------
    int
    """
    require_response(response)
    state, potential = response.evaluated, response.potential
    own = state is response.backbone and response.pair_rule == "interacting"
    pairs = response.pairs if own else potential.pairs(state)
    longest = potential.cutoff if potential.cutoff is not None else float(pairs.distances.max(initial=0.0))
    if isinstance(potential, FromForces):
        near = potential.pairs_near_cutoff(state, tolerance)
        if near is not None:
            return near

    def scaled(factor: float) -> int:
        return len(potential.pairs(state.replace(positions=state.positions * factor, cell=state.cell * factor)))

    if np.isnan(pairs.gap).any():
        inside = max(0, len(pairs) - scaled(1.0 + tolerance))
    else:
        inside = int(np.count_nonzero(pairs.gap < tolerance * longest))
    # Pairs just outside are not listed: shrink the state until the width just beyond the largest cutoff comes inside.
    return inside + max(0, scaled(1.0 / (1.0 + tolerance)) - len(pairs))
