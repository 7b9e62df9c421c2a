"""Carries plain connections on a loopback port over TLS to a broker, for libraries whose client takes no certificate.

Arguments: broker host, port, folder of the credential. Says its own port on a line and goes on until it is ended.
"""

from __future__ import annotations

import select
import socket
import ssl
import sys
import threading
from pathlib import Path

CHUNK_BYTES = 65_536


def carry(plain: socket.socket, broker: tuple[str, int], context: ssl.SSLContext) -> None:
    """Hand on what comes from either end until one of them closes."""
    with plain, context.wrap_socket(socket.create_connection(broker), server_hostname=broker[0]) as secured:
        ends = ((plain, secured), (secured, plain))
        while True:
            ready = [secured] if secured.pending() else select.select([plain, secured], [], [])[0]
            for end, other in ends:
                if end in ready:
                    heard = hear(end)
                    if heard == b"":
                        return
                    if heard is not None:
                        other.sendall(heard)


def hear(end: socket.socket) -> bytes | None:
    """Return what has come, nothing at the end, and None when it was TLS's own.

    A broker sends session tickets right after the handshake: these make the socket readable, and whoever waited for
    more would hold up the first message, which the broker waits for.
    """
    end.setblocking(False)
    try:
        return end.recv(CHUNK_BYTES)
    except ssl.SSLWantReadError:
        return None
    finally:
        end.setblocking(True)


def main() -> None:
    host, port, files = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    context = ssl.create_default_context(cafile=str(files / "ca.crt"))
    context.load_cert_chain(files / "client.crt", files / "client.key")
    door = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{door.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        threading.Thread(target=carry, args=(door.accept()[0], (host, port), context), daemon=True).start()


if __name__ == "__main__":
    main()
