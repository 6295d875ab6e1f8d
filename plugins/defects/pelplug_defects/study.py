"""Share of particles in defects and its fluctuations over temperature, and T_def."""

from __future__ import annotations

import json
from typing import Annotated

import numpy as np

import pelplug
from pelplug_defects.inflection import FEWEST, peak_of_chi, steepest

__all__ = ["DefectsOfTemperature"]

AT = ("temperature",)
FINE = ("fitted_temperature",)
MEANS = {"phi": "phi_frame", "broken": "broken_frame", "inserted": "inserted_frame", "x_eq": "x_eq"}
FOUND = {
    "t_def_slope": "where d<phi>/dT is largest",
    "t_def_log_slope": "where d<phi>/d ln T is largest",
    "t_def_chi": "where chi is largest",
}
REMEDY = "give results of more runs there (pelplug analyze --plugin defects)"


def _trial(folder) -> list:
    """Return results to try the study with: frames about minima at five temperatures."""
    from pelplug.testing import make_trajectory

    made = []
    for k, temperature in enumerate((0.4, 0.6, 0.8, 1.0, 1.2)):
        path = make_trajectory(folder / f"states-{k}.gsd", n=60, frames=3, minima=3)
        states = pelplug.open_trajectory(path)
        rng = np.random.default_rng(k)
        frames = [
            one.replace(positions=one.positions + rng.normal(scale=0.05 * temperature, size=one.positions.shape))
            for one in states
        ]
        said = pelplug.Conditions(temperature=temperature)
        pelplug.write_trajectory(folder / f"warm-{k}.gsd", frames, conditions=said)
        options = {"model": "kob-andersen", "x_eq": 1.4}
        made.append(pelplug.analyze("defects", folder / f"warm-{k}.gsd", **options))
    return made


