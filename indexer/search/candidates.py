"""Which images a query is compared with: those that its verdict rests on, and those that are listed.

A verdict is about everything that the asker may see. Filters, the label scope and the limit narrow what is listed, and
never change what is said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.errors import UsageError
from indexer.imaging.content import FEW_TONES, TOO_LITTLE, has_few_tones
from indexer.index import IndexView
from indexer.search.answers import SearchOptions
from indexer.search.probe import Probe
from indexer.settings import Settings
from indexer.verdict.relations import farthest
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import LabelValue

DECIDING: Final = 50
"""Near-identical images of each label that a verdict looks at, nearest first."""
CROWDED: Final = 50
"""Times as many are looked at where most of what is near looks like everything else of its kind."""
LIKEST: Final = 10
"""Known fakes of the nearest embeddings that a verdict looks at, at least."""


def visible() -> ImageFilter:
    """What the asker may see, and so what verdicts are about: everything. Walls between people belong here."""
    return ImageFilter()


def list_limit(limit: int | None, settings: Settings) -> int:
    """How many matches are listed at most; None takes the setting.

    Raises:
        UsageError: it is out of range.
    """
    count = settings.search_limit if limit is None else limit
    if not 1 <= count <= settings.search_limit_max:
        raise UsageError(f"limit is 1 to {settings.search_limit_max}, not {count}")
    return count


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and how it is asked. `limit`: of the list; `likest`: known fakes that the verdict compares embeddings
    with, the same for every limit; `itself`: the query's own internal id where it is to be left out."""

    probe: Probe
    options: SearchOptions
    thresholds: Thresholds
    limit: int
    likest: int
    itself: int | None = None

    @property
    def readable(self) -> bool:
        """Whether PDQ hashes can be compared."""
        return (self.probe.facts.pdq_quality or 0) >= self.thresholds.min_quality

    @property
    def listed_alike(self) -> ImageFilter:
        """Among which images the list looks for likeness."""
        image_filter = self.options.filter
        if image_filter.label is None:
            image_filter = replace(image_filter, label=self.options.likeness_label)
        # a filter that nearly all images meet would be read anew after every write, to leave out a few blank ones
        return (
            replace(image_filter, least_content=TOO_LITTLE) if image_filter.label is LabelValue.FAKE else image_filter
        )


@dataclass(frozen=True, slots=True)
class Candidates:
    """Internal ids, nearest first, of what is near a query. `pictures`: all that the asker may see within the PDQ
    distance; `fakes`: the known fakes of the nearest embeddings; `listed_alike`: the images of the nearest embeddings
    that may be listed."""

    pictures: tuple[int, ...]
    fakes: tuple[int, ...]
    listed_alike: tuple[int, ...]

    @classmethod
    def of(cls, view: IndexView, asked: Asked) -> "Candidates":
        """What the index finds. It is asked for embeddings once, unless the list wants others than the verdict."""
        fakes, listed = _alike(view, asked)
        return cls(_pictures(view, asked), fakes, listed)

    def deciding(self, session: Session, same_file: Iterable[int]) -> list[int]:
        """The images that the verdict rests on: the file itself, the nearest pictures of every label, known fakes."""
        return [*dict.fromkeys((*same_file, *_of_every_label(session, self.pictures), *self.fakes))]

    def listed(self, view: IndexView, asked: Asked, same_file: Iterable[int]) -> list[int]:
        """The images that may be listed, more than there is room for."""
        image_filter = asked.options.filter
        pictures = view.admitted(self.pictures, image_filter)[: max(asked.limit, DECIDING)]
        return [*dict.fromkeys((*view.admitted([*same_file], image_filter), *pictures, *self.listed_alike))]


def _pictures(view: IndexView, asked: Asked) -> tuple[int, ...]:
    if not asked.probe.hashes or not asked.readable:
        return ()
    hashes = [query_hash.bits for query_hash in asked.probe.hashes]
    hits = view.same_picture(hashes, asked.thresholds.max_distance, visible())
    return tuple(image_id for image_id in dict.fromkeys(hit.image_id for hit in hits) if image_id != asked.itself)


def _alike(view: IndexView, asked: Asked) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The known fakes that decide, and what is listed."""
    if asked.probe.vector is None:
        return (), ()
    known_fakes = comparable_fakes(TOO_LITTLE)
    if asked.listed_alike != known_fakes:
        fakes = _likest(view, asked, _nearest(view, asked, asked.likest, known_fakes))
        listed = _nearest(view, asked, asked.limit, asked.listed_alike)
        # what the verdict rests on is listed wherever it may be
        return fakes, tuple(dict.fromkeys((*listed, *view.admitted(fakes, asked.listed_alike))))
    nearest = _nearest(view, asked, max(asked.limit, asked.likest), known_fakes)
    fakes = nearest[: asked.likest]
    if view.approximate and asked.limit > asked.likest:  # which images are found there depends on how many are wanted
        fakes = _nearest(view, asked, asked.likest, known_fakes)
    fakes = _likest(view, asked, fakes)
    return fakes, (*nearest[: asked.limit], *(image_id for image_id in fakes if image_id not in nearest))


def comparable_fakes(least_content: int) -> ImageFilter:
    """The known fakes that a verdict may rest on by their embeddings: those with so much in them."""
    return replace(visible(), label=LabelValue.FAKE, least_content=least_content)


def _likest(view: IndexView, asked: Asked, nearest: tuple[int, ...]) -> tuple[int, ...]:
    """The nearest known fakes, and the nearest of those that embeddings tell apart, where others have taken the places:
    ten drawings near a photograph must not hide the fake that it is of."""
    if len(view.admitted(nearest, comparable_fakes(FEW_TONES))) == len(nearest):
        return nearest
    if not has_few_tones(asked.probe.facts.content):
        return tuple(dict.fromkeys((*nearest, *_nearest(view, asked, asked.likest, comparable_fakes(FEW_TONES)))))
    # of a drawing only those count whose hashes are not far, too
    more = _nearest(view, asked, CROWDED * asked.likest, comparable_fakes(TOO_LITTLE))
    near = view.within(
        [query_hash.bits for query_hash in asked.probe.hashes], more, farthest(asked.probe.facts.content)
    )
    return tuple(dict.fromkeys((*nearest, *near[: asked.likest])))


def _nearest(view: IndexView, asked: Asked, count: int, image_filter: ImageFilter) -> tuple[int, ...]:
    if asked.probe.vector is None:
        return ()
    hits = view.nearest(asked.probe.vector[None], count + (asked.itself is not None), image_filter)
    smallest = asked.options.same_origin_min_cosine
    near = hits.scores[0] >= (-1.0 if smallest is None else smallest)
    ids = (int(image_id) for image_id in hits.ids[0][near] if image_id >= 0)
    return tuple(image_id for image_id in ids if image_id != asked.itself)[:count]


def _of_every_label(session: Session, pictures: Sequence[int]) -> list[int]:
    """The nearest of each label: many copies that nobody labelled must not hide the one that somebody did."""
    if len(pictures) <= DECIDING:
        return [*pictures]
    labels = images.labels_of(session, pictures)
    taken: dict[object, int] = {}
    kept = []
    for image_id in pictures:
        if image_id not in labels:  # deleted meanwhile
            continue
        label = labels[image_id]
        taken[label] = taken.get(label, 0) + 1
        if taken[label] <= DECIDING:
            kept.append(image_id)
    return kept
