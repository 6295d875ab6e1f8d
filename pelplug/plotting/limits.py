"""Limits of axes that some points of what is drawn decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["WithLimits"]


class WithLimits:
    """Let what is drawn inside count for the limits of the axes by some of its points only."""

    def __init__(self, ax: Axes, x: np.ndarray, y: np.ndarray):
        self.ax, self.points = ax, np.column_stack([x, y])

    def __enter__(self) -> None:
        self.before = self.ax.dataLim.frozen()

    def __exit__(self, *_: Any) -> None:
        self.ax.dataLim.set(self.before)
        self.ax.update_datalim(self.points[np.isfinite(self.points).all(axis=1)])
        self.ax.autoscale_view()
