"""Lennard-Jones: ``4 epsilon (x**-12 - x**-6)``, with its minimum ``-epsilon`` at ``x = 2**(1/6)``.

J. E. Lennard-Jones, Proc. Phys. Soc. 43, 461 (1931).
"""

from pelplug.potentials.form import Form

__all__ = ["LENNARD_JONES", "lennard_jones", "lennard_jones_squared"]


def lennard_jones(x, p):
    """Return u, du/dx and d2u/dx2 [energy]; p = (epsilon,) [energy]."""
    inverse_2 = 1.0 / (x * x)
    inverse_6 = inverse_2 * inverse_2 * inverse_2
    scaled = 4.0 * p[0] * inverse_6
    u = scaled * (inverse_6 - 1.0)
    du = scaled * (6.0 - 12.0 * inverse_6) * inverse_2 * x
    ddu = scaled * (156.0 * inverse_6 - 42.0) * inverse_2
    return u, du, ddu


def lennard_jones_squared(s, p):
    """Return u and (du/dx) / x [energy] at ``s = x**2``; p = (epsilon,) [energy]."""
    inverse = 1.0 / s
    inverse_3 = inverse * inverse * inverse
    scaled = 4.0 * p[0] * inverse_3
    return scaled * (inverse_3 - 1.0), scaled * (6.0 - 12.0 * inverse_3) * inverse


LENNARD_JONES = Form(
    "lennard-jones",
    lennard_jones,
    ("epsilon",),
    "4 epsilon (x^-12 - x^-6)",
    squared=lennard_jones_squared,
    expression="p[0]*4*(x^(-12)-x^(-6))",
    native={
        "lammps": {
            "style": ("lj/cut", "cutoff"),
            "coefficients": ("epsilon", "sigma", "cutoff"),
            "ends": {
                "shift": {"modify": ("shift", "yes")},
                "shifted-force": {"style": ("lj/smooth/linear", "cutoff")},
            },
        },
        # HOOMD-blue's pair.ForceShiftedLJ has the force of shifted-force, but not its energy.
        "hoomd": {
            "force": "pair.LJ",
            "mode": "none",
            "parameters": {"epsilon": "epsilon", "sigma": "sigma"},
            "ends": {"shift": {"mode": "shift"}},
        },
    },
)
