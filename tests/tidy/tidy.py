#!/usr/bin/env python3
"""Holds the architecture: reads every source file once and complains about what breaks a rule.

    tidy.py            check this tree; prints FILE:LINE: what is wrong, exits 1 if anything is
    tidy.py --self-test  plant a violation of every rule and see that it is caught

The rules are those of ARCHITECTURE.md. A place that may break one stands in an allow-list below,
with the reason; an entry that is no longer needed is itself a complaint.
"""

import os
import re
import sys
from collections import namedtuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

Complaint = namedtuple("Complaint", "path line rule text")

# Floors that may call the kernel; everything else goes through their interfaces.
KERNEL_FLOORS = ("os", "model")
# Floors where the execution model may be told apart: inside it, and where the user chooses it.
MODEL_AWARE_FLOORS = ("model", "cli")

MAX_LINE = 100
MAX_FILE = 650

# Kernel calls, written with or without "::" in front. Members (x.open(…), x->close(…)) are not.
IO_CALLS = """open openat creat close read write pread pwrite readv writev preadv pwritev lseek fsync
fdatasync ftruncate truncate fstat stat lstat unlink rename mkdir rmdir chmod chown symlink readlink
opendir readdir closedir socket bind listen accept accept4 connect send recv sendto recvfrom sendmsg
recvmsg setsockopt getsockopt getsockname shutdown poll ppoll select pselect epoll_create1 epoll_ctl
epoll_wait eventfd signalfd timerfd_create pipe pipe2 dup dup2 fcntl ioctl mmap munmap mprotect madvise
mremap shmget shmat shmdt shmctl memfd_create fork vfork execv execve execvp posix_spawn waitpid kill
sigaction signal sigprocmask setitimer timer_create clock_gettime gettimeofday nanosleep usleep
sched_yield futex syscall prctl setsid getpid getppid getuid geteuid fopen fread fwrite fclose
getrandom""".split()

BANNED_CALLS = """getaddrinfo getnameinfo gethostbyname getpwnam getpwuid getpwuid_r getpwnam_r setlocale
strerror getenv setenv putenv umask chdir localtime localtime_r gmtime mktime time system sleep rand srand
random popen tmpnam exit abort atexit""".split()
BANNED_WORDS = ["std::thread", "std::jthread", "std::mutex", "std::condition_variable", "std::async",
                "std::this_thread", "thread_local", "std::random_device", "std::mt19937",
                "std::chrono::system_clock::now", "std::chrono::steady_clock::now", "std::ifstream",
                "std::ofstream", "std::shared_mutex", "std::call_once"]

# What must not stand between the braces of a catch block or a destructor: there a fiber that waits
# would show its exception state to its neighbours.
WAITING_CALLS = """wait_latch wait semaphore_wait pause_us run_blocking yield check_interrupts report log
send_report flush acquire lwlock_acquire run_exit_callbacks reinitialize""".split()

# Marks of unfinished work: what is not there is refused with an error, not promised in a comment.
FORBIDDEN_WORDS = [r"\bTODO\b", r"\bFIXME\b", r"\bXXX\b", r"\bHACK\b"]

# path: {rule: reason}. A whole file may break one rule, for a reason.
ALLOWED = {
    "src/postmaster/roles_table.cc": {"width": "a table reads best with one row a line"},
    "src/model/model.h": {"width": "one character; with its next change, which rebuilds everything"},
    "src/pch/std.h": {"width": "one character; with its next change, which rebuilds everything"},
    "src/sql/functions/admin_functions.cc": {"banned": "cofork_crash('abort') does what it says"},
}

