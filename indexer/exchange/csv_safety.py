"""Makes text from outside safe to open in a spreadsheet."""

_STARTS_A_FORMULA = frozenset("=+-@＝＋－＠\t\r\n")


def safe_cell(text: str) -> str:
    """`text`, with an apostrophe before it when a spreadsheet would run it as a formula.

    Source: OWASP, "CSV Injection"; full-width signs count because East Asian spreadsheets read them as their ASCII
    twins. Write the file with every cell quoted, so that no separator inside a cell starts another one.
    """
    first = text.lstrip(" \u00a0\u3000")[:1]
    return f"'{text}" if first and (first in _STARTS_A_FORMULA or text[0] in _STARTS_A_FORMULA) else text
