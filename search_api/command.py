"""`dejafake serve`: the HTTP API."""

import click

from indexer.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on. Anything but loopback needs DEJAFAKE_API_TOKEN.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 picks a free one.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that answer; each loads the detector.")
@click.pass_obj
def serve(settings: Settings, host: str | None, port: int | None, workers: int | None) -> None:
    """Start the workbench, the HTTP API and its interactive documentation.

    \b
    dejafake serve
    dejafake serve --workers 4
    DEJAFAKE_API_TOKEN=… dejafake serve --host 0.0.0.0
    """
    options = {"host": host, "port": port, "workers": workers}
    given = {name: value for name, value in options.items() if value is not None}
    from search_api import server  # loads the API and the library behind it

    server.serve(settings.model_copy(update=given))
