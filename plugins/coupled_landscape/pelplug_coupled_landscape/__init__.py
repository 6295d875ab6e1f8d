"""The coupled landscape model: a liquid as a lattice of elementary systems, each with its own energy landscape."""
