#!/usr/bin/env python3
"""Becomes nobody when started by root, since a server refuses to run as root: as_server_user.py COMMAND…

The command gets a home directory of its own, which is gone afterwards, and its exit code is ours.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile


def main(command):
    # Meson names programs relative to the build directory, and the command gets another one.
    command = [os.path.abspath(word) if os.path.exists(word) else word for word in command]
    home = tempfile.mkdtemp(prefix="lessons.", dir="/tmp")
    drop = None
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(home, nobody.pw_uid, nobody.pw_gid)

        def drop():
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
    environment = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")
                   if name in os.environ}
    environment.update(HOME=home, LANG="C.UTF-8")
    try:
        return subprocess.run(command, preexec_fn=drop, env=environment, cwd=home).returncode
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
