"""What a computation is: analyses of frames, in files and inside a running simulation. For plugin authors and the host."""
