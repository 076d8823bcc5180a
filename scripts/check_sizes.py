#!/usr/bin/env python3
"""check_sizes.py [ROOT]: prints the sizes of files and functions per module and names what is too large.

A file should have about 150 lines and has 400 at most; a class body has 200 at most; a function should have about 10 and
has 40 at most (in kernels, 100). What exceeds a limit is an error, unless ALLOWED says why it may. Bodies are found by
counting braces, which is exact enough for a table.
"""
import pathlib
import re
import statistics
import sys

FILE_LIMIT = 400
CLASS_LIMIT = 200
FUNCTION_LIMIT = 40
KERNEL_LIMIT = 100
# What may exceed its limit: {file, or file and name: why}. docs/decisions.md has the longer story.
ALLOWED = {}

# A string (raw or not), a character, or a comment: whatever may hide a brace.
HIDDEN = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![\w])\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/', re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
OPENS_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$")
CLASS_NAME = re.compile(r"\b(?:class|struct|union)\s+(?:alignas\([^)]*\)\s*)?([\w:]+)[^()]*$")


def blank(match):
    """The same number of lines without their text."""
    return "\n" * match.group(0).count("\n")


def bodies(text):
    """Yields (kind, name, lines) of every body of a class, and of every function that is not inside another one."""
    text = DIRECTIVE.sub(blank, HIDDEN.sub(blank, text))
    scopes = []  # of every open brace: (kind, name, first line), kind None for a namespace or an initialiser
    statement = ""  # text since the last ; or brace
    line = 1
    for char in text:
        line += char == "\n"
        if char == "{":
            head = statement.strip()
            inside = any(kind == "function" for kind, _, _ in scopes)
            function = re.search(r"([\w~:]+|operator\S+)\s*\(", head)
            opens_class = CLASS_NAME.search(head)
            first = line - head.count("\n")
            if not inside and function and not OPENS_SCOPE.search(head) and "=" not in head.split("(")[0]:
                scopes.append(("function", function.group(1), first))
            elif opens_class and "enum" not in head.split():
                scopes.append(("class", opens_class.group(1), first))
            else:
                scopes.append((None, "", first))
            statement = ""
        elif char == "}":
            if scopes:
                kind, name, first = scopes.pop()
                if kind:
                    yield kind, name, line - first + 1
            statement = ""
        elif char == ";":
            statement = ""
        else:
            statement += char


def module_of(name):
    parts = name.split("/")
    return "/".join(parts[:2]) if parts[0] == "src" else parts[0]


def measure(root):
    """{module: [(file, lines, [(kind, name, lines)])]} over every source, tests beside the code counted on their own."""
    modules = {}
    for top in ("include", "src", "tests", "fuzz", "bench", "models"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".cpp", ".h", ".lua"):
                continue
            name = str(path.relative_to(root))
            module = module_of(name) + (" (tests)" if name.startswith("src/") and name.endswith("_test.cpp") else "")
            text = path.read_text()
            found = list(bodies(text)) if path.suffix != ".lua" else []
            modules.setdefault(module, []).append((name, text.count("\n"), found))
    return modules


def print_table(modules):
    print(f"{'module':24}{'files':>6}{'lines':>7}{'median':>8}{'longest':>9}{'functions':>11}{'median':>8}{'longest':>9}")
    for module, files in sorted(modules.items()):
        sizes = [lines for _, lines, _ in files]
        functions = [lines for _, _, found in files for kind, _, lines in found if kind == "function"]
        print(f"{module:24}{len(files):6}{sum(sizes):7}{statistics.median(sizes):8.0f}{max(sizes):9}"
              f"{len(functions):11}{statistics.median(functions or [0]):8.0f}{max(functions, default=0):9}")


def offences(modules):
    """One line for everything that exceeds its limit without leave."""
    for name, lines, found in (entry for files in modules.values() for entry in files):
        if lines > FILE_LIMIT and name not in ALLOWED:
            yield f"{name}: {lines} lines, over the limit of {FILE_LIMIT}"
        function_limit = KERNEL_LIMIT if name.startswith("src/kernels/") else FUNCTION_LIMIT
        for kind, body, length in found:
            limit = CLASS_LIMIT if kind == "class" else function_limit
            if length > limit and (name, body) not in ALLOWED:
                yield f"{name}: {kind} {body} has {length} lines, over the limit of {limit}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    modules = measure(root)
    print_table(modules)
    found = list(offences(modules))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
