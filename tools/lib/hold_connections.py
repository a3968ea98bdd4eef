"""Opens connections to a Unix socket and holds them: hold_connections.py SOCKET COUNT

Says "held" when all are ready for queries, and lets go when its standard input ends.
"""

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


def main(path, count):
    held = [connect(path) for _ in range(count)]
    print("held", flush=True)
    sys.stdin.read()
    for connection in held:
        connection.sendall(b"X\0\0\0\4")
        connection.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
