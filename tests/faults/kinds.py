"""All kinds of faults."""

from tests.faults import clients, database, days, machine, processes, shared_log, upstream, versions
from tests.faults.fault import FAULTS

__all__ = ["FAULTS", "clients", "database", "days", "machine", "processes", "shared_log", "upstream", "versions"]
