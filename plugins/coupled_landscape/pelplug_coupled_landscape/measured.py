"""Measured finite-size effects, from options or results of dynamics and metabasins, corrected as the paper does."""

from __future__ import annotations

import dataclasses

import numpy as np

import pelplug
from pelplug_coupled_landscape.sizes import AtOneSize, OfDynamics, OfMetabasins

__all__ = ["OF_SIZE", "SOURCES", "Measured", "from_results", "measured_ratios"]

SOURCES = ("dynamics", "metabasins")
OF_SIZE = {
    "measured_relaxation_time": False,
    "measured_waiting_time": False,
    "small_relaxation_time": True,
    "small_diffusion_coefficient": True,
}
"""Variables of the small system, and whether they are told by each of `SOURCES`."""

_AGREE = 2.0  # errors of a difference
_NAMES = {"tau": "tau_alpha", "diffusion": "D"}


@dataclasses.dataclass
class Measured:
    """What is measured at each temperature, NaN where it is not.

    Attributes
    ----------
    tau, tau_error, diffusion, diffusion_error : ndarray, shape (temperatures,)
        tau_alpha of the small over that of the large system; D of the large over that of the small one.
    curves : list of (ndarray, ndarray) or None
        Of each temperature lags and F_s(k, t) of the large system over the amplitude of its final decay.
    scale : ndarray, shape (temperatures,)
        What turns times of the large system into shares of tau_alpha of the small one, corrected by D [1 / time].
    small : dict of str to ndarray
        Of the small system, with errors, by the names of the variables.
    """

    tau: np.ndarray
    tau_error: np.ndarray
    diffusion: np.ndarray
    diffusion_error: np.ndarray
    curves: list = dataclasses.field(default_factory=list)
    scale: np.ndarray | None = None
    small: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


def measured_ratios(measured: Measured) -> tuple[np.ndarray, np.ndarray]:
    """Return tau_alpha of the small over that of the large system as the model may be compared with it, and its error.

    Notes
    -----
    The images of a small periodic system slow it down by hydrodynamics, which the model does not have. The paper
    multiplies tau_alpha of the large system by D_N/D_min; the ratio is divided by it.
    """
    known = np.isfinite(measured.diffusion)
    corrected = np.where(known, measured.diffusion, 1.0)
    # where the error of a ratio of D is unknown, so is that of the corrected ratio
    other = np.where(known, measured.diffusion_error / corrected, 0.0)
    ratio = measured.tau / corrected
    return ratio, ratio * np.hypot(measured.tau_error / measured.tau, other)


def from_results(
    collection, temperatures, wave_number: float, first: str, said: list[str], remarks: list[str]
) -> Measured:
    """Return what results of two sizes measure: of `dynamics`, and of the small one of `metabasins` too.

    Parameters
    ----------
    collection : Collection
        Results at some of the temperatures.
    temperatures : ndarray
        Of the study.
    wave_number : float
        k_c, at which F_s is compared with the persistence [1 / length].
    first : str
        Which of `SOURCES` counts where both have the small system.
    said, remarks : list of str
        Sentences are added: on what is not found; on which analysis tells what.

    Raises
    ------
    InputError
        If a temperature is none of the study's, there are not two sizes at it, or F_s is not at that wave number.
    """
    found = Measured(*np.full((4, temperatures.size), np.nan), [None] * temperatures.size)
    found.scale = np.full(temperatures.size, np.nan)
    for name, by_source in OF_SIZE.items():
        shape = (temperatures.size, len(SOURCES)) if by_source else (temperatures.size,)
        found.small |= {name: np.full(shape, np.nan), f"{name}_error": np.full(shape, np.nan)}
    for group in collection.groups("temperature"):
        temperature = float(group.value("temperature"))
        k = int(np.argmin(np.abs(temperatures - temperature)))
        if not np.isclose(temperatures[k], temperature, rtol=1e-6):
            known = sorted({float(one.conditions.temperature) for one in collection})
            raise pelplug.InputError(
                f"There are results at T = {temperature:g}, where the model is not asked for; give --temperatures "
                f"{','.join(f'{one:g}' for one in known)}, or leave them out."
            )
        smalls, large = _sizes(group, temperature, wave_number, said)
        counts = _small(found.small, k, smalls, first, temperature, remarks)
        if large is None:
            continue
        (tau, tau_error), (diffusion, d_error) = large.tau, large.diffusion
        (slow, slow_error), (lower, lower_error) = counts.tau, counts.diffusion
        found.tau[k], found.diffusion[k] = slow / tau, diffusion / lower
        found.tau_error[k] = found.tau[k] * np.hypot(tau_error / tau, slow_error / slow)
        found.diffusion_error[k] = found.diffusion[k] * np.hypot(d_error / diffusion, lower_error / lower)
        found.curves[k] = large.curve
        known = np.isfinite(found.diffusion[k])
        found.scale[k] = (found.diffusion[k] if known else 1.0) / slow
        if not known:
            said.append(
                f"At T = {temperature:g} the measured ratio is not corrected by D, which one of the sizes has not."
            )
        if found.tau[k] < 1.0:
            said.append(
                f"At T = {temperature:g} the large system is slower than the small one, by {1.0 / found.tau[k]:.3g}, "
                "which no q makes it."
            )
    return found


