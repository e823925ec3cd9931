"""What can be compared of a query: records of a picture at each step, and probes of hashes or embeddings alone.

How pictures are measured lives in `indexer.search.measurer`, what they are compared with in `indexer.search.answering`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from indexer.arrays import Floats, Vector, Vectors
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.copies.verification.overlap import Box
from indexer.errors import UsageError
from indexer.imaging.decoding import DecodedImage
from indexer.imaging.degenerate import says_nothing
from indexer.imaging.hashing import UPRIGHT, PdqHash, QueryHash
from indexer.search.answers import QueryFacts
from indexer.search.details import Details, Sketch
from indexer.verdict.findings import DetectorFinding
from indexer.verdict.limitations import LIMIT_HASH_SAYS_NOTHING
from indexer.vocabulary import EMBEDDING_SIZE


@dataclass(frozen=True, slots=True)
class OpenedPicture:
    """A decoded picture and the `data` of its file."""

    image: DecodedImage
    data: bytes


@dataclass(frozen=True, slots=True)
class MeasuredPicture:
    """A picture hashed. `hashes` are those to ask with, the reference PDQ hash first; `origin` is what its file says of
    itself; `whole`: of each of its views whether it stands for the whole picture; `sketch` is what local features are
    taken of, None where they are not asked for; `inner`: where the picture inside its frames lies, None without one."""

    facts: QueryFacts
    hashes: tuple[QueryHash, ...]
    origin: tuple[ProvenanceFinding, ...]
    whole: tuple[bool, ...] = ()
    sketch: Sketch | None = None
    inner: Box | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ModelInput:
    """What the models see of a picture, float32: `pixels` [3, 384, 384] for the detector, `views` [V, 3, S, S] for the
    copy descriptor, None without one."""

    pixels: Floats
    views: Floats | None


@dataclass(frozen=True, slots=True)
class PreparedPicture:
    """A picture waiting for the models."""

    measured: MeasuredPicture
    seen_as: ModelInput


@dataclass(frozen=True, slots=True, eq=False)
class CopyEmbeddings:
    """What the copy descriptor makes of a query.

    Attributes:
        vectors: [V, D], L2-normalised, one of each view.
        levels: [V], the cosine that each view has to unrelated pictures.
        whole: of each view, whether it stands for the whole picture; the others are parts of it.
    """

    vectors: Vectors
    levels: Floats
    whole: tuple[bool, ...]

    def score(self, known: Vector) -> float:
        """The best cosine of a view that stands for the whole picture to `known` [D], less its level; -2 to 2."""
        rows = [row for row, whole in enumerate(self.whole) if whole]
        return float((self.vectors[rows] @ known - self.levels[rows]).max())


@dataclass(frozen=True, slots=True)
class Probe:
    """A query reduced to what can be compared. `hashes` are the PDQ hashes to ask with; `origin` is what its file says
    of itself, None when there is no file. `copies` are its copy embeddings, `details` gives its local features, both
    None where there are none; `small` a small copy of the picture, and `inner` is where the picture inside its frames
    lies, in pixels of it as it is upright. `unassessable` says why there is neither hash nor vector although there is a
    picture or a hash, None where they can be compared."""

    facts: QueryFacts
    hashes: tuple[QueryHash, ...] = ()
    vector: Vector | None = None
    finding: DetectorFinding | None = None
    origin: tuple[ProvenanceFinding, ...] | None = None
    unassessable: str | None = None
    copies: CopyEmbeddings | None = None
    details: Details | None = None
    small: Callable[[], Image.Image | None] | None = None
    inner: Box | None = None


def of_hashes(sha256: str | None, pdq: str | None) -> Probe:
    """A picture that is not at hand, by its SHA-256 (64 lower-case hex digits), its PDQ hash (64 hex digits), or both;
    the quality of a PDQ hash is taken on trust.

    Raises:
        UsageError: the PDQ hash is not one.
    """
    if pdq is None:
        return Probe(facts=QueryFacts(kind="sha256", sha256=sha256))
    try:
        hashed = PdqHash.from_hex(pdq if len(pdq) == 64 else "")
    except ValueError:
        raise UsageError("a PDQ hash is 64 hex digits") from None
    facts = QueryFacts(kind="pdq", sha256=sha256, pdq=hashed.hex, pdq_quality=hashed.quality)
    if says_nothing(hashed.bits):
        return Probe(facts=facts, unassessable=LIMIT_HASH_SAYS_NOTHING)
    return Probe(facts=facts, hashes=(QueryHash(UPRIGHT, hashed.bits),))


def of_embedding(embedding: Sequence[float]) -> Probe:
    """An embedding of the detector in use; it is L2-normalised here.

    Raises:
        UsageError: it has not 384 finite numbers, or is all zero.
    """
    vector = np.asarray(embedding, dtype=np.float32)
    norm = float(np.linalg.norm(vector)) if vector.shape == (EMBEDDING_SIZE,) else float("nan")
    if not np.isfinite(norm) or norm == 0.0:
        raise UsageError(f"an embedding is {EMBEDDING_SIZE} finite numbers that are not all zero")
    return Probe(facts=QueryFacts(kind="embedding"), vector=vector / np.float32(norm))
