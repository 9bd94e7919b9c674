"""The rest of an answer that broke off: another run, under a key of its own, on whichever instance."""

import time
from dataclasses import dataclass, field

from tests.support.served import Visitor


@dataclass(slots=True)
class Rest:
    """`text` and `status` are the whole answer's, as its reader was told them. Times are monotonic seconds."""

    key: str
    began_at: float = field(default_factory=time.monotonic)
    ended_at: float = 0.0
    run_id: str = ""
    status: str = ""
    text: str = ""

    def read(self, visitor: Visitor, run_id: str) -> None:
        """Go on with the run's answer, and wait for its end."""
        reader = Visitor(visitor.base_url, visitor.headers | {"Accept": "application/json"})
        reply = reader.post(f"/api/runs/{run_id}/continue", {"idempotency_key": self.key})
        self.ended_at = time.monotonic()
        assert reply.status == 200, reply.data
        told = reply.json()
        self.run_id, self.status, self.text = told["run_id"], told["status"], told["text"]