def _sizes(group, temperature: float, wave_number: float, said: list[str]):
    """Return the small system by each analysis that has it, and the large one or None.

    Raises
    ------
    InputError
        If there are not two sizes, or metabasins are not of the smaller.
    """
    of = [OfDynamics(one, wave_number, said) for one in group.of("dynamics").groups("n")]
    walks = [OfMetabasins(one, said) for one in group.of("metabasins").groups("n")]
    if not of and len(walks) == 1:
        return {"metabasins": walks[0]}, None
    numbers = sorted({one.number for one in (*of, *walks)})
    if len(numbers) != 2 or of[-1].number != numbers[1]:
        raise pelplug.InputError(
            f"A finite-size effect is between two sizes, and the results at T = {temperature:g} are of "
            f"{', '.join(f'N = {one}' for one in numbers)}; give those of a small and of a large system, of the large "
            "one by dynamics."
        )
    if any(one.number != numbers[0] for one in walks):
        raise pelplug.InputError(
            f"Metabasins at T = {temperature:g} are of N = {walks[-1].number}, the larger of both systems, of which "
            "they mean nothing; give those of the smaller, or leave them out."
        )
    smalls: dict[str, AtOneSize] = {"dynamics": of[0]} if len(of) == 2 else {}
    return smalls | ({"metabasins": walks[0]} if walks else {}), of[-1]


def _small(into, k: int, smalls, first: str, temperature: float, remarks: list[str]) -> AtOneSize:
    """Write what is known of the small system, say whether both analyses agree, and return the one that counts."""
    chosen = first if first in smalls else next(iter(smalls))
    for name, one in smalls.items():
        place = (k, SOURCES.index(name))
        for variable, (value, error) in (
            ("small_relaxation_time", one.tau),
            ("small_diffusion_coefficient", one.diffusion),
        ):
            into[variable][place], into[f"{variable}_error"][place] = value, error
    into["measured_relaxation_time"][k], into["measured_relaxation_time_error"][k] = smalls[chosen].tau
    if "metabasins" in smalls:
        into["measured_waiting_time"][k], into["measured_waiting_time_error"][k] = smalls["metabasins"].waiting
    where = f"At T = {temperature:g}"
    if len(smalls) < len(SOURCES):
        remarks.append(f"{where} tau_alpha and D of the small system are of {chosen}.")
        return smalls[chosen]
    for name, symbol in _NAMES.items():
        (one, error), (other, other_error) = (getattr(smalls[source], name) for source in SOURCES)
        if not (np.isfinite(one) and np.isfinite(other)):
            continue
        apart = abs(one - other) / np.hypot(error, other_error)
        how = "and at least one has no error" if not np.isfinite(apart) else (
            f"which {'agree, they differ' if apart <= _AGREE else 'differ'} by {apart:.2g} errors"
        )  # fmt: skip
        remarks.append(
            f"{where} {symbol} of the small system is {_with_error(one, error)} by dynamics and "
            f"{_with_error(other, other_error)} by metabasins, {how}; that of {chosen} counts (--small)."
        )
    return smalls[chosen]


def _with_error(value: float, error: float) -> str:
    return f"{value:.4g} +- {error:.2g}" if np.isfinite(error) else f"{value:.4g}"
