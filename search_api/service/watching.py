"""The server's work on watches: checking for matches, and delivering events to webhooks."""

from indexer.catalog.tables.types import utc_now
from indexer.delivery import Webhooks
from indexer.settings import Settings
from indexer.watching import Deliverer, Lookout
from indexer.workspace import Workspace
from search_api.service.background import Background


class Watching:
    """The watches of one server.

    Attributes:
        webhooks: sends the events.
    """

    def __init__(self, settings: Settings, workspace: Workspace) -> None:
        self.webhooks = Webhooks(settings)
        self._lookout = Lookout.of(workspace)
        self._deliverer = Deliverer(workspace.catalog, self.webhooks)
        self._working = Background({"look-for-watches": self._look, "deliver-to-webhooks": self._deliver})

    def start(self) -> None:
        """Starts the threads, beginning with what was added while no server ran."""
        self._working.start()

    def announce(self) -> None:
        """Announces that something was added, or that a watch was resumed."""
        self._working.announce()

    @property
    def works(self) -> tuple[Background, ...]:
        """The background threads."""
        return (self._working,)

    def close(self) -> None:
        """Stops after the current step; the rest is done after the next start."""
        self._working.close()

    def _look(self) -> bool:
        return self._lookout.look(utc_now(), self._working.stopping.is_set).alerts > 0

    def _deliver(self) -> bool:
        return self._deliverer.deliver(utc_now()) is not None
