"""Bodies of a resource lie under the name of its routes; what is shared is declared once."""

from pathlib import Path

import search_api

API = Path(search_api.__file__).parent
SHARED = {"__init__", "answers", "fields", "forms", "multipart"}


def test_bodies_have_the_name_of_their_routes() -> None:
    bodies = {path.stem for path in (API / "bodies").glob("*.py")} - SHARED
    assert bodies <= {path.stem for path in (API / "routes").glob("*.py")}


def test_a_page_of_a_list_is_asked_for_in_one_way() -> None:
    declaring = [path.name for path in API.rglob("*.py") if "le=PAGE_LIMIT_MAX" in path.read_text(encoding="utf-8")]
    assert sorted(declaring) == ["fields.py", "images.py"], "images.py: the query has its filter in the same model"
    for path in (API / "routes").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "limit: Annotated" not in text, f"{path.name}: Limit of search_api.bodies.fields says it"
        assert "cursor: Annotated" not in text, f"{path.name}: Cursor of search_api.bodies.fields says it"
