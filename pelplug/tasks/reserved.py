"""Names that no parameter of an analysis may have."""

__all__ = ["NOT_PARAMETERS", "RESERVED"]

NOT_PARAMETERS = ("trajectory", "potential", "model", "inputs", "store", "verbose")
"""Arguments of every analysis that are none of its parameters."""

# A parameter of one of these names could not be told from an argument of analyze() or an option of the command.
_SELECTION = (
    "topology",
    "species",
    "dt",
    "frame_interval",
    "positions",
    "order_is_kept",
    "format",
    "units",
    "mass",
    "masses",
    "model_param",
    "start",
    "stop",
    "step",
    "frames",
)
_RUN = ("names", "plugin", "backend", "workers", "n_workers", "scheduler", "command", "registry", "trust_model")
_SWITCHES = ("no_plugins", "debug", "quiet")
_OUTPUT = ("output", "plot", "export", "csv", "overwrite", "help")
RESERVED = frozenset((*NOT_PARAMETERS, *_SELECTION, *_RUN, *_SWITCHES, *_OUTPUT))
