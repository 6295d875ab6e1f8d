"""Each run by itself: the MSD of `dynamics` and the energies of `inherent-structures` of the same frames."""

from __future__ import annotations

import dataclasses

import numpy as np

import pelplug

__all__ = ["Run", "State", "states_of"]


@dataclasses.dataclass(frozen=True)
class Run:
    """One trajectory.

    Attributes
    ----------
    lag_times, msd, origins : ndarray, shape (L,)
        Lags [time], mean squared displacement [length**2] and time origins.
    times, energies : ndarray, shape (F,), or None
        Since the first frame [time], and inherent-structure energy per particle [energy]; None without that result.
    source : str
        For sentences.
    """

    lag_times: np.ndarray
    msd: np.ndarray
    origins: np.ndarray
    times: np.ndarray | None
    energies: np.ndarray | None
    source: str


@dataclasses.dataclass(frozen=True)
class State:
    """The runs at one temperature, of one schedule of lags.

    Attributes
    ----------
    temperature : float
        [temperature]
    runs : list of Run
    time : float
        t_<MSD>: when the MSD averaged over the runs reaches its target [time].
    """

    temperature: float
    runs: list[Run]
    time: float

    @property
    def lag_times(self) -> np.ndarray:
        """Lags of all runs [time]."""
        return self.runs[0].lag_times

    @property
    def msd(self) -> np.ndarray:
        """MSD of each run, shape (R, L) [length**2]."""
        return np.array([one.msd for one in self.runs])

    @property
    def sampled(self) -> bool:
        """Whether there are inherent structures."""
        return self.runs[0].energies is not None

    def slopes(self, begin: float, dimension: int) -> np.ndarray:
        """Return the diffusivity of each run, shape (R,): slope of the MSD from a share of t_<MSD> to all of it.

        By least squares with the number of time origins as weights, the same for all, so that the mean is that of the
        mean MSD.

        Raises
        ------
        InputError
            If there are fewer than three lags.
        """
        t = self.lag_times
        inside = (t >= begin * self.time) & (t <= self.time * (1 + 1e-9))
        if inside.sum() < 3:
            raise pelplug.InputError(
                f"At T = {self.temperature:g} {inside.sum()} lags lie between {begin:g} and 1 times t = "
                f"{self.time:.4g}, where the mean MSD reaches its target; write frames more often, or make "
                "the results of dynamics anew with a larger --per-decade."
            )
        weight = np.mean([one.origins for one in self.runs], axis=0)[inside]
        moved = t[inside] - np.average(t[inside], weights=weight)
        return self.msd[:, inside] @ (weight * moved) / np.sum(weight * moved**2) / (2 * dimension)


def states_of(collection, kind: str, target: float) -> list[State]:
    """Return the runs by temperature, from cold to hot, each with both of its results.

    Parameters
    ----------
    collection : Collection
    kind : str
        Species whose MSD counts; "auto": the first.
    target : float
        Of the MSD [length**2].

    Raises
    ------
    InputError
        If a result is of several runs, or of frames of which the other has none; if the MSD does not reach its target.
    """
    found = []
    for group in collection.groups("liquid_temperature"):
        energies = {_key(one): one for one in group.of("inherent-structures")}
        dynamics = {_key(one): one for one in group.of("dynamics")}
        temperature = group.value("liquid_temperature")
        for key, one in energies.items():
            if key not in dynamics:
                raise pelplug.InputError(
                    f"{one.source} has no result of dynamics of the same trajectory beside it; make it: pelplug "
                    f"analyze --plugin dynamics {_file(one)}."
                )
        runs = []
        for key in sorted(dynamics):
            if energies and key not in energies:
                raise pelplug.InputError(
                    f"{dynamics[key].source} has no result of inherent-structures of the same trajectory beside it, as "
                    f"others at T = {temperature:g} have; make it: pelplug analyze --plugin inherent-structures "
                    f"{_file(dynamics[key])}."
                )
            runs.append(_run(dynamics[key], energies.get(key), kind))
        if runs:
            found.append(State(temperature, runs, _reached(runs, target, temperature)))
    return found


def _key(one) -> str:
    """Return what tells the trajectory of a result from others."""
    of = one.trajectories
    if len(of) > 1:
        raise pelplug.InputError(
            f"{one.source} is of {len(of)} runs together, and each run has a diffusivity and an energy of its own; "
            f"analyse them one by one: pelplug analyze --plugin {one.analysis} FILE."
        )
    if of:
        return of[0][1]
    said = one.conditions
    return f"replica {said.replica} seed {said.seed}"


def _file(one) -> str:
    return one.trajectories[0][0] if one.trajectories else "FILE"


def _run(dynamics, inherent, kind: str) -> Run:
    read = dynamics.read("msd", "origins")
    kinds = [str(name) for name in read["kind"].values]
    if kind != "auto" and kind not in kinds:
        raise pelplug.InputError(f"{dynamics.source} has no species {kind}; it has {', '.join(kinds)}.")
    msd = read["msd"].sel(kind=kinds[0] if kind == "auto" else kind).values
    times = energies = None
    if inherent is not None:
        _same_frames(dynamics, inherent)
        energy = inherent["energy_per_particle"]
        energies = energy.values
        at = energy["time"].values if "time" in energy.coords else np.arange(energies.size, dtype=float)
        times = at - at[0]
    return Run(read["lag_time"].values, msd, read["origins"].values.astype(float), times, energies, dynamics.source)


def _same_frames(dynamics, inherent) -> None:
    """Refuse results of different stretches of a trajectory; one may have every n-th of the frames."""
    mine, theirs = (one.trajectories[0][2] if one.trajectories else None for one in (dynamics, inherent))
    if not mine or not theirs:
        return
    length, few = max(mine) - min(mine), min(len(mine), len(theirs))
    apart = max(abs(min(mine) - min(theirs)), abs(max(mine) - max(theirs)))
    if apart > 2 * length / max(few - 1, 1):
        raise pelplug.InputError(
            f"{dynamics.source} is of frames {min(mine)} to {max(mine)} and {inherent.source} of {min(theirs)} to "
            f"{max(theirs)} of one trajectory; analyse both with one --start and --stop."
        )


def _reached(runs, target: float, temperature: float) -> float:
    lags = runs[0].lag_times
    for one in runs[1:]:
        if one.lag_times.shape != lags.shape or not np.allclose(one.lag_times, lags, rtol=1e-6):
            raise pelplug.InputError(
                f"{one.source} has other lags than {runs[0].source}, both at T = {temperature:g}; give runs of one "
                "length and schedule."
            )
    mean = np.mean([one.msd for one in runs], axis=0)
    above = np.flatnonzero(mean >= target)
    if above.size == 0 or above[0] == 0:
        which = f"reaches {mean.max():.3g} only" if above.size == 0 else f"is {mean[0]:.3g} at the first lag"
        remedy = "simulate longer" if above.size == 0 else "write frames more often"
        raise pelplug.InputError(
            f"At T = {temperature:g} the mean MSD {which}, and diffusivities are up to {target:g}; {remedy}, give "
            "another --msd-target (msd_target= in Python), or leave that temperature out."
        )
    k = int(above[0])
    share = np.log(target / mean[k - 1]) / np.log(mean[k] / mean[k - 1])
    return float(np.exp(np.log(lags[k - 1]) + share * np.log(lags[k] / lags[k - 1])))
