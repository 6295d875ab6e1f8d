"""How things are run: kernels compiled, threads, processes, ranks, shared libraries. For potentials and all above."""
