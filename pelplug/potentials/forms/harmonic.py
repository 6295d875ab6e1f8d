"""Harmonic repulsion: ``epsilon / 2 (1 - x)**2`` for ``x < 1``, where it ends.

D. J. Durian, Phys. Rev. Lett. 75, 4780 (1995).
"""

from pelplug.potentials.form import Form

__all__ = ["HARMONIC", "harmonic"]


def harmonic(x, p):
    """Return u, du/dx and d2u/dx2 [energy]; p = (epsilon,) [energy]."""
    overlap = 1.0 - x
    u = 0.5 * p[0] * overlap * overlap
    du = -p[0] * overlap
    return u, du, p[0]


HARMONIC = Form(
    "harmonic",
    harmonic,
    ("epsilon",),
    "epsilon / 2 (1 - x)^2",
    cutoff=1.0,
    expression="p[0]*0.5*(1-x)^2",
    repulsive=True,
)
