"""``pelplug msed``: energies from a file without a trajectory."""

from __future__ import annotations

import json
import math

import pelplug

__all__ = ["msed"]

# The parameters of the analysis, so that its modules need not be imported to show the help of other commands.
_OPTIONS = {
    "particles": "N, where the file does not say.",
    "time-step": "Time of one step, where the file does not say; 1 gives times in steps.",
    "normalisation": "What energies are of, where the file does not say: total or per-particle.",
    "column": "Name of the column of the potential energy.",
    "block": "Which run of a log: 0 the first, -1 the last.  [default: all of molecular dynamics]",
    "method": "fft or multi-tau.  [default: fft]",
    "phi-lags": "Lags of phi(Delta), separated by commas.",
    "t-min": "Start of the fit.",
    "t-max": "End of the fit.",
    "ensemble": "Constant energy (nve) or temperature (nvt), for heat capacities.",
    "dimension": "Of space.  [default: 3]",
    "resamples": "Bootstrap resamples.",
    "seed": "Of the bootstrap.",
    "instantaneous/no-instantaneous": "Entries of fix ave/time are no averages.",
}


def _say(dataset):
    fit = []  # where there is none it says why
    if "tau" in dataset:
        tau, error = float(dataset.tau), float(dataset.tau_error)
        fit = [f"tau* = {tau:.6g}{f' +- {error:.2g}' if math.isfinite(error) else ''} ({dataset.attrs['fit']})"]
    said = [sentence for key in ("remarks", "not_found") for sentence in json.loads(dataset.attrs[key])]
    return [dataset.attrs["series"], *fit, *said]


msed = pelplug.file_command(
    "msed",
    "pelplug_msed.msed:MSED",
    "energies",
    _OPTIONS,
    _say,
    help="""Mean-squared energy difference of a FILE of energies: LAMMPS log, EDR, XVG, CP2K .ener, or a table.

    With a trajectory, `pelplug analyze --plugin msed` needs no file of energies but its own.""",
)
