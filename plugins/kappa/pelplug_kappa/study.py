"""How stiff inherent structures are over the temperature of their liquid: kappa, its distribution, and G."""

from __future__ import annotations

import functools
import json
from typing import Annotated

import numpy as np

import pelplug
from pelplug_kappa.kappa import MODULUS, STIFFNESS

__all__ = ["Stiffness"]

AT = ("temperature",)
REMEDY = "give results of more runs there (pelplug analyze --plugin kappa)"
RATIOS = (*AT, "kappa_ratio")
OF = {"kappa": "dipole stiffness", "shear_modulus": "shear modulus"}
UNITS = {"kappa": STIFFNESS, "shear_modulus": MODULUS}


def _fields(name: str) -> dict:
    mean, relative = f"{name}_mean", f"{name}_relative"
    return {
        mean: pelplug.Field(AT, UNITS[name], f"mean {OF[name]}"),
        f"{mean}_error": pelplug.Field(AT, UNITS[name], f"standard error of the mean {OF[name]}"),
        f"{mean}_interval": pelplug.Field((*AT, "bound"), UNITS[name], f"interval of the mean {OF[name]}"),
        relative: pelplug.Field(AT, "1", f"mean {OF[name]} over that at the highest temperature"),
        f"{relative}_error": pelplug.Field(AT, "1", "its standard error"),
    }


def _trial(folder) -> list:
    """Return results to try the study with: single structures at three temperatures."""
    from pelplug.testing import make_trajectory

    path = make_trajectory(folder / "states.gsd", n=60, frames=3, minima=3)
    model = pelplug.model("kob-andersen", truncation="smooth")
    made = []
    for k, temperature in enumerate((0.5, 0.5, 1.0)):
        state, said = pelplug.read_configuration(path, frame=k), pelplug.Conditions(temperature=temperature)
        pelplug.write_trajectory(folder / f"state-{k}.gsd", [state], conditions=said)
        made.append(pelplug.analyze("kappa", folder / f"state-{k}.gsd", model=model, pairs=20))
    return made


