"""The study of energy differences over temperature: relaxation times, energies of the landscape, and entropies."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import numpy as np

import pelplug
from pelplug_msed.adam_gibbs import AdamGibbs, fit_adam_gibbs
from pelplug_msed.integration import entropy
from pelplug_msed.points import Points
from pelplug_msed.turns import Turn, find_turn

__all__ = ["EnergyEntropies"]

AT = ("temperature",)
_MEASURED = {
    "tau": ("time", "relaxation time tau* of Eq. 11"),
    "tau_alpha": ("time", "structural relaxation time, of the result of dynamics"),
    "u0": ("energy", "U0 of Eq. 11, the fast part"),
    "um": ("energy", "Um of Eq. 11, between metabasins"),
    "heat_capacity_fast": ("1", "potential part of the heat capacity per particle over k, of v0"),
    "heat_capacity_slow": ("1", "what vm adds to the heat capacity per particle over k"),
}
_ENTROPIES = {"s1": "of the fast part", "s2": "of the slow part"}
_SCALARS = {
    "u0_exponent": ("1", "b of U0 ~ T^b"),
    "um_turn": ("temperature", "temperature below which Um falls faster"),
    "tau_turn": ("temperature", "temperature of the fragile-to-strong turn of tau*"),
    "tau_alpha_turn": ("temperature", "temperature of the fragile-to-strong turn of tau_alpha"),
    "reference_entropy": ("1", "configurational entropy per particle over k at the reference, by Adam and Gibbs"),
    "adam_gibbs_slope": ("temperature", "A of ln tau = ln tau_0 + A / (T S)"),
}


def _with_error(name: str, dims: tuple, unit: str, words: str) -> dict:
    return {
        name: pelplug.Field(dims, unit, words),
        f"{name}_error": pelplug.Field(dims, unit, f"standard error of {name}"),
    }


def _trial(folder) -> list:
    """Return results to try the study with: energies of a known law at four temperatures."""
    from pelplug_msed.msed import MSED

    made = []
    for k, temperature in enumerate((0.5, 0.6, 0.75, 1.0)):
        rng = np.random.default_rng(k)
        slow = 0.0
        energies = np.empty(4000)
        for j in range(energies.size):
            slow += -0.1 * slow + np.sqrt(0.19) * rng.normal()
            energies[j] = 2.0 * slow + temperature * rng.normal()
        path = folder / f"energies-{k}.csv"
        np.savetxt(path, np.c_[np.arange(energies.size), energies], delimiter=",", comments="",
                   header="step,potential_energy_total")  # fmt: skip
        given = {"time_step": 1.0, "particles": 100, "temperature": temperature, "ensemble": "nvt", "resamples": 100}
        made.append(MSED(None, energies=str(path), **given).run().to_dataset())
    return made


class EnergyEntropies(pelplug.Study):
    """Relaxation times, U0, Um and entropies of energy differences over temperature.

    Notes
    -----
    Per particle, with c of `msed` (the paper's Eq. 12 has another dimension and stands beside),
    ``S1/N = int [c(v0) - d k/2] dT/T`` and ``S2/N = int [c(v0 + vm) - c(v0)] dT/T`` from the reference temperature.
    Values at a temperature are means over its results, each weighted by its runs; their errors are the scatter between
    results where there are five, else those of the results joined. Errors of what is computed from several
    temperatures come from values drawn anew within their errors.

    References
    ----------
    D. Zhang, D. Sun and X. Gong, arXiv:2501.07902 (2025), Eqs. 11 and 12; G. Adam and J. H. Gibbs, J. Chem. Phys. 43,
    139 (1965).
    """

    name = "energy-entropies"
    summary = "Relaxation times, energies and entropies of the landscape from energy differences, over temperature"
    uses = ("msed",)
    takes = ("dynamics",)
    varies = ("temperature",)
    allows = ("density", "pressure")
    compares = ("temperature",)
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "temperature": pelplug.Field(AT, "temperature", "temperature; at constant energy the kinetic one, where known"),
        **{k: v for name, (unit, words) in _MEASURED.items() for k, v in _with_error(name, AT, unit, words).items()},
        "u0_over_harmonic": pelplug.Field(AT, "1", "U0 over that of harmonic vibrations in the same ensemble"),
        **{
            k: v
            for name, words in _ENTROPIES.items()
            for k, v in _with_error(name, AT, "1", f"entropy per particle over k, {words}, above the reference").items()
        },
        "paper_s1": pelplug.Field(AT, "energy", "int U0^2 / (N k T^2) dT, Eq. 12 as printed"),
        "paper_s2": pelplug.Field(AT, "energy", "int Um^2 / (N k T^2) dT, Eq. 12 as printed"),
        "reference_temperature": pelplug.Field((), "temperature", "at which the entropies are 0"),
        **{k: v for name, (unit, words) in _SCALARS.items() for k, v in _with_error(name, (), unit, words).items()},
        "adam_gibbs_time": pelplug.Field((), "time", "tau_0 of the same"),
        "um_line": pelplug.Field(AT, "energy", "Um of the two lines that meet at um_turn"),
        "runs": pelplug.Field(AT, "1", "independent runs"),
        "samples": pelplug.Field(AT, "1", "results that the error at a temperature is from"),
    }
    trial = {"results": _trial}  # noqa: RUF012
    cites = ("D. Zhang, D. Sun and X. Gong, arXiv:2501.07902 (2025)", "G. Adam and J. H. Gibbs, J. Chem. Phys. 43, 139")

    def __init__(
        self,
        collection=None,
        *,
        reference: Annotated[
            str,
            pelplug.Param(
                "temperature at which entropies are 0: the lowest or the highest", choices=("lowest", "highest")
            ),
        ] = "lowest",
        reference_entropy: Annotated[
            Literal["fit"] | float,
            pelplug.Param(
                "configurational entropy per particle over k at the reference; fit: by Adam and Gibbs", minimum=0.0
            ),
        ] = "fit",
        species: Annotated[
            str, pelplug.Param("whose tau_alpha of dynamics; auto: the first species", meaning=False)
        ] = "auto",
        resamples: Annotated[
            int, pelplug.Param("values drawn anew for errors", minimum=100, maximum=100_000, meaning=False)
        ] = 1000,
        seed: Annotated[int, pelplug.Param("of those", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(collection, **base)
        self.reference, self.reference_entropy, self.species = reference, reference_entropy, species
        self.resamples, self.seed = resamples, seed
        self.said: list[str] = []

    def compute(self, collection):
        """Join the results of each temperature, and integrate."""
        self.said = []
        points = Points(collection, self.species, self.said)
        values = {"temperature": points.temperature, "runs": points.runs, "samples": points.samples}
        for name in _MEASURED:
            values[name], values[f"{name}_error"] = points.values[name], points.errors[name]
        values["u0_over_harmonic"] = points.values["u0"] / points.harmonic
        drawn = points.drawn(self.resamples, self.seed)
        values |= self._entropies(points)
        values |= self._exponent(points)
        values |= self._turns(points, drawn)
        values |= self._adam_gibbs(points, drawn, values)
        return values

    def summarize(self, dataset):
        """Say how errors were found, and what was not."""
        measured = [f"{name}_error" for name in _MEASURED]
        pelplug.state_errors(dataset, measured, "scatter between results, or errors of them joined", "samples")
        carried = ["s1_error", "s2_error", "u0_exponent_error"]
        pelplug.state_errors(dataset, carried, "errors of each temperature carried through", "samples")
        others = [str(name) for name in dataset.data_vars if name.endswith("_error")]
        others = [name for name in others if name not in (*measured, *carried)]
        pelplug.state_errors(dataset, others, "values drawn within their errors", self.resamples)
        dataset.attrs["not_found"] = json.dumps(list(dict.fromkeys(self.said)))
        return dataset

    # --- what is computed from several temperatures -------------------------------------------------------------------

    def _entropies(self, points: Points) -> dict:
        """Integrate the heat capacities over the temperatures that have them."""
        found = {
            f"{name}{end}": np.full(points.temperature.size, np.nan) for name in _ENTROPIES for end in ("", "_error")
        }
        found |= {name: np.full(points.temperature.size, np.nan) for name in ("paper_s1", "paper_s2")}
        have = np.isfinite(points.values["heat_capacity_fast"]) & np.isfinite(points.values["heat_capacity_slow"])
        if have.sum() < 2:
            why = "fewer than two temperatures have heat capacities of both parts; simulate the others longer"
            self.said.append(f"No entropies: {why}.")
            return {**found, "reference_temperature": np.nan}
        if not have.all():
            left = ", ".join(f"{one:g}" for one in points.temperature[~have])
            self.said.append(f"The entropies leave T = {left} out, which has no heat capacities of both parts.")
        lost = have & ~(
            np.isfinite(points.errors["heat_capacity_fast"]) & np.isfinite(points.errors["heat_capacity_slow"])
        )
        if lost.any():
            which = ", ".join(f"{one:g}" for one in points.temperature[lost])
            self.said.append(
                f"Entropies that rest on T = {which} have no error, as its heat capacities; simulate longer there."
            )
        temperature = points.temperature[have]
        place = 0 if self.reference == "lowest" else temperature.size - 1
        for (name, part), square in zip(
            {"s1": "heat_capacity_fast", "s2": "heat_capacity_slow"}.items(), ("u0", "um"), strict=True
        ):
            found[name][have] = entropy(temperature, points.values[part][have], place)
            weights = entropy(temperature, np.eye(temperature.size), place)  # of each capacity in each integral
            spread = np.sqrt(points.errors[part][have] ** 2 @ weights**2)
            spread[place] = np.nan  # 0 there by choice
            found[f"{name}_error"][have] = spread
            printed = points.values[square][have] ** 2 / (points.n * points.boltzmann * temperature)
            found[f"paper_{name}"][have] = entropy(temperature, printed, place)
        return {**found, "reference_temperature": temperature[place]}

    def _exponent(self, points: Points) -> dict:
        """Fit U0 ~ T^b."""
        x, y, error = points.known("u0")
        if x.size < 3:
            self.said.append("No exponent of U0: it takes U0 with errors at three temperatures.")
            return {"u0_exponent": np.nan, "u0_exponent_error": np.nan}
        weight = (y / error) ** 2
        lnx, lny = np.log(x), np.log(y)
        dx = lnx - np.average(lnx, weights=weight)
        spread = np.sum(weight * dx**2)
        slope = np.sum(weight * dx * lny) / spread
        left = lny - np.average(lny, weights=weight) - slope * dx
        scale = max(1.0, np.sum(weight * left**2) / (x.size - 2))
        return {"u0_exponent": slope, "u0_exponent_error": np.sqrt(scale / spread)}

    def _turns(self, points: Points, drawn: dict) -> dict:
        """Look where Um, tau* and tau_alpha turn over temperature."""
        found: dict = {"um_line": np.full(points.temperature.size, np.nan)}
        for name, kind, words in (
            ("um", "kink", "of Um"),
            ("tau", "tangent", "from fragile to strong of tau*"),
            ("tau_alpha", "tangent", "from fragile to strong of tau_alpha"),
        ):
            have = points.have(name)
            turn = (
                Turn(why="there are no results of dynamics")
                if name == "tau_alpha" and not points.with_dynamics
                else None
            )
            if turn is None:
                temperature, y, error = points.known(name)
                ys = drawn[name][:, have]
                if kind == "kink":
                    turn = find_turn(temperature, y, error, kind, ys)
                    if turn.line.size:
                        found["um_line"][have] = turn.line
                else:  # ln tau over 1/T, from hot to cold
                    turn = find_turn(
                        1.0 / temperature[::-1], np.log(y)[::-1], (error / y)[::-1], kind, np.log(ys[:, ::-1])
                    )
                    turn = Turn(1.0 / turn.place, turn.error / turn.place**2, turn.probability, turn.why)
            found[f"{name}_turn"], found[f"{name}_turn_error"] = turn.place, turn.error
            if turn.why and not (name == "tau_alpha" and not points.with_dynamics):
                self.said.append(f"No turn {words}: {turn.why}.")
        return found

    def _adam_gibbs(self, points: Points, drawn: dict, values: dict) -> dict:
        """Fit the relation of Adam and Gibbs, to tau_alpha where it is known at as many temperatures as tau*."""
        which = "tau_alpha" if points.have("tau_alpha").sum() >= max(points.have("tau").sum(), 3) else "tau"
        have = points.have(which) & np.isfinite(values["s2"])
        offset = None if self.reference_entropy == "fit" else self.reference_entropy
        place = np.flatnonzero(np.isfinite(values["s2"]))
        if place.size < 2:
            fit = AdamGibbs(why="there are no entropies")
        elif not np.isfinite(drawn["heat_capacity_slow"][:, place]).all():
            fit = AdamGibbs(why="the slow heat capacity of a temperature has no error")
        else:
            known = np.isfinite(values["s2"])
            at = 0 if self.reference == "lowest" else int(known.sum()) - 1
            entropies = np.full(drawn["um"].shape, np.nan)
            entropies[:, known] = entropy(points.temperature[known], drawn["heat_capacity_slow"][:, known], at)
            time = points.values[which][have]
            fit = fit_adam_gibbs(
                points.temperature[have], np.log(time), points.errors[which][have] / time, values["s2"][have],
                np.log(drawn[which][:, have]), entropies[:, have], offset,
            )  # fmt: skip
        if fit.why:
            self.said.append(f"No relation of Adam and Gibbs: {fit.why}.")
        of = f"of {'tau*' if which == 'tau' else which}, entropy at the reference "
        found = of + ("fitted" if offset is None else "given")
        self.attributes["adam_gibbs"] = f"no entropy at the reference:\n{fit.why}" if fit.why else found
        return {
            "reference_entropy": fit.offset,
            "reference_entropy_error": fit.offset_error,
            "adam_gibbs_slope": fit.slope,
            "adam_gibbs_slope_error": fit.slope_error,
            "adam_gibbs_time": np.exp(fit.log_time),
        }

    # --- figures ------------------------------------------------------------------------------------------------------

    def plot(self, ax=None, **keywords):
        """Draw tau* and tau_alpha over the inverse temperature."""
        from pelplug_msed.study_drawing import draw_times

        return draw_times(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what is drawn of several studies over each other."""
        from pelplug_msed import study_drawing as drawing

        dataset = self.to_dataset()
        return [
            lambda ax, draw=draw, **keywords: draw(dataset, ax, **keywords)
            for draw in (drawing.draw_times, drawing.draw_fast, drawing.draw_slow, drawing.draw_entropies)
        ]

    def figure(self):
        """Return a Figure of times, energies, heat capacities, entropies and the relation of Adam and Gibbs."""
        from pelplug_msed.study_drawing import draw_study

        return draw_study(self.to_dataset())
