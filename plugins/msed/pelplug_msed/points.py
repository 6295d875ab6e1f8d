"""What the results at each temperature say together."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["Points"]

_OVER_RESULTS = 5  # from which on errors are over them
_MSED = ("tau", "u0", "um", "heat_capacity_fast", "heat_capacity_slow")
_ENSEMBLE = (
    "make it anew with --temperature, and --ensemble nve or nvt (temperature=, ensemble= in Python), and --overwrite"
)


class Points:
    """Means over the results of each temperature, ascending, and their errors.

    Parameters
    ----------
    collection : Collection
        Results of msed, and perhaps of dynamics.
    species : str
        Whose tau_alpha; ``auto`` for the first.
    said : list of str
        Sentences on what is not found are added.

    Attributes
    ----------
    temperature : ndarray, shape (K,)
        Kinetic ones of runs at constant energy where they are known [temperature].
    values, errors : dict of str to ndarray, shape (K,)
        NaN where a result has none.
    runs, samples : ndarray of int, shape (K,)
        Independent runs, and results, of msed.
    harmonic : ndarray, shape (K,)
        U0 of harmonic vibrations [energy].
    n : int
        N.
    boltzmann : float
        k in the units of the results.
    with_dynamics : bool
        Whether there are results of dynamics.

    Raises
    ------
    InputError
        If a result has no heat capacities for lack of T or the ensemble.
    """

    def __init__(self, collection, species: str, said: list[str]):
        groups = collection.of("msed").groups("temperature")
        self.n = int(collection.value("n"))
        units = collection.conditions.units
        self.boltzmann = 1.0 if units.boltzmann is None else float(units.boltzmann)
        self.with_dynamics = "dynamics" in collection.analyses
        found = [self._of_msed(group) for group in groups]
        self.temperature = np.array([one["temperature"] for one in found])
        self.runs = np.array([one["runs"] for one in found])
        self.samples = np.array([len(group) for group in groups])
        self.harmonic = np.array([one["harmonic"] for one in found])
        self.values = {name: np.array([one[name][0] for one in found]) for name in _MSED}
        self.errors = {name: np.array([one[name][1] for one in found]) for name in _MSED}
        times = self._of_dynamics(collection.of("dynamics"), [group.value("temperature") for group in groups], species)
        self.values["tau_alpha"], self.errors["tau_alpha"] = times.T
        for name, words in {"tau": "relaxation time tau*", "u0": "U0"}.items():
            if (missing := self.temperature[~np.isfinite(self.values[name])]).size:
                at = ", ".join(f"{one:g}" for one in missing)
                said.append(f"No {words} at T = {at}: a result of msed there has none, and says why; simulate longer.")
        without = np.isfinite(self.values["tau"]) & ~np.isfinite(self.errors["tau"])
        if without.any():
            at = ", ".join(f"{one:g}" for one in self.temperature[without])
            said.append(
                f"No errors at T = {at}: results of msed there have none, and fewer than {_OVER_RESULTS} of them; "
                "simulate longer, or give results of more runs."
            )
        order = np.argsort(self.temperature)
        for name in ("temperature", "runs", "samples", "harmonic"):
            setattr(self, name, getattr(self, name)[order])
        self.values = {name: one[order] for name, one in self.values.items()}
        self.errors = {name: one[order] for name, one in self.errors.items()}

    def have(self, name: str) -> np.ndarray:
        """Return at which temperatures there is a positive value with an error."""
        return np.isfinite(self.errors[name]) & (self.errors[name] > 0) & (self.values[name] > 0)

    def known(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return temperatures, values and errors where there are errors."""
        have = self.have(name)
        return self.temperature[have], self.values[name][have], self.errors[name][have]

    def drawn(self, resamples: int, seed: int) -> dict[str, np.ndarray]:
        """Return values drawn within their errors, each of shape (R, K): times and energies log-normally."""
        rng, drawn = np.random.default_rng(seed), {}
        for name, value in self.values.items():
            normal = rng.normal(size=(resamples, value.size))
            if name.startswith("heat"):
                drawn[name] = value + self.errors[name] * normal
                continue
            with np.errstate(invalid="ignore", divide="ignore"):
                drawn[name] = value * np.exp(self.errors[name] / value * normal)
        return drawn

    def _of_msed(self, group) -> dict:
        results = list(group)
        for one in results:
            if "tau" in one and "heat_capacity_fast" not in one:
                why = one.attributes.get("heat", "unknown").removeprefix("none: ")
                raise pelplug.InputError(f"{one.source} has no heat capacities: {why}; {_ENSEMBLE}.")
        weights = np.array([max(len(one.trajectories), 1) for one in results], dtype=float)
        found: dict = {"runs": int(weights.sum()), "temperature": float(group.value("temperature"))}
        if all(map(_at_constant_energy, results)):
            found["temperature"] = float(
                np.average([float(one["kinetic_temperature"]) for one in results], weights=weights)
            )
        harmonic = [float(one["u0_harmonic"]) if "u0_harmonic" in one else np.nan for one in results]
        found["harmonic"] = float(np.average(harmonic, weights=weights))
        for name in _MSED:
            found[name] = _mean([_value(one, name) for one in results], weights)
        return found

    def _of_dynamics(self, collection, temperatures, species: str) -> np.ndarray:
        times = np.full((len(temperatures), 2), np.nan)
        for group in collection.groups("temperature"):
            at = [k for k, one in enumerate(temperatures) if np.isclose(one, group.value("temperature"), rtol=1e-6)]
            if not at:
                raise pelplug.InputError(
                    f"There is a result of dynamics at T = {group.value('temperature'):g} and none of msed; give one, "
                    "or leave it out."
                )
            each = []
            for one in group:
                if "tau_alpha" not in one:
                    raise pelplug.InputError(
                        f"{one.source} has no tau_alpha; make it anew with fs among --quantities and --overwrite, "
                        "or leave it out."
                    )
                kinds = [str(kind) for kind in one["kind"].values]
                kind = next((k for k in kinds if k != "all"), kinds[0]) if species == "auto" else species
                if kind not in kinds:
                    raise pelplug.InputError(
                        f"{one.source} has tau_alpha of {', '.join(kinds)}, not of {kind}; give --species one of them."
                    )
                each.append(
                    [float(one[name].sel(kind=kind).isel(wave_number=0)) for name in ("tau_alpha", "tau_alpha_error")]
                )
            weights = np.array([max(len(one.trajectories), 1) for one in group], dtype=float)
            times[at[0]] = _mean(each, weights)
        return times


def _at_constant_energy(one) -> bool:
    return "constant energy" in one.attributes.get("heat", "") and "kinetic_temperature" in one


def _value(one, name: str) -> tuple[float, float]:
    if name not in one:
        return np.nan, np.nan
    if name in ("u0", "um"):  # the error is of the square
        value, square = float(one[name]), float(one[f"{name}_squared_error"])
        return value, square / (2.0 * value) if value > 0 else np.nan
    return float(one[name]), float(one[f"{name}_error"])


def _mean(each, weights) -> tuple[float, float]:
    """Return the mean of values weighted by their runs, and its error: over them where they are many, else joined."""
    values, errors = np.array(each, dtype=float).T
    mean = float(np.average(values, weights=weights))
    if values.size >= _OVER_RESULTS and np.ptp(weights) == 0:
        return mean, float(pelplug.standard_error(values))
    return mean, float(np.linalg.norm(errors * weights) / weights.sum())
