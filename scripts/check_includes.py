#!/usr/bin/env python3
"""check_includes.py [ROOT]: verifies that src/ keeps to the include arrows of docs/architecture.md.

A module may include itself, the modules of its row below, and whatever those may include. Inside a module the folders form
no circle. Also checked: CMake dependencies follow the same arrows, a file opens only its module's namespace, and x.cpp
includes its own x.h first (so that every header compiles alone). Prints every offending line and exits 1 when there is one.
"""
import pathlib
import re
import sys

ARROWS = {
    "base": [],
    "tensor": ["base"],
    "unicode": ["base"],
    "grammar": ["unicode"],
    "jinja": ["unicode"],
    "text": ["jinja"],
    "response": ["text"],
    "ckpt": ["tensor"],
    "graph": ["tensor"],
    "define": ["graph"],
    "plan": ["graph"],
    "kernels": ["tensor"],
    "comm": ["tensor"],
    "lower": ["plan"],
    "runtime": ["lower", "kernels", "comm", "ckpt"],
    "engine": ["runtime"],
    "inference": ["define", "engine", "response"],
    "server": ["inference", "response", "grammar"],
    "load": ["base"],
    "library": ["inference"],
    "app": ["inference", "server", "load"],
}
# What a module's tests may include on top: end-to-end tests need a traced graph or a checkpoint to start from.
TEST_ARROWS = {
    "define": ["ckpt"],
    "lower": ["define", "ckpt"],
    "runtime": ["define"],
    "engine": ["define", "text"],
}
# Vocabulary types of the whole project, and what others link, live in the outermost namespace.
ROOT_NAMESPACE = {"base", "tensor", "library"}


def reachable(modules):
    """The modules themselves and everything their arrows lead to."""
    found = set()
    pending = list(modules)
    while pending:
        module = pending.pop()
        if module not in found:
            found.add(module)
            pending += ARROWS[module]
    return found


def allowed_modules(module, is_test):
    return reachable([module] + (TEST_ARROWS.get(module, []) if is_test else []))


def check_source(path, module, source_root):
    """Yields (line number, message) for every offence of one source file."""
    is_test = path.name.endswith("_test.cpp")
    allowed = allowed_modules(module, is_test)
    own_header = path.with_suffix(".h")
    awaits_own_header = path.suffix == ".cpp" and own_header.exists()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        include = re.match(r'\s*#\s*include\s*["<]([^">]+)[">]', line)
        if include:
            target = include.group(1)
            if awaits_own_header and target != str(own_header.relative_to(source_root)):
                yield number, f"includes {target} before its own header"
            awaits_own_header = False
            top = target.split("/")[0]
            if '"' in line and not (source_root / target).exists():
                yield number, f'includes "{target}", which is not a path below src/'
            elif top in ARROWS and top not in allowed:
                yield number, f"{module} may not include {target} (allowed: {', '.join(sorted(allowed))})"
        namespace = re.match(r"\s*namespace\s+(cleave[\w:]*)\s*\{", line)
        if namespace:
            wanted = "cleave" if module in ROOT_NAMESPACE else f"cleave::{module}"
            opened = namespace.group(1)
            if opened != wanted and not opened.startswith(wanted + "::"):
                yield number, f"opens namespace {opened}, wanted {wanted}"


def check_cmake(path, module):
    """Yields an offence for every cleave_X of the module's CMakeLists.txt that no arrow allows."""
    allowed = allowed_modules(module, True)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for target in re.findall(r"\bcleave_(\w+)", line.split("#")[0]):
            if target in ARROWS and target not in allowed:
                yield number, f"{module} may not depend on cleave_{target}"


def folder_arrows(module_root, source_root):
    """{(folder, included folder): (file, line)} between the folders of a module; the module's own files count as one."""
    arrows = {}
    for path in sorted(module_root.rglob("*")):
        if path.suffix not in (".cpp", ".h") or path.name.endswith("_test.cpp"):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            target = source_root / include.group(1) if include else None
            if target and target.is_relative_to(module_root) and target.parent != path.parent:
                arrows.setdefault((path.parent, target.parent), (path, number))
    return arrows


def check_folders(module_root, source_root):
    """Yields an offence for every arrow that is part of a circle between the folders of a module."""
    arrows = folder_arrows(module_root, source_root)
    leads_to = {folder: {folder} for arrow in arrows for folder in arrow}
    for _ in leads_to:
        for begin, end in arrows:
            leads_to[begin] = leads_to[begin] | leads_to[end]
    for (begin, end), (path, number) in arrows.items():
        if begin in leads_to[end]:
            names = [str(folder.relative_to(source_root)) for folder in (begin, end)]
            yield path, number, f"folders {names[0]} and {names[1]} include each other"


def offences(root):
    source_root = root / "src"
    for folder in sorted(path for path in source_root.iterdir() if path.is_dir()):
        module = folder.name
        if module not in ARROWS:
            yield folder, 1, f"module {module} has no row in scripts/check_includes.py"
            continue
        yield from check_folders(folder, source_root)
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".cpp", ".h"):
                yield from ((path, *offence) for offence in check_source(path, module, source_root))
            elif path.name == "CMakeLists.txt":
                yield from ((path, *offence) for offence in check_cmake(path, module))


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = list(offences(root))
    for path, number, message in found:
        print(f"{path.relative_to(root)}:{number}: {message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
