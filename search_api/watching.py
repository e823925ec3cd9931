"""The server's work on watches: looking for what they wait for, and telling their webhooks."""

from indexer.catalog.types import utc_now
from indexer.settings import Settings
from indexer.watching import Deliverer, Lookout
from indexer.webhooks import Webhooks
from indexer.workspace import Workspace
from search_api.background import Background


class Watching:
    """The watches of one server.

    Attributes:
        webhooks: what events are told with.
    """

    def __init__(self, settings: Settings, workspace: Workspace) -> None:
        self.webhooks = Webhooks(settings)
        self._lookout = Lookout.of(workspace)
        self._deliverer = Deliverer(workspace.catalog, self.webhooks)
        self._working = Background({"look-for-watches": self._look, "deliver-to-webhooks": self._deliver})

    def start(self) -> None:
        """Begins with what came while no server ran."""
        self._working.start()

    def announce(self) -> None:
        """Says that something came, or that a watch goes on."""
        self._working.announce()

    def close(self) -> None:
        """Stops after the step that is being done; the rest is done after the next start."""
        self._working.close()

    def _look(self) -> bool:
        return self._lookout.look(utc_now(), self._working.stopping.is_set).alerts > 0

    def _deliver(self) -> bool:
        return self._deliverer.deliver(utc_now()) is not None
