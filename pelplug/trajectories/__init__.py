"""What comes from files, one state at a time: trajectories, selections, readers. For engines and tasks."""
