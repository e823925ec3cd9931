"""Full verification of the index: files against checksums, embeddings against the catalogue, and self-queries."""

from indexer.errors import VectorIndexError
from indexer.index.catching_up import SAMPLE
from indexer.index.live import LiveIndex
from indexer.index.live_features import LiveFeatures
from indexer.index.live_vectors import LiveVectors
from indexer.index.status import IndexVerification
from indexer.index.vectors import VectorStore

SELF_COSINE = 0.999999


def verify(live: LiveIndex) -> IndexVerification:
    """Verify the index of `live`; reads every file of the current snapshots."""
    done = [_verified(live, part) for part in (live.vectors, live.copies) if part is not None]
    if live.features is not None:
        done.append(_verified_features(live, live.features))
    problems = [problem for check in done for problem in check.problems]
    return IndexVerification(
        problems=tuple(dict.fromkeys(problems)),
        files=sum(check.files for check in done),
        self_queries=sum(check.self_queries for check in done),
    )


def _verified(live: LiveIndex, part: LiveVectors) -> IndexVerification:
    problems: list[str] = []
    files = _check_files(part, problems)
    self_queries = 0
    try:
        with live.catch_up() as session:
            store = part.searched
            if wrong := part.disagreement(session, store):
                problems.append(wrong)
        if part.trouble == "missing":
            problems.append(f"there is no {part.source.what} yet; searches go through all embeddings")
        self_queries = _search_for_itself(store, problems)
    except VectorIndexError as error:
        if str(error) not in problems:
            problems.append(str(error))
    return IndexVerification(tuple(problems), files, self_queries)


def _verified_features(live: LiveIndex, part: LiveFeatures) -> IndexVerification:
    """All files against their checksums, and a sample against the catalogue. That there are none yet is no problem:
    searches go through what is in memory."""
    problems: list[str] = []
    files = 0
    try:
        with live.catch_up() as session:
            store = part.searched
            if wrong := part.disagreement(session, store):
                problems.append(wrong)
        store.check(live.pause)
        files = int(store.snapshot is not None)
        if part.trouble not in (None, "missing"):
            problems.append(f"the index of local features is {part.trouble}")
    except VectorIndexError as error:
        problems.append(str(error))
    return IndexVerification(tuple(problems), files, 0)


def _check_files(part: LiveVectors, problems: list[str]) -> int:
    try:
        name = part.folder.current()
        if name is None:
            return 0
        manifest = part.folder.manifest(name)
        manifest.check_files(part.folder.path / name)
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
