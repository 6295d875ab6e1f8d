"""The path of steepest descent, and how any minimiser traces its way down."""
