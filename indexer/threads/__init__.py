"""How many compute threads FAISS, torch, OpenCV, BLAS and Arrow use: the one place that decides.

OpenMP keeps its thread count per calling thread and starts every new Python thread at one per core. Each request
thread would then spin up a full team of its own: two threads on two cores halve the throughput of a flat search, and
a busy torch thread doubles its latency. So the count is set in the thread that is about to compute, just before.
"""

import os
import sys

import faiss
from threadpoolctl import threadpool_limits

_OPENCV_THREADS = "OPENCV_FOR_THREADS_NUM"
"""Read by OpenCV when it starts (its core/src/parallel.cpp)."""

SINGLE_QUERY = 1
"""Threads of one query: a scan of one vector is bound by memory, and requests already run side by side."""


def thread_count(requested: int) -> int:
    """Compute threads for the setting `threads`: `requested`, or one per core this process may use when it is 0."""
    if requested > 0:
        return requested
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def limit_faiss(threads: int) -> None:
    """Let the FAISS calls that this Python thread makes next use `threads` (at least 1) threads."""
    faiss.omp_set_num_threads(threads)


def limit_torch(requested: int) -> None:
    """Apply the setting `threads` to torch, if it is already imported; with 0 torch keeps its own choice.

    Torch is never imported here: what needs no detector must start without it.
    """
    torch = sys.modules.get("torch")
    if torch is not None and requested > 0:
        torch.set_num_threads(requested)


def limit_libraries(requested: int) -> None:
    """Apply the setting `threads` to what keeps one count a process: OpenCV, and where the setting is not 0, torch, the
    BLAS of NumPy and SciPy, and Arrow. Every process that opens an installation calls it; nothing is imported for it.
    """
    limit_opencv(thread_count(requested))
    limit_torch(requested)
    if requested > 0:
        threadpool_limits(requested, user_api="blas")
        pyarrow = sys.modules.get("pyarrow")
        if pyarrow is not None:
            pyarrow.set_cpu_count(requested)


def limit_opencv(threads: int) -> None:
    """Let OpenCV use `threads` (at least 1) threads in this process, also when it is loaded later."""
    os.environ[_OPENCV_THREADS] = str(threads)
    cv2 = sys.modules.get("cv2")
    if cv2 is not None:
        cv2.setNumThreads(threads)
