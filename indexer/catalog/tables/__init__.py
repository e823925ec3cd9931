"""The tables of the catalogue, a module for each subject. Changes go through `migrations/`; the tests compare both."""

from indexer.catalog.tables import (  # noqa: F401 - the schema is all of them
    campaigns,
    changes,
    collections,
    copies,
    deletions,
    detections,
    hash_lists,
    images,
    jobs,
    labels,
    provenance,
    reviews,
    sightings,
    sources,
    watches,
)
