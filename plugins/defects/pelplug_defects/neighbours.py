"""Each pair of particles once, at its nearest image."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["nearest_images"]


def nearest_images(pairs: pelplug.NearPairs) -> pelplug.NearPairs:
    """Return each pair of particles once, at its nearest image, sorted by i and then j."""
    order = np.lexsort((pairs.distances, pairs.j, pairs.i))
    i, j = pairs.i[order], pairs.j[order]
    first = np.ones(order.size, dtype=bool)
    first[1:] = (i[1:] != i[:-1]) | (j[1:] != j[:-1])
    return pairs.take(order[first])
