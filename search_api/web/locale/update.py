"""`make locale`: brings the catalogues up to date with the texts of the pages. For developers; needs Babel.

Every template and module of the pages has a `.po` of its own name per language, so that pages change apart. New texts
come in untranslated, texts that are gone go, and all is compiled to the `.mo` files that gettext reads.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from search_api.web.language import DEFAULT, LANGUAGES, LOCALE_DIR

WEB: Final = LOCALE_DIR.parent
_DATE: Final = datetime(2026, 1, 1, tzinfo=UTC)
_KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}


def texts() -> dict[str, list[str | tuple[str, str]]]:
    """The texts of the pages, by catalogue; one with a plural is a pair. A text that several files have is in each of
    their catalogues, so that none depends on another."""
    texts: dict[str, list[str | tuple[str, str]]] = {}
    for method, path in _sources():
        for _, message, _, _ in extract_from_file(method, path, keywords=_KEYWORDS, options=_options(method)):
            text = (message[0], message[1]) if isinstance(message, tuple) else message
            if text not in texts.setdefault(path.stem, []):
                texts[path.stem].append(text)
    return {name: messages for name, messages in texts.items() if messages}


def updated(language: str) -> dict[str, Catalog]:
    """The catalogues of a language with the texts of today, by name."""
    folder = _folder(language)
    before = [read_po(BytesIO(path.read_bytes()), locale=language) for path in sorted(folder.glob("*.po"))]
    catalogues = {}
    for name, messages in texts().items():
        catalogue = Catalog(locale=language, charset="utf-8", header_comment=f"# {name}: {LANGUAGES[language]}")
        for text in messages:
            key = text if isinstance(text, str) else text[0]
            earlier = [message for old in before if (message := old.get(key)) is not None]
            catalogue.add(text, earlier[0].string if earlier else None)
        catalogues[name] = catalogue
    return catalogues


def po_text(catalogue: Catalog) -> bytes:
    """A catalogue as a `.po` file, without dates."""
    out = BytesIO()
    write_po(out, catalogue, no_location=True, omit_header=True, width=0)
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    plural = f'{header}"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    return plural.encode() + out.getvalue()


def mo_bytes(catalogue: Catalog) -> bytes:
    """A catalogue as a `.mo` file, with a fixed date."""
    out = BytesIO()
    bare = Catalog(locale=catalogue.locale, charset="utf-8", creation_date=_DATE, revision_date=_DATE)
    for message in catalogue:
        if message.id and message.string:
            bare.add(message.id, message.string)
    write_mo(out, bare)
    return out.getvalue()


def main() -> int:
    """Writes all catalogues; 1 where a text has no translation yet."""
    lacking = 0
    for language in LANGUAGES:
        if language == DEFAULT:
            continue
        folder = _folder(language)
        folder.mkdir(parents=True, exist_ok=True)
        catalogues = updated(language)
        for path in folder.glob("*.[pm]o"):
            if path.stem not in catalogues:
                path.unlink()
        for name, catalogue in catalogues.items():
            (folder / f"{name}.po").write_bytes(po_text(catalogue))
            (folder / f"{name}.mo").write_bytes(mo_bytes(catalogue))
            for message in catalogue:
                if message.id and not (all(message.string) if isinstance(message.string, tuple) else message.string):
                    lacking += 1
                    sys.stderr.write(f"{language}/{name}.po lacks a translation: {message.id!r}\n")
    return 1 if lacking else 0


def _folder(language: str) -> Path:
    return LOCALE_DIR / language / "LC_MESSAGES"


def _sources() -> Iterator[tuple[str, Path]]:
    for path in sorted((WEB / "templates").rglob("*.html")):
        yield "jinja2", path
    for path in sorted({*WEB.glob("*.py"), *(WEB / "pages").glob("*.py")}):
        yield "python", path


def _options(method: str) -> dict[str, str]:
    return (
        {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true", "extensions": "jinja2.ext.do"}
        if method == "jinja2"
        else {}
    )


if __name__ == "__main__":
    sys.exit(main())
