"""What everything stands on: parameters, units, atomic output files. For every room."""
