"""The style checks of scripts/ find what they exist to find: each test plants one offence in a small tree."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).parent.parent.parent / "scripts"


class ChecksTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.write("src/base/error.h", "namespace cleave {\n}\n")
        self.write("src/graph/graph.h", '#include "base/error.h"\nnamespace cleave::graph {\n}\n')

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_check(self, script):
        """(exit status, output) of the check over the small tree."""
        done = subprocess.run([sys.executable, SCRIPTS / script, self.root], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def assert_offence(self, script, place):
        status, output = self.run_check(script)
        self.assertEqual(status, 1)
        self.assertIn(place, output)

    def test_accepts_a_tree_that_keeps_the_rules(self):
        for script in ("check_includes.py", "check_rules.py", "check_sizes.py"):
            self.assertEqual(self.run_check(script)[0], 0, script)

    def test_finds_an_include_against_the_arrows(self):
        self.write("src/base/bad.h", '\n#include "graph/graph.h"\n')
        self.assert_offence("check_includes.py", "src/base/bad.h:2: base may not include graph/graph.h")

    def test_finds_an_include_of_an_unknown_path(self):
        self.write("src/base/bad.h", '#include "error.h"\n')
        self.assert_offence("check_includes.py", 'src/base/bad.h:1: includes "error.h"')

    def test_finds_a_header_that_is_not_included_first(self):
        self.write("src/graph/graph.cpp", '#include "base/error.h"\n#include "graph/graph.h"\n')
        self.assert_offence("check_includes.py", "src/graph/graph.cpp:1: includes base/error.h before its own header")

    def test_finds_a_foreign_namespace(self):
        self.write("src/graph/bad.h", "namespace cleave::text {\n}\n")
        self.assert_offence("check_includes.py", "src/graph/bad.h:1: opens namespace cleave::text")

    def test_finds_a_cmake_dependency_against_the_arrows(self):
        self.write("src/base/CMakeLists.txt", "cleave_module(base DEPS cleave_graph)\n")
        self.assert_offence("check_includes.py", "src/base/CMakeLists.txt:1: base may not depend on cleave_graph")

    def test_finds_a_module_without_a_row(self):
        self.write("src/other/a.h", "")
        self.assert_offence("check_includes.py", "src/other:1: module other has no row")

    def test_finds_a_definition_that_speaks_of_ranks(self):
        self.write("models/llama.lua", "local n = config.kv_lora_rank\nlocal m = rank_count()\n")
        status, output = self.run_check("check_rules.py")
        self.assertEqual(status, 1)
        self.assertIn("models/llama.lua:2", output)
        self.assertNotIn("models/llama.lua:1", output)

    def test_finds_a_library_that_prints_or_exits(self):
        for line in ("std::cout << 1;", "std::exit(1);", "exit(1);", 'getenv("A");', 'printf("a");', "#include <iostream>"):
            self.write("src/base/bad.cpp", line + "\n")
            self.assert_offence("check_rules.py", "src/base/bad.cpp:1: below src/app")

    def test_lets_the_application_print(self):
        self.write("src/app/main.cpp", "std::cout << 1;\nstd::exit(1);\n")
        self.assertEqual(self.run_check("check_rules.py")[0], 0)

    def test_finds_mpi_outside_its_folder(self):
        self.write("src/comm/mpi/good.h", "#include <mpi.h>\n")
        self.assertEqual(self.run_check("check_rules.py")[0], 0)
        self.write("src/comm/bad.h", "#include <mpi.h>\n")
        self.assert_offence("check_rules.py", "src/comm/bad.h:1: only src/comm/mpi calls MPI")

    def test_finds_unfinished_work(self):
        self.write("src/base/bad.h", "// TO" + "DO: all of it\n")
        self.assert_offence("check_rules.py", "src/base/bad.h:1: unfinished work")

    def test_finds_a_path_of_one_machine(self):
        self.write("docs/notes.md", "see " + "/ho" + "me/someone/model\n")
        self.assert_offence("check_rules.py", "docs/notes.md:1: a path of one machine")

    def test_finds_the_command_line_and_signals_below_the_application(self):
        for line in ("CLI::App app;", "#include <CLI/CLI.hpp>", "#include <csignal>", "std::signal(1, f);", 'note("a");'):
            self.write("src/base/bad.cpp", line + "\n")
            self.assert_offence("check_rules.py", "src/base/bad.cpp:1: below src/app nothing knows the command line")
        self.write("src/base/bad.cpp", "")
        self.write("src/app/main.cpp", "#include <CLI/CLI.hpp>\n#include <csignal>\n")
        self.assertEqual(self.run_check("check_rules.py")[0], 0)

    def test_finds_operations_by_name_outside_their_tables(self):
        self.write("src/plan/search.cpp", "if (op == Op::Weight) return;\nif (op == graph::Op::Matmul) return;\n")
        status, output = self.run_check("check_rules.py")
        self.assertEqual(status, 1)
        self.assertIn("src/plan/search.cpp:2: an operation by name", output)
        self.assertNotIn("src/plan/search.cpp:1", output)

    def test_finds_a_header_without_its_source(self):
        self.write("src/graph/lonely.h", "namespace cleave::graph {\ninline int f() { return 1; }\nint g(int a);\n}\n")
        self.assert_offence("check_rules.py", "src/graph/lonely.h:3: declares a function, but there is no lonely.cpp")
        self.write("src/graph/lonely.cpp", "")
        self.assertEqual(self.run_check("check_rules.py")[0], 0)

    def test_finds_folders_that_include_each_other(self):
        self.write("src/graph/high/a.h", '#include "graph/low/b.h"\n')
        self.write("src/graph/low/b.h", "")
        self.assertEqual(self.run_check("check_includes.py")[0], 0)
        self.write("src/graph/low/b.h", '#include "graph/middle/c.h"\n')
        self.write("src/graph/middle/c.h", '#include "graph/high/a.h"\n')
        self.assert_offence("check_includes.py", "src/graph/low/b.h:1: folders graph/low and graph/middle include each other")

    def test_finds_a_file_that_is_too_long(self):
        self.write("src/base/long.cpp", "int a;\n" * 401)
        self.assert_offence("check_sizes.py", "src/base/long.cpp: 401 lines, over the limit of 400")

    def test_finds_a_class_that_is_too_long(self):
        self.write("src/base/long.h", "class Large {\n" + "  int a() { return 1; }\n" * 200 + "};\n")
        self.assert_offence("check_sizes.py", "src/base/long.h: class Large has 202 lines, over the limit of 200")

    def test_measures_functions_past_strings_and_comments(self):
        body = '  f("}");  // }\n' * 45
        source = "namespace cleave {\nvoid large(int a) {\n" + body + "}\nint small() {\n  return 1;\n}\n}\n"
        self.write("src/base/f.cpp", source)
        self.assert_offence("check_sizes.py", "src/base/f.cpp: function large has 47 lines, over the limit of 40")
        self.assertNotIn("small", self.run_check("check_sizes.py")[1])
        self.write("src/base/f.cpp", "")
        self.write("src/kernels/f.cpp", source)
        self.assertEqual(self.run_check("check_sizes.py")[0], 0)


if __name__ == "__main__":
    unittest.main()
