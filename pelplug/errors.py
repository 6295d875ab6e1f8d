"""The errors a user can meet, each worded as one sentence that ends with the remedy."""

import re

# Where MDAnalysis says no more than which of its classes failed, before it says why.
_PARSER = re.compile(r"^Failed to (construct topology|load) from .*? with parser <class .*?>\.\s*Error: ", re.DOTALL)


class PelplugError(Exception):
    """Base of every error that pelplug raises on purpose; ``exit_code`` is what the command line returns."""

    exit_code = 1


class InputError(PelplugError, ValueError):
    """What was given cannot be used: a file, a parameter, a model that does not fit (exit code 2)."""

    exit_code = 2


class RunError(PelplugError, RuntimeError):
    """The input was fine, but the calculation failed (exit code 1)."""


class NotConvergedError(RunError):
    """An iteration ended before its tolerance was met; its last state is never passed on as a result."""


class NotAMinimumError(RunError):
    """A Hessian has a negative eigenvalue, or a zero mode besides the translations."""


def reason_of(error: BaseException, longest: int = 300) -> str:
    """Return all that an exception of somebody else says, in one line without the full stop, for a sentence of ours.

    Parameters
    ----------
    error : BaseException
        What a library raised.
    longest : int, optional
        Characters to keep.
    """
    said = _PARSER.sub("", str(error))
    text = " ".join("".join(one if one.isprintable() else " " for one in said).split()).rstrip(".;: ")
    return f"{text[:longest]}..." if len(text) > longest else text or type(error).__name__
