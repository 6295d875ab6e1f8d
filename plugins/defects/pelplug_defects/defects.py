"""Defects: particles that lose or gain neighbours from a frame to its inherent structure, or to another trajectory."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

import numpy as np

import pelplug
from pelplug_defects.averages import averaged
from pelplug_defects.fields import (
    BIN,
    X_RANGE,
    bond_changes,
    cutoff_of,
    d2min,
    expected_pairs,
    first_minimum_of_mean,
    scaled_distribution,
)
from pelplug_defects.lengths import PairLengths
from pelplug_defects.neighbours import nearest_images
from pelplug_defects.variables import VARIABLES

__all__ = ["Defects", "DefectsBetween"]

_X_BROKEN = 1.5  # of the paper, whose x_EQ is below


class _BondChanges(pelplug.Analysis):
    """What both analyses compute, wherever the second state comes from."""

    needs = pelplug.Need.POSITIONS | pelplug.Need.CELL
    provides = VARIABLES
    cites = (
        "Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022)",
        "M. L. Falk and J. S. Langer, Phys. Rev. E 57, 7192 (1998)",
    )

    def __init__(
        self,
        trajectory,
        *,
        x_eq: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "neighbours in the frame have x below this; auto: first minimum of g(x), averaged over all frames",
                exclusive_minimum=0,
                exclusive_maximum=X_RANGE,
            ),
        ] = "auto",
        x_broken: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "a bond is broken if x is not below this in the inherent structure; auto: 1.5, or x_eq if that is more",
                exclusive_minimum=0,
                maximum=X_RANGE,
            ),
        ] = "auto",
        x_inserted: Annotated[
            float,
            pelplug.Param(
                "a bond can be inserted if x is below this in the inherent structure",
                exclusive_minimum=0,
                maximum=X_RANGE,
            ),
        ] = 1.23,
        x_d2min: Annotated[
            float,
            pelplug.Param("neighbours in D2min have x below this in the frame", exclusive_minimum=0, maximum=X_RANGE),
        ] = 1.5,
        sigma: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "one d_ij for all pairs; auto: the model's, else first peaks of g(r)",
                exclusive_minimum=0,
                unit="length",
            ),
        ] = "auto",
        smoothing: Annotated[
            float,
            pelplug.Param(
                "standard deviation in x of the Gaussian that smooths g(x) before its minimum is looked for",
                minimum=0,
                maximum=0.2,
            ),
        ] = 0.04,
        **base,
    ):
        super().__init__(trajectory, **base)
        self.x_eq, self.x_broken, self.x_inserted, self.x_d2min = x_eq, x_broken, x_inserted, x_d2min
        self.sigma, self._lengths = sigma, PairLengths(sigma)
        self.smoothing = smoothing
        self._common, self._surveyed = None if x_eq == "auto" else x_eq, ()
        if x_eq != "auto":
            self._check_cutoff(x_eq)

    def fingerprint(self) -> str:
        """Return what decides the result of a frame, the lengths and the cutoff of all frames included."""
        found = self._lengths.key() + ([str(self._common)] if self.x_eq == "auto" else [])
        own = super().fingerprint()
        return hashlib.sha256(" ".join([own, *found]).encode()).hexdigest() if found else own

    def check_before(self, frames) -> None:
        """Refuse a second trajectory that does not fit, sizes that nobody knows, and a g(x) that gives no x_EQ."""
        self.prepare()
        try:
            first = self.trajectory.configuration(int(frames[0]))
        except pelplug.PelplugError:  # the run records which frames cannot be read
            return
        if first.n < 2:
            raise pelplug.InputError("One particle has no neighbours; give a system of two or more.")
        self.survey(frames)
        self._scale(first)

    def survey(self, frames) -> None:
        """Find x_EQ, the first minimum of g(x), and lengths of pairs by g(r), over all frames: a frame's own are noise.

        Raises
        ------
        RunError
            If it has no first minimum.
        InputError
            If that does not lie between the two cutoffs of the inherent structure, or nothing gives lengths.
        """
        if self._surveyed == tuple(frames):
            return
        first = next(self._states_of(frames), None)
        if first is not None and self._lengths.known(first, self._interactions(first)) is None:
            self._lengths.find_peaks(self._states_of(frames))
        if self.x_eq != "auto":
            self._surveyed = tuple(frames)
            return
        total, expected, number = 0.0, 0.0, 0
        for state in self._states_of(frames):
            scale = self._scale(state)
            power = scale.mean_power(state.dimension)
            total = total + self._near(state.positions, state.cell, scale, X_RANGE * scale.largest, power)[1]
            expected = expected + expected_pairs(state.n, state.density * power, state.dimension)
            number += 1
        if number:
            self._common, self._surveyed = self._minimum(total / number, expected, number), tuple(frames)

    def _states_of(self, frames):
        for frame in frames:
            try:
                yield self.trajectory.configuration(int(frame))
            except pelplug.PelplugError:  # it fails again when its turn comes, and is told then
                continue

    def _final(self, configuration) -> tuple[np.ndarray, np.ndarray]:
        """Return positions, continuous with the frame's unwrapped ones, and cell of the second state."""
        raise NotImplementedError

    def compute(self, configuration) -> dict[str, Any]:
        """Compare the frame with its second state.

        Raises
        ------
        RunError
            If g(x) has no first minimum, or it does not lie between the two cutoffs of the inherent structure.
        """
        n, d = configuration.n, configuration.dimension
        scale = self._scale(configuration)
        positions = configuration.unwrapped_positions()
        final, final_cell = self._final(configuration)
        reach = X_RANGE * scale.largest
        power = scale.mean_power(d)
        before, g = self._near(positions, configuration.cell, scale, reach, power)
        after, g_is = self._near(final, final_cell, scale, reach, power)
        x_before = before.distances / scale.of(before.i, before.j)
        x_after = after.distances / scale.of(after.i, after.j)
        x_eq = self._cutoff(g, n, configuration.density * power, d) if self._common is None else self._common
        x_broken = max(_X_BROKEN, x_eq) if self.x_broken == "auto" else self.x_broken
        cutoffs = (x_eq, x_broken, self.x_inserted)
        broken, inserted = bond_changes(before, x_before, after, x_after, n, cutoffs)
        near = before.take(x_before < self.x_d2min)
        moved = final[near.j] - final[near.i] + near.images @ final_cell
        displacement = positions - final
        displacement = displacement - displacement.mean(axis=0)
        phi = (broken + inserted) > 0
        return {
            "phi": phi.astype(np.int8),
            "broken": broken,
            "inserted": inserted,
            "d2min": d2min(near.i, near.j, near.vectors, moved, n),
            "displacement": displacement,
            "displacement_magnitude": np.linalg.norm(displacement, axis=1),
            "phi_frame": phi.mean(),
            "broken_frame": broken.mean(),
            "inserted_frame": inserted.mean(),
            "x_eq": x_eq,
            "x_broken": x_broken,
            "g": g,
            "g_is": g_is,
            "positions": positions,
            "cell": configuration.cell,
            "diameter": scale.diameters,
        }

    def summarize(self, dataset):
        """Add <phi>, chi, <B> and <I> with their errors, and the first minimum of the averaged g(x)."""
        dataset["species"] = ("particle", np.asarray(self.trajectory.species, dtype=str))
        dataset, few = averaged(dataset, self.name)
        dataset.attrs["not_found"] = json.dumps(few)
        dataset.attrs["remarks"] = json.dumps(self._remarks(dataset))
        dataset.attrs["pair_lengths"] = self._lengths.text()
        dataset["x_eq_mean_g"] = ((), first_minimum_of_mean(dataset["g"].values.mean(axis=0), self.smoothing))
        middles = BIN * (np.arange(dataset.sizes["x"]) + 0.5)
        dataset = dataset.assign_coords(x=("x", middles, {"long_name": "r_ij / d_ij", "units": "1"}))
        dataset["positions"].attrs["of"] = "frame"  # and not of the minimum, as in an export of minima
        for name in self.uses:  # which minimum it is depends on the algorithm that found it
            dataset.attrs["quench"] = self.input(name).attrs.get("quench", "")
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw the defects of one frame: everything in two dimensions, a layer in three; above, phi over time."""
        from pelplug_defects.drawing import draw_map

        return draw_map(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what draws phi over time, and g(x): maps of several results would hide one another."""
        from pelplug_defects.drawing import panels

        return panels(self.to_dataset(), self.parameters)

    def figure(self):
        """Draw defects, D2min and g(x) with the three cutoffs."""
        from pelplug_defects.drawing import draw_figure

        return draw_figure(self.to_dataset(), self.parameters)

    def _near(self, positions, cell, scale, reach, power):
        pairs = pelplug.near_pairs(positions, cell, reach)
        x = pairs.distances / scale.of(pairs.i, pairs.j)
        near = x < X_RANGE
        n, d = positions.shape
        g = scaled_distribution(x[near], n, abs(np.linalg.det(cell)), power, d)
        return nearest_images(pairs.take(near)), g

    def _scale(self, configuration):
        if configuration.n < 2:
            raise pelplug.InputError("One particle has no neighbours; give a system of two or more.")
        return self._lengths.of(configuration, self._interactions(configuration))

    def _interactions(self, configuration):
        return None if self.model is None else self.potential_of(configuration)

    def _cutoff(self, g: np.ndarray, n: int, density: float, d: int) -> float:
        """Return x_EQ of one frame: where there is no trajectory to average over."""
        return self._minimum(g, expected_pairs(n, density, d), 1)

    def _minimum(self, g: np.ndarray, expected: np.ndarray, frames: int) -> float:
        found = cutoff_of(g, expected, self.smoothing, frames)
        self._check_cutoff(found)
        return found

    def _check_cutoff(self, x_eq: float) -> None:
        if x_eq < self.x_inserted or (self.x_broken != "auto" and x_eq > self.x_broken):
            above = "" if self.x_broken == "auto" else f" and not above x_broken = {self.x_broken:g}"
            raise pelplug.InputError(
                f"The cutoff x_EQ = {x_eq:.4g} must not lie below x_inserted = {self.x_inserted:g}{above}, or bonds at "
                "the threshold count as changed; pass others (--x-eq, --x-inserted, --x-broken)."
            )

    def _remarks(self, dataset) -> list[str]:
        """Say where bonds are broken beyond another distance than the paper's."""
        x_eq = float(dataset["x_eq"].max())
        if self.x_broken != "auto" or x_eq <= _X_BROKEN:
            return []
        more = "" if self.x_eq != "auto" else "x_EQ of few frames or particles is rather too large, so give more; "
        return [
            f"x_EQ = {x_eq:.4g} is above {_X_BROKEN:g}, so bonds are broken beyond x_EQ itself, and one that trembles "
            f"there counts; {more}pass --x-eq or --x-broken for other cutoffs."
        ]


