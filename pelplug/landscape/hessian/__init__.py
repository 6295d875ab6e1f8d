"""The Hessian of a minimum: dense, sparse, solved and inverted, and how the minimum answers a force."""