class DefectsOfTemperature(pelplug.Study):
    """Mean share of particles in defects, its susceptibility, and T_def, where one is steepest and the other largest.

    Notes
    -----
    ``phi`` is the mean over all frames of a temperature and ``chi = N (<phi^2> - <phi>^2)`` over the same, without the
    bias of few samples. T_def is found in three ways: the largest slope of <phi> against T and against ln T, of a
    polynomial in ln T through the logit of <phi>, and the maximum of a polynomial in ln T through ln chi. Their errors
    come from choosing the runs of each temperature anew. One at the edge of the temperatures that were measured is NaN.
    """

    name = "defects-of-temperature"
    summary = "Share of particles in defects over temperature, its susceptibility, and T_def"
    uses = ("defects",)
    varies = ("temperature", "defects.x_eq")
    compares = ("temperature",)
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "temperature": pelplug.Field(AT, "temperature", "temperature of the frames"),
        "phi": pelplug.Field(AT, "1", "mean share of particles in defects"),
        "phi_error": pelplug.Field(AT, "1", "standard error of phi"),
        "chi": pelplug.Field(AT, "1", "N (<phi**2> - <phi>**2), without the bias of few samples"),
        "chi_error": pelplug.Field(AT, "1", "standard error of chi"),
        "broken": pelplug.Field(AT, "1", "mean number of broken bonds a particle"),
        "broken_error": pelplug.Field(AT, "1", "standard error of broken"),
        "inserted": pelplug.Field(AT, "1", "mean number of inserted bonds a particle"),
        "inserted_error": pelplug.Field(AT, "1", "standard error of inserted"),
        "x_eq": pelplug.Field(AT, "1", "mean cutoff of neighbours in the frames"),
        "x_eq_error": pelplug.Field(AT, "1", "standard error of x_eq"),
        **{name: pelplug.Field((), "temperature", text) for name, text in FOUND.items()},
        **{f"{name}_error": pelplug.Field((), "temperature", f"standard error of {name}") for name in FOUND},
        "fitted_temperature": pelplug.Field(FINE, "temperature", "temperature of phi_fit"),
        "phi_fit": pelplug.Field(FINE, "1", "phi of the polynomial through its logit"),
        "chi_fitted_temperature": pelplug.Field(("chi_fitted_temperature",), "temperature", "temperature of chi_fit"),
        "chi_fit": pelplug.Field(("chi_fitted_temperature",), "1", "chi of the polynomial through its logarithm"),
        "phi_reduced_chi_squared": pelplug.Field((), "1", "squared residuals of phi_fit a degree of freedom"),
        "chi_reduced_chi_squared": pelplug.Field((), "1", "squared residuals of chi_fit a degree of freedom"),
        "runs": pelplug.Field(AT, "1", "independent runs"),
        "frames": pelplug.Field(AT, "1", "frames"),
        "samples": pelplug.Field(AT, "1", "independent samples"),
    }
    trial = {"results": _trial}  # noqa: RUF012
    cites = ("Nishikawa et al., Phys. Rev. X 12, 021001 (2022)",)

    def __init__(
        self,
        collection=None,
        *,
        phi_degree: Annotated[int, pelplug.Param("degree in ln T of the polynomial through the logit", minimum=2)] = 5,
        chi_degree: Annotated[int, pelplug.Param("degree in ln T of the polynomial through ln chi", minimum=2)] = 4,
        resamples: Annotated[
            int, pelplug.Param("bootstrap resamples", minimum=100, maximum=100_000, meaning=False)
        ] = 1000,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(collection, **base)
        self.phi_degree, self.chi_degree = phi_degree, chi_degree
        self.resamples, self.seed = resamples, seed

    def compute(self, collection):
        """Average over the frames of each temperature and look for T_def."""
        n = collection.value("n")
        groups = collection.groups("temperature")
        values = {name: [] for name in ("temperature", "runs", "frames", "samples", "chi", "chi_error")}
        values |= {name: [] for mean in MEANS for name in (mean, f"{mean}_error")}
        phi, chi, said = [], [], []
        for k, group in enumerate(groups):
            group.parameter("defects", "x_eq")  # may differ from one temperature to another, not at one
            frames = group.frames(_arrays)
            unit, of = pelplug.independent_samples(frames, frames["phi_frame"].values, of="frames")
            boot = pelplug.Bootstrap(int(unit.max()) + 1, resamples=self.resamples, seed=self.seed + k)
            counts = pelplug.unit_sums(np.ones(unit.size), unit)
            for name, source in MEANS.items():
                means = boot.means(pelplug.unit_sums(frames[source].values, unit), counts)
                values[name].append(means[0])
                values[f"{name}_error"].append(boot.error(means))
                if name == "phi":
                    phi.append(means)
            rows = n * _fluctuations(frames["phi_frame"].values, unit, counts, boot)
            correction = pelplug.scatter_of_blocks(frames["phi_frame"].values, unit, of, power=2)
            chi.append(rows)
            values["chi"].append(rows[0])
            values["chi_error"].append(boot.error(rows) / correction)
            values["temperature"].append(group.value("temperature"))
            values["runs"].append(np.unique(frames["run"]).size)
            values["frames"].append(unit.size)
            values["samples"].append(boot.samples)
            said.append(boot.attributes(of)["error_method"])
        self.said = " and ".join(dict.fromkeys(said))
        return {name: np.array(value) for name, value in values.items()} | self._t_def(values, phi, chi)

    def _t_def(self, values, phi, chi) -> dict:
        temperature = np.array(values["temperature"])
        fewest = min(values["samples"])
        if not np.all(np.isfinite(temperature)):
            raise pelplug.InputError(
                "Results at infinite temperature have no place in a fit over ln T; leave them out."
            )
        phi, chi = np.transpose(phi), np.transpose(chi)
        slope, log_slope, steep = steepest(temperature, phi, np.array(values["phi_error"]), self.phi_degree)
        largest, peak = peak_of_chi(temperature, chi, np.array(values["chi_error"]), self.chi_degree)
        boot = pelplug.Bootstrap(fewest, resamples=2)
        found, self.missing = {}, []
        for name, rows, fit in (
            ("t_def_slope", slope, steep),
            ("t_def_log_slope", log_slope, steep),
            ("t_def_chi", largest, peak),
        ):
            found[name], found[f"{name}_error"] = rows[0], boot.error(rows) if np.isfinite(rows[0]) else np.nan
            highest = int(np.argmax(np.nan_to_num(chi[0])))
            at_end = name == "t_def_chi" and highest in (0, len(temperature) - 1)
            self.missing += _why(name, rows[0], found[f"{name}_error"], fit, temperature, fewest, at_end)
        if steep is not None:
            with np.errstate(over="ignore"):
                smooth = 1.0 / (1.0 + np.exp(-steep.smooth[0, ::20]))
            found |= {"fitted_temperature": steep.fine[::20], "phi_fit": smooth}
            found["phi_reduced_chi_squared"] = steep.chi_squared
        if peak is not None:
            found |= {"chi_fitted_temperature": peak.fine[::20], "chi_fit": np.exp(peak.smooth[0, ::20])}
            found["chi_reduced_chi_squared"] = peak.chi_squared
        return found

    def summarize(self, dataset):
        """Say of errors how they were found, and why a T_def is missing."""
        errors = [name for name in dataset.data_vars if name.endswith("_error") and dataset[name].dims]
        pelplug.state_errors(dataset, errors, self.said, "samples")
        fewest = int(dataset["samples"].min())
        over = f"{self.said}, at each temperature anew"
        pelplug.state_errors(dataset, [f"{name}_error" for name in FOUND], over, fewest)
        least = pelplug.FEWEST_FOR_ERROR
        missing = list(self.missing)
        if few := [f"{float(one):g}" for one in dataset["temperature"][dataset["samples"].values < least]]:
            missing.append(f"No errors at T = {', '.join(few)}: fewer than {least} independent samples; {REMEDY}.")
        dataset.attrs["not_found"] = json.dumps(missing)
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw <phi> over temperature, after Fig. 4(a) of Nishikawa et al."""
        from pelplug_defects.study_drawing import draw_phi

        return draw_phi(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what draws <phi> and chi."""
        from pelplug_defects.study_drawing import panels

        return panels(self.to_dataset())

    def figure(self):
        """Return a Figure of <phi> and chi over temperature, with T_def."""
        from pelplug_defects.study_drawing import draw_study

        return draw_study(self.to_dataset())


def _arrays(result) -> dict:
    read = result.read(*MEANS.values())
    return {name: read[name].values for name in MEANS.values()}


def _fluctuations(phi: np.ndarray, unit: np.ndarray, counts: np.ndarray, boot) -> np.ndarray:
    """Return <phi^2> - <phi>^2 of all samples and of resamples, scaled to be without the bias of few samples."""
    moved = phi - phi.mean()
    squares, means = (boot.means(pelplug.unit_sums(one, unit), counts) for one in (moved**2, moved))
    rows = squares - means**2
    if boot.samples < 2 or not rows[0] > 0:
        return np.full(rows.shape, np.nan) if boot.samples < 2 else rows
    jackknife = pelplug.Jackknife(boot.samples)
    squares, means = (jackknife.means(pelplug.unit_sums(one, unit), counts) for one in (moved**2, moved))
    unbiased = float(jackknife.unbiased(squares - means**2))
    return rows * (unbiased / rows[0]) if unbiased > 0 else rows


def _why(name: str, value: float, error: float, fit, temperature, fewest: int, at_end: bool) -> list[str]:
    """Return why a T_def or its error is missing."""
    what = FOUND[name]
    if fit is None and not at_end:
        where = "<phi> between 0 and 1" if "slope" in name else "a chi of at least 2 % of its largest"
        return [f"No {name}: fewer than {FEWEST} temperatures have {where}; give results of more temperatures."]
    if not np.isfinite(value):
        ends = f"{temperature[0]:g} to {temperature[-1]:g}"
        return [
            f"No {name}: the place {what} is at the edge of the temperatures given, {ends}; give results beyond it."
        ]
    if fewest < pelplug.FEWEST_FOR_ERROR:
        return []
    if not np.isfinite(error):
        return [f"No error of {name}: in more than a tenth of the resamples it is at the edge; give more runs."]
    return []
