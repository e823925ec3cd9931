"""Several processes write at once: nobody is turned away, and ids are committed in rising order."""

import subprocess
import sys

from indexer.catalog import Catalog, changes
from indexer.catalog.detections import embeddings
from indexer.catalog.images import images

WRITERS, TRANSACTIONS, EACH = 2, 12, 3
PROGRAM = """
import sys, time
from hashlib import sha256
import numpy as np
from indexer.catalog import Catalog
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import images
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage
url, name, transactions, each = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
vector = np.full(384, 384**-0.5, np.float32)
with Catalog.open(url) as catalog:
    print("open", flush=True)
    sys.stdin.readline()
    for transaction in range(transactions):
        with catalog.writing() as session:
            detector = detectors.register(session, "d", "f", False, {})
            for number in range(each):
                digest = sha256(f"{name} {transaction} {number}".encode()).hexdigest()
                new = NewImage(digest, 1, "PNG", 1, 1, "RGB", 1, (), bytes(32), 0, "m")
                image = images.add(session, new)
                embeddings.add(session, detector, [(image, NewDetection(vector, (0.0,), None))])
"""


def test_a_reader_that_follows_watermarks_misses_nothing(database_url: str) -> None:
    """The writers also open a database that is still empty, at the same time."""
    arguments = [sys.executable, "-c", PROGRAM, database_url]
    writers = [
        subprocess.Popen(
            [*arguments, str(number), str(TRANSACTIONS), str(EACH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(WRITERS)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n", writer.communicate()
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    seen: list[int] = []
    with Catalog.open(database_url) as catalog:
        running = True
        while running:
            running = any(writer.poll() is None for writer in writers)
            with catalog.reading() as session:
                seen += embeddings.since(session, "f", seen[-1] if seen else 0, 1_000).embedding_ids.tolist()
        with catalog.reading() as session:
            everything = embeddings.since(session, "f", 0, 1_000).embedding_ids.tolist()
            assert changes.watermarks(session).change_id == WRITERS * TRANSACTIONS
            assert images.counts(session).images == len(everything) == WRITERS * TRANSACTIONS * EACH
    for writer in writers:
        _, complaint = writer.communicate()
        assert writer.returncode == 0, complaint
    assert seen == everything
