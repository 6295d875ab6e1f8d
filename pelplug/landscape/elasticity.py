"""Athermal shear modulus of a minimum, with its Born and non-affine parts."""

from __future__ import annotations

import dataclasses

import numpy as np

from pelplug.landscape.response import LinearResponse

__all__ = ["ShearModulus", "shear_modulus"]


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
    """

    planes: tuple[tuple[int, int], ...]
    values: np.ndarray
    born: np.ndarray
    nonaffine: np.ndarray

    @property
    def mean(self) -> float:
        """Mean over the planes [energy / length**d]."""
        return float(self.values.mean())

    @property
    def names(self) -> list[str]:
        """Names of the planes: xy, xz, yz; by numbers above three dimensions."""
        letters = "xyz"
        return [letters[a] + letters[b] if b < 3 else f"{a}-{b}" for a, b in self.planes]


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
    strain = response.potential.strain_derivatives(response.backbone)
    volume = response.configuration.volume
    relaxation = response.factor.solve(strain.mixed.T)
    nonaffine = np.einsum("px,xp->p", strain.mixed, relaxation) / volume
    born = strain.second / volume
    return ShearModulus(tuple(strain.planes), born - nonaffine, born, nonaffine)
