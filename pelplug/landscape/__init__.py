"""From a configuration to its inherent structure, and the Hessian there."""

from pelplug.landscape.quench import METHODS, QuenchResult, quench, quench_parameters

__all__ = ["METHODS", "QuenchResult", "quench", "quench_parameters"]
