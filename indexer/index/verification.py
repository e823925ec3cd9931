"""A full check of the index: files against checksums, embeddings against the catalogue, searches against themselves."""

from indexer.errors import VectorIndexError
from indexer.index.catching_up import SAMPLE, disagreement
from indexer.index.live import LiveIndex
from indexer.index.status import IndexVerification
from indexer.vectors import VectorStore

SELF_COSINE = 0.999999


def verify(live: LiveIndex) -> IndexVerification:
    """Check the index of `live`; reads every file of the current snapshot."""
    problems: list[str] = []
    files = _check_files(live, problems)
    self_queries = 0
    try:
        with live.level() as (session, store):
            if wrong := disagreement(session, store):
                problems.append(wrong)
        if live.trouble == "missing":
            problems.append("there is no index yet; searches go through all embeddings")
        self_queries = _search_for_itself(store, problems)
    except VectorIndexError as error:
        if str(error) not in problems:
            problems.append(str(error))
    return IndexVerification(tuple(problems), files, self_queries)


def _check_files(live: LiveIndex, problems: list[str]) -> int:
    try:
        name = live.folder.current()
        if name is None:
            return 0
        manifest = live.folder.manifest(name)
        manifest.check_files(live.folder.path / name)
        return len(manifest.files)
    except VectorIndexError as error:
        problems.append(str(error))
        return 0


def _search_for_itself(store: VectorStore, problems: list[str]) -> int:
    sample = store.sample(SAMPLE)
    hits = store.search(sample.vectors, 1)
    lost = int((hits.scores[:, 0] < SELF_COSINE).sum())
    if lost:
        problems.append(f"{lost} of {len(sample.ids)} stored embeddings do not find themselves")
    return len(sample.ids)
