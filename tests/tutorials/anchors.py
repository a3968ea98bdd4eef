#!/usr/bin/env python3
"""Resolves what the lessons point to in this tree: [`symbol`](../src/floor/file.cc).

The file must exist, and the symbol's last part must stand in it as a word or be the file's name. Any other mention of a source
file that is a link must exist too. With --self-test, sees that wrong anchors are caught.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINK = re.compile(r"\[`([^`\]]+)`\]\(\.\./([^)]+)\)")
ANY_LINK = re.compile(r"\]\(\.\./([^)#]+)\)")


def complaints_of(text):
    for path in ANY_LINK.findall(text):
        if not os.path.exists(os.path.join(ROOT, path)):
            yield "%s does not exist" % path
    for symbol, path in LINK.findall(text):
        if not os.path.isfile(os.path.join(ROOT, path)):
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            source = file.read()
        name = symbol.split("::")[-1]
        if name.split(".")[0] == os.path.basename(path).split(".")[0]:
            continue
        if not re.search(r"\b%s\b" % re.escape(name), source):
            yield "%s has no %s" % (path, symbol)


def self_test():
    wrong = ["[`nothing_of_this_name`](../src/main.cc)", "[`main`](../src/no_such_file.cc)"]
    missed = [text for text in wrong if not list(complaints_of(text))]
    if list(complaints_of("[`main`](../src/main.cc)")):
        missed.append("a right anchor")
    return missed


def main():
    missed = self_test()
    for text in missed:
        print("not judged right: %s" % text)
    found = 0
    anchors = 0
    folder = os.path.join(ROOT, "tutorials")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                anchors += len(LINK.findall(line))
                for complaint in complaints_of(line):
                    print("tutorials/%s:%d: %s" % (name, number, complaint))
                    found += 1
    print("%d anchors, %d complaints" % (anchors, found))
    return 1 if found or missed or anchors == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
