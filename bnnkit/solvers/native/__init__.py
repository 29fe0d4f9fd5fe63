"""The native solver: conflict-driven clause learning with reified linear sums, in numba."""

from bnnkit.solvers.native.solver import Native

__all__ = ["Native"]
