"""Metabasins of an inherent-structure trajectory, and the random walk between them."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Annotated, Literal

import numpy as np
import xarray as xr

import pelplug
from pelplug_metabasins.bootstrap import BlockBootstrap, ratio, spread
from pelplug_metabasins.hopping import (
    jump_correlation,
    jump_lengths,
    lag_grid,
    scattering,
    slope_weights,
    squared_displacement,
)
from pelplug_metabasins.listing import list_metabasins, visits_of
from pelplug_metabasins.rates import fit_rate
from pelplug_metabasins.sequences import INPUT, checksum, read_sequence
from pelplug_metabasins.variables import PROVIDES
from pelplug_metabasins.waiting import moments_by_energy, persistence, time_grid, waiting_distribution

__all__ = ["Metabasins"]


class Metabasins(pelplug.Analysis):
    """Metabasins (MB): groups of inherent structures (IS) between which the system goes back and forth.

    Frames are in time, dense enough that successive ones are in the same IS as a rule.

    Raises
    ------
    InputError
        If there is no transition, or energies are missing.

    Notes
    -----
    After C. Rehwald and A. Heuer, Phys. Rev. E 86, 051504 (2012). The first and last MB are not seen whole: they count
    in S0, S_MB and p_eq(e) with the part that was seen, and not among waiting times. The attributes ``statistics``
    and ``rate_fit`` say what was averaged and fitted, or why not.
    """

    name = "metabasins"
    summary = "Metabasins: waiting times, energies, and the random walk between them"
    needs = pelplug.Need.POSITIONS | pelplug.Need.CELL | pelplug.Need.POTENTIAL | pelplug.Need.TIME
    needs |= pelplug.Need.IDENTITY
    uses = (INPUT,)
    provides = PROVIDES
    cites = (
        "C. Rehwald and A. Heuer, Phys. Rev. E 86, 051504 (2012)",
        "B. Doliwa and A. Heuer, Phys. Rev. E 67, 030501 (2003)",
    )
    reads_frames = False
    trial = {"n": 60, "frames": 24, "minima": 6, "parameters": {"minimum": 2}}  # noqa: RUF012

    def __init__(
        self,
        trajectory,
        *,
        inherent_structures: Annotated[
            str | None, pelplug.Param("file of inherent structures in place of quenching", metavar="FILE")
        ] = None,
        merge: Annotated[
            str,
            pelplug.Param(
                "structures are of one metabasin if their intervals overlap, or by more than half of the shorter",
                choices=("overlap", "half"),
            ),
        ] = "overlap",
        k: Annotated[tuple[float, ...], pelplug.Param("wave numbers of S_MB(k, t)", minimum=0, unit="1 / length")] = (
            400.0,
        ),
        per_decade: Annotated[int, pelplug.Param("times of S0 and S_MB in a decade", minimum=1, meaning=False)] = 8,
        waiting_per_decade: Annotated[
            int, pelplug.Param("bins of waiting times in a decade", minimum=1, meaning=False)
        ] = 5,
        energy_bins: Annotated[int, pelplug.Param("bins of energy", minimum=1, meaning=False)] = 20,
        minimum: Annotated[
            int,
            pelplug.Param(
                "fewest complete metabasins of which an average is taken, over all or in a bin of energy", minimum=2
            ),
        ] = 20,
        first_jump: Annotated[
            Literal["auto"] | int, pelplug.Param("least number of jumps from which a^2 is taken", minimum=1)
        ] = "auto",
        last_jump: Annotated[
            Literal["auto"] | int, pelplug.Param("largest number of jumps from which a^2 is taken", minimum=1)
        ] = "auto",
        blocks: Annotated[
            int,
            pelplug.Param("parts the list of metabasins is cut into for bootstrap errors", minimum=2, meaning=False),
        ] = 20,
        samples: Annotated[int, pelplug.Param("bootstrap samples", minimum=2, meaning=False)] = 200,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(trajectory, **base)
        if "auto" not in (first_jump, last_jump) and last_jump < first_jump:
            raise pelplug.InputError(f"a^2 is taken from {first_jump} to {last_jump} jumps; raise last_jump.")
        self.merge, self.wave_numbers, self.minimum = merge, np.array(k), minimum
        self.window = (first_jump, last_jump)
        self.resampling = (blocks, samples, seed)
        self.sequence, self._units = inherent_structures, None
        self.uses, self.needs = self.demands({"inherent_structures": inherent_structures})

    @classmethod
    def demands(cls, parameters) -> tuple[tuple[str, ...], pelplug.Need]:
        """Return what it uses and needs: no quenches if their result is given."""
        return ((), pelplug.Need.POSITIONS) if parameters.get("inherent_structures") else (cls.uses, cls.needs)

    @property
    def units(self) -> pelplug.Units:
        """Units of the result: those of the file of inherent structures, where it states them."""
        return super().units if self._units is None else self._units

    def run(self, *arguments, **keywords):
        """Run; without a trajectory, on a file of inherent structures."""
        return self.conclude() if self.trajectory is None and self.sequence else super().run(*arguments, **keywords)

    def fingerprint(self) -> str:
        """Return what decides the result, the content of the file included."""
        own = super().fingerprint()
        if not self.sequence:
            return own
        self.attributes["inherent_structures_sha256"] = content = f"sha256:{checksum(self.sequence)}"
        return hashlib.sha256(f"{own} {content}".encode()).hexdigest()

    def check_before(self, frames) -> None:
        """Refuse fewer frames than can hold two metabasins.

        Raises
        ------
        InputError
            With the remedy.
        """
        if self.uses and len(frames) < 3:
            raise pelplug.InputError(
                f"{self.trajectory.path} gives {len(frames)} frame{'s' * (len(frames) > 1)}, too few for metabasins; "
                "select more of them."
            )

    def summarize(self, dataset: xr.Dataset) -> xr.Dataset:
        """Group the visits, and derive everything from the list of metabasins."""
        source = read_sequence(self.sequence) if self.sequence else self.input(INPUT)
        if self.sequence and "units" in source.attrs:
            self._units = pelplug.Units(**json.loads(source.attrs["units"]))
        if self.trajectory is None and {"conditions", "temperature"} & source.attrs.keys():
            self.sampled_at(pelplug.Conditions.of(source), str(self.sequence))
        visits = visits_of(source, self.merge)
        found = list_metabasins(source, visits, self.merge)
        values = {name: ("metabasin", value) for name, value in found.items() if name != "positions"}
        if "positions" in found:
            dims = ("metabasin", "particle", "dimension")
            values["positions"] = (dims, found["positions"], {"frame_labels": "metabasin_frame"})
            values["cell"] = (("vector", "dimension"), source["cell"].values)
        stay = found["waiting_time"]
        number, complete = len(stay), max(len(stay) - 2, 0)
        values["metabasins"] = ((), number)
        values["censored_share"] = ((), (stay[0] + stay[-1]) / stay.sum() if number > 1 else 1.0)
        attributes = {"rate_fit": "none", "quench": source.attrs.get("quench", "")}
        if number > 1:
            if "positions" in found:
                values["jump_length"] = ("jump", jump_lengths(found["positions"]))
            values["jump_rate"] = ((), (number - 1) / stay.sum())
        if complete < self.minimum:
            attributes["statistics"] = (
                f"none: {complete} complete metabasins, fewer than the minimum of {self.minimum}; use a longer run"
            )
        else:
            blocks, samples, seed = self.resampling
            bootstrap = BlockBootstrap(min(blocks, complete), samples, seed)
            values |= self._times(found, visits["spacing"], bootstrap)
            values |= self._walk(found, bootstrap)
            values |= self._energies(found, bootstrap)
            fit, attributes["rate_fit"] = self._rate(found, bootstrap)
            values |= fit
            attributes["statistics"] = (
                f"{complete} complete metabasins of {number}; errors from {samples} draws of {bootstrap.blocks} blocks"
            )
        dataset = dataset.assign(values)
        if "scattering" in dataset:
            dataset = dataset.assign_coords(wave_number=("wave_number", self.wave_numbers, {"units": "1 / length"}))
            dataset["lag_time"].attrs = {"long_name": "time", "units": "time"}
        dataset.attrs |= attributes
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw the distribution of waiting times on logarithmic axes."""
        from pelplug_metabasins.drawing import draw_waiting_times

        return draw_waiting_times(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what draws waiting times, their mean at each energy, S0 with S_MB, and jumps."""
        from pelplug_metabasins import drawing

        dataset = self.to_dataset()
        return [
            functools.partial(draw, dataset)
            for draw in (
                drawing.draw_waiting_times,
                drawing.draw_by_energy,
                drawing.draw_persistence,
                drawing.draw_jumps,
            )
        ]

    def figure(self):
        """Return a Figure: waiting times, their mean at each energy with the fit, S0 and S_MB, jumps."""
        from pelplug_metabasins.drawing import draw_figure

        return draw_figure(self.to_dataset())

    def _times(self, found: dict, spacing: float | None, bootstrap: BlockBootstrap) -> dict:
        stay = found["waiting_time"]
        waiting = stay[1:-1]
        sums = bootstrap.sums(np.stack([np.ones(len(waiting)), waiting, np.square(waiting)], axis=1))
        mean, square = sums[:, 1] / sums[:, 0], sums[:, 2] / sums[:, 0]
        values = {}
        for name, value in (
            ("mean_waiting_time", mean),
            ("mean_square_waiting_time", square),
            ("relaxation_time", square / (2 * mean)),
        ):
            values |= {name: ((), value[0]), f"{name}_error": ((), spread(value))}
        per_decade = self.parameters["waiting_per_decade"]
        edges, density, error = waiting_distribution(waiting, spacing, per_decade, bootstrap)
        shortest = spacing or waiting.min()
        # Beyond half the record few origins are left, and beyond the longest stay S0 is 0.
        times = time_grid(shortest, min(stay.max(), stay.sum() / 2), self.parameters["per_decade"])
        value, value_error = persistence(stay, times, bootstrap)
        return (
            values
            | {
                "waiting_edges": ("waiting_edge", edges),
                "waiting_density": ("waiting_bin", density),
                "waiting_density_error": ("waiting_bin", error),
                "lag_time": ("lag_time", times),
                "persistence": ("lag_time", value),
                "persistence_error": ("lag_time", value_error),
            }
            | self._scattering(found, times)
        )

    def _scattering(self, found: dict, times) -> dict:
        if "positions" not in found:
            return {}
        value = scattering(found["start_time"], found["end_time"], found["positions"], self.wave_numbers, times)
        return {"scattering": (("wave_number", "lag_time"), value)}

    def _walk(self, found: dict, bootstrap: BlockBootstrap) -> dict:
        stay = found["waiting_time"]
        jumps = len(stay) - 1
        # 1 / <tau>: jumps over the whole record have no bias, waiting times without the unfinished ones have.
        rate = bootstrap.sums(np.ones(len(stay))) / bootstrap.sums(stay) * (jumps / len(stay))
        if "positions" not in found:
            return {"jump_rate_error": ((), spread(rate))}
        positions = found["positions"]
        lags = lag_grid(jumps)
        first, last = self.window
        if last == "auto":
            last = max(1, min(100, jumps // 10))
        if first == "auto":
            first = max(1, last // 10)
        lags = np.unique(np.r_[lags, [lag for lag in (first, last) if lag <= jumps // 2]]).astype(int)
        squared = squared_displacement(positions, lags, bootstrap)
        product, square = (bootstrap.sums(one) for one in jump_correlation(positions))
        correlation = ratio(product, square)
        values = {
            "jump_rate_error": ((), spread(rate)),
            "jump_lag": ("lag", lags),
            "squared_displacement": ("lag", squared[0]),
            "squared_displacement_error": ("lag", spread(squared)),
            "jump_correlation": ((), correlation[0]),
            "jump_correlation_error": ((), spread(correlation)),
        }
        inside = np.flatnonzero((lags >= first) & (lags <= last))
        if len(inside) == 0:
            return values
        per_jump = squared[:, inside] @ slope_weights(lags[inside])
        n, dimension = positions.shape[1:]
        diffusion = per_jump * rate / (2 * dimension * n)
        return values | {
            "squared_jump": ((), per_jump[0]),
            "squared_jump_error": ((), spread(per_jump)),
            "jump_window": ("bound", lags[inside[[0, -1]]]),
            "diffusion_coefficient": ((), diffusion[0]),
            "diffusion_coefficient_error": ((), spread(diffusion)),
        }

    def _energies(self, found: dict, bootstrap: BlockBootstrap) -> dict:
        energy, stay = found["metabasin_energy"], found["waiting_time"]
        bins = self.parameters["energy_bins"]
        low, high = energy.min(), energy.max()
        half = max((high - low) / 2, 1e-6 * max(abs(low), 1.0))
        edges = np.linspace((low + high) / 2 - half, (low + high) / 2 + half, bins + 1)
        place = np.clip(np.searchsorted(edges, energy, side="right") - 1, 0, bins - 1)
        cell = bootstrap.block_of(len(stay)) * bins + place
        time = np.bincount(cell, stay, minlength=bootstrap.blocks * bins).reshape(bootstrap.blocks, bins)
        drawn = bootstrap.draw(time)
        density = drawn / drawn.sum(axis=1, keepdims=True) / np.diff(edges)
        moments = moments_by_energy(energy[1:-1], stay[1:-1], edges, self.minimum, bootstrap)
        return {
            "energy_edges": ("energy_edge", edges),
            "bin_energy": ("energy_bin", (edges[1:] + edges[:-1]) / 2),
            "energy_density": ("energy_bin", density[0]),
            "energy_density_error": ("energy_bin", spread(density)),
            **{name: ("energy_bin" if np.ndim(value) else (), value) for name, value in moments.items()},
        }

    def _rate(self, found: dict, bootstrap: BlockBootstrap) -> tuple[dict, str]:
        fit = fit_rate(found["metabasin_energy"][1:-1], found["waiting_time"][1:-1], bootstrap)
        values = {
            "rate_plateau": fit.plateau,
            "rate_plateau_error": fit.plateau_error,
            "rate_slope": fit.slope,
            "rate_slope_error": fit.slope_error,
            "crossover_energy": fit.crossover,
            "crossover_energy_error": fit.crossover_error,
        }
        if (temperature := self.conditions.liquid_temperature) is not None:
            thermal = self.units.thermal(temperature)
            values["reduced_slope"] = fit.slope * thermal
            values["reduced_slope_error"] = fit.slope_error * thermal
        return {name: ((), value) for name, value in values.items()}, fit.outcome
