"""What comes from files, one state at a time: trajectories, their selections and their readers. For engines and tasks."""
