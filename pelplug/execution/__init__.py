"""How things run: compiled kernels, threads, processes, ranks, libraries. For potentials and above."""
