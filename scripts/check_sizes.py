#!/usr/bin/env python3
"""check_sizes.py [ROOT]: prints the sizes of files and functions per module and names the large ones.

Files should be about 150 lines and rarely over 400; functions about 10 and rarely over 40 (kernels: 100). Only a file over
800 lines is an error. Functions are found by counting braces, which is exact enough for a table.
"""
import pathlib
import re
import statistics
import sys

FILE_LIMIT = 800
FILE_LARGE = 400
FUNCTION_LARGE = 40
KERNEL_LARGE = 100

# A string (raw or not), a character, or a comment: whatever may hide a brace.
HIDDEN = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![\w])\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/', re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
OPENS_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$")


def blank(match):
    """The same number of lines without their text."""
    return "\n" * match.group(0).count("\n")


def functions(text):
    """Yields (name, lines) of every function body that is not inside another one."""
    text = DIRECTIVE.sub(blank, HIDDEN.sub(blank, text))
    scopes = []  # of every open brace: None for a namespace, a class or an initialiser, else (name, first line)
    statement = ""  # text since the last ; or brace
    line = 1
    for char in text:
        line += char == "\n"
        if char == "{":
            head = statement.strip()
            inside = any(scopes)
            name = re.search(r"([\w~:]+|operator\S+)\s*\(", head)
            is_function = not inside and name and not OPENS_SCOPE.search(head) and "=" not in head.split("(")[0]
            scopes.append((name.group(1), line - head.count("\n")) if is_function else None)
            statement = ""
        elif char == "}":
            scope = scopes.pop() if scopes else None
            if scope:
                yield scope[0], line - scope[1] + 1
            statement = ""
        elif char == ";":
            statement = ""
        else:
            statement += char


def module_of(name):
    parts = name.split("/")
    return "/".join(parts[:2]) if parts[0] == "src" else parts[0]


def measure(root):
    """{module: [(file, lines, [(function, lines)])]} over every source, tests beside the code counted on their own."""
    modules = {}
    for top in ("src", "tests", "fuzz", "bench", "models"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".cpp", ".h", ".lua"):
                continue
            name = str(path.relative_to(root))
            module = module_of(name) + (" (tests)" if name.startswith("src/") and name.endswith("_test.cpp") else "")
            text = path.read_text()
            found = list(functions(text)) if path.suffix != ".lua" else []
            modules.setdefault(module, []).append((name, text.count("\n"), found))
    return modules


def print_table(modules):
    print(f"{'module':24}{'files':>6}{'lines':>7}{'median':>8}{'longest':>9}{'functions':>11}{'median':>8}{'longest':>9}")
    for module, files in sorted(modules.items()):
        sizes = [lines for _, lines, _ in files]
        bodies = [lines for _, _, found in files for _, lines in found] or [0]
        print(f"{module:24}{len(files):6}{sum(sizes):7}{statistics.median(sizes):8.0f}{max(sizes):9}"
              f"{len(bodies) if bodies != [0] else 0:11}{statistics.median(bodies):8.0f}{max(bodies):9}")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    modules = measure(root)
    print_table(modules)
    too_long = 0
    for name, lines, found in (entry for files in modules.values() for entry in files):
        if lines > FILE_LARGE:
            print(f"{name}: {lines} lines" + (f", over the limit of {FILE_LIMIT}" if lines > FILE_LIMIT else ", large"))
            too_long += lines > FILE_LIMIT
        large = KERNEL_LARGE if name.startswith("src/kernels/") else FUNCTION_LARGE
        for function, length in found:
            if length > large:
                print(f"{name}: {function} has {length} lines, large")
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
