"""Names that no parameter of an analysis, or of a study, may have."""

from pelplug.core.given import Given
from pelplug.execution.placement import Placement, Workers
from pelplug.tasks.interactions import FileInteractions
from pelplug.trajectories.source import Frames, Source

__all__ = ["NOT_PARAMETERS", "RESERVED", "RESERVED_OF_STUDIES"]

NOT_PARAMETERS = ("trajectory", "potential", "model", "inputs", "store", "verbose", *Given.parameter_specs())
"""Arguments of every analysis that are none of its parameters."""

_COMMAND = ("names", "plugin", "command", "registry", "no_plugins", "debug", "quiet", "help")
_OUTPUT = ("output", "plot", "export", "csv", "overwrite")
# A parameter of one of these names could not be told from an argument of analyze() or an option of the command.
RESERVED = frozenset(
    (
        *(name for group in (Source, Given, Frames, FileInteractions, Placement) for name in group.names()),
        *NOT_PARAMETERS,
        *_COMMAND,
        *_OUTPUT,
    )
)

RESERVED_OF_STUDIES = frozenset(
    (
        "name",
        "results",
        "collection",
        "parameters",
        "placement",
        "store",
        "verbose",
        *Workers.names(),
        *_COMMAND,
        *_OUTPUT,
    )
)
"""Conditions are none of these: those of results are recorded, and a theory may take them as parameters."""
