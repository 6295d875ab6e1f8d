"""Soft spheres of exponent 12 with an even polynomial: ``epsilon (x**-12 + c0 + c1 x**2 + c2 x**4)``.

Its models choose the coefficients so that U and two derivatives vanish at the cutoff. A. Ninarello, L. Berthier and
D. Coslovich, Phys. Rev. X 7, 021039 (2017).
"""

from pelplug.potentials.form import Form

__all__ = ["SOFT_SPHERES_12", "soft_spheres_12", "soft_spheres_12_squared"]


def soft_spheres_12(x, p):
    """Return u, du/dx and d2u/dx2 [energy]; p = (epsilon [energy], c0, c1, c2 [1])."""
    x2 = x * x
    inverse_2 = 1.0 / x2
    inverse_6 = inverse_2 * inverse_2 * inverse_2
    inverse_12 = inverse_6 * inverse_6
    inverse_14 = inverse_12 * inverse_2
    u = p[0] * (inverse_12 + p[1] + x2 * (p[2] + x2 * p[3]))
    du = p[0] * x * (2.0 * p[2] - 12.0 * inverse_14 + x2 * 4.0 * p[3])
    ddu = p[0] * (156.0 * inverse_14 + 2.0 * p[2] + x2 * 12.0 * p[3])
    return u, du, ddu


def soft_spheres_12_squared(s, p):
    """Return u and (du/dx) / x [energy] at ``s = x**2``; p = (epsilon [energy], c0, c1, c2 [1])."""
    inverse = 1.0 / s
    inverse_3 = inverse * inverse * inverse
    inverse_6 = inverse_3 * inverse_3
    u = p[0] * (inverse_6 + p[1] + s * (p[2] + s * p[3]))
    return u, p[0] * (2.0 * p[2] - 12.0 * inverse_6 * inverse + s * 4.0 * p[3])


SOFT_SPHERES_12 = Form(
    "soft-spheres-12",
    soft_spheres_12,
    ("epsilon", "c0", "c1", "c2"),
    "epsilon (x^-12 + c0 + c1 x^2 + c2 x^4)",
    squared=soft_spheres_12_squared,
    expression="p[0]*(x^(-12)+p[1]+p[2]*x^2+p[3]*x^4)",
    repulsive=True,
)
