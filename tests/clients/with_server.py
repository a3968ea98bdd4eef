#!/usr/bin/env python3
"""Runs a client program against a server that exists only for it.

    with_server.py COFORK MODE COMMAND…

COFORK is the binary, MODE fork or coroutine; or `reference` for both: the real PostgreSQL 15. The
server gets a fresh temporary directory and a TCP port of the kernel's choice, and runs as nobody when
this script is started by root. COMMAND finds it through PGHOST, PGPORT, PGUSER and PGDATABASE; its exit
code is ours.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

REFERENCE = "/usr/lib/postgresql/15/bin"
DEADLINE_S = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_server_user():
    """What a child has to do first: nothing, or become nobody."""
    if os.geteuid() != 0:
        return None, None
    nobody = pwd.getpwnam("nobody")

    def drop():
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    return nobody, drop


def main(binary, mode, command):
    directory = tempfile.mkdtemp(prefix="cofork.", dir="/tmp")
    nobody, drop = as_server_user()
    server = None
    try:
        if binary == "reference":
            programs, arguments = REFERENCE, []
        else:
            # A copy, where the server's user can reach it.
            programs, arguments = directory + "/bin", ["--mode=" + mode]
            os.mkdir(programs)
            shutil.copy(binary, programs + "/cofork")
            for name in ("postgres", "initdb"):
                os.symlink("cofork", programs + "/" + name)
        if nobody:
            os.chown(directory, nobody.pw_uid, nobody.pw_gid)
        data, port = directory + "/data", free_port()
        subprocess.run([programs + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N",
                        "-E", "UTF8", "--locale=C"],
                       check=True, stdout=subprocess.DEVNULL, preexec_fn=drop, cwd="/")
        log = open(directory + "/log", "wb")
        server = subprocess.Popen(
            [programs + "/postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", directory]
            + arguments, stdout=log, stderr=log, preexec_fn=drop, cwd="/")
        environment = dict(os.environ, PGHOST="127.0.0.1", PGPORT=str(port), PGUSER="postgres",
                           PGDATABASE="postgres", COFORK_MODE=mode)
        deadline = time.monotonic() + DEADLINE_S
        while subprocess.run(["pg_isready", "-q"], env=environment).returncode != 0:
            if server.poll() is not None or time.monotonic() > deadline:
                print(open(directory + "/log").read())
                print("the server did not start")
                return 1
            time.sleep(0.05)
        result = subprocess.run(command, env=environment).returncode
        server.send_signal(signal.SIGINT)
        if server.wait(DEADLINE_S) != 0:
            print("the server did not stop cleanly")
            result = result or 1
        if result:
            print(open(directory + "/log").read())
        return result
    finally:
        if server and server.poll() is None:
            server.send_signal(signal.SIGQUIT)
            server.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print(__doc__)
        sys.exit(2)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
