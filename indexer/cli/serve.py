"""`dejafake serve`: the HTTP API."""

from importlib import import_module

import click

from indexer.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on. Anything but loopback needs DEJAFAKE_API_TOKEN.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 picks a free one.")
@click.pass_obj
def serve(settings: Settings, host: str | None, port: int | None) -> None:
    """Start the HTTP API, its interactive documentation and the search page.

    \b
    dejafake serve
    DEJAFAKE_API_TOKEN=… dejafake serve --host 0.0.0.0
    """
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    # The API imports the library, never the reverse: the command line knows the server only by its name.
    import_module("search_api.server").serve(settings.model_copy(update=given))
