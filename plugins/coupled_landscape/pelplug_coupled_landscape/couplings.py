"""Which systems an active process may touch: the couplings that options name, and what is said of them."""

from __future__ import annotations

import dataclasses

import pelplug
from pelplug_coupled_landscape.lattice import Coupling, Lattice

__all__ = ["Kind", "kinds"]


@dataclasses.dataclass(frozen=True)
class Kind:
    """A coupling without its q.

    Attributes
    ----------
    rule : str
        How a passive process draws.
    width : float or None
        Of the rule ``gaussian`` [energy].
    exponent : float or None
        n of r**-n; None: nearest neighbours.
    reach : float
        r_max [lattice spacings].
    """

    rule: str
    width: float | None = None
    exponent: float | None = None
    reach: float = 1.0

    def arguments(self, q: float) -> dict:
        """Return the arguments of `Coupling` at a q."""
        return {"q": float(q), **dataclasses.asdict(self)}

    def at(self, q: float) -> Coupling:
        """Return the `Coupling` at a q."""
        return Coupling(**self.arguments(q))

    @property
    def label(self) -> str:
        """What it is called in the result: ``"nearest"``, ``"r^-2 to 5"``."""
        return "nearest" if self.exponent is None else f"r^-{self.exponent:g} to {self.reach:g}"

    def neighbours(self, lattice: Lattice) -> float:
        """Return N_eff."""
        return self.at(0.0).effective_neighbours(lattice)

    def passive_share(self, q: float, lattice: Lattice, landscape: pelplug.TrapLandscape, rate: float) -> float:
        """Return about how many systems one active process makes anew; those moved a little count as their share."""
        chance = q * self.neighbours(lattice)
        if self.rule == "rate":
            return chance * rate
        if self.rule == "gaussian":
            s = self.at(q).gaussian_width(landscape) / landscape.sigma
            return chance * (1.0 - (1.0 - min(s, 1.0) ** 2) ** 0.5)
        return chance


def kinds(names, exponents, reaches, rule: str, width: float | None) -> list[Kind]:
    """Return the couplings that options ask for, each once: every exponent with every r_max.

    Raises
    ------
    InputError
        If none is asked for.
    """
    if not names:
        raise pelplug.InputError("No coupling is named; give --coupling nearest, power, or both.")
    found = []
    for name in names:
        if name == "nearest":
            found.append(Kind(rule, width))
        else:
            found += [Kind(rule, width, float(n), float(r)) for n in exponents for r in reaches]
    if not found:
        raise pelplug.InputError("The coupling power needs an exponent and a range; give --exponent and --r-max.")
    return list(dict.fromkeys(found))
