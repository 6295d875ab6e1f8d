"""``pelplug metabasins``: a sequence of inherent structures without a trajectory."""

from __future__ import annotations

import json

import pelplug

__all__ = ["metabasins"]

# The parameters of the analysis, so that its modules need not be imported to show the help of other commands.
_OPTIONS = {
    "merge": "overlap or half.  [default: overlap]",
    "k": "Wave numbers of S_MB, separated by commas.",
    "per-decade": "Times of S0 in a decade.",
    "waiting-per-decade": "Bins of the waiting times in a decade.",
    "energy-bins": "Bins of energy.",
    "minimum": "Fewest metabasins of an average.",
    "first-jump": "Start of the fit of a^2.",
    "last-jump": "End of the fit of a^2.",
    "blocks": "Of the bootstrap, of fewer than five runs.",
    "samples": "Of the bootstrap.",
    "seed": "Of the bootstrap, and of what is drawn from the fitted law.",
}


def _say(dataset):
    return [dataset.attrs["statistics"], *json.loads(dataset.attrs["not_found"])]


metabasins = pelplug.file_command(
    "metabasins",
    "pelplug_metabasins.metabasins:Metabasins",
    "inherent_structures",
    _OPTIONS,
    _say,
    help="""Metabasins of a FILE of inherent structures: a result of pelplug, other NetCDF, or a table with a header.

    A table has time and energy, and structure if it numbers them. From a trajectory use `pelplug analyze`.""",
)
