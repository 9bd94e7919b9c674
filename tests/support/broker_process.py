"""A process that makes a run and shares it: `python -m tests.support.broker_process REDIS_URL RUN_ID COUNT`.

It prints a line once Redis has had the first events, and goes on at 200 events a second.
"""

import sys
import time

from flask_app.database import new_id
from flask_app.streams.redis.broker import RedisBroker


def main(url: str, run_id: str, count: int) -> None:
    broker = RedisBroker(url, new_id())
    log = broker.open(run_id)
    for number in range(1, count + 1):
        log.append("token", b"%d" % number)
        time.sleep(0.005)
        if number == 50:
            sys.stdout.write("begun\n")
            sys.stdout.flush()
    log.finish()
    broker.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
