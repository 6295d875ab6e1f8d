"""What a computation is: analyses of frames, in files and in a running simulation. For plugin authors."""
