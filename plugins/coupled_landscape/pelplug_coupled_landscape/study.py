"""The coupled landscape model over q and temperature, and the q of measured finite-size effects."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import numpy as np

import pelplug
from pelplug_coupled_landscape import checks
from pelplug_coupled_landscape.couplings import kinds
from pelplug_coupled_landscape.estimates import exponent
from pelplug_coupled_landscape.lattice import Lattice
from pelplug_coupled_landscape.matching import match
from pelplug_coupled_landscape.measured import OF_SIZE, SOURCES, Measured, from_results, measured_ratios
from pelplug_coupled_landscape.results import Grid, Runs, growth
from pelplug_coupled_landscape.sampling import lags_between, sample
from pelplug_coupled_landscape.simulation import Simulation
from pelplug_coupled_landscape.tails import expected_scatter
from pelplug_coupled_landscape.variables import POINT, fields

__all__ = ["CoupledLandscape"]

Q = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
CURVE = ("diffusion_coefficient", "relaxation_time", "kww_beta", "persistence")
OVER = "standard error over independent runs"


class CoupledLandscape(pelplug.LandscapeTheory):
    """Coupled landscape model: a liquid as a lattice of elementary systems, each in a landscape of its own.

    Notes
    -----
    Rejection-free kinetic Monte Carlo, several independent runs at each temperature, coupling and q; values are means
    over the runs, errors standard errors over them. What a run shows depends on its point and number alone, so that it
    is the same whichever points are asked for besides.

    Attributes of the dataset: ``not_found`` (a sentence for each thing that is not told) and ``remarks`` (which
    analysis tells what of the small system), beside the usual ones.
    """

    name = "coupled-landscape"
    summary = "Coupled landscape model: tau_alpha, D, beta, S(k, t), xi over q and temperature; q of measured ratios"
    takes = SOURCES
    varies = ("temperature", "n", "dynamics.wave_number")
    provides = fields()
    prints = (
        "uncoupled_waiting_time", "uncoupled_relaxation_time", "uncoupled_exponent", "measured_waiting_time",
        "measured_ratio", "matched_q", "matched_q_interval", "matched_growth", "measured_growth", "mean_prefactor",
        "relaxation_time", "slowdown", "waiting_time_shift", "kww_beta", "stokes_einstein_exponent", "scaled_exponent",
    )  # fmt: skip
    cites = ("C. Rehwald and A. Heuer, Phys. Rev. E 86, 051504 (2012)",)
    trial = {"parameters": {"temperatures": (0.6, 0.8), "q": (0.03, 0.3), "events": 3000, "tau_ratio": (2.0, 0.0)}}  # noqa: RUF012

    def __init__(
        self,
        collection=None,
        *,
        temperatures: Annotated[
            tuple[float, ...], pelplug.Param("temperatures", exclusive_minimum=0, unit="temperature")
        ] = (0.45, 0.5, 0.6),
        q: Annotated[
            Literal["auto"] | tuple[float, ...],
            pelplug.Param(
                "coupling constants; of the rule rate q~ [time], with q~ Gamma(e) <= 1; auto: six from 0.003 to 1, of "
                "the rule rate over the largest rate",
                minimum=0,
            ),
        ] = "auto",
        side: Annotated[int, pelplug.Param("elementary systems along each direction of the lattice", minimum=1)] = 3,
        dimension: Annotated[int, pelplug.Param("directions of the lattice", minimum=1, maximum=8)] = 3,
        coupling: Annotated[
            tuple[Literal["nearest", "power"], ...],
            pelplug.Param("which systems an active process may touch: nearest ones, or all up to r_max by q r^-n"),
        ] = ("nearest",),
        exponent: Annotated[
            tuple[float, ...], pelplug.Param("n of the coupling power; every n with every r_max", minimum=0)
        ] = checks.POWER,
        r_max: Annotated[
            tuple[float, ...], pelplug.Param("range of the coupling power, in lattice spacings", minimum=1)
        ] = checks.POWER,
        rule: Annotated[
            Literal["boltzmann", "gaussian", "rate"],
            pelplug.Param("new energy of a passive process: from p_eq, near the old one, or by q~ Gamma(e)"),
        ] = "boltzmann",
        width: Annotated[
            Literal["auto"] | float,
            pelplug.Param("s of the rule gaussian; auto: half of sigma", exclusive_minimum=0, unit="energy"),
        ] = "auto",
        passive_rates: Annotated[
            Literal["found", "entered"],
            pelplug.Param(
                "what rate a passive process draws where sigma_gamma > 0: as systems have it at a moment of time, "
                "which keeps <tau>, or as active ones do"
            ),
        ] = "found",
        scaled_q: Annotated[
            Literal["none"] | float,
            pelplug.Param(
                "q at the highest temperature of one more curve on which q is proportional to a power of <Gamma>",
                exclusive_minimum=0,
            ),
        ] = checks.SCALED,
        scaled_power: Annotated[float, pelplug.Param("that power", minimum=-4, maximum=4)] = 0.5,
        tau_ratio: Annotated[
            tuple[float, ...],
            pelplug.Param(
                "measured tau_alpha of the small over that of the large system, one a temperature; 0: none there",
                minimum=0,
            ),
        ] = (),
        tau_ratio_error: Annotated[
            tuple[float, ...], pelplug.Param("their standard errors; 0: unknown", minimum=0)
        ] = (),
        d_ratio: Annotated[
            tuple[float, ...],
            pelplug.Param(
                "measured D of the large over that of the small system, by which tau_alpha is corrected; 0: none there",
                minimum=0,
            ),
        ] = (),
        d_ratio_error: Annotated[tuple[float, ...], pelplug.Param("their standard errors; 0: unknown", minimum=0)] = (),
        k_c: Annotated[
            float,
            pelplug.Param(
                "wave number at which F_s of results of dynamics is compared with S0", exclusive_minimum=0,
                unit="1 / length",
            ),
        ] = 15.0,
        small: Annotated[
            Literal["dynamics", "metabasins"],
            pelplug.Param("whose tau_alpha and D of the small system count where results of both are given"),
        ] = "dynamics",
        wave_number: Annotated[
            tuple[float, ...],
            pelplug.Param("k of S(k, t), in units of the inverse root-mean-square jump length", minimum=1e-6),
        ] = (1.0,),
        events: Annotated[
            int, pelplug.Param("active processes to expect in each run, from which its time follows", minimum=100)
        ] = 500_000,
        time: Annotated[
            Literal["auto"] | float,
            pelplug.Param("of each run, at all temperatures; auto: by events", exclusive_minimum=0, unit="time"),
        ] = "auto",
        runs: Annotated[
            int, pelplug.Param("independent runs at each point, over which errors are", minimum=1, maximum=1000)
        ] = 5,
        seed: Annotated[int, pelplug.Param("of the random numbers", minimum=0, meaning=False)] = 0,
        **landscape,
    ):  # fmt: skip
        super().__init__(collection, **landscape)
        self.temperature = checks.once("temperature", sorted(temperatures))
        order = np.argsort(temperatures)
        self.lattice = Lattice(side, dimension)
        self.rule, self.passive_rates = rule, passive_rates
        s = None if rule != "gaussian" else 0.5 * self.landscape.sigma if width == "auto" else width
        checks.unused(rule, width, coupling, exponent, r_max, scaled_q)
        self.kinds = kinds(coupling, exponent, r_max, rule, s)
        self.rate, self.relaxation = checks.finite(self.landscape, self.temperature)
        self.waiting = 1.0 / self.rate
        self.q = checks.couplings(q, Q, rule, self.landscape, self.temperature, self.lattice)
        self.k_c, self.small = k_c, small
        self.wave_number, self.runs, self.seed = checks.once("wave number", wave_number), runs, seed
        self.time = checks.times(time, events, self.lattice, self.temperature, self.rate)
        self.scaled = checks.scaled(scaled_q, scaled_power, rule, self.lattice, self.temperature, self.rate)
        given = {
            "tau_ratio": tau_ratio,
            "tau_ratio_error": tau_ratio_error,
            "d_ratio": d_ratio,
            "d_ratio_error": d_ratio_error,
        }
        checks.one_source(given, self._given)
        self.given = Measured(*(checks.by_temperature(name, some, order) for name, some in given.items()))
        checks.ratios(self.given, self.temperature)
        for kind in self.kinds:
            for k, one in enumerate(self.temperature):
                for value in (*self.q, *([] if self.scaled is None else [self.scaled[k]])):
                    kind.at(value).check(self.lattice, self.landscape, one)
        for one in self.temperature:
            Simulation.check_rates(self.landscape, one)

    # --- what is computed -----------------------------------------------------------------------------------------

    def compute(self, collection):
        """Run the model at every point, find the q of measured ratios, and run it there."""
        self.said: list[str] = []
        self.remarks: list[str] = []
        if self.runs < 3:
            self.said.append("No errors: fewer than three independent runs; raise --runs.")
        size = (len(self.kinds), self.temperature.size)
        first = 1e-3 * min(self.waiting.min(), self.time.min())
        self.lags = lags_between(first, min(self.time.max(), 30.0 * self.relaxation.max()))
        places = list(np.ndindex(*size, self.q.size))
        wanted = [(place[0], place[1], float(self.q[place[2]])) for place in places]
        curve = [] if self.scaled is None else list(np.ndindex(*size))
        wanted += [(c, k, float(self.scaled[k])) for c, k in curve]
        found = self._sampled(wanted, "runs of the model")
        grid = Grid((*size, self.q.size), dict(zip(places, found, strict=False)))
        values = self._of_grid(grid)
        if curve:
            values |= self._of_curve(Grid(size, dict(zip(curve, found[len(places) :], strict=True))))
        values |= self._of_measured(grid, collection)
        return values

    def _sampled(self, points, what) -> list[Runs]:
        """Return the runs at each point (coupling, temperature, q)."""
        lags = (float(self.lags[0]), float(self.lags[-1]))
        landscape = {name: getattr(self.landscape, name) for name in self.landscape.parameter_specs()}
        calls = [
            (
                landscape,
                float(self.temperature[k]),
                (self.lattice.side, self.lattice.dimension),
                self.kinds[c].arguments(q),
                self.passive_rates,
                float(self.time[k]),
                lags,
                tuple(map(float, self.wave_number)),
                (self.seed, run),
            )
            for c, k, q in points
            for run in range(self.runs)
        ]
        parts = self.each_part(sample, calls, what)
        found = []
        for n, (c, k, q) in enumerate(points):
            own = parts[n * self.runs : (n + 1) * self.runs]
            share = self.kinds[c].passive_share(q, self.lattice, self.landscape, self.rate[k])
            events = max(sum(float(one["active"]) for one in own), 1.0)
            scatter = expected_scatter(self.landscape, self.temperature[k], share, events, self.rule == "rate")
            found.append(Runs(own, q, self.waiting[k], self.relaxation[k], self.lags, scatter))
            self._say(found[-1], c, k)
        return found

    def _say(self, runs: Runs, c: int, k: int) -> None:
        """Say what the runs at a point cannot tell."""
        where = f"At T = {self.temperature[k]:g}, {self.kinds[c].label}, q = {runs.q:.3g}"
        if not runs.of["active"].all():
            self.said.append(f"{where}: nothing, for in a run there was no active process; raise --events or --time.")
            return
        if not np.isfinite(runs.of["relaxation_time"]).all():
            self.said.append(
                f"{where}: no tau_alpha, for S0 has not fallen to 0.02 within a quarter of a run; raise --events "
                "or --time."
            )
        elif not runs.told:
            self.said.append(
                f"{where}: no error of tau_alpha, which rests on few long waiting times (they scatter it by about "
                f"{100 * runs.scatter:.2g} %); raise --events or --runs."
            )

    def _of_grid(self, grid: Grid) -> dict:
        zero = self.relaxation
        closed = np.exp(self.landscape.sigma_gamma**2) * self.landscape.closed_moment(-1.0, self.temperature)
        neighbours = np.array([kind.neighbours(self.lattice) for kind in self.kinds])
        values = {
            "temperature": self.temperature,
            "coupling": [kind.label for kind in self.kinds],
            "q": self.q,
            "lag_time": self.lags,
            "wave_number": self.wave_number,
            "neighbours": neighbours,
            "effective_q": neighbours[:, None] * self.q,
            "uncoupled_waiting_time": self.waiting,
            "uncoupled_diffusion_coefficient": self.rate / 6.0,
            "uncoupled_relaxation_time": zero,
            "closed_relaxation_time": closed,
            "events": grid.runs_of("active").sum(axis=0),
            "duration": self.time,
            **grid.values(list(POINT)),
        }
        if (law := grid.mean_prefactor(self.q, zero)) is not None:
            values["mean_prefactor"], values["mean_prefactor_error"] = law
        if self.temperature.size > 1:
            whole, local = grid.exponents()
            values["stokes_einstein_exponent"], values["stokes_einstein_exponent_error"] = whole
            values["local_exponent"], values["local_exponent_error"] = local
            values["colder"] = self.temperature[:-1]
            pairs = [slice(k, k + 2) for k in range(zero.size - 1)]
            values["uncoupled_exponent"] = exponent(self.rate, zero)
            values["uncoupled_local_exponent"] = [exponent(self.rate[one], zero[one]) for one in pairs]
        return values

    def _of_curve(self, grid: Grid) -> dict:
        values = {"scaled_q": np.tile(self.scaled, (len(self.kinds), 1)), **grid.values(CURVE, "scaled_")}
        if self.temperature.size > 1:
            values["scaled_exponent"], values["scaled_exponent_error"] = grid.exponents()[0]
        return values

    def _of_measured(self, grid: Grid, collection) -> dict:
        """Find the q of measured ratios, and run the model there."""
        measured = self.given
        if len(collection):
            arguments = (self.temperature, self.k_c, self.small, self.said, self.remarks)
            measured = from_results(collection, *arguments)
        small = measured.small
        if not len(collection.of("dynamics")):  # of metabasins alone no ratio follows
            measured = self.given
            if np.any(np.isfinite(measured.tau) & ~np.isfinite(measured.diffusion)):
                self.said.append("Where no --d-ratio is given the ratio of tau_alpha is not corrected by D.")
        values = {"source": SOURCES, **small} if small else {}
        ratio, error = measured_ratios(measured)
        if not np.isfinite(ratio).any():
            return values
        size = grid.shape[:2]
        q, q_error = np.full(size, np.nan), np.full(size, np.nan)
        interval = np.full((*size, 2), np.nan)
        for c, k in np.ndindex(*size):
            if np.isfinite(ratio[k]):
                use = grid.told[c, k] & (self.q > 0)
                slowdown = np.array([grid.runs[(c, k, n)].slowdown for n in np.flatnonzero(use)]).T
                one = match(float(ratio[k]), float(error[k]), self.q[use], slowdown)
                q[c, k], q_error[c, k], interval[c, k] = one.q, one.error, one.interval
                if one.reason:
                    self.said.append(f"At T = {self.temperature[k]:g}, {self.kinds[c].label}: {one.reason}.")
        known = [place for place in np.ndindex(*size) if np.isfinite(q[place])]
        values |= {"measured_ratio": ratio, "measured_ratio_error": error, "matched_q": q, "matched_q_error": q_error}
        values["matched_q_interval"] = interval
        if known:
            found = self._sampled([(c, k, float(q[c, k])) for c, k in known], "runs at the q of measured ratios")
            values |= Grid(size, dict(zip(known, found, strict=True))).values(CURVE, "matched_")
        grown = np.array([growth(self.rate, *both) for both in zip(q, q_error, strict=True)])
        values["matched_growth"], values["matched_growth_error"] = grown.T
        if small:
            wait, spread = (small[f"measured_waiting_time{end}"] for end in ("", "_error"))
            grown = np.array([growth(1.0 / wait, *both, spread / wait**2) for both in zip(q, q_error, strict=True)])
            values["measured_growth"], values["measured_growth_error"] = grown.T
        if measured.scale is not None:
            values |= {"measured_scale": measured.scale * self.relaxation, **_padded(measured.curves)}
        return values

    def summarize(self, dataset):
        """Say of errors how they were found."""
        if self.runs >= 3:
            names = [name for name in dataset.data_vars if name.endswith("_error")]
            own = [name for name in names if name.startswith(("measured", "small", "matched_q", "matched_growth"))]
            pelplug.state_errors(dataset, [name for name in names if name not in own], OVER, self.runs)
            said = "errors of the measured ratios and over independent runs"
            pelplug.state_errors(dataset, [*own, "matched_q_interval"], said, self.runs)
        of_size = [f"{name}_error" for name in OF_SIZE]
        said = "standard error over results or their own"
        pelplug.state_errors(dataset, of_size, said, len(self.collection))
        if self.said:
            dataset.attrs["not_found"] = json.dumps(self.said)
        if self.remarks:
            dataset.attrs["remarks"] = json.dumps(self.remarks)
        if "matched_q_interval" in dataset:
            dataset = dataset.assign_coords(bound=["lower", "upper"])
        return dataset

    # --- what is drawn --------------------------------------------------------------------------------------------

    def plot(self, ax=None, **keywords):
        """Draw tau_alpha over q at each temperature: Fig. 6."""
        from pelplug_coupled_landscape.study_drawing import draw_relaxation

        return draw_relaxation(self.to_dataset(), ax, **keywords)

    def figure(self):
        """Return a Figure of Figs. 6 to 10 of the paper."""
        from pelplug_coupled_landscape.study_drawing import draw_study

        return draw_study(self.to_dataset(), self.title())

    def title(self) -> str:
        """Return what the model was run with."""
        lattice = f"${self.lattice.side}^{self.lattice.dimension}$ systems"
        law = self.landscape
        parameters = [
            rf"$\sigma = {law.sigma:g}$", rf"$\lambda = {law.lam:g}$", f"$e_c = {law.crossover:g}$",
            rf"$\kappa = {law.entropic_factor:g}$", rf"$\Gamma_0 = {law.rate_prefactor:g}$",
            rf"$e_{{cut}} = {law.cutoff:g}$", rf"$\sigma_\gamma = {law.sigma_gamma:g}$",
        ]  # fmt: skip
        return f"coupled landscape model, {lattice}, rule {self.rule}, {self.runs} runs\n" + ", ".join(parameters)


def _padded(curves) -> dict:
    """Return measured curves of different lengths as arrays, shape (temperatures, lags), NaN behind their ends."""
    if not any(one is not None for one in curves):
        return {}
    longest = max(one[0].size for one in curves if one is not None)
    made = np.full((2, len(curves), longest), np.nan)
    for k, one in enumerate(curves):
        if one is not None:
            made[:, k, : one[0].size] = one
    return {"measured_time": made[0], "measured_scattering": made[1]}
