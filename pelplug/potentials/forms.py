"""The functional forms of pair potentials: one small plain Python function each.

A form is ``form(x, p) -> (u, du, ddu)``: ``x = r / sigma_ij`` [1], ``p`` the parameters of the pair in the
order of `Form.parameters`, and the energy with its first two derivatives with respect to ``x`` [energy].
It is compiled by numba, for the processor and for CUDA alike, so it keeps to scalar arithmetic: powers are
written as products, and only what differs by region has a branch. Truncation is not a form's business:
`pelplug.potentials.pair.PairPotential` shifts or smooths any form at its cutoff.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

__all__ = [
    "FORMS",
    "STICKY_MINIMUM",
    "Form",
    "harmonic",
    "inverse_power_law",
    "inverse_power_law_smooth",
    "lennard_jones",
    "soft_spheres_12",
    "sticky_spheres",
]

STICKY_MINIMUM = 2.0 ** (1.0 / 6.0)
"""Distance [sigma] of the Lennard-Jones minimum, where sticky spheres change branch."""


@dataclasses.dataclass(frozen=True)
class Form:
    """A functional form and what there is to say about it.

    Parameters
    ----------
    name : str
        Name by which a user's model file asks for the form.
    function : callable
        ``function(x, p) -> (u, du, ddu)``, see the module's notes; importable, so that it can be pickled.
    parameters : tuple of str
        Names of the entries of ``p``, in order.
    formula : str
        The energy as text, for people.
    cutoff : float, optional
        Where the form itself ends [sigma_ij]; None where the user must choose a cutoff.
    squared : callable, optional
        ``squared(s, p) -> (u, w)`` with ``s = x**2`` and ``w = (du/dx) / x``: the same form for kernels that need
        forces only. Worth giving for forms in even powers of x, which then need no square root.
    """

    name: str
    function: Callable
    parameters: tuple[str, ...]
    formula: str
    cutoff: float | None = None
    squared: Callable | None = None


def lennard_jones(x, p):
    """``4 epsilon (x**-12 - x**-6)``; p = (epsilon,)."""
    inverse_2 = 1.0 / (x * x)
    inverse_6 = inverse_2 * inverse_2 * inverse_2
    scaled = 4.0 * p[0] * inverse_6
    u = scaled * (inverse_6 - 1.0)
    du = scaled * (6.0 - 12.0 * inverse_6) * inverse_2 * x
    ddu = scaled * (156.0 * inverse_6 - 42.0) * inverse_2
    return u, du, ddu


def lennard_jones_squared(s, p):
    """`lennard_jones` by the squared distance."""
    inverse = 1.0 / s
    inverse_3 = inverse * inverse * inverse
    scaled = 4.0 * p[0] * inverse_3
    return scaled * (inverse_3 - 1.0), scaled * (6.0 - 12.0 * inverse_3) * inverse


def inverse_power_law(x, p):
    """``epsilon x**-n`` for any exponent; p = (epsilon, n)."""
    n = p[1]
    inverse = 1.0 / x
    u = p[0] * inverse**n
    du = -n * u * inverse
    ddu = -(n + 1.0) * du * inverse
    return u, du, ddu


def inverse_power_law_smooth(x, p):
    """``epsilon (x**-10 + c0 + c2 x**2 + c4 x**4 + c6 x**6)``; p = (epsilon, c0, c2, c4, c6)."""
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
    """`inverse_power_law_smooth` by the squared distance."""
    inverse = 1.0 / s
    inverse_2 = inverse * inverse
    inverse_5 = inverse_2 * inverse_2 * inverse
    u = p[0] * (inverse_5 + p[1] + s * (p[2] + s * (p[3] + s * p[4])))
    w = p[0] * (2.0 * p[2] - 10.0 * inverse_5 * inverse + s * (4.0 * p[3] + s * 6.0 * p[4]))
    return u, w


def sticky_spheres(x, p):
    """Lennard-Jones up to its minimum at ``2**(1/6)``, then a deeper, shorter attraction.

    ``4 epsilon (x**-12 - x**-6)`` for ``x < 2**(1/6)``, else
    ``epsilon (a x**-12 - b x**-6 + c0 + c2 x**2 + c4 x**4 + c6 x**6)``; p = (epsilon, a, b, c0, c2, c4, c6).
    """
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
    """`sticky_spheres` by the squared distance."""
    inverse = 1.0 / s
    inverse_3 = inverse * inverse * inverse
    if s < STICKY_MINIMUM * STICKY_MINIMUM:
        a, b, c0, c2, c4, c6 = 4.0, 4.0, 0.0, 0.0, 0.0, 0.0
    else:
        a, b, c0, c2, c4, c6 = p[1], p[2], p[3], p[4], p[5], p[6]
    u = p[0] * (inverse_3 * (a * inverse_3 - b) + c0 + s * (c2 + s * (c4 + s * c6)))
    w = p[0] * (inverse_3 * inverse * (6.0 * b - 12.0 * a * inverse_3) + 2.0 * c2 + s * (4.0 * c4 + s * 6.0 * c6))
    return u, w


def soft_spheres_12(x, p):
    """``epsilon (x**-12 + c0 + c1 x**2 + c2 x**4)``; p = (epsilon, c0, c1, c2)."""
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
    """`soft_spheres_12` by the squared distance."""
    inverse = 1.0 / s
    inverse_3 = inverse * inverse * inverse
    inverse_6 = inverse_3 * inverse_3
    u = p[0] * (inverse_6 + p[1] + s * (p[2] + s * p[3]))
    return u, p[0] * (2.0 * p[2] - 12.0 * inverse_6 * inverse + s * 4.0 * p[3])


def harmonic(x, p):
    """``epsilon / 2 (1 - x)**2`` for ``x < 1``; p = (epsilon,)."""
    overlap = 1.0 - x
    u = 0.5 * p[0] * overlap * overlap
    du = -p[0] * overlap
    return u, du, p[0]


LENNARD_JONES = Form(
    "lennard-jones", lennard_jones, ("epsilon",), "4 epsilon (x^-12 - x^-6)", squared=lennard_jones_squared
)
INVERSE_POWER_LAW = Form("inverse-power-law", inverse_power_law, ("epsilon", "exponent"), "epsilon x^-exponent")
INVERSE_POWER_LAW_SMOOTH = Form(
    "inverse-power-law-smooth",
    inverse_power_law_smooth,
    ("epsilon", "c0", "c2", "c4", "c6"),
    "epsilon (x^-10 + c0 + c2 x^2 + c4 x^4 + c6 x^6)",
    squared=inverse_power_law_smooth_squared,
)
STICKY_SPHERES = Form(
    "sticky-spheres",
    sticky_spheres,
    ("epsilon", "a", "b", "c0", "c2", "c4", "c6"),
    "4 epsilon (x^-12 - x^-6) for x < 2^(1/6), else epsilon (a x^-12 - b x^-6 + c0 + c2 x^2 + c4 x^4 + c6 x^6)",
    squared=sticky_spheres_squared,
)
SOFT_SPHERES_12 = Form(
    "soft-spheres-12",
    soft_spheres_12,
    ("epsilon", "c0", "c1", "c2"),
    "epsilon (x^-12 + c0 + c1 x^2 + c2 x^4)",
    squared=soft_spheres_12_squared,
)
HARMONIC = Form("harmonic", harmonic, ("epsilon",), "epsilon / 2 (1 - x)^2", cutoff=1.0)

FORMS = {
    form.name: form
    for form in (
        LENNARD_JONES,
        INVERSE_POWER_LAW,
        INVERSE_POWER_LAW_SMOOTH,
        STICKY_SPHERES,
        SOFT_SPHERES_12,
        HARMONIC,
    )
}
"""The forms that come with pelplug, by name."""
