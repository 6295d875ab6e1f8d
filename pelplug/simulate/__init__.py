"""Making configurations: Monte Carlo and, beside it, engines for dynamics."""
