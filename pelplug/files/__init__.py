"""Files that pelplug writes: results, what an interrupted run leaves, exports. For tasks, engines and the command line."""
