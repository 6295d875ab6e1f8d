"""Motion of the particles of a trajectory: displacements, scattering, relaxation times, structure."""

from __future__ import annotations

import json
import pathlib
from typing import Annotated, Literal

import numpy as np
import xarray as xr

import pelplug
from pelplug_dynamics import times as characteristic
from pelplug_dynamics.around import asked_around, check_around, estimates_around
from pelplug_dynamics.drift import drift, drift_remark
from pelplug_dynamics.lags import Clock, count_lags, pool_lags, select_lags
from pelplug_dynamics.positions import Positions
from pelplug_dynamics.reading import Reading, in_the_tail, without_errors
from pelplug_dynamics.statistics import Estimates, Samples, units_in, units_of
from pelplug_dynamics.structure import largest_species, mean_density, structure
from pelplug_dynamics.sums import Asked, Run, sums_by_kind
from pelplug_dynamics.van_hove import check_van_hove, van_hove
from pelplug_dynamics.variables import AROUND, CURVES, fields, rests_on

__all__ = ["Dynamics"]


class Dynamics(pelplug.Analysis):
    """Displacements, self-intermediate scattering and relaxation times from all pairs of frames at chosen lags.

    Frames have times, and may be linear, logarithmic, in blocks or anyhow.

    Notes
    -----
    Attributes of the dataset: ``not_found`` (a sentence for each NaN among the times and coefficients), beside the
    usual ones.
    """

    name = "dynamics"
    summary = "MSD, F_s, non-Gaussian parameter, chi_4, van Hove, relaxation times, D, g(r) and S(q)"
    needs = pelplug.Need.POSITIONS | pelplug.Need.CELL | pelplug.Need.TIME | pelplug.Need.IDENTITY
    reads_frames = False
    pools = True
    provides = fields()
    cites = (
        "W. Kob and H. C. Andersen, Phys. Rev. E 51, 4626 (1995)",
        "V. Ramasubramani et al., Comput. Phys. Commun. 254, 107275 (2020)",
    )
    trial = {  # noqa: RUF012
        "n": 60,
        "frames": 12,
        "parameters": {
            "average": "isotropic",
            "quantities": ("fs", "alpha_2", "chi_4", "van_hove", "structure", *AROUND),
            "cage_radius": 1.4,
            "sigma": 1.0,
        },
    }

    def __init__(
        self,
        trajectory,
        *,
        quantities: Annotated[
            tuple[
                Literal[
                    "msd",
                    "fs",
                    "alpha_2",
                    "chi_4",
                    "van_hove",
                    "structure",
                    "cage_relative_msd",
                    "cage_relative_fs",
                    "bond_breaking",
                ],
                ...,
            ],
            pelplug.Param("what to compute; the MSD always is", metavar="NAME,...", meaning=False),
        ] = ("msd", "fs", "alpha_2", "chi_4", "van_hove", "structure"),
        wave_number: Annotated[
            Literal["auto"] | float | tuple[float, ...],
            pelplug.Param(
                "wave number q of F_s; auto: first peak of S(q) of the largest species",
                exclusive_minimum=0,
                unit="1 / length",
            ),
        ] = "auto",
        average: Annotated[
            str,
            pelplug.Param(
                "whether F_s is the mean over the axes, or over all directions of q", choices=("axes", "isotropic")
            ),
        ] = "axes",
        threshold: Annotated[
            float, pelplug.Param("what F_s has fallen to at tau_alpha", exclusive_minimum=0, exclusive_maximum=1)
        ] = 0.2,
        overlap_length: Annotated[
            Literal["auto"] | float,
            pelplug.Param("length a of overlap and chi_4; auto: 0.3 rho^(-1/d)", exclusive_minimum=0, unit="length"),
        ] = "auto",
        msd_target: Annotated[float, pelplug.Param("MSD at msd_time", exclusive_minimum=0, unit="length**2")] = 1.0,
        per_decade: Annotated[
            int,
            pelplug.Param(
                "lags a decade, equally spaced in log t as far as frames allow; a large number takes every lag",
                minimum=1,
                meaning=False,
            ),
        ] = 10,
        min_origins: Annotated[
            Literal["auto"] | int,
            pelplug.Param(
                "time origins a lag must have; auto: 10, or a tenth of those of the commonest lag if that is less",
                minimum=1,
            ),
        ] = "auto",
        van_hove_times: Annotated[
            Literal["auto"] | tuple[float, ...],
            pelplug.Param(
                "lags of the van Hove function; auto: four, equally spaced in log t", exclusive_minimum=0, unit="time"
            ),
        ] = "auto",
        largest: Annotated[
            str,
            pelplug.Param(
                "species for q_max and S(q); auto: of the largest sigma or diameter, the most numerous if unknown"
            ),
        ] = "auto",
        cage_radius: Annotated[
            Literal["auto"] | float | tuple[float, ...],
            pelplug.Param(
                "how far the first shell reaches, whose mean displacement cage-relative ones are against: one length, "
                "or one for each pair of species (AA, AB, BB); auto: the first minimum of g(r) of the pair",
                exclusive_minimum=0,
                unit="length",
            ),
        ] = "auto",
        x_bonded: Annotated[
            float, pelplug.Param("r / sigma_ij below which two particles are bonded at the origin", exclusive_minimum=0)
        ] = 1.3,
        x_broken: Annotated[
            float, pelplug.Param("r / sigma_ij beyond which their bond is broken", exclusive_minimum=0)
        ] = 1.7,
        sigma: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "length sigma_ij of every pair, for bonds; auto: that of the model", exclusive_minimum=0, unit="length"
            ),
        ] = "auto",
        more: Annotated[
            tuple[pathlib.Path, ...], pelplug.Param("further trajectories, as if they had been given with the first")
        ] = (),
        remove_drift: Annotated[
            bool, pelplug.Param("measure displacements from the centre of mass of all particles")
        ] = True,
        structure_frames: Annotated[
            int, pelplug.Param("frames for g(r) and S(q), equally spaced", minimum=1, meaning=False)
        ] = 20,
        fit_end: Annotated[
            float,
            pelplug.Param(
                "share of the longest trajectory at which fits end, if they can be done on so little",
                exclusive_minimum=0,
                maximum=1,
            ),
        ] = 0.1,
        memory: Annotated[
            float,
            pelplug.Param(
                "megabytes of positions; what needs more goes to a temporary file", exclusive_minimum=0, meaning=False
            ),
        ] = 1024.0,
        **base,
    ):
        super().__init__(trajectory, **base)
        self.join(more)
        self.quantities = frozenset(quantities)
        self.wave_number, self.average, self.threshold = wave_number, average, threshold
        self.overlap_length, self.msd_target = overlap_length, msd_target
        self.per_decade, self.min_origins = per_decade, None if min_origins == "auto" else min_origins
        self.van_hove_times, self.largest = van_hove_times, largest
        self.remove_drift, self.structure_frames = remove_drift, structure_frames
        self.fit_end, self.memory = fit_end, memory
        self.cage_radius, self.sigma, self.bonds = cage_radius, sigma, (x_bonded, x_broken)

    # --- all of it ------------------------------------------------------------------------------------------

    def check_before(self, frames) -> None:
        """Refuse too few frames, lags beyond the trajectory, species and further trajectories that are not there.

        Raises
        ------
        InputError
            With the remedy.
        """
        for trajectory, selected in zip(self.trajectories, self.selections, strict=True):
            if len(selected) < 2:
                raise pelplug.InputError(
                    f"{trajectory.path} gives one frame, in which nothing moves; give at least two."
                )
        names = self.trajectory.species_names
        if self.largest != "auto" and self.largest not in names:
            raise pelplug.InputError(f"There is no species {self.largest}; there are {', '.join(names)}.")
        alone = len(self.trajectories) == 1
        if self.min_origins is not None and self.min_origins >= len(frames) and alone:
            raise pelplug.InputError(
                f"No lag of {len(frames)} frames has {self.min_origins} time origins, the most are {len(frames) - 1}; "
                "lower --min-origins (min_origins= in Python)."
            )
        if self.quantities & set(AROUND):
            first = self._readable(frames)
            if first is not None:
                check_around(self, first, names)
        if "van_hove" in self.quantities and self.van_hove_times != "auto" and alone:
            check_van_hove(self.trajectory, frames, self.van_hove_times)

    def summarize(self, dataset):
        """Compute everything."""
        first = self.trajectory.configuration(int(self.frames[0]))
        self.reasons: list[str] = []
        self._no_error: list[str] = []
        self._tails: dict[str, float] = {}
        density = mean_density(self.joined, self.joined_frames)
        length = density ** (-1.0 / first.dimension)
        unit = self._time_unit(first, length)  # refuses before the work is done
        dataset, wave_numbers = self._structure(first, density)
        dataset, around = asked_around(self, dataset, wave_numbers)
        overlap = None
        if self.quantities & {"alpha_2", "chi_4"}:
            overlap = 0.3 * length if self.overlap_length == "auto" else self.overlap_length
            dataset["overlap_length"] = ((), overlap)
        lags, runs, tick = self._runs()
        lag_times = lags * tick
        names = self.trajectory.species_names
        members = {name: np.flatnonzero(self.trajectory.species == name) for name in names}
        scattered = wave_numbers if "fs" in self.quantities else ()
        asked = Asked(scattered, overlap, self.average == "isotropic")
        sums = sums_by_kind(runs, members, asked, units_in(len(runs)))
        squares = sums["all" if "all" in sums else names[0]][0] / self.trajectory.n
        samples = Samples(runs, squares, length)
        values: dict[str, list] = {}
        for kind, one in sums.items():
            particles = self.trajectory.n if kind == "all" else members[kind].size
            estimates = Estimates(samples, one, particles, first.dimension)
            found = self._of_kind(kind, estimates, lag_times, scattered, length)
            for name, value in found.items():
                values.setdefault(name, []).append(value)
        if around is not None:
            with self.part("motion against neighbours"):
                for kind, estimates in estimates_around(self, runs, samples, members, around).items():
                    found = around.found(estimates, self._reading(kind, estimates, lag_times), self.threshold)
                    for name, value in found.items():
                        values.setdefault(name, []).append(value)
        dataset = self._assembled(dataset, values, list(sums), lag_times, wave_numbers, samples)
        dataset = self._in_reduced_units(dataset, unit, length)
        if "van_hove" in self.quantities:
            edges = np.linspace(0.0, 3.0 * length, 121)
            with self.part("the van Hove function"):
                dataset = van_hove(dataset, runs, samples, members, edges, self.van_hove_times)
        for name, number in rests_on().items():
            pelplug.state_errors(dataset, [name], samples.method, number)
        return dataset

    def _of_kind(self, kind, estimates, lag_times, wave_numbers, length) -> dict:
        """Return the curves, times and coefficients of one species, with errors."""
        found = {"msd_slope": characteristic.local_slope(lag_times, estimates.curves.msd)}
        asked = {"msd"} | self.quantities | ({"overlap"} if "chi_4" in self.quantities else set())
        for name in CURVES:
            if name in asked:
                found[name] = getattr(estimates.curves, name)
                found[f"{name}_error"] = getattr(estimates.errors, name)
        if "chi_4" in asked and estimates.in_tail.any():
            self._tails[kind] = float(lag_times[estimates.in_tail].min())
        reading = self._reading(kind, estimates, lag_times)
        return found | reading.all(wave_numbers, length, self.msd_target, self.threshold)

    def _reading(self, kind, estimates, lag_times) -> Reading:
        return Reading(kind, estimates, lag_times, self.fit_end, self.reasons, self._no_error, self.part)

    def potential_or_none(self, configuration):
        """Return the potential of a configuration, None where no model was given."""
        return None if self.model is None else self.potential_of(configuration)

    # --- frames and lags ------------------------------------------------------------------------------------

    def _runs(self) -> tuple[np.ndarray, list[Run], float]:
        """Read every trajectory; return the lags, the trajectories and the time of a tick."""
        limit = 1e6 * self.memory / len(self.trajectories)
        read, centres, self.read_frames = [], [], []
        for trajectory, frames in zip(self.trajectories, self.selections, strict=True):
            positions = Positions(trajectory, frames, self.remove_drift, limit)
            clock = Clock.of(positions.times, positions.steps, trajectory.path)
            if read and not np.isclose(clock.tick, read[0][1].tick, rtol=1e-6):
                raise pelplug.InputError(
                    f"{trajectory.path} has another time step than {self.trajectory.path}; average trajectories of one "
                    "schedule."
                )
            read.append((positions.array, clock))
            self.read_frames.append((trajectory, positions.frames, positions.cells))
            centres.append((clock.ticks, positions.centres))
        counted = pool_lags([count_lags(clock.ticks) for _, clock in read])
        lags = select_lags(*counted, self.per_decade, self.min_origins)
        if lags.size == 0:
            raise pelplug.InputError(
                f"No lag of {self.trajectory.path} has {self.min_origins} time origins, the most are "
                f"{counted[1].max()}; lower --min-origins (min_origins= in Python)."
            )
        runs = [
            Run(array, clock.ticks, units_of(clock.ticks, number, len(read)), lags)
            for number, (array, clock) in enumerate(read)
        ]
        self._drift = drift(centres, lags)
        return lags, runs, read[0][1].tick

    def _time_unit(self, first, length) -> float | None:
        """Return t0 = a0 sqrt(m/T), or None where the temperature is not known."""
        temperature = self.conditions.liquid_temperature
        if temperature is None:
            self.reasons.append("time_unit: the temperature is not known; pass --temperature for reduced units.")
            return None
        if not self.units.is_complete and self.units != pelplug.Units():
            # Angstrom and ps alone do not say whether 0.5 is half a kelvin or half an epsilon.
            self.reasons.append(
                "time_unit: the file's units of mass and energy are not known, nor what a temperature is in; pass "
                "--units (lj, real, metal or gromacs) or --model."
            )
            return None
        return length / self.units.thermal_speed(temperature, float(np.mean(self.masses_of(first))))

    def _in_reduced_units(self, dataset, unit, length):
        """Add a0 and t0, and tau_alpha and D in them."""
        if unit is None:
            return dataset.assign(length_unit=((), length))
        found = {"length_unit": ((), length), "time_unit": ((), unit)}
        for name, scale in (("tau_alpha", 1.0 / unit), ("diffusion_coefficient", unit / length**2)):
            for suffix in ("", "_error") if name in dataset else ():
                one = dataset[f"{name}{suffix}"]
                found[f"reduced_{name}{suffix}"] = (one.dims, scale * one.values)
        return dataset.assign(found)

    # --- structure ------------------------------------------------------------------------------------------

    def _structure(self, first, density) -> tuple[xr.Dataset, tuple[float, ...]]:
        """Return g(r), S(q) and q_max where they are asked or needed, and the wave numbers of F_s."""
        given = () if self.wave_number == "auto" else np.atleast_1d(self.wave_number)
        scattering = bool(self.quantities & {"fs", "cage_relative_fs"})
        dataset = xr.Dataset()
        if "structure" in self.quantities or (scattering and not len(given)):
            largest = largest_species(self.trajectory, first, self.potential_or_none(first), self.largest)
            dataset = structure(self.joined, self.joined_frames, largest, self.structure_frames, density, self.part)
        if not scattering or len(given):
            return dataset, tuple(float(q) for q in given) if scattering else ()
        if np.isfinite(q_max := float(dataset["q_max"])):
            return dataset, (q_max,)
        self.reasons.append("q_max: S(q) has no clear peak; F_s is at 2 pi rho^(1/d).")
        return dataset, (2.0 * np.pi * density ** (1.0 / first.dimension),)

    # --- result ---------------------------------------------------------------------------------------------

    def _assembled(self, dataset, values, kinds, lag_times, wave_numbers, samples):
        dims = {name: field.dims for name, field in self.provides.items()}
        dataset = dataset.assign({name: (dims[name], np.array(value)) for name, value in values.items()})
        dataset = dataset.assign(drift_msd=(("lag_time",), self._drift))
        remarks = [drift_remark(dataset, self.remove_drift), *without_errors(self._no_error, samples)]
        remarks += in_the_tail(self._tails)
        dataset.attrs["remarks"] = json.dumps(remarks)
        dataset = dataset.assign(
            origins=(("lag_time",), samples.counts.sum(axis=1).astype(np.int64)),
            independent_samples=(("lag_time",), np.where(samples.known, samples.number, np.nan)),
        )
        dataset = dataset.assign_coords(
            kind=("kind", kinds),
            lag_time=("lag_time", lag_times, {"units": "time", "long_name": "t"}),
            wave_number=("wave_number", np.array(wave_numbers), {"units": "1 / length", "long_name": "q"}),
            bound=("bound", ["lower", "upper"]),
        )
        dataset.attrs["not_found"] = json.dumps(self.reasons)
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw F_s(q, t), or without it the MSD, of every species on a logarithmic time axis."""
        return self.panels()[0](ax=ax, **keywords)

    def panels(self):
        """Return what draws F_s, the MSD, the non-Gaussian parameter and chi_4, of what there is."""
        from pelplug_dynamics.drawing import panels

        return panels(self.to_dataset())

    def figure(self):
        """Draw F_s, MSD, alpha_2, chi_4 and g(r), of what there is, a panel each."""
        from pelplug_dynamics.drawing import draw_figure

        return draw_figure(self.to_dataset())
