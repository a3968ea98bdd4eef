"""Opens connections to a server's Unix socket and holds them until it is told to stop (SIGTERM).

    hold_connections.py SOCKET COUNT [STATEMENT]

Each sends the statement, if there is one, and does not wait for its end. Says "held" when all are there.
"""

import signal
import socket
import struct
import sys


def connect(path):
    body = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.sendall(struct.pack("!i", len(body) + 4) + body)
    stream = connection.makefile("rb")
    while True:
        kind, length = struct.unpack("!ci", stream.read(5))
        body = stream.read(length - 4)
        if kind == b"E":
            sys.exit("refused: " + body.replace(b"\0", b" ").decode())
        if kind == b"Z":
            return connection


def main(path, count, statement=""):
    held = [connect(path) for _ in range(int(count))]
    for connection in held if statement else []:
        query = statement.encode() + b"\0"
        connection.sendall(b"Q" + struct.pack("!i", len(query) + 4) + query)
    print("held", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
