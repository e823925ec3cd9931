"""The setting `threads` reaches FAISS in the thread that computes, and torch only when it is there."""

import subprocess
import sys
import threading

import faiss

from indexer.threads import limit_faiss, limit_torch, thread_count


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
