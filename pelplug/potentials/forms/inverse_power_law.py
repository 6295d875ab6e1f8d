"""Inverse power law: ``epsilon x**-n`` for any exponent.

W. G. Hoover, M. Ross, K. W. Johnson et al., J. Chem. Phys. 52, 4931 (1970), for n = 12.
"""

from pelplug.potentials.form import Form

__all__ = ["INVERSE_POWER_LAW", "inverse_power_law"]


def inverse_power_law(x, p):
    """Return u, du/dx and d2u/dx2 [energy]; p = (epsilon [energy], n [1])."""
    n = p[1]
    inverse = 1.0 / x
    u = p[0] * inverse**n
    du = -n * u * inverse
    ddu = -(n + 1.0) * du * inverse
    return u, du, ddu


INVERSE_POWER_LAW = Form(
    "inverse-power-law",
    inverse_power_law,
    ("epsilon", "exponent"),
    "epsilon x^-exponent",
    expression="p[0]*x^(-p[1])",
    repulsive=True,
)
