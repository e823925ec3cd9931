"""Writes JSON values."""

import json


def json_text(value: object, indent: int | None = None) -> str:
    """A value as JSON that UTF-8 holds: letters of all scripts as they are, unless half a surrogate pair is among
    them, which only an escape can keep."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text
