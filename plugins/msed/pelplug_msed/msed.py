"""The mean-squared energy difference of a simulation, its relaxation time, and the energies of the landscape in it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np

import pelplug
from pelplug_msed.accumulator import Accumulator
from pelplug_msed.fits import block_errors, variance_error
from pelplug_msed.heat import ENSEMBLES, Heat, thermal_state
from pelplug_msed.relaxation import relaxation
from pelplug_msed.series import Chunk, Origin
from pelplug_msed.sources import open_file, open_trajectory_log
from pelplug_msed.variables import PROVIDES

__all__ = ["MSED"]

_OWN = ("auto", "log", "model")


class MSED(pelplug.Analysis):
    """<Delta^2>(t) with Delta(t) = [E(t0 + t) - E(t0)]/N, E the potential energy, over all time origins t0.

    Notes
    -----
    Attributes of the dataset: ``energies`` (where from), ``energy_unit``, ``series`` (entries, segments, what was left
    out), ``method``, ``fit`` (window and errors, or why there is none), ``heat`` (what heat capacities are, or why
    there are none), beside the usual ones.
    """

    name = "msed"
    summary = "Mean-squared energy difference, its relaxation time, and energy diffusion"
    needs = pelplug.Need.POSITIONS
    reads_frames = False
    provides = PROVIDES
    cites = ("D. Zhang, D. Sun and X. Gong, arXiv:2501.07902 (2025)",)

    def __init__(
        self,
        trajectory,
        *,
        energies: Annotated[
            str,
            pelplug.Param(
                "auto: what the trajectory logged, else from its frames with the model; log or model; or a file"
            ),
        ] = "auto",
        column: Annotated[
            str, pelplug.Param("name of the quantity in a log or table; auto: the potential energy")
        ] = "auto",
        block: Annotated[
            Literal["all"] | int,
            pelplug.Param("which run of a log, 0 the first, -1 the last; all: those of molecular dynamics"),
        ] = "all",
        instantaneous: Annotated[
            bool, pelplug.Param("entries of LAMMPS's fix ave/time are of single steps (Nrepeat 1), not averages")
        ] = False,
        particles: Annotated[
            Literal["auto"] | int,
            pelplug.Param("number of particles N; auto: the trajectory's, or what a LAMMPS log says", minimum=1),
        ] = "auto",
        time_step: Annotated[
            Literal["auto"] | float,
            pelplug.Param("time of one step; auto: what the file says", exclusive_minimum=0, unit="time"),
        ] = "auto",
        normalisation: Annotated[
            str,
            pelplug.Param(
                "whether energies are of the whole system or per particle; auto: what the file says",
                choices=("auto", "total", "per-particle"),
            ),
        ] = "auto",
        method: Annotated[
            str,
            pelplug.Param(
                "all time origins (fft), or those of a correlator that needs no memory for the series (multi-tau)",
                choices=("fft", "multi-tau"),
            ),
        ] = "fft",
        phi_lags: Annotated[
            Literal["auto"] | tuple[float, ...],
            pelplug.Param(
                "lags of the distributions phi(Delta); auto: 1, 10, 100, ... entries", exclusive_minimum=0, unit="time"
            ),
        ] = "auto",
        t_min: Annotated[
            Literal["auto"] | float,
            pelplug.Param("start of the fit; auto: where vibrations are over", exclusive_minimum=0, unit="time"),
        ] = "auto",
        t_max: Annotated[
            Literal["auto"] | float,
            pelplug.Param("end of the fit; auto: an eighth of the series", exclusive_minimum=0, unit="time"),
        ] = "auto",
        temperature: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "temperature, for heat capacities; auto: what the simulation recorded",
                exclusive_minimum=0,
                unit="temperature",
            ),
        ] = "auto",
        ensemble: Annotated[
            str,
            pelplug.Param(
                "constant energy (nve) or temperature (nvt); auto: what the simulation recorded",
                choices=("auto", *ENSEMBLES),
            ),
        ] = "auto",
        dimension: Annotated[
            Literal["auto"] | int, pelplug.Param("dimension d; auto: the trajectory's, or 3", minimum=1, maximum=8)
        ] = "auto",
        resamples: Annotated[
            int, pelplug.Param("bootstrap resamples of blocks of the series", minimum=100, maximum=100_000)
        ] = 300,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0)] = 0,
        **base,
    ):
        super().__init__(trajectory, **base)
        if "auto" not in (t_min, t_max) and not t_min < t_max:
            raise pelplug.InputError(f"The fit begins at {t_min:g} and ends at {t_max:g}; raise t_max.")
        self.energies, self.column, self.block, self.method = energies, column, block, method
        self.instantaneous = instantaneous
        self._given = {"n": particles, "time_step": time_step, "normalisation": normalisation,
                       "temperature": temperature, "ensemble": ensemble, "dimension": dimension}  # fmt: skip
        self.phi_lags = None if phi_lags == "auto" else phi_lags
        self.t_min, self.t_max, self.resamples, self.seed = t_min, t_max, resamples, seed
        self._accumulator: Accumulator | None = None

    # --- running --------------------------------------------------------------------------------------------------

    def run(self, *arguments, **keywords):
        """Run; without a trajectory, on a file of energies."""
        if self.trajectory is None and self.energies not in _OWN:
            return self.conclude()
        return super().run(*arguments, **keywords)

    simulation: ClassVar[dict] = {}  # what a running one says of itself

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
        origin.take_units(self.units)
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
        origin.take_units(self.units)
        origin.time_step = self.trajectory.dt or record.get("time_step")
        if self.trajectory.frame_interval is not None:
            origin.time_step = None
        # Times of frames serve where nobody says how long a step is.
        said = origin.time_step is not None or self._given["time_step"] != "auto"
        timed = first.time is not None and (first.step is None or not said)
        if timed:
            origin.time_step = 1.0
        elif first.step is None:
            raise pelplug.InputError(
                f"The frames of {self.trajectory.path} have neither steps nor times; pass --frame-interval TIME "
                "(frame_interval= in Python)."
            )
        potential = self.potential_of(first)
        pelplug.require_interaction(first, potential)

        def chunks():
            for label in self.frames:
                state = self.trajectory.configuration(int(label))
                at = state.time if timed else state.step
                # Species and diameters of swap Monte Carlo are others in each frame.
                same = all(np.array_equal(getattr(state, key), getattr(first, key)) for key in ("species", "diameters"))
                own = potential if same else self.potential_of(state)
                yield Chunk(np.array([at]), np.array([own.energy(state)]))

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
                f"The time of one step is not told by {source}; pass --time-step (with 1, times are in steps)."
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
        if self._given["temperature"] != "auto":
            origin.temperature = self._given["temperature"]
        if origin.temperature is not None:
            values["temperature"] = ((), float(origin.temperature))
        heat, heat_words = self._heat(origin)
        if heat:
            values |= heat.of_limit(limit, float(values["long_time_limit_error"][1]))
        dataset = dataset.assign_coords(lag=("lag", times))
        dataset["lag"].attrs = {"long_name": "lag", "units": "time"}
        dataset, values = self._with_distributions(dataset, values, correlator, entry, share)
        found, words = relaxation(
            blocks, times, curve, errors, scale, heat,
            t_min=self.t_min, t_max=self.t_max, resamples=self.resamples, seed=self.seed,
        )  # fmt: skip
        if found:
            dataset = dataset.assign_coords(bound=("bound", ["lower", "upper"]))
        dataset.attrs.update(
            energies=origin.source,
            energy_unit=origin.unit,
            method=self.method,
            fit=words,
            heat=heat_words,
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

    def _heat(self, origin: Origin) -> tuple[Heat | None, str]:
        record, dimension = self.simulation, self._given["dimension"]
        if dimension == "auto":
            dimension = record.get("dimension", "auto")
        if self.trajectory is not None:
            record = self.trajectory.simulation_record or {}
            dimension = self.trajectory.dimension if dimension == "auto" else dimension
        heat, words = thermal_state(origin, self._given, record, 3 if dimension == "auto" else dimension)
        return heat, words if heat else f"none: {words}"

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
