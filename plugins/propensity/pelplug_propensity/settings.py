"""What both analyses of events share: parameters turned into frames, thresholds and a shell."""

from __future__ import annotations

import numpy as np

import pelplug
from pelplug_propensity.second_events import Detection
from pelplug_propensity.structure import first_shell_radius

__all__ = [
    "EVENT_TYPES",
    "distance_bins",
    "matrix_species",
    "settle_detection",
    "step_of_runs",
    "velocity_temperature",
    "window_frames",
]

EVENT_TYPES = ("local", "structural")
# Kob–Andersen at density 1.2 is where the thresholds in use are from: 0.2 (of what the softness of Schoenholz et al. is
# learnt from) and 2 sigma_AA**2 (Rehwald and Heuer); see docs/plugins/hop-events.md.
_REFERENCE_DENSITY, _HOP, _STRUCTURAL = 1.2, 0.2, 2.0


def matrix_species(names, species: np.ndarray, chosen: str) -> str:
    """Return the species whose hops are looked at: the one given, or the most abundant.

    Raises
    ------
    InputError
        If there is no such species, or two are equally abundant.
    """
    if chosen != "auto":
        if chosen not in names:
            raise pelplug.InputError(f"There is no species {chosen}; there are {', '.join(names)}.")
        return chosen
    counts = {name: int(np.sum(species == name)) for name in names}
    most = [name for name in names if counts[name] == max(counts.values())]
    if len(most) > 1:
        raise pelplug.InputError(
            f"The species {' and '.join(most)} are equally abundant; say with --matrix whose hops to look at."
        )
    return most[0]


def _frames(time: float, spacing: float, what: str, least: int) -> int:
    number = round(time / spacing)
    if number < least:
        raise pelplug.InputError(
            f"The {what} of {time:g} is {number} frames, with one every {spacing:g}; give a longer one, or frames "
            "closer in time."
        )
    return number


def window_frames(half_window: float | str, spacing: float) -> int:
    """Return half the window of p_hop in frames: 10 if it is "auto".

    Raises
    ------
    InputError
        If that is fewer than two.
    """
    return _frames(10 * spacing if half_window == "auto" else half_window, spacing, "half window", 2)


def settle_detection(analysis, configuration, spacing: float, samples) -> Detection:
    """Turn the parameters of an analysis into numbers of frames, thresholds and a shell.

    Parameters
    ----------
    analysis : Analysis
        With the parameters ``half_window``, ``hop_threshold``, ``structural_threshold``, ``delay``, ``shell``,
        ``shell_radius`` and ``matrix``.
    configuration : Configuration
        A state of the system.
    spacing : float
        From one frame to the next [time].
    samples : iterable of ndarray, shape (N, d)
        Positions in some frames, for g(r) [length].

    Raises
    ------
    InputError
        If frames are too far apart, or the shell does not fit into the cell.
    """
    given = analysis.parameters
    names = configuration.species_names
    kind = matrix_species(names, configuration.species, given["matrix"])
    matrix = configuration.species == kind
    members = np.ones(configuration.n, dtype=bool) if given["shell"] == "all" else matrix
    spaced = configuration.density ** (-1.0 / configuration.dimension)
    scale = (_REFERENCE_DENSITY / configuration.density) ** (2.0 / configuration.dimension)
    reach = 0.5 * float(np.min(configuration.heights))
    radius = given["shell_radius"]
    if radius == "auto":
        radius = first_shell_radius([positions[matrix] for positions in samples], configuration.cell, spaced, reach)
    if radius > reach:
        raise pelplug.InputError(
            f"A first shell of radius {radius:.3g} does not fit into the cell; give a smaller --shell-radius, or a "
            "larger system."
        )
    hop, structural = given["hop_threshold"], given["structural_threshold"]
    return Detection(
        half=window_frames(given["half_window"], spacing),
        threshold=_HOP * scale if hop == "auto" else hop,
        structural_threshold=_STRUCTURAL * scale if structural == "auto" else structural,
        delay=_frames(given["delay"], spacing, "delay", 0),
        radius=float(radius),
        matrix=matrix,
        members=members,
        groups=np.unique(configuration.species, return_inverse=True)[1],
    )


def distance_bins(configuration, width: float | str) -> tuple[float, int]:
    """Return the width of a bin of the distance [length] and how many fit into half the cell."""
    if width == "auto":
        width = 0.25 * configuration.density ** (-1.0 / configuration.dimension)
    return float(width), max(1, int(0.5 * float(np.min(configuration.heights)) / width + 1e-9))


def step_of_runs(analysis) -> float:
    """Return the time of one step of the runs of an analysis: as given, or the model's own [time].

    Raises
    ------
    InputError
        If there is no model, or it has none.
    """
    model, given = analysis.model, analysis.parameters["time_step"]
    if model is None:
        raise pelplug.InputError(
            f"The analysis {analysis.name} simulates: it needs --model or --potential, or a file that names its model."
        )
    if given is None and model.time_step is None:
        raise pelplug.InputError(
            f"The {model.noun} {model.name} has no time step of its own; give one (--time-step, time_step= in Python)."
        )
    return float(model.time_step if given is None else given)


def velocity_temperature(analysis) -> float:
    """Return the temperature of the velocities of an analysis: its own, or that of the states.

    Raises
    ------
    InputError
        If the trajectory does not say.
    """
    given = analysis.parameters["velocity_temperature"]
    return analysis.require_temperature() if given == "auto" else float(given)
