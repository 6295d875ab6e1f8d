"""One style for all plots: axes, colours, figures side by side. For tasks and plugins."""
