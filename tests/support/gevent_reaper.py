"""Ends what dead workers left as gunicorn's worker does, each taking some milliseconds of the processor alone.

Says how often a message went through a socket and back meanwhile.
"""

import socket
import sys
import threading
import time

from gevent import monkey

COUNT, EACH_SECONDS = 100, 0.005


def main() -> int:
    from flask_app.services.runs import reaper_service

    near, far = socket.socketpair()
    there_and_back = 0

    def reply() -> None:
        while said := far.recv(1):
            far.sendall(said)

    def ask() -> None:
        nonlocal there_and_back
        while True:
            near.sendall(b"?")
            near.recv(1)
            there_and_back += 1

    for work in (reply, ask):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.01)
    there_and_back = 0
    for _ in reaper_service._in_time([str(number) for number in range(COUNT)], time.monotonic() + 60):
        end = time.process_time() + EACH_SECONDS
        while time.process_time() < end:
            pass
    return there_and_back


if __name__ == "__main__":
    monkey.patch_all()
    sys.stdout.write(str(main()))
