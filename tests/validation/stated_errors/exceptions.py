"""Quantities whose stated errors do not hold as often as they say, each with its reason."""

from __future__ import annotations

__all__ = ["EXCEPTIONS"]

_WALK = "that jumps overlap and how many there are is allowed for one by one: the error is too large"
_PLATEAU = "few metabasins of a short record lie above the crossover: the error is too large"

EXCEPTIONS: dict[str, dict[str, str]] = {
    "metabasins-warm-300": {
        "diffusion_coefficient": _WALK,
        "rate_plateau": _PLATEAU,
        "crossover_energy": _PLATEAU,
    },
    "metabasins-cold-300": {
        "diffusion_coefficient": _WALK,
        "rate_plateau": _PLATEAU,
        "crossover_energy": _PLATEAU,
    },
    "defects-in-time": {
        "chi": "errors over blocks of correlated frames are somewhat too small for a variance (scatter 1.08 of them)",
    },
}
