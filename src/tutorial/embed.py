#!/usr/bin/env python3
"""Writes the lessons' pages into a C++ file: embed.py OUTPUT PAGE…"""

import os
import sys

PIECE = 8000  # a string literal may have to be short, but literals may stand beside each other


def literal(text):
    pieces = [text[at:at + PIECE] for at in range(0, len(text), PIECE)]
    return "\n".join('R"page(%s)page"' % piece for piece in pieces)


def main(output, pages):
    with open(output, "w", encoding="utf-8") as out:
        out.write("// The lessons' pages; written by embed.py.\n#include \"tutorial/lessons.h\"\n\n"
                  "namespace cofork::tutorial {\n\nconst std::vector<EmbeddedPage>& embedded_pages() {\n"
                  "  static const std::vector<EmbeddedPage> kPages = {\n")
        for page in pages:
            with open(page, encoding="utf-8") as file:
                out.write('{"%s",\n%s},\n' % (os.path.basename(page), literal(file.read())))
        out.write("  };\n  return kPages;\n}\n\n}  // namespace cofork::tutorial\n")


main(sys.argv[1], sys.argv[2:])
