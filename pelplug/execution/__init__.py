"""Starting libraries of others that engines and potentials share."""
