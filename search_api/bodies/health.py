"""Whether the server is there, and ready."""

from typing import Literal

from pydantic import BaseModel

from indexer.index import IndexStatus


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]
    version: str


class Ready(BaseModel):
    """Searches can be answered, on this index."""

    status: Literal["ready"]
    detector: str
    index: IndexStatus
