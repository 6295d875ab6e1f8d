"""Heat capacities from energy fluctuations, by ensemble, with their dimension."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

__all__ = ["ENSEMBLES", "Heat", "heat_capacity", "thermal_state"]

ENSEMBLES = ("nve", "nvt")
PAPER = "its Eq. 12 has U0^2 / (N k T^2), which is no heat capacity"


def heat_capacity(v, ensemble: str, dimension: int = 3):
    """Return the potential part of the heat capacity per particle, over k.

    At constant temperature it is ``v = Var(E) / (N k**2 T**2)``. At constant energy the potential energy fluctuates
    less: with all of it, the kinetic part d/2 included, ``c(v) = (d/2)**2 / (d/2 - v)``, 9/4 / (3/2 - v) for d = 3.

    Parameters
    ----------
    v : float or ndarray
        Variance of the total potential energy over N k**2 T**2.
    ensemble : {"nve", "nvt"}
        Constant energy or constant temperature.
    dimension : int
        d.

    Returns
    -------
    float or ndarray
        Infinite where v is d/2 or more, which constant energy does not allow.

    References
    ----------
    J. L. Lebowitz, J. K. Percus and L. Verlet, Phys. Rev. 153, 250 (1967).
    """
    if ensemble == "nvt":
        return v
    kinetic = dimension / 2.0
    v = np.asarray(v, dtype=float)
    room = np.where(v < kinetic, kinetic - v, np.nan)
    return np.where(v < kinetic, kinetic**2 / room - kinetic, np.inf)[()]


@dataclasses.dataclass(frozen=True)
class Heat:
    """What turns squared energy differences into heat capacities.

    Attributes
    ----------
    thermal : float
        k T [energy].
    n, dimension : int
        N and d.
    ensemble : {"nve", "nvt"} or None
        None if nobody said.
    """

    thermal: float
    n: int
    dimension: int
    ensemble: str | None

    def v(self, squared):
        """Return N U**2 / (2 k**2 T**2) of a mean-squared energy difference per particle."""
        return self.n * squared / (2.0 * self.thermal**2)

    def columns(self, u0_squared, um_squared) -> np.ndarray:
        """Return the heat capacities of the fast and of the slow part, one row for each pair of squares."""
        fast, both = (self._capacity(squared) for squared in (u0_squared, u0_squared + um_squared))
        finite = np.isfinite(fast)
        return np.stack([fast, np.where(finite, both - np.where(finite, fast, 0.0), np.inf)], axis=-1)

    def of_limit(self, limit: float, error: float) -> dict:
        """Return the variables of the long-time limit."""
        v, v_error = self.v(limit), self.v(error)
        return _variables("v_total", v, v_error) | self._capacities(
            "heat_capacity", self._capacity(v=v), self._slope(v) * v_error
        )

    def of_fit(self, fit, spread: np.ndarray) -> dict:
        """Return the variables of U0 and Um; ``spread`` has the errors of both squares, of tau, and of `columns`."""
        found = _variables("v0", self.v(fit.u0_squared), self.v(spread[0]))
        found |= _variables("vm", self.v(fit.um_squared), self.v(spread[1]))
        if self.ensemble is not None:
            found["u0_harmonic"] = ((), self.harmonic)
        capacities = self.columns(np.asarray(fit.u0_squared), np.asarray(fit.um_squared))
        for name, value, error in zip(("fast", "slow"), capacities, spread[3:], strict=True):
            found |= self._capacities(f"heat_capacity_{name}", value, error)
        return found

    @property
    def harmonic(self) -> float:
        """U0 of harmonic vibrations, d k / 2 of heat capacity per particle, in this ensemble [energy]."""
        v = self.dimension / (4.0 if self.ensemble == "nve" else 2.0)
        return self.thermal * np.sqrt(2.0 * v / self.n)

    def _capacity(self, squared=None, v=None):
        v = self.v(squared) if v is None else v
        return (
            np.full(np.shape(v), np.nan)[()]
            if self.ensemble is None
            else heat_capacity(v, self.ensemble, self.dimension)
        )

    def _slope(self, v: float) -> float:
        kinetic = self.dimension / 2.0
        return 1.0 if self.ensemble != "nve" else kinetic**2 / (kinetic - v) ** 2

    def _capacities(self, name: str, value, error) -> dict:
        if self.ensemble is None:
            return {}
        if not np.isfinite(value):
            value, error = np.nan, np.nan
        return _variables(name, value, error if np.isfinite(error) else np.nan)

    @property
    def words(self) -> str:
        """What was assumed."""
        if self.ensemble is None:
            return (
                f"v at k T = {self.thermal:.6g}; no heat capacities, for the ensemble is not known: pass "
                "--ensemble nve or nvt (ensemble= in Python)"
            )
        d = self.dimension
        which = (
            f"constant energy, c = ({d}/2)^2 k / ({d}/2 - v) less the kinetic part of {d}/2 k"
            if self.ensemble == "nve"
            else "constant temperature, c = k v"
        )
        return f"potential part per particle at k T = {self.thermal:.6g}, {which}; {PAPER}"


def _variables(name: str, value, error) -> dict:
    return {name: ((), float(value)), f"{name}_error": ((), float(error))}


def thermal_state(
    origin, given: Mapping, record: Mapping, dimension: int, kinetic: float = np.nan
) -> tuple[Heat | None, str]:
    """Return what turns fluctuations of a series into heat capacities, or why there are none.

    Parameters
    ----------
    origin : Origin
        What is known of the series.
    given : mapping
        ``ensemble`` as the user gave it, or ``"auto"``.
    record : mapping
        Of the simulation, where the trajectory has one.
    dimension : int
        d.
    kinetic : float, optional
        Mean kinetic temperature, which at constant energy is the temperature: what a thermostat before it was set to
        may be off by ``sqrt(2 / (d N))`` of itself or more; NaN where it is not known [temperature].
    """
    temperature = origin.temperature
    if temperature is None and not np.isfinite(kinetic):
        return None, "the temperature is not known; pass --temperature (temperature= in Python)"
    if origin.n is None:
        return None, "the number of particles is not known; pass --particles (particles= in Python)"
    ensemble = given["ensemble"]
    if ensemble == "auto" and record.get("method") == "npt":
        return None, "at constant pressure the fluctuations of the potential energy alone give no heat capacity"
    if ensemble == "auto":
        ensemble = {"nve": "nve", "nvt": "nvt", "langevin": "nvt"}.get(record.get("method"))
    measured = np.isfinite(kinetic) and (ensemble == "nve" or temperature is None)
    if measured:
        temperature = kinetic
    boltzmann = origin.system.boltzmann
    thermal = temperature if boltzmann is None else boltzmann * temperature
    heat = Heat(float(thermal), int(origin.n), dimension, ensemble)
    unstated = "; the units of the energies are not stated, so k = 1" if boltzmann is None else ""
    measure = "; T is the mean kinetic temperature" if measured else ""
    return heat, heat.words + measure + unstated
