"""The tests; they lie as the packages do."""

import os

# A test process shares the cores with others. There BLAS with more threads took 20 times as long: a thread
# that waits for a core spins. BLAS reads this when NumPy is imported, which is after this file.
os.environ.setdefault("OMP_NUM_THREADS", "1")
