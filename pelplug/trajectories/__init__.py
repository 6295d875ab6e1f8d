"""What comes from files, one state at a time: Trajectory, selection, readers. For engines and tasks."""
