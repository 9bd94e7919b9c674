"""The local model's own process: llama.cpp behind OpenAI's protocol on a loopback port.

Run as a file, so that nothing of the application is loaded. The first line of standard input is a
JSON object with `model_path`, `name` and `api_key`; the answer is one line `{"port": …}` once the model
is ready. When standard input closes, because the parent stopped or died in any way, this process ends.
"""

import json
import os
import sys
from http.client import HTTPConnection
from typing import TextIO
from urllib.parse import urlsplit

import xllamacpp

CONTEXT_TOKENS = 4096  # shared by the answers in progress
ANSWERS_AT_ONCE = 2
LONGEST_ANSWER = 1024  # tokens; a model this small may never come to an end by itself
HEALTH_TIMEOUT = 10.0  # seconds


def main() -> None:
    orders = json.loads(sys.stdin.readline())
    parent = _take_stdout()
    os.nice(5) if sys.platform != "win32" else None  # answering the browser comes first
    try:
        server = xllamacpp.Server(_params(**orders))
    except RuntimeError as error:
        # Written before the parent's pipe closes: it ends whoever closes it.
        sys.stderr.write(f"The local model did not load from {orders['model_path']}: {error}\n")
        sys.stderr.flush()
        raise SystemExit(1) from None
    port = urlsplit(server.listening_address).port
    _require_health(port)
    print(json.dumps({"port": port}), file=parent, flush=True)
    sys.stdin.read()
    os._exit(0)  # answers in progress have lost their reader: nothing is worth waiting for


def _take_stdout() -> TextIO:
    """The parent's pipe, kept apart from whatever the library prints to standard output."""
    parent = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return parent


def _params(*, model_path: str, name: str, api_key: str) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = model_path
    params.model_alias = {name}  # else replies carry the file's path
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # the system picks a free one
    params.api_keys = [api_key]
    params.n_ctx, params.n_parallel, params.kv_unified = CONTEXT_TOKENS, ANSWERS_AT_ONCE, True
    params.n_predict = LONGEST_ANSWER
    # One core is left to the web server; waiting threads must not spin on the others.
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads, cpu.poll = max(1, min(4, (os.cpu_count() or 1) - 1)), 0
    params.sampling.temp, params.sampling.top_p = 0.2, 0.9  # what the model's authors recommend
    params.cache_ram_mib = 0  # no store of old prompts: it would grow to gigabytes
    params.ui = params.warmup = False
    params.verbosity = 1  # errors only
    return params


def _require_health(port: int | None) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=HEALTH_TIMEOUT)
    connection.request("GET", "/health")
    status = connection.getresponse().status
    connection.close()
    if status != 200:
        raise SystemExit(f"the local model is not healthy: HTTP {status}")


if __name__ == "__main__":
    main()
