"""Inverse power law of exponent 10 with an even polynomial: ``epsilon (x**-10 + c0 + c2 x**2 + c4 x**4 + c6 x**6)``.

Its model chooses the coefficients so that U and three derivatives vanish at the cutoff. E. Lerner, J. Non-Cryst. Solids
522, 119570 (2019); G. Kapteijns et al., J. Chem. Phys. 155, 074502 (2021).
"""

from pelplug.potentials.form import Form

__all__ = ["INVERSE_POWER_LAW_SMOOTH", "inverse_power_law_smooth", "inverse_power_law_smooth_squared"]


def inverse_power_law_smooth(x, p):
    """Return u, du/dx and d2u/dx2 [energy]; p = (epsilon [energy], c0, c2, c4, c6 [1])."""
    x2 = x * x
    inverse_2 = 1.0 / x2
    inverse_4 = inverse_2 * inverse_2
    inverse_10 = inverse_4 * inverse_4 * inverse_2
    inverse_12 = inverse_10 * inverse_2
    u = p[0] * (inverse_10 + p[1] + x2 * (p[2] + x2 * (p[3] + x2 * p[4])))
    du = p[0] * x * (2.0 * p[2] - 10.0 * inverse_12 + x2 * (4.0 * p[3] + x2 * 6.0 * p[4]))
    ddu = p[0] * (110.0 * inverse_12 + 2.0 * p[2] + x2 * (12.0 * p[3] + x2 * 30.0 * p[4]))
    return u, du, ddu


def inverse_power_law_smooth_squared(s, p):
    """Return u and (du/dx) / x [energy] at ``s = x**2``; p = (epsilon [energy], c0, c2, c4, c6 [1])."""
    inverse = 1.0 / s
    inverse_2 = inverse * inverse
    inverse_5 = inverse_2 * inverse_2 * inverse
    u = p[0] * (inverse_5 + p[1] + s * (p[2] + s * (p[3] + s * p[4])))
    w = p[0] * (2.0 * p[2] - 10.0 * inverse_5 * inverse + s * (4.0 * p[3] + s * 6.0 * p[4]))
    return u, w


INVERSE_POWER_LAW_SMOOTH = Form(
    "inverse-power-law-smooth",
    inverse_power_law_smooth,
    ("epsilon", "c0", "c2", "c4", "c6"),
    "epsilon (x^-10 + c0 + c2 x^2 + c4 x^4 + c6 x^6)",
    squared=inverse_power_law_smooth_squared,
    expression="p[0]*(x^(-10)+p[1]+p[2]*x^2+p[3]*x^4+p[4]*x^6)",
    repulsive=True,
)
