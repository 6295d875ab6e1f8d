"""Traps: a Gaussian density of metabasins with a lower cutoff, and the rate at which they are left, paper 2's Eq. 1."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from pelplug.core.arguments import Arguments
from pelplug.errors import InputError
from pelplug.landscape.trap_parameters import (
    Centre,
    Crossover,
    Cutoff,
    EntropicFactor,
    Lambda,
    LastBarrier,
    Plateau,
    RatePrefactor,
    Sigma,
    SigmaGamma,
)

__all__ = ["TrapLandscape"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(120)
_FALL = 80.0  # twice the logarithm of how far the integrand falls to its ends: exp(-40)
_NARROWEST, _WIDEST = 1e-100, 1e100
_LARGEST = np.log(np.finfo(float).max)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrapLandscape(Arguments):
    """Density of states of metabasins, G(e), and their escape rate, Gamma(e), of paper 2; k_B = 1.

    The defaults are Table I of the paper: Kob-Andersen, N = 65, with energies counted from e_0.

    Parameters
    ----------
    sigma : float
        Width of ``G(e) ~ exp(-(e - e_0)**2 / (2 sigma**2))`` [energy].
    lam : float
        lambda, share of the depth below the crossover that is barrier.
    crossover : float
        e_c [energy].
    entropic_factor : float
        kappa, in front of ``k = (e_0 - e_c) / sigma**2``.
    rate_prefactor : float
        Gamma_0 [1 / time].
    last_barrier : float
        V_0 [energy].
    cutoff : float
        e_cut, below which G(e) = 0; -inf for none [energy].
    sigma_gamma : float
        Width of the logarithm of the rates at one energy.
    centre : float
        e_0 [energy].
    plateau : bool
        Whether the rate is constant above the crossover; False: it goes on as below, as in the closed forms.

    Raises
    ------
    InputError
        If a parameter does not fit, or the cutoff is not below the centre.

    Notes
    -----
    Below the crossover ``Gamma(e) = Gamma_0 exp(-V_0/T) exp[lambda (1/T - kappa k) (e - e_c)]``, above it
    ``Gamma_0 exp(-V_0/T)``. The paper's Eqs. 1 and 4 print a plus; its Appendix A2 holds with the minus.

    Gamma(e) is the inverse of the mean waiting time at e. With broadening, the rates gamma of the metabasins that are
    entered at e are log-normal with ``<1/gamma> = 1/Gamma(e)`` and variance sigma_gamma**2 of ln gamma, so that
    ``<tau^2(e)> = 2 exp(sigma_gamma**2) / Gamma(e)**2``: Eq. 3.

    Averages are over ``p_eq(e) ~ G(e) exp(-e/T)``, the share of time at e. Metabasins are entered with
    ``p_eq(e) Gamma(e)``, from which ``<tau> = 1/<Gamma>`` and ``<tau^2>/(2 <tau>) = exp(sigma_gamma**2) <1/Gamma>``.

    References
    ----------
    C. Rehwald and A. Heuer, Phys. Rev. E 86, 051504 (2012), Eqs. 1 to 4, Table I, Appendices A and B.
    """

    sigma: Sigma = 2.9
    lam: Lambda = 0.50
    crossover: Crossover = -11.9
    entropic_factor: EntropicFactor = 0.56
    rate_prefactor: RatePrefactor = 4.82
    last_barrier: LastBarrier = 0.0
    cutoff: Cutoff = -25.0
    sigma_gamma: SigmaGamma = 1.0
    centre: Centre = 0.0
    plateau: Plateau = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (_NARROWEST <= self.sigma <= _WIDEST and self.sigma_gamma <= _WIDEST):
            raise InputError(
                f"The squares of sigma = {self.sigma:g} and sigma_gamma = {self.sigma_gamma:g} must be numbers; give "
                f"widths of at most {_WIDEST:g}, and sigma of at least {_NARROWEST:g}."
            )
        if not self.cutoff < self.centre:
            raise InputError(
                f"The cutoff, {self.cutoff:g}, must lie below the centre of the density of metabasins, "
                f"{self.centre:g}; give a lower one, or -inf for none."
            )

    # --- the law itself -------------------------------------------------------------------------------------------

    @functools.cached_property
    def entropy_slope(self) -> float:
        """Slope of ln G(e) at the crossover, k = (e_0 - e_c) / sigma**2 [1 / energy]."""
        return (self.centre - self.crossover) / self.sigma**2

    def slope(self, temperature: ArrayLike) -> np.ndarray:
        """Return d ln Gamma / de below the crossover, ``lambda (1/T - kappa k)`` [1 / energy]."""
        return self.lam * (1.0 / _positive(temperature) - self.entropic_factor * self.entropy_slope)

    def log_rate(self, energy: ArrayLike, temperature: ArrayLike) -> np.ndarray:
        """Return ln Gamma(e), of energies and temperatures that go together."""
        depth = np.asarray(energy, dtype=float) - self.crossover
        if self.plateau:
            depth = np.minimum(depth, 0.0)
        plateau = np.log(self.rate_prefactor) - self.last_barrier / _positive(temperature)
        return plateau + self.slope(temperature) * depth

    def rate(self, energy: ArrayLike, temperature: ArrayLike) -> np.ndarray:
        """Return Gamma(e) [1 / time], of energies and temperatures that go together."""
        return np.exp(self.log_rate(energy, temperature))

    def peak(self, temperature: ArrayLike) -> np.ndarray:
        """Return where p_eq(e) would be largest without cutoff, ``e_0 - sigma**2 / T`` [energy]."""
        return self.centre - self.sigma**2 / _positive(temperature)

    def equilibrium(self, energy: ArrayLike, temperature: ArrayLike) -> np.ndarray:
        """Return p_eq(e), normalised, 0 below the cutoff [1 / energy]."""
        energy = np.asarray(energy, dtype=float)
        peak = self.peak(temperature)
        outside = special.log_ndtr((peak - self.cutoff) / self.sigma)
        log = -0.5 * ((energy - peak) / self.sigma) ** 2 - outside - np.log(self.sigma * np.sqrt(2.0 * np.pi))
        return np.where(energy >= self.cutoff, np.exp(log), 0.0)

    # --- averages -------------------------------------------------------------------------------------------------

    def log_moment(self, n: float, temperature: ArrayLike) -> np.ndarray:
        """Return ln <Gamma^n> over p_eq(e), by quadrature.

        Parameters
        ----------
        n : float
            Power.
        temperature : array_like
            Any shape [temperature].

        Returns
        -------
        ndarray, shape of `temperature`
            Gamma in 1 / time.
        """
        _, log_weight = self._nodes(n, temperature)
        return special.logsumexp(log_weight, axis=-1)

    def moment(self, n: float, temperature: ArrayLike) -> np.ndarray:
        """Return <Gamma^n> over p_eq(e), by quadrature [1 / time**n].

        Raises
        ------
        InputError
            If it is beyond the largest number there is.
        """
        return _exponential(self.log_moment(n, temperature), n)

    def closed_log_moment(self, n: float, temperature: ArrayLike) -> np.ndarray:
        """Return ln <Gamma^n> without cutoff and without plateau, in closed form: Appendix A, with its signs put right.

        ``n ln Gamma_0 - n V_0/T + (n/2) lambda sigma**2 (1/T - kappa k) [(n lambda - 2)/T - k (n lambda kappa - 2)]``
        """
        beta, k, kappa = 1.0 / _positive(temperature), self.entropy_slope, self.entropic_factor
        bracket = beta * (n * self.lam - 2.0) - k * (n * self.lam * kappa - 2.0)
        gaussian = 0.5 * n * self.lam * self.sigma**2 * (beta - kappa * k) * bracket
        return n * (np.log(self.rate_prefactor) - beta * self.last_barrier) + gaussian

    def closed_moment(self, n: float, temperature: ArrayLike) -> np.ndarray:
        """Return <Gamma^n> without cutoff and without plateau, in closed form: `closed_log_moment`'s exponential."""
        return _exponential(self.closed_log_moment(n, temperature), n)

    def mean_waiting_time(self, temperature: ArrayLike) -> np.ndarray:
        """Return <tau> = 1 / <Gamma> [time], which broadening leaves as it is."""
        return 1.0 / self.moment(1.0, temperature)

    def relaxation_time(self, temperature: ArrayLike) -> np.ndarray:
        """Return tau_alpha = <tau^2> / (2 <tau>) = exp(sigma_gamma**2) <1/Gamma> [time]."""
        return np.exp(self.sigma_gamma**2) * self.moment(-1.0, temperature)

    def mean_energy(self, temperature: ArrayLike, weight: float = 0.0) -> np.ndarray:
        """Return the mean energy over ``p_eq Gamma**weight``, normalised [energy]."""
        energy, share = self._shares(weight, temperature)
        return (energy * share).sum(axis=-1)

    def share(self, low: float, high: float, temperature: ArrayLike, weight: float = 0.0) -> np.ndarray:
        """Return how much of ``p_eq Gamma**weight``, normalised, lies between two energies."""
        if not low <= high:
            raise InputError(f"The interval from {low:g} to {high:g} is empty; give the lower energy first.")
        if np.isneginf(high) or np.isposinf(low):
            return np.zeros_like(_positive(temperature))
        _, all_of_it = self._nodes(weight, temperature)
        _, inside = self._nodes(weight, temperature, low, high)
        with np.errstate(invalid="ignore"):  # nothing at all inside
            return np.exp(special.logsumexp(inside, axis=-1) - special.logsumexp(all_of_it, axis=-1))

    def exponent(self, temperature: ArrayLike) -> np.ndarray:
        """Return ``xi = d ln(<Gamma> <1/Gamma>) / d ln <1/Gamma>`` along the temperature, the slope of ln(D tau_alpha).

        The factor <a^2> in D and the broadening's in tau_alpha are taken as the same at all temperatures. NaN where
        <1/Gamma> does not change with the temperature.
        """
        up, down = self._derivative(1.0, temperature), self._derivative(-1.0, temperature)
        return _ratio(up + down, down)

    def closed_exponent(self, temperature: ArrayLike) -> np.ndarray:
        """Return xi of the closed forms; ``2 lambda / (2 + lambda)`` for T to 0."""
        beta, k, kappa, lam = 1.0 / _positive(temperature), self.entropy_slope, self.entropic_factor, self.lam
        width = lam * self.sigma**2
        both = 2.0 * lam * width * (beta - kappa * k)
        time = 0.5 * width * (2.0 * beta * (lam + 2.0) - k * (lam * kappa + 2.0) - kappa * k * (lam + 2.0))
        return _ratio(both, time + self.last_barrier)

    def persistence(self, time: ArrayLike, temperature: float) -> np.ndarray:
        """Return S_0(t), the chance that the metabasin of a moment is not left for a time; its integral is tau_alpha.

        Parameters
        ----------
        time : array_like
            Any shape [time].
        temperature : float
            [temperature]
        """
        reach = np.sqrt(_FALL) if self.sigma_gamma else 0.0
        x = reach * _NODES
        broad = _WEIGHTS * np.exp(-0.5 * x**2)
        energy, share = self._shares(0.0, float(temperature))
        log = self.log_rate(energy, temperature)[:, None] - 0.5 * self.sigma_gamma**2 + self.sigma_gamma * x
        with np.errstate(divide="ignore"):
            log = log + np.log(np.asarray(time, dtype=float))[..., None, None]
        stays = np.exp(-np.exp(np.minimum(log, 7.0)))  # what was left long ago stays so
        return np.einsum("...ex,e,x->...", stays, share, broad / broad.sum())

    # --- samples --------------------------------------------------------------------------------------------------

    def draw(self, number: int, temperature: float, rng: np.random.Generator, weight: float = 0.0) -> np.ndarray:
        """Draw energies from ``p_eq Gamma**weight``: 0 at a moment of time, 1 of a metabasin that is entered.

        Parameters
        ----------
        number : int
            How many.
        temperature : float
            [temperature]
        rng : numpy.random.Generator
            One number is drawn from it for each energy.
        weight : float, optional
            Power of the rate.

        Returns
        -------
        ndarray, shape (number,)
            Energies [energy].
        """
        share = np.clip(rng.random(number), 2.0**-54, 1.0 - 2.0**-53)  # no energy is infinite
        return self.quantile(share, temperature, weight)

    def quantile(self, share: ArrayLike, temperature: float, weight: float = 0.0) -> np.ndarray:
        """Return the energies below which such shares of ``p_eq Gamma**weight`` lie [energy]."""
        u = np.asarray(share, dtype=float)
        pieces = self._pieces(weight, np.asarray(float(temperature)))
        log_mass = np.array([log + _log_between(a, b) for _, a, b, log in pieces])
        lower = np.exp(log_mass[0] - np.logaddexp(*log_mass)) if len(pieces) == 2 else 1.0
        energy = np.empty(u.shape)
        first = u < lower
        for (centre, a, b, _), here, begin, width in zip(
            pieces, (first, ~first), (0.0, lower), (lower, 1.0 - lower), strict=False
        ):
            if here.any():
                energy[here] = centre + self.sigma * _normal_between(a, b, (u[here] - begin) / width)
        return energy

    def draw_rates(
        self, energy: ArrayLike, temperature: float, rng: np.random.Generator, weight: float = 0.0
    ) -> np.ndarray:
        """Draw a rate gamma for each energy that was drawn with this weight [1 / time].

        Log-normal about Gamma(e): at a moment of time (0) the slow ones are met more often than they are entered (1),
        by the time that is spent in them. Gamma(e) itself without broadening.
        """
        log = self.log_rate(energy, temperature)
        if self.sigma_gamma:
            log = log + (weight - 0.5) * self.sigma_gamma**2 + self.sigma_gamma * rng.standard_normal(log.shape)
        return np.exp(log)

    # --- how it is done -------------------------------------------------------------------------------------------

    def _pieces(self, n: float, temperature: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Return the Gaussians of which ``p_eq Gamma**n`` is made, below the crossover and above.

        Each has its centre, its ends in widths from there, and the logarithm of what it is multiplied with; p_eq is
        counted as if it had no cutoff.
        """
        peak = self.peak(temperature)
        tilt = n * self.slope(temperature)
        at_crossover = n * self.log_rate(self.crossover, temperature)
        moved = peak + tilt * self.sigma**2
        log = at_crossover + tilt * (peak - self.crossover) + 0.5 * (tilt * self.sigma) ** 2
        below = (moved, (self.cutoff - moved) / self.sigma, (self.crossover - moved) / self.sigma, log)
        above = (peak, (self.crossover - peak) / self.sigma, np.full_like(peak, np.inf), at_crossover)
        if not self.plateau:
            return [(*below[:2], np.full_like(peak, np.inf), log)]
        if self.cutoff >= self.crossover:
            return [(peak, (self.cutoff - peak) / self.sigma, np.full_like(peak, np.inf), at_crossover)]
        return [below, above]

    def _nodes(
        self, n: float, temperature: ArrayLike, low: float = -np.inf, high: float = np.inf
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return energies, and logarithms of what they add to <Gamma^n>, shape (..., nodes), between two energies."""
        temperature = _positive(temperature)
        energies, logs = [], []
        for centre, a, b, log in self._pieces(n, temperature):
            a = np.maximum(a, (low - centre) / self.sigma)
            b = np.maximum(a, np.minimum(b, (high - centre) / self.sigma))
            nearest = np.clip(0.0, a, b)
            reach = np.sqrt(nearest**2 + _FALL)  # beyond it the integrand is exp(-40) of its largest
            a, b = np.maximum(a, -reach), np.minimum(b, reach)
            x = (0.5 * (a + b))[..., None] + (0.5 * (b - a))[..., None] * _NODES
            with np.errstate(divide="ignore"):
                width = np.log(0.5 * (b - a) / np.sqrt(2.0 * np.pi))[..., None]
            energies.append(centre[..., None] + self.sigma * x)
            logs.append(log[..., None] + width + np.log(_WEIGHTS) - 0.5 * x**2)
        norm = special.log_ndtr((self.peak(temperature) - self.cutoff) / self.sigma)
        return np.concatenate(energies, axis=-1), np.concatenate(logs, axis=-1) - norm[..., None]

    def _shares(self, n: float, temperature: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return energies, and the share of each in <Gamma^n>, shape (..., nodes)."""
        energy, log = self._nodes(n, temperature)
        return energy, np.exp(log - special.logsumexp(log, axis=-1, keepdims=True))

    def _derivative(self, n: float, temperature: ArrayLike) -> np.ndarray:
        """Return d ln <Gamma^n> / d(1/T) [energy]."""
        energy, share = self._shares(n, temperature)
        depth = energy - self.crossover
        rate = self.lam * (np.minimum(depth, 0.0) if self.plateau else depth) - self.last_barrier
        return ((n * rate - energy) * share).sum(axis=-1) + self.mean_energy(temperature)


def _positive(temperature: ArrayLike) -> np.ndarray:
    """Return temperatures that are above 0."""
    array = np.asarray(temperature, dtype=float)
    if not (np.all(array > 0.0) and np.all(np.isfinite(array))):
        raise InputError(f"A temperature must be above 0 and finite, not {array.tolist()}.")
    return array


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.abs(below) > 1e-12)


def _exponential(log: np.ndarray, n: float) -> np.ndarray:
    if np.any(log > _LARGEST):
        raise InputError(
            f"<Gamma^{n:g}> is exp({float(np.max(log)):.0f}), which is beyond the largest number; give a higher "
            "temperature or cutoff."
        )
    return np.exp(log)


def _log_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the logarithm of how much of the normal distribution lies between a and b."""
    if a > 0:  # where it is known to all its digits
        a, b = -b, -a
    upper, lower = special.log_ndtr(b), special.log_ndtr(a)
    with np.errstate(divide="ignore"):
        return upper + np.log1p(-np.exp(lower - upper))


def _normal_between(a: np.ndarray, b: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return quantiles of the normal distribution between a and b, to all digits in either tail."""
    if a > 0:
        return -_normal_between(-b, -a, 1.0 - u)
    with np.errstate(divide="ignore"):
        log = np.logaddexp(special.log_ndtr(a), np.log(u) + _log_between(a, b))
    return np.clip(special.ndtri_exp(np.minimum(log, -1e-16)), a, b)