class Stiffness(pelplug.Study):
    """Mean dipole stiffness, its distribution, and the shear modulus of inherent structures over temperature.

    Notes
    -----
    Every pair, and for the shear modulus every inherent structure, counts once, whichever file it is from. Errors are
    over runs where there are five at a temperature, else over inherent structures or blocks of them
    (`pelplug.independent_samples`); a trajectory is one run, also where one result pooled several.
    """

    name = "stiffness"
    summary = "Dipole stiffness, its distribution, and shear modulus over temperature"
    uses = ("kappa",)
    varies = ("liquid_temperature",)
    compares = ("liquid_temperature",)
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "temperature": pelplug.Field(AT, "temperature", "temperature of the liquid"),
        **_fields("kappa"),
        **_fields("shear_modulus"),
        "kappa_ratio": pelplug.Field(("kappa_ratio",), "1", "kappa over its mean at the temperature"),
        "kappa_ratio_edges": pelplug.Field(("edge",), "1", "edges of the bins of kappa / <kappa>"),
        "kappa_distribution": pelplug.Field(RATIOS, "1", "P(kappa / <kappa>)"),
        "kappa_distribution_error": pelplug.Field(RATIOS, "1", "standard error of P(kappa / <kappa>)"),
        "runs": pelplug.Field(AT, "1", "independent runs"),
        "structures": pelplug.Field(AT, "1", "inherent structures"),
        "samples": pelplug.Field(AT, "1", "independent samples"),
    }
    trial = {"results": _trial}  # noqa: RUF012
    cites = ("Kapteijns et al., J. Chem. Phys. 155, 074502 (2021)",)

    def __init__(
        self,
        collection=None,
        *,
        bins: Annotated[int, pelplug.Param("bins of P(kappa/<kappa>), equal in the logarithm", minimum=2)] = 30,
        confidence: Annotated[
            float, pelplug.Param("probability inside the intervals", exclusive_minimum=0, exclusive_maximum=1)
        ] = 0.9,
        resamples: Annotated[
            int, pelplug.Param("bootstrap resamples", minimum=100, maximum=100_000, meaning=False)
        ] = 1000,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(collection, **base)
        self.bins, self.confidence, self.resamples, self.seed = bins, confidence, resamples, seed

    def compute(self, collection):
        """Average over the structures of each temperature."""
        groups = collection.groups("liquid_temperature")
        found = [_Structures(group) for group in groups]
        edges = _edges(found, self.bins)
        values = {name: [] for name in self.provides}
        said = []
        for k, (group, one) in enumerate(zip(groups, found, strict=True)):
            unit, of = pelplug.independent_samples(one.frames, series=one.frames["kappa"])
            boot = pelplug.Bootstrap(int(unit.max()) + 1, resamples=self.resamples, seed=self.seed + k)
            means = {
                "kappa": one.mean(boot, unit, "kappa_sum", "pairs"),
                "shear_modulus": one.mean(boot, unit, "modulus"),
            }
            for name, mean in means.items():
                values[f"{name}_mean"].append(mean[0])
                values[f"{name}_mean_error"].append(boot.error(mean))
                values[f"{name}_mean_interval"].append(boot.interval(mean, self.confidence, positive=True))
            density, known = one.distribution(group, boot, unit, edges, means["kappa"][0])
            values["kappa_distribution"].append(density[0])
            told = known >= pelplug.FEWEST_FOR_ERROR  # samples with pairs in a bin
            values["kappa_distribution_error"].append(np.where(told, boot.error(density), np.nan))
            values["temperature"].append(group.value("liquid_temperature"))
            values["runs"].append(np.unique(one.frames["run"]).size)
            values["structures"].append(one.frames.sizes["frame"])
            values["samples"].append(boot.samples)
            said.append(boot.attributes(of)["error_method"])
        for name in OF:
            self._relative(values, name)
        self.said = " and ".join(dict.fromkeys(said))
        values |= {"kappa_ratio_edges": edges, "kappa_ratio": np.sqrt(edges[:-1] * edges[1:])}
        return {name: np.array(value) for name, value in values.items()}

    def summarize(self, dataset):
        """Say of errors and intervals how they were found."""
        errors = [name for name in dataset.data_vars if name.endswith("_error")]
        pelplug.state_errors(dataset, errors, self.said, "samples")
        intervals = [name for name in dataset.data_vars if name.endswith("_interval")]
        pelplug.state_errors(dataset, intervals, self.said, "samples", self.confidence)
        fewest = pelplug.FEWEST_FOR_ERROR
        if few := [f"{float(one):g}" for one in dataset["temperature"][dataset["samples"].values < fewest]]:
            dataset.attrs["not_found"] = json.dumps(
                [f"No errors at T = {', '.join(few)}: fewer than {fewest} independent samples; {REMEDY}."]
            )
        return dataset.assign_coords(bound=["lower", "upper"])

    @staticmethod
    def _relative(values: dict, name: str) -> None:
        """Add means over that at the highest temperature, which is the last; temperatures are independent."""
        ratio, spread = pelplug.relative_to(values[f"{name}_mean"], values[f"{name}_mean_error"])
        values[f"{name}_relative"], values[f"{name}_relative_error"] = ratio, spread

    def plot(self, ax=None, **keywords):
        """Draw the mean dipole stiffness over temperature."""
        from pelplug_kappa.study_drawing import draw_mean

        return draw_mean(self.to_dataset(), "kappa", ax, **keywords)

    def panels(self):
        """Return what is drawn of several studies over each other: both means."""
        from pelplug_kappa.study_drawing import draw_mean

        dataset = self.to_dataset()
        return [self.plot, lambda ax, **keywords: draw_mean(dataset, "shear_modulus", ax, **keywords)]

    def figure(self):
        """Return a Figure of the means, their growth, and the distribution at each temperature."""
        from pelplug_kappa.study_drawing import draw_study

        return draw_study(self.to_dataset())


class _Structures:
    """The inherent structures of one temperature: sums of each, and the pairs read again for their distribution."""

    def __init__(self, group):
        self.smallest, self.largest = np.inf, 0.0
        self.frames = group.frames(self._sums)

    def _sums(self, result):
        read = result.read("kappa_ij", "shear_modulus", "frame")
        kappa = read["kappa_ij"]
        self.smallest = min(self.smallest, float(kappa.min()))
        self.largest = max(self.largest, float(kappa.max()))
        sums, pairs = pelplug.frame_sums(read, "kappa_ij")
        modulus = read["shear_modulus"].mean("plane").values
        return {"kappa": sums / pairs, "kappa_sum": sums, "pairs": pairs, "modulus": modulus}

    def mean(self, boot, unit, name, counts=None):
        counted = np.ones(unit.size) if counts is None else self.frames[counts].values
        return boot.means(pelplug.unit_sums(self.frames[name].values, unit), pelplug.unit_sums(counted, unit))

    def distribution(self, group, boot, unit, edges, mean):
        """Return P(kappa / <kappa>) of all and of resamples, shape (1 + R, bins), and how many samples a bin has."""
        sums = pelplug.unit_sums(group.frames(functools.partial(self._counts, edges * mean))["counts"].values, unit)
        drawn, means = boot.sums(sums), self.mean(boot, unit, "kappa_sum", "pairs")
        # Bins of a resample are of kappa over its own mean: its counts below their edges, between those of the bins.
        below = np.concatenate([np.zeros((len(drawn), 1)), np.cumsum(drawn, axis=1)], axis=1)
        at = np.log(edges)
        moved = np.stack([np.interp(at + np.log(own / mean), at, row) for own, row in zip(means, below, strict=True)])
        density = np.diff(moved, axis=1) / below[:, -1:] / np.diff(edges)
        return density, np.count_nonzero(sums, axis=0)

    @staticmethod
    def _counts(edges, result):
        """Return how many pairs of each inherent structure are in each bin."""
        read, bins, frames = result.read("kappa_ij", "frame"), edges.size - 1, result.sizes["frame"]
        place = np.clip(np.searchsorted(edges, read["kappa_ij"].values, side="right") - 1, 0, bins - 1)
        flat = np.bincount(_frame_of(read) * bins + place, minlength=frames * bins)
        return {"counts": flat.reshape(frames, bins)}


def _frame_of(read):
    """Return the place of the inherent structure of each pair."""
    return np.searchsorted(read["frame"].values, read["pair_frame"].values)


def _edges(found, bins):
    """Return edges of common bins, from the smallest to the largest kappa over its mean."""
    means = [float(one.frames["kappa_sum"].sum() / one.frames["pairs"].sum()) for one in found]
    low = min(one.smallest / mean for one, mean in zip(found, means, strict=True))
    high = max(one.largest / mean for one, mean in zip(found, means, strict=True))
    if not low < high:  # one value alone
        low, high = low * (1.0 - 1e-6), high * (1.0 + 1e-6)
    return np.geomspace(low, high, bins + 1)
