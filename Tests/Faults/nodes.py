"""Two nodes that the database can tell apart."""

from __future__ import annotations

from pathlib import Path

from dwell_process import Dwell, Node
from stores import PostgresDatabase


class NamedNodes(Dwell):
    """Each node's connections bear its number as their application's name."""

    def __init__(self, folder: Path, store: PostgresDatabase) -> None:
        super().__init__(folder, store=store, nodes=2)

    def arguments(self, node: Node) -> list[str]:
        named = f"{self.database_url}?application_name={self.nodes.index(node)}"
        return [named if one == self.database_url else one for one in super().arguments(node)]

    def is_changing(self, node: int) -> bool:
        """Whether a node is in the middle of a transaction that has changed something."""
        return bool(
            self.sql(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE application_name = ? AND backend_xid IS NOT NULL"
                " AND datname = current_database() AND state LIKE 'idle in transaction%'",
                str(node),
            )
        )


class Alone(Dwell):
    """One node of a server, as something that beats can be sent to."""

    def __init__(self, server: Dwell, node: int) -> None:
        self.nodes = [server.nodes[node]]
        self.proxy = None
        self.host = server.host
        self.store = server.store

    @property
    def port(self) -> int:
        return self.nodes[0].port
