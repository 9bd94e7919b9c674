"""Can the server in this container answer people? Ends with 1 where it cannot: for engines that watch containers."""

import http.client

from scripts import settings

PATIENCE_SECONDS = 8


def main() -> None:
    connection = http.client.HTTPConnection("127.0.0.1", settings.port(), timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/readyz")
        reply = connection.getresponse()
        print(reply.read().decode())
    except (OSError, http.client.HTTPException) as error:
        raise SystemExit(f"The server does not answer: {error}") from error
    raise SystemExit(reply.status != http.client.OK)


if __name__ == "__main__":
    main()
