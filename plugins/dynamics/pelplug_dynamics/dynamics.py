"""Motion of the particles of a trajectory: displacements, scattering, relaxation times, structure."""

from __future__ import annotations

import json
import pathlib
from typing import Annotated, Literal

import numpy as np
import xarray as xr

import pelplug
from pelplug_dynamics import times as characteristic
from pelplug_dynamics.correlate import displacement_histogram, pair_sums
from pelplug_dynamics.lags import Clock, Pairs, count_lags, frame_pairs, select_lags
from pelplug_dynamics.positions import Positions
from pelplug_dynamics.statistics import BLOCKS, Resampling
from pelplug_dynamics.structure import first_peak, radial_distributions, structure_factor
from pelplug_dynamics.variables import BY_Q, fields

__all__ = ["Dynamics"]


class Dynamics(pelplug.Analysis):
    """Displacements, self-intermediate scattering and relaxation times from all pairs of frames at chosen lags.

    Parameters
    ----------
    trajectory : Trajectory
        With times; frames linear, logarithmic, in blocks or anyhow.
    wave_number : "auto", float or tuple of float
        q of F_s; auto is the first peak of S(q) of the largest species [1 / length].
    average : {"axes", "isotropic"}
        F_s: mean of cos(q dx) over the axes, or of cos(q.dr) over all directions (sin(qr)/(qr) in three dimensions).
    threshold : float
        F_s(tau_alpha): 0.2, or 1/e.
    overlap_length : "auto" or float
        a of the overlap and chi_4; auto is ``0.3 rho**(-1/d)`` [length].
    msd_target : float
        MSD at `msd_time` [length**2].
    per_decade : int
        Lags a decade, equally spaced in log t as far as the frames allow; a large number takes every lag.
    min_origins : "auto" or int
        Lags with fewer time origins are left out; auto is 10, or a tenth of those of the commonest lag if that is less.
    van_hove_times : "auto" or tuple of float
        Lags of the van Hove function; auto is four, equally spaced in log t [time].
    largest : str
        Species for q_max and S(q); auto is the one of the largest sigma or diameter, or the most numerous if unknown.
    more : tuple of path
        Further trajectories of the same system, averaged with this one.
    remove_drift : bool
        Measure displacements from the centre of mass.
    structure_frames : int
        Frames for g(r) and S(q), equally spaced.
    resamples, seed : int
        Bootstrap resamples and their seed.
    memory : float
        Positions that need more go to a temporary file [MB].
    **base
        Of `pelplug.Analysis`.

    Notes
    -----
    Attributes of the dataset: ``not_found`` (a sentence for each NaN among the times and coefficients), ``errors``
    (what was resampled), beside the usual ones.
    """

    name = "dynamics"
    summary = "MSD, F_s, non-Gaussian parameter, chi_4, van Hove, relaxation times, D, g(r) and S(q)"
    needs = pelplug.Need.POSITIONS | pelplug.Need.CELL | pelplug.Need.TIME
    reads_frames = False
    provides = fields()
    cites = (
        "W. Kob and H. C. Andersen, Phys. Rev. E 51, 4626 (1995)",
        "V. Ramasubramani et al., Comput. Phys. Commun. 254, 107275 (2020)",
    )

    def __init__(
        self,
        trajectory,
        *,
        wave_number: Annotated[
            Literal["auto"] | float | tuple[float, ...],
            pelplug.Param("q of F_s; auto: first peak of S(q) of the largest species", exclusive_minimum=0),
        ] = "auto",
        average: Annotated[str, pelplug.Param("directions of q", choices=("axes", "isotropic"))] = "axes",
        threshold: Annotated[float, pelplug.Param("F_s(tau_alpha)", exclusive_minimum=0, exclusive_maximum=1)] = 0.2,
        overlap_length: Annotated[
            Literal["auto"] | float, pelplug.Param("a of chi_4; auto: 0.3 rho^(-1/d)", exclusive_minimum=0)
        ] = "auto",
        msd_target: Annotated[float, pelplug.Param("MSD at msd_time", exclusive_minimum=0, unit="length**2")] = 1.0,
        per_decade: Annotated[int, pelplug.Param("lags a decade", minimum=1)] = 10,
        min_origins: Annotated[
            Literal["auto"] | int, pelplug.Param("time origins a lag must have", minimum=1)
        ] = "auto",
        van_hove_times: Annotated[
            Literal["auto"] | tuple[float, ...], pelplug.Param("lags of the van Hove function", exclusive_minimum=0)
        ] = "auto",
        largest: Annotated[str, pelplug.Param("species for q_max; auto: the largest")] = "auto",
        more: Annotated[tuple[pathlib.Path, ...], pelplug.Param("further trajectories of the same system")] = (),
        remove_drift: Annotated[bool, pelplug.Param("measure from the centre of mass")] = True,
        structure_frames: Annotated[int, pelplug.Param("frames for g(r) and S(q)", minimum=1)] = 20,
        resamples: Annotated[int, pelplug.Param("bootstrap resamples", minimum=20)] = 100,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0)] = 0,
        memory: Annotated[float, pelplug.Param("MB of positions; more go to a file", exclusive_minimum=0)] = 1024.0,
        **base,
    ):
        super().__init__(trajectory, **base)
        self.wave_number, self.average, self.threshold = wave_number, average, threshold
        self.overlap_length, self.msd_target = overlap_length, msd_target
        self.per_decade, self.min_origins = per_decade, None if min_origins == "auto" else min_origins
        self.van_hove_times, self.largest, self.more = van_hove_times, largest, tuple(more)
        self.remove_drift, self.structure_frames = remove_drift, structure_frames
        self.resamples, self.seed, self.memory = resamples, seed, memory

    # --- all of it ------------------------------------------------------------------------------------------

    def summarize(self, dataset):
        """Compute everything."""
        if self.n_frames < 2:
            raise pelplug.InputError(
                f"{self.trajectory.path} gives one frame, in which nothing moves; give at least two."
            )
        first = self.trajectory.configuration(int(self.frames[0]))
        self._reasons: list[str] = []
        dataset = self._structure(first)
        wave_numbers = self._wave_numbers(first, float(dataset["q_max"]))
        length = first.density ** (-1.0 / first.dimension)
        overlap = 0.3 * length if self.overlap_length == "auto" else self.overlap_length
        dataset["overlap_length"] = ((), overlap)
        runs = self._runs()
        lags, runs = self._pairs(runs)
        lag_times = lags * runs[0][1].tick
        van_hove = self._van_hove_lags(lag_times)
        edges = np.linspace(0.0, 3.0 * length, 121)
        kinds = [*self.trajectory.species_names, *(["all"] if len(self.trajectory.species_names) > 1 else [])]
        values: dict[str, list] = {}
        sums_of, counts_of = {}, {}
        resampling = self._resampling(runs, lags.size)
        for kind in self.trajectory.species_names:
            particles = np.flatnonzero(self.trajectory.species == kind)
            sums_of[kind] = np.concatenate(
                [
                    pair_sums(positions.array, particles, pairs, wave_numbers, overlap, self.average == "isotropic")
                    for positions, _, pairs in runs
                ]
            )
            counts_of[kind] = particles.size, self._histograms(runs, particles, van_hove, edges)
        if kinds[-1] == "all":
            sums_of["all"] = sum(sums_of.values())
            counts_of["all"] = self.trajectory.n, sum(counts for _, counts in counts_of.values())
        for kind in kinds:
            found = self._of_kind(kind, sums_of[kind], counts_of[kind][0], resampling, lag_times, wave_numbers, length)
            shells = _volume(edges, first.dimension)
            pairs_at = resampling.counts.sum(axis=1)[van_hove]
            found["van_hove"] = counts_of[kind][1] / (counts_of[kind][0] * pairs_at[:, None] * shells)
            for name, value in found.items():
                values.setdefault(name, []).append(value)
        return self._assembled(dataset, values, kinds, lag_times, wave_numbers, van_hove, edges, resampling)

    def _of_kind(self, kind, sums, particles, resampling, lag_times, wave_numbers, length) -> dict:
        """Return the curves, times and coefficients of one species, with errors."""
        dimension = self.trajectory.dimension
        curves, resampled = resampling.curves(sums, particles, dimension)
        found = {"msd_slope": characteristic.local_slope(lag_times, curves.msd)}
        for name in ("msd", "alpha_2", "overlap", "chi_4", "fs"):
            found[name] = getattr(curves, name)
            found[f"{name}_error"] = resampling.error(getattr(resampled, name))

        def scalar(name, get, what):
            value, reason = get(curves)
            if reason:
                self._reasons.append(f"{name} of {kind}: {what} {reason}.")
            scatter = np.full(len(resampled.msd), np.nan)
            if not reason:
                scatter = np.array([get(one)[0] for one in _each(resampled)])
            return value, _spread(scatter)

        window, reason = characteristic.diffusion_window(lag_times, curves.msd, length**2)
        bounds = np.full(2, np.nan) if window is None else lag_times[window][[0, -1]]

        def diffusion(one):
            return (
                (np.nan, reason)
                if window is None
                else (characteristic.diffusion(lag_times, one.msd, dimension, window), "")
            )

        measures = {
            "diffusion_coefficient": diffusion,
            "tau_beta": lambda one: characteristic.beta_time(lag_times, one.msd),
            "msd_time": lambda one: characteristic.reaching(lag_times, one.msd, self.msd_target),
        }
        for name, get in measures.items():
            found[name], found[f"{name}_error"] = scalar(name, get, "the MSD")
        found["diffusion_window"] = bounds
        start = found["tau_beta"] if np.isfinite(found["tau_beta"]) else lag_times[0]
        for index, q in enumerate(wave_numbers):
            what = f"F_s(q = {q:.4g})"
            value, error = scalar(
                "tau_alpha",
                lambda one, k=index: characteristic.crossing_down(lag_times, one.fs[k], self.threshold),
                what,
            )
            fit, fit_error = np.full(4, np.nan), np.full(4, np.nan)
            if np.isfinite(value):
                fit, reason = characteristic.stretched_exponential(lag_times, curves.fs[index], start)
                if reason:
                    self._reasons.append(f"kww_time of {kind}: {what} {reason}.")
                else:
                    fits = [characteristic.stretched_exponential(lag_times, fs[index], start)[0] for fs in resampled.fs]
                    fit_error = _spread(np.array(fits))
            else:
                self._reasons.append(f"kww_time of {kind}: not fitted where {what} does not show tau_alpha.")
            for name, one, its_error in zip(BY_Q, (value, *fit), (error, *fit_error), strict=True):
                found.setdefault(name, []).append(one)
                found.setdefault(f"{name}_error", []).append(its_error)
        return found

    # --- frames and lags ------------------------------------------------------------------------------------

    def _runs(self) -> list[tuple[Positions, Clock]]:
        """Read every trajectory."""
        limit = 1e6 * self.memory / (1 + len(self.more))
        found = []
        for path in (None, *self.more):
            trajectory, frames = self.trajectory, self.frames
            if path is not None:
                trajectory = pelplug.open_trajectory(path, dt=self.trajectory.dt)
                frames = np.arange(trajectory.n_frames)
                if not np.array_equal(trajectory.species, self.trajectory.species):
                    raise pelplug.InputError(
                        f"{path} has other particles than {self.trajectory.path}; average trajectories of one system."
                    )
            positions = Positions(trajectory, frames, self.remove_drift, limit)
            found.append((positions, Clock.of(positions.times, positions.steps, trajectory.path)))
            if path is not None:
                trajectory.close()
        return found

    def _pairs(self, runs) -> tuple[np.ndarray, list[tuple[Positions, Clock, Pairs]]]:
        tick = runs[0][1].tick
        for (_, clock), path in zip(runs[1:], self.more, strict=True):
            if not np.isclose(clock.tick, tick, rtol=1e-6):
                raise pelplug.InputError(
                    f"{path} has another time step than {self.trajectory.path}; average trajectories of one schedule."
                )
        lags = select_lags(*count_lags(runs[0][1].ticks), self.per_decade, self.min_origins)
        if lags.size == 0:
            raise pelplug.InputError(
                f"No lag of {self.trajectory.path} has {self.min_origins} time origins; lower min_origins."
            )
        return lags, [(positions, clock, frame_pairs(clock.ticks, lags)) for positions, clock in runs]

    def _resampling(self, runs, lags: int) -> Resampling:
        """Cut trajectories into stretches, or take whole ones where there are more than three."""
        whole = len(runs) > 3
        units = []
        for number, (_, clock, pairs) in enumerate(runs):
            stretch = np.minimum(clock.ticks[pairs.first] * BLOCKS // max(int(clock.ticks[-1]), 1), BLOCKS - 1)
            units.append(np.full(pairs.first.size, number) if whole else number * BLOCKS + stretch)
        lag = np.concatenate([pairs.lag for _, _, pairs in runs])
        self._resampled = f"the {len(runs)} trajectories" if whole else f"{BLOCKS} stretches of each trajectory"
        number = len(runs) if whole else BLOCKS * len(runs)
        return Resampling(lag, np.concatenate(units), lags, number, self.resamples, self.seed)

    def _van_hove_lags(self, lag_times: np.ndarray) -> np.ndarray:
        wanted = self.van_hove_times
        if wanted == "auto":
            wanted = np.geomspace(lag_times[0], lag_times[-1], 6)[1:-1]
        wanted = np.asarray(wanted, dtype=float)
        outside = wanted[(wanted < 0.9 * lag_times[0]) | (wanted > 1.1 * lag_times[-1])]
        if outside.size:
            raise pelplug.InputError(
                f"The van Hove function at {outside[0]:g} is beyond the lags, {lag_times[0]:g} to {lag_times[-1]:g}."
            )
        return np.unique([int(np.argmin(np.abs(np.log(lag_times / time)))) for time in wanted])

    def _histograms(self, runs, particles, van_hove, edges) -> np.ndarray:
        counts = np.zeros((van_hove.size, edges.size - 1), dtype=np.int64)
        for positions, _, pairs in runs:
            for row, lag in enumerate(van_hove):
                chosen = pairs.lag == lag
                counts[row] += displacement_histogram(
                    positions.array, particles, pairs.first[chosen], pairs.second[chosen], edges[-1], edges.size - 1
                )
        return counts

    # --- structure ------------------------------------------------------------------------------------------

    def _wave_numbers(self, first, q_max: float) -> tuple[float, ...]:
        if self.wave_number != "auto":
            return self.wave_number if isinstance(self.wave_number, tuple) else (self.wave_number,)
        if np.isfinite(q_max):
            return (q_max,)
        self._reasons.append("q_max: S(q) has no clear peak; F_s is at 2 pi rho^(1/d).")
        return (2.0 * np.pi * first.density ** (1.0 / first.dimension),)

    def _structure(self, first) -> xr.Dataset:
        around = 2.0 * np.pi * first.density ** (1.0 / first.dimension)
        names = self.trajectory.species_names
        largest = self._largest(first)
        if first.dimension not in (2, 3):
            return xr.Dataset({"q_max": ((), np.nan)})
        # Vectors and particles both grow with N: a large system needs few frames, and can have few only.
        work = first.n**2 * 2.5**first.dimension
        count = min(self.structure_frames, self.n_frames, max(1, int(4e9 / work)))
        chosen = self.frames[np.unique(np.linspace(0, self.n_frames - 1, count).astype(int))]
        states = [self.trajectory.configuration(int(number)) for number in chosen]
        width = 1.0 / np.linalg.norm(np.linalg.inv(first.cell), axis=0).max()
        r, g = radial_distributions(states, names, min(0.499 * width, 5.0 * 2.0 * np.pi / around), 250)
        q, s = structure_factor(states, largest, 2.5 * around, 125)
        return xr.Dataset(
            {
                "rdf": (("species_a", "species_b", "r"), g),
                "structure_factor": (("q",), s),
                "q_max": ((), first_peak(q, s, around)),
            },
            coords={
                "r": ("r", r, {"units": "length", "long_name": "distance"}),
                "q": ("q", q, {"units": "1 / length", "long_name": "wave number"}),
                "species_a": list(names),
                "species_b": list(names),
            },
            attrs={"largest": largest},
        )

    def _largest(self, first) -> str:
        names = self.trajectory.species_names
        if self.largest != "auto":
            if self.largest not in names:
                raise pelplug.InputError(f"There is no species {self.largest}; there are {', '.join(names)}.")
            return self.largest
        size = {name: float(np.count_nonzero(first.species == name)) for name in names}
        if first.diameters is not None and np.ptp(first.diameters) > 0:
            size = {name: float(first.diameters[first.species == name].mean()) for name in names}
        if self.model is not None:
            potential = self.potential_of(first)
            if isinstance(potential, pelplug.PairPotential) and not potential.per_particle and potential.species:
                size = {name: potential.sigma[k, k] for k, name in enumerate(potential.species)}
        return max(names, key=lambda name: size.get(name, 0.0))

    # --- result ---------------------------------------------------------------------------------------------

    def _assembled(self, dataset, values, kinds, lag_times, wave_numbers, van_hove, edges, resampling):
        dims = {name: field.dims for name, field in self.provides.items()}
        dataset = dataset.assign({name: (dims[name], np.array(value)) for name, value in values.items()})
        dataset = dataset.assign(origins=(("lag_time",), resampling.counts.sum(axis=1).astype(np.int64)))
        time = {"units": "time", "long_name": "t"}
        dataset = dataset.assign_coords(
            kind=("kind", kinds),
            lag_time=("lag_time", lag_times, time),
            wave_number=("wave_number", np.array(wave_numbers), {"units": "1 / length", "long_name": "q"}),
            van_hove_time=("van_hove_time", lag_times[van_hove], time),
            displacement=("displacement", 0.5 * (edges[1:] + edges[:-1]), {"units": "length", "long_name": "dr"}),
            bound=("bound", ["lower", "upper"]),
        )
        dataset.attrs["not_found"] = json.dumps(self._reasons)
        dataset.attrs["errors"] = f"{self.resamples} bootstrap resamples of {self._resampled}"
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw F_s(q, t) of every species on a logarithmic time axis."""
        from pelplug_dynamics.drawing import draw_scattering

        return draw_scattering(self.to_dataset(), ax, **keywords)

    def figure(self):
        """Draw F_s, MSD, alpha_2 with chi_4, and g(r)."""
        from pelplug_dynamics.drawing import draw_figure

        return draw_figure(self.to_dataset())


def _volume(edges: np.ndarray, dimension: int) -> np.ndarray:
    """Return the volumes between spheres."""
    from scipy.special import gamma

    unit = np.pi ** (dimension / 2.0) / gamma(dimension / 2.0 + 1.0)
    return unit * np.diff(edges**dimension)


def _each(resampled):
    """Yield the curves of one resample after the other."""
    for k in range(len(resampled.msd)):
        yield type(resampled)(
            resampled.msd[k], resampled.alpha_2[k], resampled.fs[k], resampled.overlap[k], resampled.chi_4[k]
        )


def _spread(values: np.ndarray):
    """Return the standard deviation of the resamples; NaN unless most of them have a value."""
    finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if finite.sum() < 0.5 * len(values):
        return np.full(values.shape[1:], np.nan) if values.ndim > 1 else np.nan
    spread = values[finite].std(axis=0, ddof=1)
    return spread if values.ndim > 1 else float(spread)
