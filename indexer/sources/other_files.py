"""Files that are no source of pictures: what they are, and what to do with them instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import ImageRejectedError, SourceError
from indexer.imaging.sniffing import sniff
from indexer.sources.items import printable

_SNIFFED_BYTES = 1024


@dataclass(frozen=True, slots=True)
class OtherKind:
    """A kind of file by its endings. `skip` is the reason code when one is skipped inside an archive."""

    name: str
    skip: str
    advice: str
    endings: tuple[str, ...]


_KINDS = (
    OtherKind(
        "a spreadsheet",
        "table",
        "save the sheet as CSV (UTF-8) beside its pictures and give that",
        (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers"),
    ),
    OtherKind(
        "a JSON document",
        "table",
        "write it as JSON Lines (.jsonl, one object a line) or CSV, with a column `path`; `dejafake enrich` takes "
        "fact-checks in JSON-LD",
        (".json", ".jsonld"),
    ),
    OtherKind(
        "a database file",
        "table",
        "export the table as CSV, or see `dejafake enrich --sql`",
        (".db", ".sqlite", ".sqlite3", ".mdb", ".accdb"),
    ),
    OtherKind(
        "a document",
        "not_a_picture",
        "export its pictures as PNG or JPEG and give their folder; write a list of files as CSV with a column `path`",
        (".docx", ".doc", ".odt", ".rtf", ".pptx", ".ppt", ".odp", ".pdf", ".pages", ".key", ".txt", ".md"),
    ),
    OtherKind(
        "a video",
        "video",
        "export frames of it as PNG or JPEG and give these",
        (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".mts"),
    ),
    OtherKind(
        "an archive of a kind that is not read",
        "nested_archive",
        "unpack it and give the folder, or pack it as zip or tar",
        (".7z", ".rar", ".gz", ".bz2", ".xz", ".zst", ".lz4", ".iso", ".cab"),
    ),
)
_IN_ARCHIVES: Mapping[str, str] = {
    **dict.fromkeys((".zip", ".tar", ".tgz", ".tbz2", ".txz"), "nested_archive"),
    **dict.fromkeys((".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"), "table"),
}


def refuse_other_files(path: Path) -> None:
    """Refuse a file that is no source of pictures, by its name, unless its first bytes are a picture's.

    Raises:
        SourceError: says what it is and what to give instead.
    """
    name = path.name.lower()
    kind = next((kind for kind in _KINDS if name.endswith(kind.endings)), None)
    if kind is None:
        return
    try:
        with path.open("rb") as file:
            sniff(file.read(_SNIFFED_BYTES))
    except (OSError, ImageRejectedError):
        raise SourceError(f"{printable(path.name)} is {kind.name}: {kind.advice}") from None


def skip_reason(name: str) -> str:
    """The reason code for skipping a file in an archive that is no picture, by its name."""
    ending = Path(name).suffix.lower()
    reason = next((kind.skip for kind in _KINDS if ending in kind.endings), None)
    return reason or _IN_ARCHIVES.get(ending, "not_a_picture")
