"""Lists of who is near whom, searched and kept complete while particles move. For potentials of short range."""

from pelplug.potentials.neighbours.neighbour_list import NeighbourList, build_neighbour_list
from pelplug.potentials.neighbours.verlet import VerletList

__all__ = ["NeighbourList", "VerletList", "build_neighbour_list"]
