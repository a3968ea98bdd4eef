#!/usr/bin/env python3
"""Goes through lesson 1 as a learner does, by the commands of `cofork tutorial`: conversation.py COFORK MODE"""

import os
import re
import signal
import subprocess
import sys
import time

COFORK, MODE = sys.argv[1:]
STATE = os.path.join(os.environ["HOME"], "state")
os.environ["XDG_STATE_HOME"] = STATE
PLACE = os.path.join(STATE, "cofork-tutorial", "1-" + MODE)


def tutorial(*words, code=0):
    done = subprocess.run([COFORK, "tutorial", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, encoding="utf-8", timeout=60)
    assert done.returncode == code, "tutorial %s: code %d\n%s" % (words, done.returncode, done.stdout)
    return done.stdout


def has(text, part):
    assert part in text, "no %r in:\n%s" % (part, text)


def server_runs():
    return os.path.exists(os.path.join(PLACE, "data", "postmaster.pid"))


def command_line_of(pid):
    """What a process was called with; nothing when it has ended, even if nobody has asked for its status."""
    try:
        with open("/proc/%d/cmdline" % pid, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def answer():
    """The third hint of the step that is open: its commands."""
    tutorial("hint")
    tutorial("hint")
    return tutorial("hint").split("\n", 1)[1]


def foreign_directory_is_left_alone():
    foreign = os.path.join(STATE, "cofork-tutorial")
    os.makedirs(foreign)
    with open(os.path.join(foreign, "precious"), "w", encoding="utf-8"):
        pass
    has(tutorial("start", "1", code=1), "was not made by this tutorial")
    assert os.listdir(foreign) == ["precious"]
    os.remove(os.path.join(foreign, "precious"))


def interrupted_shell_stops_the_server():
    """`start` with a terminal: the shell's end, here by the terminal's, stops the server."""
    import pty
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(SHELL="/bin/sh", PS1="the-prompt ")
        os.execv(COFORK, [COFORK, "tutorial", "start", "1", "--mode", MODE])
    seen = b""

    def read_until(part):
        nonlocal seen
        while part not in seen:
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                raise AssertionError("the shell ended:\n" + seen.decode()) from None
    read_until(b"the-prompt ")
    assert server_runs()
    seen = b""
    os.write(terminal, b"\x03")  # Ctrl-C is the shell's, which shows a new prompt
    read_until(b"the-prompt ")
    os.write(terminal, b"echo still $((40 + 2)) here\n")
    read_until(b"still 42 here")
    os.close(terminal)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 30
    while server_runs():
        assert time.monotonic() < deadline, "the server still runs"
        time.sleep(0.05)


def main():
    foreign_directory_is_left_alone()
    has(tutorial("list"), "One supervisor, many children")
    has(tutorial("check", code=1), "no lesson has been started")
    has(tutorial("start", "1", "--mode", MODE, "--no-shell"), "Step 1: ")
    assert server_runs()
    first = tutorial("check", code=3)
    for part in ("not yet  step 1", "expected", "saw", "look yourself", "0/5, 0 %"):
        has(first, part)

    subprocess.run(". '%s/env'\n%s" % (PLACE, answer()), shell=True, check=True, stdout=subprocess.DEVNULL)
    second = tutorial("check", code=3)
    for part in ("done     step 1", "not yet  step 2", "1/5, 20 %", "Step 2: "):
        has(second, part)
    has(tutorial("status"), "1/5, 20 %")
    tutorial("stop")
    assert not server_runs()

    interrupted_shell_stops_the_server()
    has(tutorial("start", "1", "--mode", MODE, "--no-shell", "--from", "5"), "Step 5: ")
    has(tutorial("check", code=3), "4/5, 80 %")
    subprocess.run(". '%s/env'\n%s" % (PLACE, answer()), shell=True, check=True, stdout=subprocess.DEVNULL)
    has(tutorial("check"), "5/5, 100 %")
    has(tutorial("show", "--answers"), "Because it must not fail")
    assert "Because it must not fail" not in tutorial("show")
    assert not re.search("<!--|hint: ", tutorial("show"))
    has(tutorial("check", "--exercise", code=3), "not yet: the change in the source")

    pid = int(open(os.path.join(PLACE, "data", "postmaster.pid"), encoding="utf-8").readline())
    has(tutorial("reset", "1"), "begins anew")
    assert not os.path.exists(PLACE)
    assert not command_line_of(pid), "the server outlived its lesson"
    has(tutorial("status"), "No lesson has been started")


signal.alarm(100)
main()
print("ok")
