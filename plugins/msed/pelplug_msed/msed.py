"""The mean-squared energy difference of a simulation, its relaxation time, and the energies of the landscape in it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

import pelplug
from pelplug_msed.accumulator import Accumulator
from pelplug_msed.fits import block_errors, fit_with_errors, variance_error, vibration_end
from pelplug_msed.series import Chunk, Origin
from pelplug_msed.sources import open_file, open_trajectory_log

__all__ = ["MSED"]

_OWN = ("auto", "log", "model")


class MSED(pelplug.Analysis):
    """<Delta^2>(t) with Delta(t) = [E(t0 + t) - E(t0)]/N, E the potential energy, over all time origins t0.

    Parameters
    ----------
    trajectory : Trajectory or None
        Whose energies; None with a file of energies.
    energies : {"auto", "log", "model"} or path
        Where they are: what the trajectory has logged, or else computed from its frames with the model (auto); one of
        these two; or a LAMMPS log, a GROMACS EDR file or a table.
    column : str
        Name of the quantity in a log or table; auto for the potential energy.
    block : "all" or int
        Which run of a log, 0 the first, -1 the last; all are those of molecular dynamics.
    instantaneous : bool
        Whether the entries of a file of LAMMPS's fix ave/time are of single steps (Nrepeat 1), not averages.
    particles : "auto" or int
        N; auto is the trajectory's, or what a LAMMPS log says.
    time_step : "auto" or float
        Time of one step; auto is what the file says [time].
    normalisation : {"auto", "total", "per-particle"}
        Whether energies are of the whole system; auto is what the file says.
    method : {"fft", "multi-tau"}
        All time origins, or those of a correlator that needs no memory for the series.
    phi_lags : "auto" or tuple of float
        Lags of the distributions phi(Delta); auto is 1, 10, 100, ... entries [time].
    t_min, t_max : "auto" or float
        Window of the fit; auto is from where vibrations are over to an eighth of the series [time].
    resamples, seed : int
        Bootstrap resamples of blocks of the series, and their seed.
    **base
        Of `pelplug.Analysis`.

    Notes
    -----
    Attributes of the dataset: ``energies`` (where from), ``energy_unit``, ``series`` (entries, segments, what was left
    out), ``method``, ``fit`` (window and errors, or why there is none), beside the usual ones.
    """

    name = "msed"
    summary = "Mean-squared energy difference, its relaxation time, and energy diffusion"
    needs = pelplug.Need.POSITIONS
    reads_frames = False
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "msed": pelplug.Field(("lag",), "energy**2", "mean-squared energy difference per particle squared"),
        "msed_error": pelplug.Field(("lag",), "energy**2", "standard error of msed, from blocks of the series"),
        "pairs": pelplug.Field(("lag",), "1", "differences in the mean"),
        "energy_diffusion": pelplug.Field(("lag",), "energy**2 / time", "energy diffusion coefficient D_E"),
        "phi": pelplug.Field(("phi_lag", "bin"), "1 / energy", "distribution of the energy difference per particle"),
        "phi_edges": pelplug.Field(("phi_lag", "edge"), "energy", "edges of the bins of phi"),
        "mean_energy": pelplug.Field((), "energy", "mean potential energy per particle"),
        "long_time_limit": pelplug.Field((), "energy**2", "2 Var(E)/N^2 of the same series"),
        "long_time_limit_error": pelplug.Field((), "energy**2", "standard error of long_time_limit"),
        "paper_limit": pelplug.Field((), "energy**2", "Var(E)/N^2, Eq. 9 of the paper, which drops the 2"),
        "u0_squared": pelplug.Field((), "energy**2", "U0^2 of Eq. 11"),
        "u0_squared_error": pelplug.Field((), "energy**2", "standard error of u0_squared"),
        "um_squared": pelplug.Field((), "energy**2", "Um^2 of Eq. 11"),
        "um_squared_error": pelplug.Field((), "energy**2", "standard error of um_squared"),
        "u0": pelplug.Field((), "energy", "U0 of Eq. 11, the fast part; NaN if its square came out negative"),
        "um": pelplug.Field((), "energy", "Um of Eq. 11, between metabasins"),
        "tau": pelplug.Field((), "time", "relaxation time tau* of Eq. 11"),
        "tau_error": pelplug.Field((), "time", "standard error of tau"),
        "fit_window": pelplug.Field(("bound",), "time", "first and last lag of the fit"),
        "temperature": pelplug.Field((), "energy / k_B", "temperature of the simulation, where the file says"),
    }
    cites = ("D. Zhang, D. Sun and X. Gong, arXiv:2501.07902 (2025)",)

    def __init__(
        self,
        trajectory,
        *,
        energies: Annotated[str, pelplug.Param("auto, log, model, or a file of energies")] = "auto",
        column: Annotated[str, pelplug.Param("name of the quantity in a log or table")] = "auto",
        block: Annotated[Literal["all"] | int, pelplug.Param("which run of a log")] = "all",
        instantaneous: Annotated[bool, pelplug.Param("whether fix ave/time averaged over one step only")] = False,
        particles: Annotated[Literal["auto"] | int, pelplug.Param("N", minimum=1)] = "auto",
        time_step: Annotated[
            Literal["auto"] | float, pelplug.Param("time of one step", exclusive_minimum=0, unit="time")
        ] = "auto",
        normalisation: Annotated[
            str, pelplug.Param("what energies are of", choices=("auto", "total", "per-particle"))
        ] = "auto",
        method: Annotated[str, pelplug.Param("how", choices=("fft", "multi-tau"))] = "fft",
        phi_lags: Annotated[
            Literal["auto"] | tuple[float, ...], pelplug.Param("lags of phi(Delta)", exclusive_minimum=0, unit="time")
        ] = "auto",
        t_min: Annotated[Literal["auto"] | float, pelplug.Param("start of the fit", exclusive_minimum=0)] = "auto",
        t_max: Annotated[Literal["auto"] | float, pelplug.Param("end of the fit", exclusive_minimum=0)] = "auto",
        resamples: Annotated[int, pelplug.Param("bootstrap resamples of blocks", minimum=100)] = 300,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0)] = 0,
        **base,
    ):
        super().__init__(trajectory, **base)
        if "auto" not in (t_min, t_max) and not t_min < t_max:
            raise pelplug.InputError(f"The fit begins at {t_min:g} and ends at {t_max:g}; raise t_max.")
        self.energies, self.column, self.block, self.method = energies, column, block, method
        self.instantaneous = instantaneous
        self._given = {"n": particles, "time_step": time_step, "normalisation": normalisation}
        self.phi_lags = None if phi_lags == "auto" else phi_lags
        self.t_min, self.t_max, self.resamples, self.seed = t_min, t_max, resamples, seed
        self._accumulator: Accumulator | None = None

    # --- running --------------------------------------------------------------------------------------------------

    def run(self, *arguments, **keywords):
        """Run; without a trajectory, on a file of energies."""
        if self.trajectory is None and self.energies not in _OWN:
            return self.conclude()
        return super().run(*arguments, **keywords)

    def begin_series(self, n: int, time_step: float, log_every: int, temperature: float | None = None) -> None:
        """Get ready for energies of a running simulation; `add_energies` takes them, `conclude` ends.

        Parameters
        ----------
        n : int
            Number of particles.
        time_step : float
            Time of one step [time].
        log_every : int
            Steps between energies.
        temperature : float, optional
            Of the thermostat, if it is constant.
        """
        self.method = self.parameters["method"] = "multi-tau"
        origin = Origin("the running simulation", time_step=time_step, n=n, extensive=True, temperature=temperature)
        self._settle_time_step(origin)
        self._accumulator = Accumulator(origin, self.phi_lags, spacing=float(log_every))

    def add_energies(self, step, potential_energy) -> None:
        """Take entries of the energy log: absolute steps and total energies, each an array."""
        self._accumulator.add(Chunk(np.asarray(step), np.asarray(potential_energy)))

    def series_state(self) -> dict[str, np.ndarray]:
        """Return what `restore_series` needs to go on, as arrays."""
        return self._accumulator.state()

    def restore_series(self, state: dict[str, np.ndarray]) -> None:
        """Go on where another process was; after `begin_series`."""
        self._accumulator.restore(state)

    def summarize(self, dataset):
        """Read the series, unless it has come already, and compute everything."""
        if self._accumulator is None:
            origin, chunks = self._open()
            self._settle_time_step(origin)
            self._accumulator = Accumulator(origin, self.phi_lags, keep=self.method == "fft").take(chunks)
        accumulator, self._accumulator = self._accumulator, None
        self._settle(accumulator.origin)
        accumulator.check()
        return self._evaluate(dataset, accumulator)

    # --- where energies come from -----------------------------------------------------------------------------------

    def _open(self):
        if self.energies not in _OWN:
            path = Path(self.energies)
            if path.suffix.lower() == ".gsd":
                other = pelplug.open_trajectory(path)
                self._same_size(other.n, path)
                found = open_trajectory_log(other, np.arange(len(other)), self.column)
                if found is None:
                    raise pelplug.InputError(f"{path} logs no potential energy; give a file that does.")
            else:
                found = open_file(path, self.column, self.block, self.instantaneous)
            self._note_file(path)
            return found
        if self.energies != "model":
            found = open_trajectory_log(self.trajectory, self.frames, self.column)
            if found is not None:
                return found
            if self.energies == "log" or self.interactions() is None:
                raise pelplug.InputError(
                    f"{self.trajectory.path} logs no potential energy; pass --energies FILE with a log of them, or "
                    "--model to compute them from the frames."
                )
        elif self.interactions() is None:
            raise pelplug.InputError(f"The energies of {self.trajectory.path} need a model; pass --model NAME.")
        return self._from_frames()

    def _from_frames(self):
        first = self.trajectory.configuration(int(self.frames[0]))
        record = self.trajectory.simulation_record or {}
        origin = Origin(f"the frames of {self.trajectory.path}", n=first.n, extensive=True)
        origin.time_step = self.trajectory.dt or record.get("time_step")
        if first.step is None:
            if first.time is None:
                raise pelplug.InputError(f"The frames of {self.trajectory.path} have neither steps nor times.")
            origin.time_step = 1.0
        potential = self.potential_of(first)
        pelplug.require_interaction(first, potential)

        def chunks():
            for label in self.frames:
                state = self.trajectory.configuration(int(label))
                at = state.time if first.step is None else state.step
                yield Chunk(np.array([at]), np.array([potential.energy(state)]))

        return origin, chunks()

    def _note_file(self, path: Path) -> None:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while piece := file.read(1 << 24):
                digest.update(piece)
        self.attributes["energies_sha256"] = f"sha256:{digest.hexdigest()}"
        if self.trajectory is None:
            self.attributes["input_file"] = path.name
            self.attributes["input_sha256"] = self.attributes["energies_sha256"]

    def _settle_time_step(self, origin: Origin) -> None:
        if self._given["time_step"] != "auto":
            if origin.time_step != self._given["time_step"]:  # in what it is nobody said; 1 means steps
                origin.system = dataclasses.replace(origin.system, time=None)
            origin.time_step = self._given["time_step"]

    def _same_size(self, n: int, path) -> None:
        if self.trajectory is not None and self.trajectory.n != n:
            raise pelplug.InputError(
                f"{path} is of {n} particles, {self.trajectory.path} has {self.trajectory.n}: not one system."
            )

    def _settle(self, origin: Origin) -> None:
        """Refuse a series of which number of particles, time or normalisation is not known."""
        source, given = origin.source, self._given
        self._settle_time_step(origin)
        if origin.n is not None:
            self._same_size(origin.n, source)
        elif self.trajectory is not None:
            origin.n = self.trajectory.n
        if given["n"] != "auto":
            if origin.n not in (None, given["n"]):
                raise pelplug.InputError(
                    f"{source} is of {origin.n} particles, not {given['n']}; leave --particles out."
                )
            origin.n = given["n"]
        if given["normalisation"] != "auto":
            origin.extensive = given["normalisation"] == "total"
        if origin.extensive is None:
            raise pelplug.InputError(
                f"{source} does not say whether its energies are of the whole system or per particle; pass "
                "--normalisation total or per-particle."
            )
        if origin.n is None and origin.extensive:
            raise pelplug.InputError(f"{source} does not say how many particles there are; pass --particles N.")
        if origin.time_step is None:
            raise pelplug.InputError(
                f"{source} does not tell the time of one step; pass --time-step (with 1, times are in steps)."
            )

    # --- what comes out ---------------------------------------------------------------------------------------------

    def _evaluate(self, dataset, accumulator: Accumulator):
        origin, correlator, cutter = accumulator.origin, accumulator.correlator, accumulator.cutter
        share = 1.0 / origin.n if origin.extensive else 1.0
        scale = share**2
        lags, curve, pairs = accumulator.differences()
        entry = cutter.spacing * origin.time_step
        times, curve = entry * lags, scale * curve
        blocks = accumulator.blocks()
        errors = scale * block_errors(blocks, blocks.lags())[: len(lags)]
        limit = 2.0 * scale * correlator.variance()
        values = {
            "msed": ("lag", curve),
            "msed_error": ("lag", errors),
            "pairs": ("lag", pairs),
            "energy_diffusion": ("lag", curve / (2.0 * times)),
            "mean_energy": ((), share * correlator.mean()),
            "long_time_limit": ((), limit),
            "long_time_limit_error": ((), 2.0 * scale * variance_error(correlator)),
            "paper_limit": ((), 0.5 * limit),
        }
        if origin.temperature is not None:
            values["temperature"] = ((), float(origin.temperature))
        dataset = dataset.assign_coords(lag=("lag", times))
        dataset["lag"].attrs = {"long_name": "lag", "units": "time"}
        dataset, values = self._with_distributions(dataset, values, correlator, entry, share)
        found, words = self._fit(blocks, times, curve, errors, scale)
        if found:
            dataset = dataset.assign_coords(bound=("bound", ["lower", "upper"]))
        dataset.attrs.update(
            energies=origin.source,
            energy_unit=origin.unit,
            method=self.method,
            fit=words,
            series=(
                f"{correlator.n} entries, {entry:.6g} apart, in {cutter.segments} "
                f"{'segment' if cutter.segments == 1 else 'segments'}; {cutter.dropped} left out that a restart repeats"
                f"{f'; {origin.note}' if origin.note else ''}"
            ),
        )
        dataset = dataset.assign(values | found)
        for name, variable in dataset.variables.items():
            if name in self.provides or name in ("lag", "phi_lag"):
                unit = self.provides[name].unit if name in self.provides else "time"
                variable.attrs["units"] = origin.system.text(unit)
        return dataset

    def _with_distributions(self, dataset, values, correlator, entry, share):
        counts, edges = correlator.histograms()
        seen = (counts.sum(axis=1) > 0) & (correlator.histogram_lags <= max(correlator.n // 2, 1))
        seen &= edges[:, -1] > 0
        counts, edges = counts[seen], share * edges[seen]
        if len(counts):
            density = counts / counts.sum(axis=1, keepdims=True) / np.diff(edges, axis=1)
            values = values | {"phi": (("phi_lag", "bin"), density), "phi_edges": (("phi_lag", "edge"), edges)}
            dataset = dataset.assign_coords(phi_lag=("phi_lag", entry * correlator.histogram_lags[seen]))
            dataset["phi_lag"].attrs = {"long_name": "lag", "units": "time"}
        return dataset, values

    def _fit(self, blocks, times, curve, errors, scale):
        """Return the variables of the fit and what is to be said of it."""
        first = vibration_end(times, curve, errors) if self.t_min == "auto" else self.t_min
        last = blocks.n * times[0] / 8.0 if self.t_max == "auto" else self.t_max
        known = np.isfinite(errors)
        chosen = (times >= first * (1 - 1e-9)) & (times <= last * (1 + 1e-9)) & known
        if np.count_nonzero(chosen) < 6:
            return {}, f"none: fewer than 6 lags with an error from {first:.4g} to {last:.4g}; the series is too short"
        t = times[chosen]
        flags = np.zeros(len(blocks.lags()), bool)
        flags[: len(times)] = chosen
        fit, spread = fit_with_errors(blocks, flags, t, curve[chosen], errors[chosen], scale, self.resamples, self.seed)
        window = f"lags {t[0]:.4g} to {t[-1]:.4g}"
        if not np.all(np.isfinite(spread)):
            return {}, f"none: too few blocks of the series for errors ({window})"
        if not fit.um_squared > 3.0 * spread[1]:
            return {}, f"none: no rise beyond three errors in {window}"
        apart = np.abs(curve[chosen] - fit(t))
        if np.any((apart > 4.0 * errors[chosen]) & (apart > 0.2 * curve[chosen])):
            return {}, f"none: Eq. 11 is not the shape of the curve in {window}; set t_min past the vibrations"
        if fit.tau > t[-1] / 2.0:
            return (
                {},
                f"none: the rise does not come to its end in {window}; the series is too short, tau is not reached",
            )
        if fit.tau < t[0] / 2.0:
            return {}, f"none: the rise is over before the first lag of {window}"
        length = blocks.n * times[0]
        words = (
            f"{window}; errors by {self.resamples} bootstrap resamples of 10 to 40 blocks; "
            f"the series is {length / fit.tau:.3g} tau long"
        )
        root = np.sqrt(fit.u0_squared) if fit.u0_squared >= 0 else np.nan
        return {
            "u0_squared": ((), fit.u0_squared),
            "u0_squared_error": ((), spread[0]),
            "um_squared": ((), fit.um_squared),
            "um_squared_error": ((), spread[1]),
            "u0": ((), root),
            "um": ((), np.sqrt(fit.um_squared)),
            "tau": ((), fit.tau),
            "tau_error": ((), spread[2]),
            "fit_window": ("bound", t[[0, -1]]),
        }, words

    # --- figures ----------------------------------------------------------------------------------------------------

    def plot(self, ax=None, **keywords):
        """Draw <Delta^2>(t) with the fit and the long-time limit."""
        from pelplug_msed.drawing import draw_msed

        return draw_msed(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what draws <Delta^2>(t) and D_E(t)."""
        from pelplug_msed import drawing

        dataset = self.to_dataset()
        return [functools.partial(draw, dataset) for draw in (drawing.draw_msed, drawing.draw_diffusion)]

    def figure(self):
        """Return a figure of <Delta^2>(t), phi(Delta) and D_E(t)."""
        from pelplug_msed.drawing import draw_figure

        return draw_figure(self.to_dataset())
