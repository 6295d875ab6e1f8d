"""Sticky spheres: Lennard-Jones up to its minimum at ``2**(1/6)``, then a deeper, shorter attraction.

``4 epsilon (x**-12 - x**-6)`` for ``x < 2**(1/6)``, else
``epsilon (a x**-12 - b x**-6 + c0 + c2 x**2 + c4 x**4 + c6 x**6)``. J. Chattoraj and M. P. Ciamarra,
Phys. Rev. Lett. 124, 028001 (2020); G. Kapteijns et al., J. Chem. Phys. 155, 074502 (2021).
"""

from pelplug.potentials.form import Form

__all__ = ["STICKY_MINIMUM", "STICKY_SPHERES", "sticky_spheres", "sticky_spheres_squared"]

STICKY_MINIMUM = 2.0 ** (1.0 / 6.0)
"""Distance [sigma] of the Lennard-Jones minimum, where sticky spheres change branch."""


def sticky_spheres(x, p):
    """Return u, du/dx and d2u/dx2 [energy]; p = (epsilon [energy], a, b, c0, c2, c4, c6 [1])."""
    x2 = x * x
    inverse_2 = 1.0 / x2
    inverse_6 = inverse_2 * inverse_2 * inverse_2
    if x < STICKY_MINIMUM:
        a, b, c0, c2, c4, c6 = 4.0, 4.0, 0.0, 0.0, 0.0, 0.0
    else:
        a, b, c0, c2, c4, c6 = p[1], p[2], p[3], p[4], p[5], p[6]
    u = p[0] * (inverse_6 * (a * inverse_6 - b) + c0 + x2 * (c2 + x2 * (c4 + x2 * c6)))
    inverse_8 = inverse_6 * inverse_2
    du = p[0] * x * (inverse_8 * (6.0 * b - 12.0 * a * inverse_6) + 2.0 * c2 + x2 * (4.0 * c4 + x2 * 6.0 * c6))
    ddu = p[0] * (inverse_8 * (156.0 * a * inverse_6 - 42.0 * b) + 2.0 * c2 + x2 * (12.0 * c4 + x2 * 30.0 * c6))
    return u, du, ddu


def sticky_spheres_squared(s, p):
    """Return u and (du/dx) / x [energy] at ``s = x**2``; p = (epsilon [energy], a, b, c0, c2, c4, c6 [1])."""
    inverse = 1.0 / s
    inverse_3 = inverse * inverse * inverse
    if s < STICKY_MINIMUM * STICKY_MINIMUM:
        a, b, c0, c2, c4, c6 = 4.0, 4.0, 0.0, 0.0, 0.0, 0.0
    else:
        a, b, c0, c2, c4, c6 = p[1], p[2], p[3], p[4], p[5], p[6]
    u = p[0] * (inverse_3 * (a * inverse_3 - b) + c0 + s * (c2 + s * (c4 + s * c6)))
    w = p[0] * (inverse_3 * inverse * (6.0 * b - 12.0 * a * inverse_3) + 2.0 * c2 + s * (4.0 * c4 + s * 6.0 * c6))
    return u, w


STICKY_SPHERES = Form(
    "sticky-spheres",
    sticky_spheres,
    ("epsilon", "a", "b", "c0", "c2", "c4", "c6"),
    "4 epsilon (x^-12 - x^-6) for x < 2^(1/6), else epsilon (a x^-12 - b x^-6 + c0 + c2 x^2 + c4 x^4 + c6 x^6)",
    squared=sticky_spheres_squared,
    expression="p[0]*select(step(1.122462048309373-x),4*(x^(-12)-x^(-6)),"
    "p[1]*x^(-12)-p[2]*x^(-6)+p[3]+p[4]*x^2+p[5]*x^4+p[6]*x^6)",
)
