"""g(r) of the liquid and of its inherent structures, and the pair potential U(r) beside them."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

import numpy as np

import pelplug
from pelplug_dynamics.structure import largest_distance, radial_distributions

__all__ = ["RadialDistribution"]

PAIR = ("species_a", "species_b", "r")
G = {"rdf": "g_ab(r) of the frames", "rdf_inherent": "g_ab(r) of their inherent structures"}
_FAR = 12.0  # cell of two particles alone, over the largest distance


class RadialDistribution(pelplug.Analysis):
    """Radial distribution functions of the frames and of their inherent structures, for each pair of species.

    Notes
    -----
    ``pair_energy`` is there where the model is a sum over pairs; of particles with diameters it is that of the mean
    diameters.

    References
    ----------
    Kapteijns et al., J. Chem. Phys. 155, 074502 (2021), Fig. 12.
    """

    name = "radial-distribution"
    summary = "g(r) of the liquid and of its inherent structures, over the pair potential"
    needs = pelplug.Need.POSITIONS | pelplug.Need.CELL | pelplug.Need.POTENTIAL
    uses = ("inherent-structures",)
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "frame_rdf": pelplug.Field(("frame", *PAIR), "1", "g_ab(r) of a frame"),
        "frame_rdf_inherent": pelplug.Field(("frame", *PAIR), "1", "g_ab(r) of its inherent structure"),
        **{name: pelplug.Field(PAIR, "1", text) for name, text in G.items()},
        **{f"{name}_error": pelplug.Field(PAIR, "1", f"standard error of {name}") for name in G},
        "pair_energy": pelplug.Field(PAIR, "energy", "U_ab(r)"),
    }
    cites = (
        "Kapteijns et al., J. Chem. Phys. 155, 074502 (2021)",
        "V. Ramasubramani et al., Comput. Phys. Commun. 254, 107275 (2020)",
    )
    trial = {  # noqa: RUF012
        "n": 60,
        "frames": 3,
        "parameters": {"bins": 30},
    }

    def __init__(
        self,
        trajectory,
        *,
        r_max: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "how far g(r) goes; auto: five mean distances, or half the least height of the cell if that is less",
                exclusive_minimum=0,
                unit="length",
            ),
        ] = "auto",
        bins: Annotated[int, pelplug.Param("bins of g(r)", minimum=10)] = 250,
        **base,
    ):
        super().__init__(trajectory, **base)
        self.r_max, self.bins = r_max, bins
        self._common: float | None = None

    def fingerprint(self) -> str:
        """Return what decides the result of a frame, how far g(r) goes in all of them included."""
        own = super().fingerprint()
        return own if self.r_max != "auto" else hashlib.sha256(f"{own} {self._common}".encode()).hexdigest()

    def check_before(self, frames) -> None:
        """Refuse other than two and three dimensions, and distances at which a particle meets its own image.

        Raises
        ------
        InputError
            With the remedy.
        """
        first = self._readable(frames)
        if first is None:
            return
        if first.dimension not in (2, 3):
            raise pelplug.InputError(
                f"g(r) is computed in two and three dimensions, and these states have {first.dimension}; leave it out."
            )
        half = 0.998 * first.half_box
        if self.r_max != "auto" and self.r_max > half:
            raise pelplug.InputError(
                f"g(r) up to {self.r_max:g} reaches beyond half the least height of the cell, {half:.4g}, where a "
                "particle meets its own image; give a smaller --r-max (r_max= in Python)."
            )
        self.survey(frames)

    def survey(self, frames) -> None:
        """Find how far g(r) can go in all frames."""
        if self.r_max != "auto" or self._common is not None:
            return
        reach = []
        for frame in frames:
            try:
                reach.append(largest_distance([self.trajectory.configuration(int(frame))]))
            except pelplug.PelplugError:
                continue  # it fails again when its turn comes, and is told then
        self._common = min(reach, default=None)

    def compute(self, configuration) -> dict[str, Any]:
        """Return g(r) of one frame and of its inherent structure."""
        structure = self.input("inherent-structures")
        inherent = configuration.replace(
            positions=structure["positions"].values, cell=structure["cell"].values, images=None
        ).wrapped()
        names, r_max = self.trajectory.species_names, self._reach(configuration)
        liquid, minimum = (radial_distributions([one], names, r_max, self.bins)[1] for one in (configuration, inherent))
        return {"frame_rdf": liquid, "frame_rdf_inherent": minimum}

    def _reach(self, configuration) -> float:
        found = self._common if self.r_max == "auto" else self.r_max
        return largest_distance([configuration]) if found is None else found

    def summarize(self, dataset):
        """Average over the frames, and add U(r)."""
        first = self.trajectory.configuration(int(dataset["frame"].values[0]))
        names = self.trajectory.species_names
        r = self._reach(first) / self.bins * (np.arange(self.bins) + 0.5)
        # The height of the first peak says as well as any one number how alike the frames are.
        series = dataset["frame_rdf"].max("r").mean(["species_a", "species_b"]).values
        unit, of = pelplug.independent_samples(dataset, series, of="frames")
        jackknife = pelplug.Jackknife(int(unit.max()) + 1)
        sources = {name: dataset[f"frame_{name}"] for name in G}
        dataset = pelplug.average_frames(dataset, sources, unit, of, jackknife).drop_vars([f"frame_{one}" for one in G])
        alike = pelplug.scatter_of_blocks(series, unit, of)
        for name in G:
            dataset[f"{name}_error"] = dataset[f"{name}_error"].copy(data=dataset[f"{name}_error"].values / alike)
        dataset = dataset.assign_coords(
            r=("r", r, {"units": "length", "long_name": "distance"}), species_a=list(names), species_b=list(names)
        )
        few = pelplug.too_few_samples(self.name, jackknife.samples, of)
        with self.part("U(r)"):
            potential = self.potential_of(first)
            if isinstance(potential, pelplug.PairPotential):
                dataset["pair_energy"] = (PAIR, pair_energies(potential, first, names, r))
            else:
                few.append("pair_energy: the model is no sum over pairs of particles, so there is no U(r).")
        dataset.attrs["not_found"] = json.dumps(few)
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw g(r) of the frames and of their inherent structures, of the first pair of species, over U(r)."""
        return self.panels()[0](ax=ax, **keywords)

    def panels(self):
        """Return what draws each pair of species."""
        from pelplug_dynamics.radial_drawing import panels

        return panels(self.to_dataset())

    def figure(self):
        """Draw a panel of each pair of species."""
        return pelplug.Panel.figure(self.to_dataset(), self.panels(), columns=2)


def pair_energies(potential, state, names, r: np.ndarray) -> np.ndarray:
    """Return U_ab(r), shape (S, S, R) [energy]: the energy of two particles alone.

    Parameters
    ----------
    potential : PairPotential
    state : Configuration
        Of whose species, and the means of whose diameters, the particles are.
    names : sequence of str
        Species.
    r : ndarray, shape (R,)
        Distances [length].
    """
    found = np.zeros((len(names), len(names), r.size))
    cell = _FAR * max(r.max(), potential.reach(state) or 0.0) * np.eye(state.dimension)
    for a, first in enumerate(names):
        for b, second in enumerate(names[a:], a):
            sizes = None
            if state.diameters is not None:
                sizes = [float(state.diameters[state.species == name].mean()) for name in (first, second)]
            for k, distance in enumerate(r):
                positions = np.zeros((2, state.dimension))
                positions[1, 0] = distance
                two = pelplug.Configuration(positions, cell, [first, second], diameters=sizes)
                found[a, b, k] = found[b, a, k] = potential.energy(two)
    return found
