"""What the parts of a `Trajectory`, each a class of its own, know of the whole: for type checkers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import numpy as np

    from pelplug.configuration import Configuration
    from pelplug.core.conditions import Conditions
    from pelplug.core.units import Units
    from pelplug.trajectories.readers.conversion import Conversion
    from pelplug.trajectories.readers.generic import GenericFrames

__all__ = ["TrajectoryPart"]


class TrajectoryPart:
    """Base of the parts of `Trajectory`."""

    if TYPE_CHECKING:
        path: Path
        dimension: int
        species: np.ndarray
        _conversion: Conversion
        _followed: set[bytes]
        _generic: GenericFrames | None
        _given: Conditions

        @property
        def reader(self) -> Any: ...

        @property
        def n_frames(self) -> int: ...

        @property
        def n(self) -> int: ...

        @property
        def positions(self) -> str: ...

        @property
        def order_is_kept(self) -> bool: ...

        @property
        def units(self) -> Units: ...

        @property
        def file_units(self) -> Units: ...

        def configuration(self, frame: int) -> Configuration: ...
