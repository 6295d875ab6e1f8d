"""Metabasins of an inherent-structure trajectory, and the random walk between them."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Annotated, Literal

import numpy as np
import xarray as xr

import pelplug
from pelplug_metabasins.averages import LONGER, Averages
from pelplug_metabasins.hopping import jump_lengths
from pelplug_metabasins.listing import list_metabasins, spacing_of, visits_of
from pelplug_metabasins.sequences import INPUT, checksum, read_sequence
from pelplug_metabasins.variables import PROVIDES

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
    pools = True
    trial = {"n": 60, "frames": 24, "minima": 6, "parameters": {"minimum": 2}}  # noqa: RUF012

    def __init__(
        self,
        trajectory,
        *,
        inherent_structures: Annotated[
            str | None,
            pelplug.Param("file of inherent structures in place of quenching", metavar="FILE", meaning=False),
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
        if self.sequence and "parameters" in source.attrs:  # a study compares them as if it had quenched here
            self.inputs = {source.attrs["analysis"]: source}
        if self.sequence and "units" in source.attrs:
            self._units = pelplug.Units(**json.loads(source.attrs["units"]))
        if self.trajectory is None and {"conditions", "temperature"} & source.attrs.keys():
            self.sampled_at(pelplug.Conditions.of(source), str(self.sequence))
        runs = visits_of(source, self.merge)
        found = list_metabasins(source, runs, self.merge)
        hidden = {"positions", "ends", "run"}
        values = {name: ("metabasin", value) for name, value in found.items() if name not in hidden}
        if len(runs) > 1:
            values["metabasin_run"] = ("metabasin", found["run"])
        if "positions" in found:
            dims = ("metabasin", "particle", "dimension")
            values["positions"] = (dims, found["positions"], {"frame_labels": "metabasin_frame"})
            values["cell"] = (("vector", "dimension"), source["cell"].values)
        stay, whole = found["waiting_time"], found["complete"] == 1
        number, complete = len(stay), int(whole.sum())
        values["metabasins"] = ((), number)
        values["censored_share"] = ((), 1.0 - stay[whole].sum() / stay.sum())
        attributes = {"rate_fit": "none", "quench": source.attrs.get("quench", "")}
        averages, not_found = None, []
        if number > len(runs):
            if "positions" in found:
                values["jump_length"] = ("jump", jump_lengths(found["positions"], found["run"]))
            values["jump_rate"] = ((), (number - len(runs)) / stay.sum())
        if complete < self.minimum:
            attributes["statistics"] = (
                f"none: {complete} complete metabasins, fewer than the minimum of {self.minimum}; {LONGER}"
            )
            not_found.append(
                f"No average is taken of {complete} complete metabasins, fewer than the minimum of {self.minimum}; "
                f"{LONGER}."
            )
        else:
            averages = Averages(found, spacing_of(runs), self.parameters)
            values |= averages.values | self._reduced(averages.values)
            not_found += averages.not_found
            attributes["rate_fit"] = averages.rate_fit
            attributes["statistics"] = (
                f"{complete} complete metabasins of {number}; errors over {averages.samples.samples} "
                f"{averages.samples.of}, and of records drawn from the fitted law"
            )
        attributes["not_found"] = json.dumps(not_found)
        dataset = dataset.assign(values)
        if averages is not None:
            averages.state(dataset)
        if "scattering" in dataset:
            dataset = dataset.assign_coords(wave_number=("wave_number", self.wave_numbers, {"units": "1 / length"}))
            dataset["lag_time"].attrs = {"long_name": "time", "units": "time"}
        dataset.attrs |= attributes
        return dataset

    def _reduced(self, values: dict) -> dict:
        """Return the slope of the rate over the temperature, where that is known."""
        if (temperature := self.conditions.liquid_temperature) is None:
            return {}
        thermal = self.units.thermal(temperature)
        return {f"reduced_slope{end}": ((), values[f"rate_slope{end}"][1] * thermal) for end in ("", "_error")}

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
