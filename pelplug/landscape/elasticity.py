"""Athermal elastic constants of a minimum, with their Born and non-affine parts."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any, ClassVar

import numpy as np

from pelplug.core.fields import Field
from pelplug.landscape.hessian.response import SAFETY, LinearResponse, require_response
from pelplug.potentials.base import StrainDerivatives
from pelplug.potentials.from_forces.strain import completed_strain

__all__ = ["ElasticConstants", "ShearModulus", "elastic_constants", "shear_modulus", "strain_names"]

_MODULUS = "energy / length**dimension"
_MATRIX = ("frame", "stress_component", "strain_component")


def strain_names(d: int) -> list[str]:
    """Return the names of the independent strains: xx, yy, zz, yz, xz, xy (Voigt's order); by numbers above d = 3.

    Parameters
    ----------
    d : int
        Dimension.

    Returns
    -------
    list of str
    """
    letters = "xyz"
    return [letters[a] + letters[b] if d <= 3 else f"{a}-{b}" for a, b in _voigt(d)]


@dataclasses.dataclass(frozen=True)
class ShearModulus:
    """Shear moduli of one state.

    Attributes
    ----------
    planes : tuple of (int, int)
        (a, b) of each simple shear x -> (I + g e_a e_b) x, a < b.
    values : ndarray, shape (n_planes,)
        born - nonaffine [energy / length**d].
    born : ndarray, shape (n_planes,)
        (1/V) d2U/dg2 of the affine deformation [energy / length**d]; the stress of a prestressed state is in it.
    nonaffine : ndarray, shape (n_planes,)
        (1/V) U_gx.M^-1.U_xg, what relaxation takes off [energy / length**d].
    errors : ndarray, shape (n_planes,), optional
        Of ``values``, where the derivatives were found by differences [energy / length**d]; None else.
    """

    planes: tuple[tuple[int, int], ...]
    values: np.ndarray
    born: np.ndarray
    nonaffine: np.ndarray
    errors: np.ndarray | None = None

    @property
    def mean(self) -> float:
        """Mean over the planes [energy / length**d]."""
        return float(self.values.mean())

    @property
    def names(self) -> list[str]:
        """Names of the planes: xy, xz, yz; by numbers above three dimensions."""
        letters = "xyz"
        return [letters[a] + letters[b] if b < 3 else f"{a}-{b}" for a, b in self.planes]


@dataclasses.dataclass(frozen=True)
class ElasticConstants:
    """All elastic constants of one state, relaxed, in both conventions.

    Attributes
    ----------
    green_lagrange : ndarray, shape (d, d, d, d)
        ``C_abcd = (1/V) d2U / dE_ab dE_cd`` by the Green-Lagrange strain ``E = (F^T F - 1) / 2`` [energy / length**d].
    stress_strain : ndarray, shape (d, d, d, d)
        ``B_abcd = d stress_ab / d strain_cd`` of the Cauchy stress, what an experiment on the stressed state measures
        [energy / length**d]. Equal to C where there is no stress; else ``B_abcd = C_abcd + (d_ac s_bd + d_bc s_ad +
        d_ad s_bc + d_bd s_ac) / 2 - s_ab d_cd`` (d: Kronecker's, s: the stress).
    born, nonaffine : ndarray, shape (d, d, d, d)
        ``C = born - nonaffine``: the affine deformation's part and what relaxation takes off [energy / length**d].
    stress : ndarray, shape (d, d)
        Of the state, tension positive [energy / length**d].
    shear : ShearModulus
        Of the simple shears, ``C_abab + stress_bb``.
    origin : str
        ``"analytic"``, ``"differences"`` of energies or stress and of forces, or why the constants are NaN.
    FIELDS : dict of str to Field
        What `values` gives, for the ``provides`` of an analysis.
    MODULI : tuple of str
        Those of `FIELDS` that are one modulus a frame.
    MEANS : dict of str to Field
        Their means over frames, ``<name>_mean``, and the standard errors of these.

    References
    ----------
    D. C. Wallace, Thermodynamics of Crystals (1972); J. F. Lutsko, J. Appl. Phys. 65, 2991 (1989).
    """

    green_lagrange: np.ndarray
    stress_strain: np.ndarray
    born: np.ndarray
    nonaffine: np.ndarray
    stress: np.ndarray
    shear: ShearModulus
    origin: str

    FIELDS: ClassVar[dict[str, Field]] = {
        "bulk_modulus": Field(("frame",), _MODULUS, "athermal bulk modulus V d2U/dV2"),
        "shear_modulus_average": Field(("frame",), _MODULUS, "athermal shear modulus, mean over all directions"),
        "c11": Field(("frame",), _MODULUS, "stress-strain coefficient C11, mean over axes"),
        "c12": Field(("frame",), _MODULUS, "stress-strain coefficient C12, mean over axes"),
        "c44": Field(("frame",), _MODULUS, "stress-strain coefficient C44, mean over planes"),
        "stress_strain_coefficients": Field(_MATRIX, _MODULUS, "change of the Cauchy stress with strain"),
        "elastic_constants": Field(_MATRIX, _MODULUS, "second derivatives of the energy by Green-Lagrange strain"),
        "elastic_constants_nonaffine": Field(_MATRIX, _MODULUS, "what relaxation takes off the elastic constants"),
        "stress": Field(("frame", "stress_component"), _MODULUS, "stress of the inherent structure, tension positive"),
        "elastic_origin": Field(("frame",), "1", "how derivatives by strain were found"),
    }

    MODULI: ClassVar[tuple[str, ...]] = ("bulk_modulus", "shear_modulus_average", "c11", "c12", "c44")
    MEANS: ClassVar[dict[str, Field]] = {
        f"{name}_mean{suffix}": Field((), _MODULUS, f"{what} {name} over frames")
        for name in MODULI
        for suffix, what in (("", "mean of"), ("_error", "standard error of the mean of"))
    }

    def values(self) -> dict[str, Any]:
        """Return the variables of `FIELDS`, matrices in the order of `names`."""
        return {
            "bulk_modulus": self.bulk_modulus,
            "shear_modulus_average": self.shear_average,
            "c11": self.c11,
            "c12": self.c12,
            "c44": self.c44,
            "stress_strain_coefficients": self.voigt("stress_strain"),
            "elastic_constants": self.voigt("green_lagrange"),
            "elastic_constants_nonaffine": self.voigt("nonaffine"),
            "stress": np.array([self.stress[plane] for plane in _voigt(self.dimension)]),
            "elastic_origin": self.origin,
        }

    @staticmethod
    def coordinates(d: int) -> dict[str, tuple[str, list[str]]]:
        """Return the coordinates of `FIELDS`: the names of the strains xx, yy, zz, yz, xz, xy.

        Parameters
        ----------
        d : int
            Dimension.
        """
        return {name: (name, strain_names(d)) for name in _MATRIX[1:]}

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return len(self.stress)

    @property
    def bulk_modulus(self) -> float:
        """V d2U/dV2 of a uniform change of size, the mean of B_aabb [energy / length**d]."""
        return float(np.einsum("aabb", self.stress_strain) / self.dimension**2)

    @property
    def shear_average(self) -> float:
        """Shear modulus averaged over all directions, Voigt's [energy / length**d]."""
        d = self.dimension
        trace = (np.einsum("abab", self.stress_strain) + np.einsum("abba", self.stress_strain)) / 2
        return float((d * trace - np.einsum("aabb", self.stress_strain)) / (d * (d - 1) * (d + 2)))

    @property
    def c11(self) -> float:
        """Mean of B_aaaa over the axes [energy / length**d]."""
        return float(np.einsum("aaaa->a", self.stress_strain).mean())

    @property
    def c12(self) -> float:
        """Mean of B_aabb over pairs of axes [energy / length**d]."""
        d = self.dimension
        pairs = np.einsum("aabb->ab", self.stress_strain)
        return float((pairs.sum() - np.trace(pairs)) / (d * (d - 1)))

    @property
    def c44(self) -> float:
        """Mean of B_abab over pairs of axes [energy / length**d]."""
        d = self.dimension
        return float(np.mean([self.stress_strain[a, b, a, b] for a, b in itertools.permutations(range(d), 2)]))

    @property
    def names(self) -> list[str]:
        """Names of the rows and columns of `voigt`."""
        return strain_names(self.dimension)

    def voigt(self, which: str = "stress_strain") -> np.ndarray:
        """Return ``stress_strain``, ``green_lagrange``, ``born`` or ``nonaffine`` as a matrix, in the order of `names`.

        Parameters
        ----------
        which : str
            The attribute.

        Returns
        -------
        ndarray, shape (d * (d + 1) / 2, d * (d + 1) / 2)
        """
        tensor, order = getattr(self, which), _voigt(self.dimension)
        return np.array([[tensor[(*one, *other)] for other in order] for one in order])


def elastic_constants(response: LinearResponse) -> ElasticConstants:
    """Return all elastic constants: the Born part less ``U_Ex . M^-1 . U_xE`` by the factorised Hessian.

    Rattlers carry no stress and are left out of all parts; V is the whole cell's volume. A potential that does not
    know its second derivatives by strain is differentiated numerically, at two step sizes; where these disagree the
    constants are NaN and ``origin`` says so.

    Parameters
    ----------
    response : LinearResponse
        The state and its factorised Hessian.

    Returns
    -------
    ElasticConstants
    """
    require_response(response)
    strain, origin = response.potential.strain_derivatives(response.evaluated), "analytic"
    if strain.errors is not None:
        origin = "differences"
    if strain.curvature is None or strain.coupling is None:
        strain, origin = completed_strain(response.potential, response.evaluated, strain)
    strain = response.of_backbone(strain)
    d, volume = response.configuration.dimension, response.configuration.volume
    stress = strain.first / volume
    stress = (stress + stress.T) / 2
    if strain.curvature is None:
        unknown = np.full((d, d, d, d), np.nan)
        return ElasticConstants(unknown, unknown, unknown, unknown, stress, shear_modulus(response), origin)
    one = np.eye(d)
    # U depends on F through E alone: d2U/dF_ab dF_cd = V (C_abcd + d_ac s_bd) at F = 1.
    born = _symmetric(strain.curvature / volume - np.einsum("ac,bd->abcd", one, stress))
    born = (born + born.transpose(2, 3, 0, 1)) / 2
    fields = response.factor.solve(strain.coupling.T)
    products = strain.coupling @ fields / volume
    products = (products + products.T) / 2
    number = np.zeros((d, d), dtype=int)
    for k, (a, b) in enumerate(itertools.combinations_with_replacement(range(d), 2)):
        number[a, b] = number[b, a] = k
    nonaffine = products[number[:, :, None, None], number[None, None, :, :]]
    constants = born - nonaffine
    turning = 2.0 * _symmetric(np.einsum("ac,bd->abcd", one, stress))
    coefficients = constants + turning - np.einsum("ab,cd->abcd", stress, one)
    rows = [number[plane] for plane in strain.planes]
    errors = _errors(response, strain, fields, strain.coupling)
    if errors is not None:
        response.state_errors(elastic_constants=float(errors.max() / np.abs(constants).max()))
    shear = _shear(response, strain, products[rows, rows], None if errors is None else errors[rows])
    return ElasticConstants(constants, coefficients, born, nonaffine, stress, shear, origin)


def shear_modulus(response: LinearResponse) -> ShearModulus:
    """Return ``G = (1/V) [U_gg - U_gx . M^-1 . U_xg]`` of each shear plane.

    Rattlers carry no stress and are left out of both parts; V is the whole cell's volume.

    Parameters
    ----------
    response : LinearResponse
        The state and its factorised Hessian.

    Returns
    -------
    ShearModulus

    References
    ----------
    Kapteijns et al., J. Chem. Phys. 155, 074502 (2021), Eq. A1.
    """
    require_response(response)
    strain = response.of_backbone(response.potential.strain_derivatives(response.evaluated))
    relaxation = response.factor.solve(strain.mixed.T)
    nonaffine = np.einsum("px,xp->p", strain.mixed, relaxation) / response.configuration.volume
    return _shear(response, strain, nonaffine, _errors(response, strain, relaxation, strain.mixed))


def _shear(
    response: LinearResponse, strain: StrainDerivatives, nonaffine: np.ndarray, errors: np.ndarray | None
) -> ShearModulus:
    born = strain.second / response.configuration.volume
    values = born - nonaffine
    if errors is not None:
        response.state_errors(shear_modulus=float(errors.max() / abs(values.mean())))
    return ShearModulus(tuple(strain.planes), values, born, nonaffine, errors)


def _errors(
    response: LinearResponse, strain: StrainDerivatives, fields: np.ndarray, rows: np.ndarray
) -> np.ndarray | None:
    """Return the errors of ``(1/V) (second - c.M^-1.c)`` of some rows c, None where nothing is found by differences.

    Parameters
    ----------
    response : LinearResponse
    strain : StrainDerivatives
    fields : ndarray, shape (N * d, K)
        M^-1 c.
    rows : ndarray, shape (K, N * d)
        c.
    """
    change = response.correction(fields, rows.T)
    if change is None and strain.errors is None:
        return None
    errors = strain.errors or {"second": 0.0, "mixed": 0.0}
    found = errors["second"] + 2.0 * errors["mixed"] * np.linalg.norm(fields, axis=0)
    if change is not None:
        found = found + np.abs(np.einsum("kx,xk->k", rows, change))
    return SAFETY * found / response.configuration.volume


def _symmetric(tensor: np.ndarray) -> np.ndarray:
    """Mean over the exchange of the first two indices and of the last two."""
    tensor = (tensor + tensor.transpose(1, 0, 2, 3)) / 2
    return (tensor + tensor.transpose(0, 1, 3, 2)) / 2


def _voigt(d: int) -> list[tuple[int, int]]:
    """Pairs of axes in Voigt's order."""
    return [(a, a) for a in range(d)] + list(itertools.combinations(range(d), 2))[::-1]
