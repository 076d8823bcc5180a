#!/usr/bin/env python3
"""check_rules.py [ROOT]: house rules that a search can check. Prints every offending line and exits 1 when there is one.

1. Model definitions and their tracer know nothing of how a model is spread.
2. Below src/app nothing prints, reads the environment or ends the process.
3. Below src/app nothing knows the command line or handles signals.
4. Operations appear by name only where they are defined, traced, ruled, localised and bound.
5. Every function has its declaration in the header that is named like its source.
6. No unfinished work is marked in the tree and no test is skipped.
7. No path of somebody's machine.
8. MPI is called in one folder, so that the program can be built without.
"""
import pathlib
import re
import sys

SUFFIXES = {".cpp", ".h", ".lua", ".py", ".sh", ".md", ".txt", ".cmake", ".json", ""}
FOLDERS = ("include", "src", "models", "tests", "fuzz", "bench", "scripts", "cmake", "docs", ".ci")
SELF = "scripts/check_rules.py"


# Where an operation may be called by its name, beside weights and inputs, which are no work: the tables of operations in
# each module, and what treats some of them as a whole. docs/architecture.md tells how to add an op.
OP_TABLES = (
    "src/graph/", "src/define/", "src/plan/rules.cpp", "src/lower/localize.cpp", "src/runtime/cpu/bind",
    "src/lower/broadcast.cpp",    # which operations have two equal operands
    "src/lower/fuse",             # pairs of operations that become one
    "src/lower/lower.cpp",        # where rows begin and cease to be routed to experts
    "src/lower/weight_view.cpp",  # operations on weights, which become views
    "src/lower/weights.cpp",      # products with several matrices
    "src/plan/explain.cpp",       # bytes of caches
    "src/plan/plan.cpp",          # modules: products and tables
    "src/plan/problem.cpp",       # rows that are routed
    "src/plan/work.cpp",          # flops and bytes of latent attention
)
# Headers whose functions stand in several sources, or in one of another name, and why.
SHARED_HEADERS = {
    "src/ckpt/quantized/formats.h": "a source for each tool that writes quantised checkpoints",
    "src/app/bench/flags.h": "a function for each kind of measurement",
    "src/app/commands.h": "a function for each command",
    "src/comm/communicator.h": "the interface and what can be done with any: agreement.cpp, measure.cpp, self_communicator.cpp",
    "src/define/bindings.h": "what the sources of Lua functions share",
    "src/jinja/ast.h": "nodes are made where their kind is evaluated",
    "src/jinja/filters.h": "a source for each group of filters",
    "src/kernels/reference/reference.h": "a source for each group of references",
    "src/library/impl.h": "what the sources of cleave.h's classes share",
    "src/load/report/report.h": "a source for each form",
    "src/lower/passes.h": "a source for each pass",
    "src/plan/overrides.h": "the door of the folder of its name",
    "src/plan/overrides/item_lists.h": "the table stands in sources.cpp, beside the variables and flags that name its lists",
}


def is_library_code(name):
    return name.startswith(("include/", "src/")) and not name.startswith("src/app/") and not name.endswith("_test.cpp")


def is_op_blind(name):
    return (name.startswith("src/") and not name.startswith(OP_TABLES) and not name.endswith("_test.cpp")
            and "/testing/" not in name)


RULES = [
    # \b keeps names such as kv_lora_rank, which configurations use for the size of a low-rank projection.
    (r"\brank|shard|\bworld", "a model definition must not speak of how a model is spread",
     lambda name: name.startswith(("models/", "src/define/"))),
    (r"std::(cout|cerr|clog|exit|_Exit|abort|quick_exit|terminate|getenv)\b|(?<![\w:.>])(?<!void )(::)?(getenv|secure_getenv|exit|_exit|abort)\(|"
     r"\b(f|v|vf)?printf\(|\b(puts|fputs|putchar)\(|fmt::print\(|<iostream>",
     "below src/app nothing prints, reads the environment or exits", is_library_code),
    (r"\bCLI::|<CLI/|<c?signal(\.h)?>|std::signal\(|\bsigaction\(|(?<![\w:.>])note\(",
     "below src/app nothing knows the command line, handles signals or writes notes", is_library_code),
    (r"\bOp::(?!Weight\b|Input\b)[A-Z]", "an operation by name outside the tables of operations", is_op_blind),
    (r"<mpi\.h>", "only src/comm/mpi calls MPI",
     lambda name: name.startswith("src/") and not name.startswith("src/comm/mpi/")),
    (r"\b(TODO|FIXME|XXX|HACK)\b|GTEST_SKIP|DISABLED_", "unfinished work or a skipped test", lambda name: True),
    (r"(?<![\w.])/(root|home|work|Users)/", "a path of one machine", lambda name: True),
]


def files(root):
    for top in FOLDERS:
        yield from sorted(path for path in (root / top).rglob("*") if path.is_file() and path.suffix in SUFFIXES)
    yield from sorted(path for path in root.iterdir() if path.is_file() and path.suffix in SUFFIXES and path.name != ".git")


# A function that is declared at the outermost level of a namespace and defined elsewhere.
DECLARATION = re.compile(r"^(?!using|typedef|friend|inline|constexpr|template|extern|static|return|#|//|namespace)[\w:][\w:<>,&*\[\] ]+ [\w:]+\([^{}]*\)( const)?( noexcept)?;", re.MULTILINE)


def lonely_headers(root):
    """Headers below src/ that declare functions although there is no source of the same name."""
    for path in sorted((root / "src").rglob("*.h")):
        name = str(path.relative_to(root))
        if path.with_suffix(".cpp").exists() or name in SHARED_HEADERS:
            continue
        text = path.read_text()
        for match in DECLARATION.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{name}:{line}: declares a function, but there is no {path.stem}.cpp: {match.group(0).splitlines()[0]}"


def offences(root):
    yield from lonely_headers(root)
    for path in files(root):
        name = str(path.relative_to(root))
        rules = [(re.compile(pattern), why) for pattern, why, applies in RULES if applies(name)]
        # Test data and corpora may be binary, and are not prose of ours.
        if name == SELF or name.startswith(("tests/data/", "fuzz/corpus/")):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            for pattern, why in rules:
                if pattern.search(line):
                    yield f"{name}:{number}: {why}: {line.strip()}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = list(offences(root))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
