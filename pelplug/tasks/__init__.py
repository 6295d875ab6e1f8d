"""What a computation is: analyses of files and of running simulations. For plugin authors."""
