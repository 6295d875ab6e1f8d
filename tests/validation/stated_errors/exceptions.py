"""Quantities whose stated errors do not hold as often as they say, each with its reason."""

from __future__ import annotations

__all__ = ["EXCEPTIONS"]

EXCEPTIONS: dict[str, dict[str, str]] = {}
