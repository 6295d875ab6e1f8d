"""The exponents of steepest descents over temperature and size, and how minima of other algorithms lie from theirs."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import numpy as np

import pelplug
from pelplug_relaxation.fits import cutoffs, exponents, fit_decay, fit_window, local_slope
from pelplug_relaxation.relaxation import RATE, TIME, VELOCITY
from pelplug_relaxation.scaling import Collapse

__all__ = ["DescentExponents"]

STATE = ("temperature", "particles")
CURVE = (*STATE, "descent_time")
AT = ("temperature",)
DISTANCES = ("distance_sd_cg", "distance_sd_fire", "distance_cg_fire")
HOT = {2: 0.92, 3: 0.85}
HOT_ABOVE = 0.75
MEAN_FIELD = "mari-kurchan"
"""beta of T = infinity in four and more dimensions; Nishikawa et al., Fig. 2(a)."""
BOUNDS = (0.05, 2.0)
REMEDY = "give results of more runs there (pelplug analyze --plugin relaxation)"


def _distances() -> dict:
    fields = {}
    for name in DISTANCES:
        one, other = name.split("_")[1:]
        text = f"rms distance between the minima reached by {one} and {other}"
        fields[name] = pelplug.Field(STATE, "length", text)
        fields[f"{name}_error"] = pelplug.Field(STATE, "length", f"standard error of {name}")
    return fields


def _trial(folder) -> list:
    """Return results to try the study with: small systems of two sizes, with temperatures that are only said."""
    model, made = pelplug.model("harmonic-spheres", dimension=3), []
    for n, temperature in ((40, 0.5), (40, 1.0), (80, 1.0)):
        path = folder / f"descent-{n}-{temperature}.nc"
        frames = [model.random_configuration(n, seed, arrangement="random") for seed in range(3)]
        frames = [one.replace(frame=k, step=k) for k, one in enumerate(frames)]
        said = pelplug.Conditions(temperature=temperature)
        pelplug.write_trajectory(path, frames, model_record=model.to_dict(), conditions=said)
        made.append(pelplug.analyze("relaxation", path, rtol=1e-2, t_end=1e3, force_tolerance=1e-6))
    return made


class DescentExponents(pelplug.Study):
    """beta(T), finite-size collapse, the temperature of state following, and distances between minima by algorithm.

    Notes
    -----
    v(t) of a temperature and size is the mean over all descents of its results. beta is fitted to it in a window given
    by the times, or found as `relaxation` finds it. z makes the curves of several sizes at one temperature one, with
    beta of the largest. Where the decay turns from a power law to one that is cut off exponentially, T_SF lies.
    """

    name = "descent-exponents"
    summary = "Exponents of steepest descent over temperature, finite-size collapse, and T_SF"
    uses = ("relaxation",)
    varies = ("temperature", "n", "relaxation.compare")
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "temperature": pelplug.Field(AT, "temperature", "temperature of the starts"),
        "particles": pelplug.Field(("particles",), "1", "number of particles"),
        "descent_time": pelplug.Field(("descent_time",), TIME, "time of the descent"),
        "velocity": pelplug.Field(CURVE, VELOCITY, "rms velocity, mean over the descents"),
        "velocity_error": pelplug.Field(CURVE, VELOCITY, "standard error of velocity"),
        "local_slope": pelplug.Field(CURVE, "1", "-d ln v / d ln t"),
        "beta": pelplug.Field(STATE, "1", "exponent of v ~ t^-beta in the window"),
        "beta_error": pelplug.Field(STATE, "1", "standard error of beta"),
        "fit_start": pelplug.Field(STATE, TIME, "first time of the window"),
        "fit_end": pelplug.Field(STATE, TIME, "last time of the window"),
        "cutoff_rate": pelplug.Field(STATE, RATE, "lambda of v ~ t^-b exp(-lambda t) in the window"),
        "cutoff_rate_error": pelplug.Field(STATE, RATE, "standard error of cutoff_rate"),
        "aic_cutoff": pelplug.Field(
            STATE, "1", "AIC of the power law minus AIC of the power law cut off exponentially"
        ),
        "beta_hot": pelplug.Field((), "1", "published exponent of T = infinity in this dimension"),
        "beta_harmonic": pelplug.Field((), "1", "d/4 + 1/2, exponent of a harmonic decay by Debye's law"),
        "z": pelplug.Field(AT, "1", "exponent of the time at which a finite system ends the power law"),
        "z_error": pelplug.Field(AT, "1", "standard error of z"),
        "collapse_beta": pelplug.Field(AT, "1", "beta of the collapse"),
        "collapse_spread": pelplug.Field(AT, "1", "rms distance of ln v between the collapsed curves"),
        "t_sf_lower": pelplug.Field((), "temperature", "highest temperature up to which all decays are cut off"),
        "t_sf_upper": pelplug.Field((), "temperature", "lowest temperature above at which the decay is not"),
        **_distances(),
        "runs": pelplug.Field(STATE, "1", "independent runs"),
        "descents": pelplug.Field(STATE, "1", "descents"),
        "samples": pelplug.Field(STATE, "1", "independent samples"),
    }
    trial = {"results": _trial}  # noqa: RUF012
    cites = ("Nishikawa et al., Phys. Rev. X 12, 021001 (2022)",)

    def __init__(
        self,
        collection=None,
        *,
        t_min: Annotated[
            Literal["auto"] | float, pelplug.Param("start of the fits", exclusive_minimum=0, unit=TIME)
        ] = "auto",
        t_max: Annotated[
            Literal["auto"] | float, pelplug.Param("end of the fits", exclusive_minimum=0, unit=TIME)
        ] = "auto",
        collapse_start: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "earlier times are left out of the collapse; auto: before the earliest window", minimum=0, unit=TIME
            ),
        ] = "auto",
        collapse_beta: Annotated[
            Literal["auto"] | float,
            pelplug.Param("beta of the collapse; auto: that of the largest system", exclusive_minimum=0),
        ] = "auto",
        fall: Annotated[
            float,
            pelplug.Param(
                "the collapse ends where v t^beta has fallen to this share of its mean in the window",
                exclusive_minimum=0,
                exclusive_maximum=1,
            ),
        ] = 0.03,
        resamples: Annotated[
            int, pelplug.Param("bootstrap resamples", minimum=100, maximum=100_000, meaning=False)
        ] = 200,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(collection, **base)
        if "auto" not in (t_min, t_max) and not t_min < t_max:
            raise pelplug.InputError(f"The fits begin at {t_min:g} and end at {t_max:g}; raise t_max.")
        self.t_min, self.t_max, self.fall = t_min, t_max, fall
        self.collapse_start, self.collapse_beta = collapse_start, collapse_beta
        self.resamples, self.seed = resamples, seed

    def compute(self, collection):
        """Average over the descents of each temperature and size, and fit."""
        groups = collection.groups("temperature", "n")
        if len(groups) == 1:
            raise pelplug.InputError(
                f"The study {self.name} compares results of more than one temperature or number of particles, and all "
                f"of these are of T = {groups[0].value('temperature'):g} and N = {groups[0].value('n')}; give results "
                "of another too."
            )
        states = [
            _State(group, self.t_min, self.t_max, self.resamples, self.seed + k) for k, group in enumerate(groups)
        ]
        times = states[0].times
        if any(one.times.shape != times.shape or not np.allclose(one.times, times) for one in states):
            raise pelplug.InputError(
                "The results have different output times; make them anew with one --t-start, --t-end and --per-decade, "
                "and --overwrite."
            )
        temperature = np.unique([one.temperature for one in states])
        particles = np.unique([one.n for one in states])
        place = [(np.searchsorted(temperature, one.temperature), np.searchsorted(particles, one.n)) for one in states]
        values = {"temperature": temperature, "particles": particles, "descent_time": times}
        for name in ("velocity", "velocity_error", "local_slope"):
            values[name] = np.full((len(temperature), len(particles), len(times)), np.nan)
        shape = (len(temperature), len(particles))
        names = [name for name in self.provides if self.provides[name].dims == STATE]
        values |= {name: np.full(shape, np.nan) for name in names if any(name in one.values for one in states)}
        values |= {name: np.zeros(shape, dtype=int) for name in ("runs", "descents", "samples")}
        for one, at in zip(states, place, strict=True):
            for name, value in one.values.items():
                values[name][at] = value
        self.said = " and ".join(dict.fromkeys(one.said for one in states))
        self.missing = _without_errors(states)
        dimension = self._dimension_of_space()
        if all((one.conditions.model or {}).get("name") == MEAN_FIELD for one in collection):
            values["beta_hot"] = HOT_ABOVE  # and no phonons
        elif dimension is not None:
            values |= {"beta_hot": HOT.get(dimension, HOT_ABOVE), "beta_harmonic": dimension / 4 + 0.5}
        values |= self._collapses(states, temperature)
        return values | self._state_following(states, temperature)

    def _collapses(self, states, temperature) -> dict:
        names = ("z", "z_error", "collapse_beta", "collapse_spread")
        found = {name: np.full(len(temperature), np.nan) for name in names}
        self.fewest = {}
        for k, value in enumerate(temperature):
            own = [one for one in states if one.temperature == value and np.isfinite(one.values["beta"])]
            if len(own) < 2:
                continue
            one = _Scaling(own, self.collapse_beta, self.collapse_start, self.fall)
            rows = one.rows()
            fewest = min(state.boot.samples for state in own)
            found["collapse_beta"][k] = one.beta[0]
            found["collapse_spread"][k] = rows[0, 1]
            low, high = BOUNDS
            z, spread = rows[0, 0], pelplug.Bootstrap(fewest, resamples=2).error(rows[:, 0])
            reach = max(1e-3, np.nan_to_num(spread))  # resamples do not go beyond the edge either
            if not low + reach < z < high - reach:
                self.missing.append(
                    f"No z at T = {value:g}: the collapse is best at the edge of {low:g} to {high:g}, or within an "
                    "error of it, so the sizes given do not fix it; give other sizes, or longer descents."
                )
                continue
            found["z"][k], found["z_error"][k] = z, spread
            self.fewest[float(value)] = fewest
        return {} if np.isnan(found["collapse_beta"]).all() else found

    def _state_following(self, states, temperature) -> dict:
        """Return between which temperatures the decay stops being cut off exponentially."""
        cut = []
        for value in temperature:
            own = sorted((one for one in states if one.temperature == value), key=lambda one: one.n)
            rates = [one.values["cutoff_rate"] for one in own]
            # A cutoff by the size alone would fall as the system grows.
            stays = rates[-1] >= 0.5 * rates[0]
            cut.append(all(one.is_cut_off for one in own) and stays)
        first = next((k for k, one in enumerate(cut) if not one), len(cut))
        if 0 < first < len(cut) and not any(cut[first:]):
            return {"t_sf_lower": temperature[first - 1], "t_sf_upper": temperature[first]}
        if len(temperature) > 1:
            why = {0: "at the lowest temperature the decay is not cut off", len(cut): "all decays are cut off"}
            other = "decays that are cut off and others that are not come in no order"
            self.missing.append(
                f"No T_SF: {why.get(first, other)}, by the fits in the window; give colder and hotter "
                "results, or later times (--t-min, --t-max)."
            )
        return {"t_sf_lower": np.nan, "t_sf_upper": np.nan}

    def summarize(self, dataset):
        """Say of errors how they were found, and what is missing and why."""
        errors = [name for name in dataset.data_vars if name.endswith("_error")]
        pelplug.state_errors(dataset, errors, self.said, "samples")
        if self.fewest:
            pelplug.state_errors(dataset, ["z_error"], f"{self.said} of each size", min(self.fewest.values()))
        dataset.attrs["not_found"] = json.dumps(self.missing)
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw beta over temperature between its two limits."""
        from pelplug_relaxation.study_drawing import draw_beta

        return draw_beta(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what draws v(t), beta and what else there is."""
        from pelplug_relaxation.study_drawing import panels

        return panels(self.to_dataset())

    def figure(self):
        """Return a Figure of v(t), beta over temperature, the collapse and the distances."""
        from pelplug_relaxation.study_drawing import draw_study

        return draw_study(self.to_dataset())


class _State:
    """All descents of one temperature and size, averaged and fitted."""

    def __init__(self, group, t_min, t_max, resamples: int, seed: int):
        self.temperature, self.n = float(group.value("temperature")), int(group.value("n"))
        self.times = np.asarray(next(iter(group))["descent_time"].values)
        group.parameter("relaxation", "compare")
        with_distances = all(name in result for result in group for name in DISTANCES)
        names = ("rms_velocity", "energy_per_particle", "end_time", *(DISTANCES if with_distances else ()))
        frames = group.frames(lambda result: self._arrays(result, names))
        curves, ends = frames["rms_velocity"].values, frames["end_time"].values
        unit, of = pelplug.independent_samples(frames, frames["energy_per_particle"].values, of="descents")
        self.boot = boot = pelplug.Bootstrap(int(unit.max()) + 1, resamples=resamples, seed=seed)
        self.said = boot.attributes(of)["error_method"]
        counts = pelplug.unit_sums(np.ones(unit.size), unit)
        self.rows = boot.means(pelplug.unit_sums(curves, unit), counts)
        mean = self.rows[0]
        self.values = {
            "velocity": mean,
            "velocity_error": boot.error(self.rows),
            "local_slope": local_slope(self.times, mean),
            "runs": np.unique(frames["run"]).size,
            "descents": unit.size,
            "samples": boot.samples,
        }
        first, last = fit_window(self.times, mean, ends, t_min, t_max)
        chosen = (self.times >= first * (1 - 1e-9)) & (self.times <= last * (1 + 1e-9)) & np.all(curves > 0, axis=0)
        self.beta = np.full(len(self.rows), np.nan)
        fitted = dict.fromkeys(
            ("beta", "beta_error", "fit_start", "fit_end", "cutoff_rate", "cutoff_rate_error", "aic_cutoff"), np.nan
        )
        self.is_cut_off = False
        if np.count_nonzero(chosen) >= 4:
            inside = self.times[chosen]
            self.beta = exponents(inside, self.rows[:, chosen])
            rates = cutoffs(inside, self.rows[:, chosen])
            fitted |= {"beta": self.beta[0], "beta_error": boot.error(self.beta)}
            fitted |= {"fit_start": inside[0], "fit_end": inside[-1]}
            fitted |= {"cutoff_rate": rates[0], "cutoff_rate_error": boot.error(rates)}
            fitted["aic_cutoff"] = fit_decay(inside, mean[chosen]).aic_cutoff
            spread = fitted["cutoff_rate_error"]
            above = not np.isfinite(spread) or rates[0] > 2.0 * spread
            self.is_cut_off = bool(fitted["aic_cutoff"] > 10.0 and rates[0] > 0 and above)
        self.values |= fitted
        for name in DISTANCES if with_distances else ():
            means = boot.means(pelplug.unit_sums(frames[name].values, unit), counts)
            self.values |= {name: means[0], f"{name}_error": boot.error(means)}

    def _arrays(self, result, names) -> dict:
        read = result.read(*names, "descent_time")
        times = read["descent_time"].values
        if times.shape != self.times.shape or not np.allclose(times, self.times):
            raise pelplug.InputError(
                f"{result.source} has other output times than the results beside it; make it anew with the same "
                "--t-start, --t-end and --per-decade, and --overwrite."
            )
        # The energy at the end is the slowest thing a descent has.
        return {
            name: read[name].values[:, -1] if name == "energy_per_particle" else read[name].values for name in names
        }


class _Scaling:
    """The collapse of the sizes of one temperature, of all samples and of resamples."""

    def __init__(self, states, beta, start, fall: float):
        self.states = sorted(states, key=lambda one: one.n)
        number = len(self.states[0].rows)
        self.beta = self.states[-1].beta if beta == "auto" else np.full(number, float(beta))
        self.start = min(one.values["fit_start"] for one in states) if start == "auto" else start
        self.ends = [self._end(one, fall) for one in self.states]

    def _end(self, state, fall: float) -> float:
        """Return the last time before v t**beta has fallen from its mean in the window."""
        with np.errstate(divide="ignore"):
            height = np.log(state.rows[0]) + self.beta[0] * np.log(state.times)
        window = (state.times >= state.values["fit_start"]) & (state.times <= state.values["fit_end"])
        below = (state.times > state.values["fit_end"]) & ~(height > height[window].mean() + np.log(fall))
        return float(state.times[np.argmax(below) - 1]) if below.any() else float(state.times[-1])

    def rows(self) -> np.ndarray:
        """Return z and spread, shape (1 + R, 2); of resamples z is looked for near that of all."""
        found = [self._best(0, BOUNDS, 40)]
        low, high = found[0][0] - 0.3, found[0][0] + 0.3
        near = max(low, BOUNDS[0]), min(high, BOUNDS[1])
        more = len(self.states[0].rows) if min(one.boot.samples for one in self.states) > 1 else 1
        found += [self._best(k, near, 12) for k in range(1, more)]
        return np.array(found + [found[0]] * (more == 1))

    def _best(self, row: int, bounds, coarse: int) -> tuple[float, float]:
        curves = {}
        for state, end in zip(self.states, self.ends, strict=True):
            kept = state.times <= end * (1 + 1e-9)
            curves[state.n] = state.times[kept], state.rows[row][kept]
        return Collapse(curves, float(self.beta[row]), self.start).best(bounds, coarse)


def _without_errors(states) -> list[str]:
    least = pelplug.FEWEST_FOR_ERROR
    few = [f"T = {one.temperature:g}, N = {one.n}" for one in states if one.boot.samples < least]
    missing = [f"No errors at {'; '.join(few)}: fewer than {least} independent samples; {REMEDY}."] if few else []
    none = [f"T = {one.temperature:g}, N = {one.n}" for one in states if not np.isfinite(one.values["beta"])]
    if none:
        missing.append(
            f"No beta at {'; '.join(none)}: fewer than 4 output times in the window at which every descent moves; set "
            "--t-min and --t-max."
        )
    return missing
