"""Steepest descent of every frame as a function of time."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import numpy as np

import pelplug
from pelplug_relaxation.amplification import amplification, rms_distance
from pelplug_relaxation.averages import ERRORS, average_amplification, average_distance
from pelplug_relaxation.fits import exponents, fit_decay, fit_window, local_slope
from pelplug_relaxation.harmonic import harmonic_velocity, low_frequency_exponent, stiffnesses

__all__ = ["Relaxation"]

GRID = ("descent_time",)
VELOCITY = "energy / length / zeta"
# Of the equation of motion zeta dr/dt = -grad U, with zeta = 1.
TIME = "zeta length**2 / energy"
RATE = "energy / length**2 / zeta"
OTHERS = ("cg", "fire")
LARGEST = 30_000  # modes of a whole spectrum


class Relaxation(pelplug.Analysis):
    """The decay of velocity and energy along the steepest descent ``zeta dr/dt = -grad U`` from each frame.

    Notes
    -----
    Attributes of the dataset: ``fit`` (in words), ``decay`` (power law, exponential or undecided),
    ``steepest_descent`` (parameters, JSON), ``not_found`` (why there are no errors, JSON), beside the usual ones.
    """

    name = "relaxation"
    summary = "Velocity and energy along the steepest descent from every frame, and the exponent of their decay"
    needs = pelplug.Need.POSITIONS | pelplug.Need.CELL | pelplug.Need.POTENTIAL
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "rms_velocity": pelplug.Field(("frame", *GRID), VELOCITY, "rms velocity; 0 after the end of the descent"),
        "energy_per_particle": pelplug.Field(("frame", *GRID), "energy", "potential energy per particle"),
        "inherent_energy_per_particle": pelplug.Field(("frame",), "energy", "inherent-structure energy per particle"),
        "end_time": pelplug.Field(("frame",), TIME, "time at which the descent ended"),
        "max_force": pelplug.Field(("frame",), "energy / length", "largest force component at the end"),
        "energy_defect": pelplug.Field(("frame",), "1", "relative defect of the balance dE/dt = -zeta N v^2"),
        "evaluations": pelplug.Field(("frame",), "1", "force evaluations"),
        "steps": pelplug.Field(("frame",), "1", "time steps"),
        "positions": pelplug.Field(("frame", "particle", "dimension"), "length", "positions at the end, unwrapped"),
        "distance_to_end": pelplug.Field(("frame", *GRID), "length", "rms distance |r(t) - r(infinity)| to the end"),
        "amplification": pelplug.Field(
            ("frame", *GRID), "1", "distance of the descent of a displaced start over that of the starts"
        ),
        "amplification_larger": pelplug.Field(("frame", *GRID), "1", "the same of a displacement ten times as large"),
        "end_amplification": pelplug.Field(("frame",), "1", "amplification at the end"),
        "end_amplification_larger": pelplug.Field(("frame",), "1", "amplification_larger at the end"),
        "linear_amplification": pelplug.Field(
            ("frame",), "1", "end_amplification where both ends are one minimum and both sizes agree within 10 %"
        ),
        "end_distance": pelplug.Field(("frame",), "length", "rms distance between the ends of the two starts"),
        "same_minimum": pelplug.Field(("frame",), "1", "1 where both ends are the same minimum, else 0"),
        "distance_sd_cg": pelplug.Field(("frame",), "length", "rms distance between the IS reached by sd and cg"),
        "distance_sd_fire": pelplug.Field(("frame",), "length", "rms distance between the IS reached by sd and fire"),
        "distance_cg_fire": pelplug.Field(("frame",), "length", "rms distance between the IS reached by cg and fire"),
        "harmonic_velocity": pelplug.Field(
            ("frame", *GRID), "energy**(1/2) / length / zeta", "harmonic prediction of v(t) / sqrt(T) from the spectrum"
        ),
        "spectrum_exponent": pelplug.Field(("frame",), "1", "s of D(omega) ~ omega^s at low frequency"),
        "spectrum_exponent_error": pelplug.Field(("frame",), "1", "standard error of spectrum_exponent"),
        "beta_harmonic": pelplug.Field(("frame",), "1", "(s + 3) / 4, the exponent of a harmonic decay"),
        "mean_velocity": pelplug.Field(GRID, VELOCITY, "rms velocity, mean over the frames"),
        "mean_velocity_error": pelplug.Field(GRID, VELOCITY, "standard error of mean_velocity"),
        "mean_energy_per_particle": pelplug.Field(GRID, "energy", "potential energy per particle, mean over frames"),
        "mean_energy_per_particle_error": pelplug.Field(GRID, "energy", "standard error of mean_energy_per_particle"),
        "mean_distance_to_end": pelplug.Field(GRID, "length", "distance_to_end, mean over the frames"),
        "mean_distance_to_end_error": pelplug.Field(GRID, "length", "standard error of mean_distance_to_end"),
        "mean_log_amplification": pelplug.Field(GRID, "1", "ln(amplification), mean over the frames"),
        "mean_log_amplification_error": pelplug.Field(GRID, "1", "standard error of mean_log_amplification"),
        "different_minima": pelplug.Field((), "1", "share of frames whose displaced start ends in another minimum"),
        "different_minima_error": pelplug.Field((), "1", "standard error of different_minima"),
        "local_slope": pelplug.Field(GRID, "1", "-d ln v / d ln t of the mean velocity"),
        "distance_slope": pelplug.Field(GRID, "1", "-d ln / d ln t of mean_distance_to_end"),
        "distance_exponent": pelplug.Field((), "1", "exponent of mean_distance_to_end in the window of beta"),
        "distance_exponent_error": pelplug.Field((), "1", "standard error of distance_exponent"),
        "beta": pelplug.Field((), "1", "exponent of v ~ t^-beta in the window"),
        "beta_error": pelplug.Field((), "1", "standard error of beta"),
        "amplitude": pelplug.Field((), f"{VELOCITY} * ({TIME})**beta", "v t^beta of the fit"),
        "exponential_rate": pelplug.Field((), RATE, "rate of the exponential fit in the window"),
        "residual_power": pelplug.Field((), "1", "rms residual of ln v about the power law"),
        "residual_exponential": pelplug.Field((), "1", "rms residual of ln v about the exponential"),
        "aic_difference": pelplug.Field((), "1", "AIC of the exponential minus AIC of the power law"),
        "cutoff_rate": pelplug.Field((), RATE, "lambda of v ~ t^-b exp(-lambda t) in the window"),
        "aic_cutoff": pelplug.Field((), "1", "AIC of the power law minus AIC of the power law cut off exponentially"),
        "fit_window": pelplug.Field(("bound",), TIME, "first and last time of the fits"),
    }
    cites = (
        "Nishikawa et al., Phys. Rev. X 12, 021001 (2022)",
        "B. P. Sommeijer, L. F. Shampine and J. G. Verwer, J. Comput. Appl. Math. 88, 315 (1998)",
    )
    trial = {  # noqa: RUF012
        "n": 60,
        "frames": 3,
        "parameters": {"t_end": 100.0, "rtol": 1e-4},
        "tolerance": 1e-4,
        "exempt": dict.fromkeys(
            (
                "end_time",
                "max_force",
                "energy_defect",
                "evaluations",
                "steps",
                "local_slope",
                "distance_slope",
                "cutoff_rate",
            ),
            "it follows the steps, of which rounding decides how long the last ones are",
        ),
    }

    def __init__(
        self,
        trajectory,
        *,
        t_start: Annotated[float, pelplug.Param("first output time", exclusive_minimum=0, unit=TIME)] = 1e-2,
        t_end: Annotated[float, pelplug.Param("last output time", exclusive_minimum=0, unit=TIME)] = 1e4,
        per_decade: Annotated[int, pelplug.Param("output times in a decade", minimum=1, meaning=False)] = 10,
        t_min: Annotated[
            Literal["auto"] | float, pelplug.Param("start of the fits", exclusive_minimum=0, unit=TIME)
        ] = "auto",
        t_max: Annotated[
            Literal["auto"] | float, pelplug.Param("end of the fits", exclusive_minimum=0, unit=TIME)
        ] = "auto",
        to_minimum: Annotated[
            bool, pelplug.Param("follow each descent to its inherent structure, beyond t_end if need be")
        ] = True,
        rtol: Annotated[
            float,
            pelplug.Param(
                "error of a step as a fraction of its displacement", exclusive_minimum=0, exclusive_maximum=0.1
            ),
        ] = 1e-3,
        force_tolerance: Annotated[
            float,
            pelplug.Param(
                "largest force component of an inherent structure", exclusive_minimum=0, unit="energy / length"
            ),
        ] = 1e-10,
        max_evaluations: Annotated[
            int, pelplug.Param("force evaluations allowed for a frame", minimum=2, meaning=False)
        ] = 1_000_000,
        spectrum: Annotated[
            bool, pelplug.Param("predict the harmonic decay from all eigenvalues of the Hessian (small systems)")
        ] = False,
        low_modes: Annotated[
            float,
            pelplug.Param(
                "share of the modes, from the softest, that s of D(omega) is taken from", exclusive_minimum=0, maximum=1
            ),
        ] = 0.02,
        compare: Annotated[
            bool,
            pelplug.Param(
                "quench with cg and fire too, and measure the distances between the three inherent structures"
            ),
        ] = False,
        amplification: Annotated[
            float | None,
            pelplug.Param(
                "displace each start at random by this rms distance a particle, and measure what becomes of it",
                exclusive_minimum=0,
                unit="length",
            ),
        ] = None,
        direction_seed: Annotated[int, pelplug.Param("seed of that displacement's direction", minimum=0)] = 0,
        resamples: Annotated[
            int,
            pelplug.Param(
                "bootstrap resamples of the frames, for the error of beta", minimum=100, maximum=100_000, meaning=False
            ),
        ] = 500,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(trajectory, **base)
        if not t_start < t_end:
            raise pelplug.InputError(f"The output begins at {t_start:g} and ends at {t_end:g}; raise t_end.")
        if "auto" not in (t_min, t_max) and not t_min < t_max:
            raise pelplug.InputError(f"The fits begin at {t_min:g} and end at {t_max:g}; raise t_max.")
        self.t_min, self.t_max = t_min, t_max
        self.to_minimum, self.spectrum, self.low_modes, self.compare = to_minimum, spectrum, low_modes, compare
        self.amplification, self.direction_seed = amplification, direction_seed
        if (spectrum or compare or amplification) and not to_minimum:
            raise pelplug.InputError(
                "spectrum, compare and amplification need the inherent structure; leave to_minimum on."
            )
        self.resamples, self.seed = resamples, seed
        steps = np.arange(int(np.floor(per_decade * np.log10(t_end / t_start) + 1e-9)) + 1)
        self.descent_times = t_start * 10.0 ** (steps / per_decade)
        self._limits = {"force_tolerance": force_tolerance, "max_evaluations": max_evaluations}
        self._rtol = rtol

    def check_before(self, frames) -> None:
        """Refuse a model whose minima no descent can reach, and a spectrum that fits into no memory.

        Raises
        ------
        InputError
            With the remedy.
        """
        if self.to_minimum:
            self.check_minima(frames, self._limits["force_tolerance"])
        size = self.trajectory.n * self.trajectory.dimension
        if self.spectrum and size > LARGEST:
            raise pelplug.InputError(
                f"The whole spectrum of {size} modes needs {16 * size**2 / 2**30:.0f} GiB and hours; leave --spectrum "
                "out, or take a smaller system."
            )

    def compute(self, configuration) -> dict[str, Any]:
        """Follow one frame.

        Raises
        ------
        NotConvergedError
            If it does not reach a minimum, or, without ``to_minimum``, the last output time.
        """
        start = configuration.wrapped()
        potential = self.potential_of(start)
        options = {"rtol": self._rtol, **self._limits}
        descent = pelplug.steepest_descent(
            start, potential, self.descent_times, to_minimum=self.to_minimum, keep_positions=True, **options
        )
        reached = len(descent.times)
        if self.to_minimum or reached < len(self.descent_times):
            descent.require_converged()
        velocity = np.zeros(len(self.descent_times))
        energy = np.full(len(self.descent_times), descent.final_energy)
        velocity[:reached], energy[:reached] = descent.rms_velocity, descent.energy
        distance = np.full(len(self.descent_times), np.nan)
        if descent.converged:  # else nobody knows where it would have ended
            distance[:reached] = rms_distance(descent.positions, descent.configuration.positions)
            distance[reached:] = 0.0
        values = {
            "rms_velocity": velocity,
            "energy_per_particle": energy / start.n,
            "inherent_energy_per_particle": descent.final_energy / start.n if descent.converged else np.nan,
            "distance_to_end": distance,
            "end_time": descent.end_time,
            "max_force": descent.final_max_force,
            "energy_defect": descent.final_energy_defect,
            "evaluations": descent.evaluations,
            "steps": descent.steps,
            "positions": descent.configuration.unwrapped_positions(),
        }
        if self.compare:
            values |= self._distances(start, potential, descent.configuration.positions)
        if self.amplification is not None:
            values |= amplification(
                start, potential, self.descent_times, self.amplification, self.direction_seed, **options
            )
        if self.spectrum:
            modes = stiffnesses(potential.hessian(descent.configuration), start.dimension)
            exponent, error = low_frequency_exponent(modes, self.low_modes)
            values |= {
                "harmonic_velocity": harmonic_velocity(modes, self.descent_times, start.n),
                "spectrum_exponent": exponent,
                "spectrum_exponent_error": error,
                "beta_harmonic": (exponent + 3.0) / 4.0,
            }
        return values

    def summarize(self, dataset):
        """Add means over the frames, the fits and the local slope."""
        dataset = dataset.assign_coords(descent_time=("descent_time", self.descent_times))
        dataset["descent_time"].attrs = {"long_name": "time of the descent", "units": TIME}
        curves = dataset["rms_velocity"].values
        mean = curves.mean(axis=0)
        ends = dataset["end_time"].values
        first, last = fit_window(self.descent_times, mean, ends, self.t_min, self.t_max, self.to_minimum)
        chosen = (self.descent_times >= first * (1 - 1e-9)) & (self.descent_times <= last * (1 + 1e-9))
        chosen &= np.all(curves > 0, axis=0)
        energies = dataset["energy_per_particle"].values
        # The energy at the end is the slowest thing a frame has: it tells whether successive frames are independent.
        unit, of = pelplug.independent_samples(dataset, energies[:, -1], of="frames")
        resampling = pelplug.Bootstrap(int(unit.max()) + 1, resamples=self.resamples, seed=self.seed)
        counts = pelplug.unit_sums(np.ones(len(curves)), unit)
        velocities = resampling.means(pelplug.unit_sums(curves, unit), counts)
        values = {
            "mean_velocity": ("descent_time", mean),
            "mean_velocity_error": ("descent_time", resampling.error(velocities)),
            "mean_energy_per_particle": ("descent_time", energies.mean(axis=0)),
            "mean_energy_per_particle_error": (
                "descent_time",
                resampling.error(resampling.means(pelplug.unit_sums(energies, unit), counts)),
            ),
            "local_slope": ("descent_time", local_slope(self.descent_times, mean)),
        }
        distances, without = average_distance(dataset, chosen, unit, resampling)
        grown, uncertain = average_amplification(dataset, unit, resampling)
        values |= distances | grown
        decay = "undecided"
        if np.count_nonzero(chosen) < 4:
            dataset.attrs["fit"] = (
                f"none: fewer than 4 output times between {first:.4g} and {last:.4g} at which every frame still moves; "
                "set t_min and t_max"
            )
        else:
            times = self.descent_times[chosen]
            fit = fit_decay(times, mean[chosen])
            values |= {
                "beta": ((), fit.beta),
                "beta_error": ((), resampling.error(exponents(times, velocities[:, chosen]))),
                "amplitude": ((), fit.amplitude),
                "exponential_rate": ((), fit.rate),
                "residual_power": ((), fit.residual_power),
                "residual_exponential": ((), fit.residual_exponential),
                "aic_difference": ((), fit.aic_difference),
                "cutoff_rate": ((), fit.cutoff_rate),
                "aic_cutoff": ((), fit.aic_cutoff),
                "fit_window": ("bound", times[[0, -1]]),
            }
            dataset = dataset.assign_coords(bound=("bound", ["lower", "upper"]))
            # Twice the usual threshold of 5, since neighbouring times of a curve are not independent.
            if abs(fit.aic_difference) > 10.0:
                decay = "power law" if fit.aic_difference > 0 else "exponential"
            dataset.attrs["fit"] = f"least squares of ln v, {len(times)} times; {len(curves)} frames"
        dataset.attrs["decay"] = decay
        dataset.attrs["steepest_descent"] = json.dumps({"rtol": self._rtol, **self._limits})
        dataset = dataset.assign(values)
        missing = without + uncertain
        if resampling.samples < 3:
            there = f"there is {resampling.samples}" if resampling.samples == 1 else f"there are {resampling.samples}"
            missing.append(
                f"There are no errors of beta and the means: they come from the scatter of three or more {of}, and "
                f"{there}; analyse more frames, or several independent runs together: pelplug analyze --plugin "
                "relaxation run-*.gsd."
            )
        dataset.attrs["not_found"] = json.dumps(missing)
        if "spectrum_exponent_error" in dataset:
            modes = max(3, int(self.low_modes * self.trajectory.n * self.trajectory.dimension))
            pelplug.state_errors(dataset, ["spectrum_exponent_error"], "maximum likelihood of the softest modes", modes)
        means = ("beta_error", "mean_velocity_error", "mean_energy_per_particle_error", *ERRORS)
        return pelplug.state_errors(dataset, means, resampling.attributes(of))

    def _distances(self, start, potential, reached: np.ndarray) -> dict[str, float]:
        found = {"sd": reached}
        for method in OTHERS:
            quenched = pelplug.quench(start, potential, method, **self._limits).require_converged()
            found[method] = quenched.configuration.positions
        distances = {}
        for one, other in (("sd", "cg"), ("sd", "fire"), ("cg", "fire")):
            apart = found[one] - found[other]
            apart -= apart.mean(axis=0)
            distances[f"distance_{one}_{other}"] = float(np.sqrt(np.mean(np.sum(apart**2, axis=1))))
        return distances

    def plot(self, ax=None, **keywords):
        """Draw v(t), its standard error and the fitted power law on logarithmic axes."""
        from pelplug_relaxation.drawing import draw_velocity

        return draw_velocity(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what draws v(t), the local slope and the energy."""
        from pelplug_relaxation.drawing import panels

        return panels(self.to_dataset())

    def figure(self):
        """Draw v(t) with its fit beside the local slope and the energy."""
        from pelplug_relaxation.drawing import draw_figure

        return draw_figure(self.to_dataset())
