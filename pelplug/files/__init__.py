"""Files that pelplug writes: results, what an interrupted run leaves, exports. For all above."""
