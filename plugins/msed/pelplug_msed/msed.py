"""The mean-squared energy difference of a simulation, its relaxation time, and the energies of the landscape in it."""

from __future__ import annotations

import functools
from typing import Annotated, Literal

import numpy as np

import pelplug
from pelplug_msed.accumulator import Accumulator
from pelplug_msed.blocks import Runs
from pelplug_msed.fits import block_errors, variance_error
from pelplug_msed.heat import ENSEMBLES, Heat, thermal_state
from pelplug_msed.relaxation import relaxation
from pelplug_msed.stated import OF_THE_LIMIT, honest, say_errors, trend_of
from pelplug_msed.variables import PROVIDES

__all__ = ["MSED"]

_UNLIKE = 0.1  # variance of the means of runs over that within them; of one energy it is 2 tau over their length


class MSED(pelplug.Series):
    """<Delta^2>(t) with Delta(t) = [E(t0 + t) - E(t0)]/N, E the potential energy, over all time origins t0.

    Notes
    -----
    Attributes of the dataset: ``energies`` (where from), ``energy_unit``, ``series`` (entries, segments, what was left
    out), ``method``, ``fit`` (window and errors, or why there is none), ``trend`` (whether the energies are
    stationary), ``heat`` (what heat capacities are, or why there are none), ``remarks`` and ``not_found`` (lists of
    sentences, JSON), beside the usual ones. ``msed_error`` says in ``ends`` why it ends where it does, at ``last_lag``.
    """

    name = "msed"
    summary = "Mean-squared energy difference, its relaxation time, and energy diffusion"
    provides = PROVIDES
    cites = ("D. Zhang, D. Sun and X. Gong, arXiv:2501.07902 (2025)",)
    pools = True
    trial = {"frames": 12}  # noqa: RUF012

    def __init__(
        self,
        trajectory,
        *,
        method: Annotated[
            str,
            pelplug.Param(
                "all time origins (fft), or those of a correlator that needs no memory for the series (multi-tau)",
                choices=("fft", "multi-tau"),
                meaning=False,
            ),
        ] = "fft",
        phi_lags: Annotated[
            Literal["auto"] | tuple[float, ...],
            pelplug.Param(
                "lags of the distributions phi(Delta); auto: 1, 10, 100, ... entries",
                exclusive_minimum=0,
                unit="time",
                meaning=False,
            ),
        ] = "auto",
        t_min: Annotated[
            Literal["auto"] | float,
            pelplug.Param("start of the fit; auto: where vibrations are over", exclusive_minimum=0, unit="time"),
        ] = "auto",
        t_max: Annotated[
            Literal["auto"] | float,
            pelplug.Param("end of the fit; auto: an eighth of the series", exclusive_minimum=0, unit="time"),
        ] = "auto",
        ensemble: Annotated[
            str,
            pelplug.Param(
                "constant energy (nve) or temperature (nvt); auto: what the simulation recorded",
                choices=("auto", *ENSEMBLES),
            ),
        ] = "auto",
        dimension: Annotated[
            Literal["auto"] | int, pelplug.Param("dimension d; auto: the trajectory's, or 3", minimum=1, maximum=8)
        ] = "auto",
        resamples: Annotated[
            int,
            pelplug.Param("bootstrap resamples of blocks of the series", minimum=100, maximum=100_000, meaning=False),
        ] = 300,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(trajectory, **base)
        if "auto" not in (t_min, t_max) and not t_min < t_max:
            raise pelplug.InputError(f"The fit begins at {t_min:g} and ends at {t_max:g}; raise t_max.")
        self.method = method
        self._given = {"ensemble": ensemble, "dimension": dimension}
        self.phi_lags = None if phi_lags == "auto" else phi_lags
        self.t_min, self.t_max, self.resamples, self.seed = t_min, t_max, resamples, seed
        self._accumulator: Accumulator | None = None

    # --- energies come ----------------------------------------------------------------------------------------------

    def begin(self):
        """Get ready for energies; those of a running simulation are not kept."""
        if self.running:
            self.method = self.parameters["method"] = "multi-tau"
        self._accumulator = Accumulator(self.origin, self.segments, self.phi_lags, keep=self.method == "fft")

    def add(self, energy, begins):
        """Take the next energies."""
        self._accumulator.add(energy, begins)

    def begin_run(self):
        """Get ready for the energies of another trajectory."""
        if self.method != "fft":
            raise pelplug.InputError("The method multi-tau takes one trajectory; take --method fft for several.")
        self._accumulator.begin_run()

    def state(self):
        """Return the correlator, as arrays."""
        return self._accumulator.state()

    def restore(self, state):
        """Go on with a correlator."""
        self._accumulator.restore(state)

    # --- what comes out ---------------------------------------------------------------------------------------------

    def evaluate(self, dataset):
        """Compute everything."""
        accumulator, self._accumulator = self._accumulator, None
        accumulator.check()
        origin, correlator, segments = self.origin, accumulator.correlator, self.segments
        share = 1.0 / origin.n if origin.extensive else 1.0
        scale = share**2
        lags, curve, pairs = accumulator.differences()
        entry = segments.spacing * origin.time_step
        times, curve = entry * lags, scale * curve
        blocks = accumulator.blocks()
        errors, number = (one[: len(lags)] for one in block_errors(blocks, blocks.lags()))
        errors = scale * errors
        limit = 2.0 * scale * correlator.variance()
        variance_spread, variance_blocks = variance_error(blocks if isinstance(blocks, Runs) else correlator)
        limit_error = 2.0 * scale * variance_spread
        kinetic = segments.kinetic_temperature
        heat, heat_words = self._heat(origin, kinetic)
        if heat and heat.ensemble == "nve" and self.method == "fft":
            _refuse_unlike(*accumulator.run_moments(), share)
        fit = relaxation(
            blocks, times, curve, errors, scale, heat,
            t_min=self.t_min, t_max=self.t_max, resamples=self.resamples, seed=self.seed,
        )  # fmt: skip
        trend = trend_of(accumulator, share, times, curve, errors, self.t_min)
        values = {
            "msed": ("lag", curve),
            "msed_error": ("lag", errors),
            "msed_blocks": ("lag", number),
            "pairs": ("lag", pairs),
            "energy_diffusion": ("lag", curve / (2.0 * times)),
            "mean_energy": ((), share * correlator.mean()),
            "energy_drift": ((), trend.change),
            "energy_drift_probability": ((), trend.probability),
            "long_time_limit": ((), limit),
            "long_time_limit_error": ((), limit_error),
            "paper_limit": ((), 0.5 * limit),
        }
        if origin.temperature is not None:
            values["temperature"] = ((), float(origin.temperature))
        if np.isfinite(kinetic):
            values["kinetic_temperature"] = ((), kinetic)
        if heat:
            values |= heat.of_limit(limit, limit_error)
        values, said = honest(
            values | fit.variables, fit, trend, self._remedy(), heat is not None and heat.ensemble == "nve"
        )
        dataset = dataset.assign_coords(lag=("lag", times))
        dataset["lag"].attrs = {"long_name": "lag", "units": "time"}
        dataset, values = self._with_distributions(dataset, values, correlator, entry, share)
        if fit.variables:
            dataset = dataset.assign_coords(bound=("bound", ["lower", "upper"]))
        dataset.attrs.update(
            energies=origin.source,
            energy_unit=origin.unit,
            method=self.method,
            fit=fit.words,
            trend=trend.words(),
            heat=heat_words,
            series=f"{correlator.n} entries, {entry:.6g} apart, in {segments.words}",
            **said,
        )
        samples = fit.samples | dict.fromkeys(OF_THE_LIMIT, variance_blocks)
        return say_errors(dataset.assign(values), samples, blocks)

    def _remedy(self) -> str:
        """Return what can be done about a trend."""
        if self.running:
            return "equilibrate longer"
        own = self.trajectory is not None and self.energies in ("auto", "log", "model")
        how = "with --start (start= in Python)" if own else "of the file, or choose a later run with --block"
        return f"leave out the beginning {how}, or equilibrate longer"

    def _with_distributions(self, dataset, values, correlator, entry, share):
        counts, edges = correlator.histograms()
        seen = (counts.sum(axis=1) > 0) & (correlator.histogram_lags <= max(correlator.n // 2, 1))
        seen &= edges[:, -1] > 0
        counts, edges = counts[seen], share * edges[seen]
        if len(counts):
            density = counts / counts.sum(axis=1, keepdims=True) / np.diff(edges, axis=1)
            values = values | {"phi": (("phi_lag", "bin"), density), "phi_edges": (("phi_lag", "edge"), edges)}
            dataset = dataset.assign_coords(phi_lag=("phi_lag", entry * correlator.histogram_lags[seen]))
            dataset["phi_lag"].attrs = {"long_name": "lag", "units": "time"}
        return dataset, values

    def _heat(self, origin, kinetic: float) -> tuple[Heat | None, str]:
        record, dimension = self.simulation, self._given["dimension"]
        if dimension == "auto":
            dimension = record.get("dimension", "auto")
        if self.trajectory is not None:
            record = self.trajectory.simulation_record or {}
            dimension = self.trajectory.dimension if dimension == "auto" else dimension
        heat, words = thermal_state(origin, self._given, record, 3 if dimension == "auto" else dimension, kinetic)
        return heat, words if heat else f"none: {words}"

    # --- figures ----------------------------------------------------------------------------------------------------

    def plot(self, ax=None, **keywords):
        """Draw <Delta^2>(t) with the fit and the long-time limit."""
        from pelplug_msed.drawing import draw_msed

        return draw_msed(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what draws <Delta^2>(t) and D_E(t)."""
        from pelplug_msed import drawing

        dataset = self.to_dataset()
        return [functools.partial(draw, dataset) for draw in (drawing.draw_msed, drawing.draw_diffusion)]

    def figure(self):
        """Return a figure of <Delta^2>(t), phi(Delta) and D_E(t)."""
        from pelplug_msed.drawing import draw_figure

        return draw_figure(self.to_dataset())


def _refuse_unlike(means: np.ndarray, variances: np.ndarray, share: float) -> None:
    """Refuse runs at constant energy that differ in it: what they fluctuate by together is of no ensemble."""
    if means.size > 1 and np.var(means) > _UNLIKE * np.mean(variances):
        low, high = share * means.min(), share * means.max()
        raise pelplug.InputError(
            f"The runs are at constant energy and differ in it: their mean potential energies are {low:.6g} to "
            f"{high:.6g} a particle; analyse each by itself, and join the results by pelplug study energy-entropies."
        )
