"""C++ kernels of the serving path, and how they are built and loaded."""