# Mutable objects that outlive a task: (path, name): reason.
ALLOWED_GLOBALS = {
    ("src/model/faults.cc", "dies_on_fault"): "how this process answers faults: per process, as signals are",
    ("src/model/faults.cc", "crash_stack"): "where a crashed task leaves from: per thread",
    ("src/model/faults.cc", "task_aborts"): "tells our abort() from the C library's: per thread",
    ("src/model/fork_model.cc", "process_task"): "the one task of a process, for its signal handlers",
    ("src/model/scheduler.h", "current_"): "what this_task() stands on: one scheduler a thread",
    ("src/model/stack.cc", "pool"): "the deep stacks of a thread",
    ("src/os/execute_again.cc", "instance"): "how this process was started: needed by a signal handler",
    ("src/os/process_title.cc", "area"): "the one argument area that ps shows",
    ("src/os/sockets.cc", "clock"): "stateless object behind an interface",
    ("src/os/sockets.cc", "entropy"): "stateless object behind an interface",
    ("src/os/sockets.cc", "files"): "stateless object behind an interface",
    ("src/os/sockets.cc", "sockets"): "stateless object behind an interface",
    ("src/os/sockets.cc", "bundle"): "references to those",
}


# --- reading ---------------------------------------------------------------------------------------

def source_files(root):
    """Paths of the C++ files under src/, tests/ and tools/, relative to root."""
    for top in ("src", "tests"):
        for folder, _, names in sorted(os.walk(os.path.join(root, top))):
            for name in sorted(names):
                if name.endswith((".cc", ".h", ".cpp")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def text_files(root):
    """All files people read: sources, scripts, documents and build files."""
    for top in ("src", "tests", "tools", ".ci", "subprojects/packagefiles"):
        for folder, _, names in sorted(os.walk(os.path.join(root, top))):
            for name in sorted(names):
                if not name.endswith((".pyc", ".bin")):
                    yield os.path.relpath(os.path.join(folder, name), root)
    for name in sorted(os.listdir(root)):
        if name.endswith((".md", ".build", ".txt")):
            yield name


def floors_of(root):
    """The floors bottom to top, as src/meson.build lists them."""
    with open(os.path.join(root, "src/meson.build"), encoding="utf-8") as file:
        return re.findall(r"^subdir\('(\w+)'\)", file.read(), re.M)


def floor_of(path):
    """src/FLOOR/… -> FLOOR; None for main.cc and everything outside src."""
    parts = path.split(os.sep)
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def blank_out(text):
    """The text with comments and the insides of literals replaced by blanks, line breaks kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'
                         r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)

    def blanks(match):
        found = match.group(0)
        if found.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", found)
        inner = re.sub(r"[^\n]", " ", found[1:-1])
        return '"' + inner + '"'
    return pattern.sub(blanks, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


# --- rules -----------------------------------------------------------------------------------------
# Each takes (path, text, code, floors) and yields (line, rule, what is wrong); `code` is the text
# without comments and literals.

def check_contract_comment(path, text, code, floors):
    if not text.startswith(("//", "/*")):
        yield 1, "contract", "the file does not begin with a comment that says what it is"


def check_length(path, text, code, floors):
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            yield number, "width", "line of %d characters, more than %d" % (len(line), MAX_LINE)
    if len(lines) > MAX_FILE and path.startswith("src"):
        yield 1, "length", "%d lines, more than %d: probably two concepts" % (len(lines), MAX_FILE)


def check_floors(path, text, code, floors):
    floor = floor_of(path)
    if floor is None or floor not in floors:
        return
    for match in re.finditer(r'^\s*#include "(\w+)/', text, re.M):
        other = match.group(1)
        if other in floors and floors.index(other) > floors.index(floor):
            yield (line_of(text, match.start(1)), "floors",
                   "%s includes %s, which stands above it" % (floor, other))


def check_model_branches(path, text, code, floors):
    floor = floor_of(path)
    if floor is None or floor in MODEL_AWARE_FLOORS:
        return
    pattern = (r"\b(?:if|while|switch)\b[^;{]*\b(?:execution_mode|is_fork|is_coroutine|::kCoroutine|::kFork"
               r"|ForkModel|CoroutineModel|model\(\)\s*\.\s*name)\b|\bdynamic_cast<\s*(?:Fork|Coroutine)Model")
    for match in re.finditer(pattern, code):
        yield line_of(code, match.start()), "model", "an execution model is told apart above src/model"


def calls(code, names):
    """Calls of free functions of these names: (position, name)."""
    pattern = r"(?<![\w.>:~])((?:::)?(?:std::)?)(%s)\s*\(" % "|".join(sorted(names, key=len, reverse=True))
    for match in re.finditer(pattern, code):
        before = code[:match.start()].rstrip()
        # "int open(" and "Result read(" declare a member or function of that name.
        if not match.group(1) and re.search(r"[\w>&*\]]$", before) and not re.search(
                r"\b(?:return|else|do|co_return|throw|case)$", before):
            continue
        yield match.start(), match.group(2)


def defined_here(code):
    """Names of functions, parameters and members that this file itself declares."""
    pattern = r"(\w+[>&*]*)\s+(?:\w+::)*(\w+)\s*\([^;{}]*\)\s*(?:const|noexcept|override|\s)*[;{=]"
    variable = r"([\w>)]+[&*]*)\s+[&*]*(\w+)\s*(?=[,;)]|=[^=])"
    pointer = r"(\w+[>&*]*)\s*\(\*(\w+)\)\s*\("
    return {name for before, name in re.findall(pattern, code) + re.findall(pointer, code) + re.findall(variable, code)
            if before not in ("return", "else", "do", "throw", "case", "co_return", "new")}


def check_kernel_calls(path, text, code, floors):
    floor = floor_of(path)
    if floor is None or floor in KERNEL_FLOORS:
        return
    own = defined_here(code)
    for position, name in calls(code, IO_CALLS):
        qualified = code[position:position + 2] == "::"
        if qualified or name not in own:
            yield line_of(code, position), "kernel", "%s() is a call of the kernel; use os/, io/ or model/" % name
    for position, name in calls(code, BANNED_CALLS):
        if name not in own or code[position:position + 2] == "::":
            yield line_of(code, position), "banned", "%s() is banned above os/ and model/" % name
    for word in BANNED_WORDS:
        for match in re.finditer(r"(?<![\w:])%s\b" % re.escape(word), code):
            yield line_of(code, match.start()), "banned", "%s is banned above os/ and model/" % word


def check_globals(path, text, code, floors):
    if floor_of(path) is None and path != "src/main.cc":
        return
    for position, declaration in namespace_declarations(code):
        name = mutable_name(declaration)
        if name:
            yield line_of(code, position), "globals", "mutable global: %s" % name
    for match in re.finditer(r"(?<![\w:])static\s+(?!const\b|constexpr\b|inline\b|cast)([\w:<>,\s*&]+?[\s*&])(\w+)"
                             r"\s*(?:=|;|\{(?!\s*$))", code):
        if "const " in match.group(1) and "*" not in match.group(1):
            continue
        yield line_of(code, match.start()), "globals", "mutable static: %s" % match.group(2)


def namespace_declarations(code):
    """Statements at namespace scope: (position, text). Bodies of classes and functions are skipped."""
    depth, namespaces, start = 0, [], 0
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.M)
    for position, char in enumerate(code):
        if char == "{":
            head = code[start:position]
            if depth == 0 and re.search(r'\b(?:namespace\b[\w:\s]*|extern\s+" *")\s*$', head):
                namespaces.append(position)
                start = position + 1
                continue
            depth += 1
        elif char == "}":
            if depth == 0:
                if namespaces:
                    namespaces.pop()
                start = position + 1
                continue
            depth -= 1
            if depth == 0 and not re.match(r"\s*[;,=)\w]", code[position + 1:position + 40]):
                start = position + 1
            elif depth == 0 and re.search(r"\)\s*(?:const|noexcept|override|\s)*$",
                                          code[start:code.find("{", start)]):
                start = position + 1  # the end of a function's body
        elif char == ";" and depth == 0:
            yield start + len(code[start:position]) - len(code[start:position].lstrip()), code[start:position].strip()
            start = position + 1


def mutable_name(declaration):
    """The name of a variable that can change, or None for everything else."""
    head = re.split(r"[={]", declaration, 1)[0].strip()
    if not head or "(" in head or re.match(
            r"(?:using|typedef|template|class|struct|enum|union|friend|extern|static_assert|namespace|public|"
            r"concept|return|operator)\b", head):
        return None
    if re.search(r"\b(?:constexpr|constinit const|consteval)\b", head):
        return None
    if re.search(r"\bconst\b", head) and not re.search(r"\*\s*\w+(?:\[.*\])?$", head):
        return None
    if re.search(r"\*\s*const\s+\w+", head):
        return None
    match = re.match(r"(?:(?:static|inline|thread_local|const)\s+)*[\w:]+(?:<.*>)?[\s*&]+(\w+)\s*(?:\[.*\])?$",
                     head, re.S)
    return match.group(1) if match else None


def block_at(code, brace):
    """The text between a brace and its partner."""
    depth = 0
    for position in range(brace, len(code)):
        depth += {"{": 1, "}": -1}.get(code[position], 0)
        if depth == 0:
            return code[brace + 1:position]
    return code[brace + 1:]


def check_waits(path, text, code, floors):
    if floor_of(path) is None or floor_of(path) in KERNEL_FLOORS + ("cli",):
        return
    blocks = [(match.end() - 1, "catch block") for match in re.finditer(r"\bcatch\s*\([^)]*\)\s*\{", code)]
    blocks += [(match.end() - 1, "destructor")
               for match in re.finditer(r"~\w+\s*\(\s*\)\s*(?:noexcept|override|\s)*\{", code)]
    names = "|".join(WAITING_CALLS)
    for brace, where in blocks:
        body = block_at(code, brace)
        for match in re.finditer(r"(?<![\w])(%s)\s*\(" % names, body):
            yield (line_of(code, brace + 1 + match.start()), "waits",
                   "%s() may wait; it stands in a %s" % (match.group(1), where))


SOURCE_RULES = [check_contract_comment, check_length, check_floors, check_model_branches,
                check_kernel_calls, check_globals, check_waits]


def check_words(path, text):
    for pattern in FORBIDDEN_WORDS:
        for match in re.finditer(pattern, text):
            yield line_of(text, match.start()), "words", "%r does not belong into the tree" % match.group(0)


# --- running ---------------------------------------------------------------------------------------

def check_source(path, text, floors):
    code = blank_out(text)
    for rule in SOURCE_RULES:
        if path.startswith("tests") and rule not in (check_contract_comment, check_length):
            continue
        for line, name, what in rule(path, text, code, floors):
            yield Complaint(path, line, name, what)


def check_tree(root):
    floors = floors_of(root)
    complaints, used = [], set()
    everything = []
    for path in source_files(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            everything.extend(check_source(path, file.read(), floors))
    for path in text_files(root):
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            everything.extend(Complaint(path, *found) for found in check_words(path, file.read()))
    for complaint in everything:
        key = (complaint.path, complaint.rule)
        if complaint.rule == "globals":
            key = (complaint.path, complaint.text.split(": ")[1])
        if complaint.rule in ALLOWED.get(complaint.path, {}) or key in ALLOWED_GLOBALS:
            used.add(key)
        else:
            complaints.append(complaint)
    entries = {(path, rule) for path, rules in ALLOWED.items() for rule in rules} | set(ALLOWED_GLOBALS)
    for path, rule in sorted(entries - used):
        complaints.append(Complaint(path, 1, rule, "tidy.py's allow-list no longer needs this entry"))
    return complaints


PLANTED = [
    ("contract", "src/sql/a.cc", "int main_thing();\n"),
    ("width", "src/sql/a.cc", "// A.\n// " + "x" * 120 + "\n"),
    ("length", "src/sql/a.cc", "// A.\n" * (MAX_FILE + 2)),
    ("floors", "src/wire/a.cc", '// A.\n#include "sql/session.h"\n'),
    ("model", "src/roles/a.cc", "// A.\nvoid f() { if (settings.execution_mode == 1) g(); }\n"),
    ("model", "src/roles/a.cc", '// A.\nvoid f() { if (task.model().name() == x) g(); }\n'),
    ("kernel", "src/wal/a.cc", "// A.\nint f() { return open(path, 0); }\n"),
    ("kernel", "src/wal/a.cc", "// A.\nvoid f() { ::fsync(fd); }\n"),
    ("kernel", "src/wal/a.cc", "// A.\nvoid f() { x = 1; close(fd); }\n"),
    ("banned", "src/log/a.cc", "// A.\nvoid f() { auto x = strerror(e); }\n"),
    ("banned", "src/log/a.cc", "// A.\nstd::mutex m;\n"),
    ("banned", "src/log/a.cc", "// A.\nvoid f() { thread_local int x = 0; }\n"),
    ("globals", "src/sql/a.cc", "// A.\nnamespace cofork {\nint counter = 0;\n}\n"),
    ("globals", "src/sql/a.cc", "// A.\nnamespace cofork {\nnamespace {\nconst char* name;\n}\n}\n"),
    ("globals", "src/sql/a.cc", "// A.\nnamespace cofork {\nvoid f() { int x; }\nstd::map<int, int> cache;\n}\n"),
    ("globals", "src/sql/a.cc", "// A.\nvoid f() {\n  static int calls = 0;\n}\n"),
    ("waits", "src/sql/a.cc", "// A.\nvoid f() {\n  try { g(); } catch (const Error& e) { log(e); }\n}\n"),
    ("waits", "src/sql/a.cc", "// A.\nstruct A { ~A() { lock.acquire(); } };\n"),
    ("words", "src/sql/a.cc", "// A.\n// TO" + "DO: later\n"),
]
CLEAN = [
    ("src/sql/a.cc", "// A file that breaks no rule.\n#include \"wire/message.h\"\n#include <string>\nnamespace cofork {\n"
     "namespace {\nconstexpr int kLimit = 3;\nconst char* const kName = \"open(x) // y\";\n"
     "constexpr const char* kOther = \"static int x = 0;\";\n}  // namespace\n"
     "struct Row { int value = 0; int read(int x); };\nusing Handler = void (*)(int);\n"
     "int Row::read(int x) { return files.open(x) + this_task().os().files.close(x); }\n"
     "int twice(int x) {\n  static constexpr int kTwo = 2;\n  std::optional<ErrorData> failed;\n"
     "  try { work(); } catch (const Error& e) { failed = e.data(); }\n  if (failed) report(*failed);\n"
     "  return kTwo * x;\n}\n}  // namespace cofork\n"),
    ("src/os/a.cc", "// The floor below everything.\nint f() { return ::open(path, 0); }\n"),
]


def self_test():
    floors = ["support", "types", "os", "model", "settings", "log", "shmem", "io", "wire", "wal",
              "recovery", "catalog", "sql", "roles", "postmaster", "cli"]
    failures = 0

    def found(path, text):
        rules = [c.rule for c in check_source(path, text, floors)]
        return rules + [rule for _, rule, _ in check_words(path, text)]
    for rule, path, text in PLANTED:
        if rule not in found(path, text):
            print("not caught (%s): %r" % (rule, text[:80]))
            failures += 1
    for path, text in CLEAN:
        if found(path, text):
            print("caught, though clean: %s in %r" % (list(check_source(path, text, floors)), text[:60]))
            failures += 1
    print("self-test: %d planted violations, %d failures" % (len(PLANTED), failures))
    return failures


def main(arguments):
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    if arguments:
        print(__doc__)
        return 2
    complaints = check_tree(ROOT)
    for complaint in complaints:
        print("%s:%d: [%s] %s" % complaint)
    print("%d complaints" % len(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
