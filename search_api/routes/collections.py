"""`/v1/collections`: named sets of images."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session
from starlette.convertors import StringConvertor, register_url_convertor

from indexer.catalog.images import collections, images
from indexer.catalog.records.collections import Collection
from indexer.catalog.records.pages import Page
from indexer.errors import NotFoundError
from search_api.bodies.collections import ChangedImages, ImageSet, NewCollection
from search_api.bodies.fields import NAME_MAX, Cursor, Limit, Sha256
from search_api.layers.errors import responses
from search_api.layers.preconditions import NO_ANSWER, UNCONDITIONAL, IfMatch, Tagged
from search_api.openapi import NOT_MODIFIED, example, json_example
from search_api.service.service import Serving
from search_api.service.versions import version


class _Digest(StringConvertor):
    """The part of a path that is a SHA-256: no other `…/images/…` is taken for an image of a collection."""

    regex = "[0-9a-fA-F]{64}"


register_url_convertor("digest", _Digest())
router = APIRouter(prefix="/v1/collections", tags=["collections"])

CollectionName = Annotated[str, Path(max_length=NAME_MAX, description="Name of the collection; may hold slashes.")]
"""Routes below a collection come before those of collections themselves, whose names reach to the end of the path."""


@router.get("", summary="List collections", responses={**example("collections"), **responses(422)})
def list_collections(
    service: Serving,
    name: Annotated[str | None, Query(max_length=NAME_MAX, description="Only the collection of this name.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Collection]:
    """Collections by name."""
    with service.workspace.catalog.reading() as session:
        if name is not None:
            collection = collections.get(session, name)
            return Page(() if collection is None else (collection,), None)
        return collections.page(session, limit, cursor)


@router.post(
    "",
    status_code=201,
    summary="Make a collection",
    responses={**example("collection", 201), **responses(409, 422, 503)},
    openapi_extra=json_example("collection"),
)
def create(service: Serving, body: NewCollection) -> Collection:
    """Creates an empty collection."""
    with service.workspace.catalog.writing() as session:
        return collections.create(session, body.name, body.description)


@router.get("/{name:path}", summary="A collection", responses={**NOT_MODIFIED, **responses(404, 422)})
def get(service: Serving, name: CollectionName, answer: Tagged = NO_ANSWER) -> Collection:
    """What a collection is, and how many images it holds; list them with `GET /v1/images?collections=`."""
    with service.workspace.catalog.reading() as session:
        collection = _found(session, name)
    answer.tag(version(collection))
    return collection


@router.post(
    "/{name:path}/images",
    summary="Put images into a collection",
    responses={**example("collect"), **responses(404, 412, 422, 503)},
    openapi_extra=json_example("collect"),
)
def add_images(
    service: Serving, name: CollectionName, body: ImageSet, condition: IfMatch = UNCONDITIONAL
) -> ChangedImages:
    """Adds images of the catalogue to the collection: all of them, or none if one does not exist. If-Match takes the
    collection's ETag."""
    with service.workspace.catalog.writing() as session:
        collection = _found(session, name)
        condition.require(lambda: version(collection))
        ids = images.find_ids(session, body.sha256)
        missing = [sha256 for sha256 in body.sha256 if sha256 not in ids]
        if missing:
            raise NotFoundError(f"{len(missing)} of these images are not in this catalogue, first {missing[0]}")
        return ChangedImages(changed=collections.add_images(session, name, sorted(ids.values())))


@router.delete(
    "/{name:path}/images/{sha256:digest}",
    summary="Take an image out of a collection",
    responses=responses(404, 412, 422),
)
def remove_image(
    service: Serving,
    name: CollectionName,
    sha256: Annotated[Sha256, Path()],
    condition: IfMatch = UNCONDITIONAL,
) -> ChangedImages:
    """Takes the image out of the collection; it stays in the catalogue. A path that ends so always names an image: a
    collection whose own name does is deleted with `DELETE /v1/collections?name=`."""
    with service.workspace.catalog.writing() as session:
        if collections.get(session, name) is None and collections.get(session, f"{name}/images/{sha256}") is not None:
            raise NotFoundError(
                f"there is no collection named {name!r}; one whose own name ends in an image's address is deleted "
                "with DELETE /v1/collections?name=…"
            )
        collection = _found(session, name)
        condition.require(lambda: version(collection))
        ids = images.find_ids(session, [sha256])
        return ChangedImages(changed=collections.remove_images(session, name, list(ids.values())))


@router.delete("", status_code=204, summary="Delete a collection by any name", responses=responses(404, 412, 422, 503))
def delete_named(
    service: Serving,
    name: Annotated[str, Query(max_length=NAME_MAX, description="Name of the collection.")],
    condition: IfMatch = UNCONDITIONAL,
) -> None:
    """Deletes the collection, whatever its name would mean in a path; its images stay in the catalogue."""
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: version(_found(session, name)))
        collections.delete(session, name)


@router.delete("/{name:path}", status_code=204, summary="Delete a collection", responses=responses(404, 412, 422, 503))
def delete(service: Serving, name: CollectionName, condition: IfMatch = UNCONDITIONAL) -> None:
    """Deletes the collection; its images stay in the catalogue."""
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: version(_found(session, name)))
        collections.delete(session, name)


def _found(session: Session, name: str) -> Collection:
    collection = collections.get(session, name)
    if collection is None:
        raise NotFoundError(f"there is no collection named {name!r}")
    return collection
