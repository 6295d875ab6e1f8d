"""Quantities whose stated errors do not hold as often as they say, each with its reason."""

from __future__ import annotations

__all__ = ["EXCEPTIONS"]

_JUMPS = "jumps over a tenth of a short record overlap, and few of them are independent: the error is too small"
_PLATEAU = "few metabasins of a short record lie above the crossover: the error is too large"

EXCEPTIONS: dict[str, dict[str, str]] = {
    "metabasins-warm-300": {
        "squared_jump": _JUMPS,
        "rate_plateau": _PLATEAU,
        "crossover_energy": _PLATEAU,
    },
    "metabasins-cold-300": {
        "relaxation_time": "moments of so short a record are too small: in a third of the sets no error is stated, few "
        "errors that cover the truth are huge, the others too small",
        "squared_jump": _JUMPS,
        "rate_plateau": _PLATEAU,
        "crossover_energy": _PLATEAU,
    },
    "defects-in-time": {
        "chi": "errors over blocks of correlated frames are somewhat too small for a variance (scatter 1.08 of them)",
    },
}
