"""The setting `threads` reaches FAISS in the thread that computes, and torch only when it is there."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import faiss
import pytest
from threadpoolctl import threadpool_info

from indexer.settings import Settings
from indexer.threads import limit_faiss, limit_libraries, limit_torch, thread_count
from indexer.workspace import Workspace


def test_an_explicit_count_is_taken_and_zero_means_one_per_core() -> None:
    assert thread_count(3) == 3
    assert thread_count(0) >= 1


def test_the_count_holds_in_the_thread_that_sets_it_and_leaves_others_alone() -> None:
    limit_faiss(2)
    seen: list[int] = []

    def elsewhere() -> None:
        limit_faiss(1)
        seen.append(faiss.omp_get_max_threads())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [1]
    assert faiss.omp_get_max_threads() == 2


def test_torch_is_never_imported_for_it() -> None:
    code = "import sys; from indexer.threads import limit_torch; limit_torch(1); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_torch_is_limited_when_it_is_there() -> None:
    import torch

    before = torch.get_num_threads()
    try:
        limit_torch(before + 1)
        assert torch.get_num_threads() == before + 1
    finally:
        limit_torch(before)


def test_torch_keeps_its_own_choice_when_none_is_made() -> None:
    import torch

    before = torch.get_num_threads()
    try:
        limit_torch(before + 1)
        limit_torch(0)
        assert torch.get_num_threads() == before + 1
    finally:
        limit_torch(before)


@pytest.fixture
def two_again() -> Iterator[None]:
    before = thread_count(0)
    yield
    limit_libraries(before)
    limit_libraries(0)


@pytest.mark.usefixtures("two_again")
def test_opening_an_installation_limits_the_libraries_that_count_by_process(tmp_path: Path) -> None:
    import cv2
    import pyarrow
    import torch

    with Workspace(Settings.load(home=tmp_path, threads=1)):
        pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        counts = (cv2.getNumThreads(), torch.get_num_threads(), pyarrow.cpu_count())
    assert counts == (1, 1, 1)
    assert set(pools) == {1}


def test_opencv_is_limited_when_it_is_loaded_later_and_not_loaded_for_it() -> None:
    code = (
        "import sys; from indexer.threads import limit_libraries; limit_libraries(1); print('cv2' in sys.modules);"
        "import cv2; print(cv2.getNumThreads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "1"]