class Defects(_BondChanges):
    """Bonds that break and form while each frame relaxes to its inherent structure."""

    name = "defects"
    summary = "Bonds broken and inserted from each frame to its inherent structure, D2min and displacements"
    uses = ("inherent-structures",)
    trial = {"n": 60, "frames": 3, "parameters": {"x_eq": 1.4}}  # noqa: RUF012

    def _final(self, configuration) -> tuple[np.ndarray, np.ndarray]:
        structure = self.input("inherent-structures")
        # Continuous with the frame's unwrapped positions, whatever images they are in.
        return structure["positions"].values, structure["cell"].values


def _with_a_second_file(folder) -> dict:
    """Return parameters to try `DefectsBetween` with: states about another minimum of the same particles."""
    from pelplug.testing import make_trajectory

    return {"reference": str(make_trajectory(folder / "second.gsd", n=60, frames=3, minima=2)), "x_eq": 1.4}


class DefectsBetween(_BondChanges):
    """Bonds that break and form between each frame and the same frame of a second trajectory."""

    name = "defects-between"
    summary = "Bonds broken and inserted between each frame and the same frame of a second trajectory"
    trial = {  # noqa: RUF012
        "n": 60,
        "frames": 3,
        "parameters": _with_a_second_file,
        "expected_failures": dict.fromkeys(
            ("check_permutation", "check_rotation", "check_cell_vectors"), "the second trajectory stays as it is"
        ),
    }

    def __init__(
        self,
        trajectory,
        *,
        reference: Annotated[
            str,
            pelplug.Param(
                "file of the second trajectory, whose frames take the place of the inherent structures", metavar="PATH"
            ),
        ],
        match: Annotated[
            str,
            pelplug.Param(
                "which frames are the same: of one step, or of one number; auto: by step where both files have them",
                choices=("auto", "step", "frame"),
            ),
        ] = "auto",
        **base,
    ):
        super().__init__(trajectory, **base)
        self.reference = reference
        self.match = match
        self._second = None
        self._frame_of_step: dict[int, int] | None = None

    def check_before(self, frames) -> None:
        """Open the second trajectory, and refuse one that is of other particles."""
        self.prepare()
        super().check_before(frames)

    def prepare(self) -> None:
        """Open the second trajectory.

        Raises
        ------
        InputError
            If it cannot be read, or has another number of particles or dimension.
        """
        if self._second is not None:
            return
        if self.trajectory is None:
            raise pelplug.InputError(f"The analysis {self.name} compares the frames of two files; run it on one.")
        self._second = self.trajectory.open_another(self.reference, timed=False)
        own, other = self.trajectory, self._second
        if (own.n, own.dimension) != (other.n, other.dimension):
            raise pelplug.InputError(
                f"{self.reference} has {other.n} particles in {other.dimension} dimensions, {own.path} has {own.n} in "
                f"{own.dimension}; give a second trajectory of the same particles in the same order."
            )
        for trajectory in (own, other):
            if self.match == "step" and not trajectory.has("steps"):
                raise pelplug.InputError(f"{trajectory.path} records no steps; pass --match frame to go by number.")
        own.check_same_particles(0, other, 0)

    def _final(self, configuration) -> tuple[np.ndarray, np.ndarray]:
        partner = self._partner(configuration)
        self.trajectory.check_same_particles(configuration.frame, self._second, partner)
        second = self._second.configuration(partner)
        positions = second.unwrapped_positions()
        if configuration.images is None or second.images is None:
            # No record of how far they have travelled: the nearest image of each particle.
            shift = np.round(configuration.fractional() - second.fractional())
            images = 0 if configuration.images is None else configuration.images
            positions = second.positions + (shift + images) @ second.cell
        return positions, second.cell

    def _partner(self, configuration) -> int:
        second, step, label = self._second, configuration.step, configuration.frame
        if second.n_frames == 1:
            return 0
        by_step = self.match != "frame" and step is not None
        if by_step and label < second.n_frames and second.configuration(label).step == step:
            return label
        if by_step and self._frame_of_step is None:
            self._frame_of_step = {other.step: k for k, other in enumerate(second) if other.step is not None}
        if by_step and self._frame_of_step:
            if step not in self._frame_of_step:
                raise pelplug.RunError(
                    f"{self.reference} has no frame of step {step}; pass --match frame to go by number."
                )
            return self._frame_of_step[step]
        if label >= second.n_frames:
            raise pelplug.RunError(f"{self.reference} has no frame {label}: it has {second.n_frames}.")
        return label
