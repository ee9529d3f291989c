"""A wire that can be cut without either end being told, as when a machine is unplugged."""

import contextlib
import socket
import threading

_CHUNK = 65_536


class Relay:
    """Hands on what comes at a port of its own to another one, and back.

    Attributes:
        address: Where it listens.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._holds = False
        self._held: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """From now on the end of a connection on one side is not told to the other one."""
        self._holds = True

    def let_go(self) -> None:
        """Tells of all ends, also of those before."""
        self._holds = False
        held, self._held = self._held, []
        for each in held:
            _end(each)

    def close(self) -> None:
        """Listens no more."""
        self.let_go()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._server.accept()
            except OSError:
                return
            try:
                there = socket.create_connection(self._target)
            except OSError:
                here.close()
                continue
            for each in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=each, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                target.sendall(data)
        if self._holds:
            self._held.append(target)
        else:
            _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
