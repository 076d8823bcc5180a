"""The library as others use it: installed into an empty folder, and the program beside this file built against that tree
and nothing else, through CMake and through pkg-config."""
import os
import pathlib
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["CLEAVE_BUILD"])
MODEL = pathlib.Path(os.environ["CLEAVE_MODELS"]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
PROGRAM = pathlib.Path(__file__).parent / "program"
QUESTION = "What is the capital of France?"


def run(*command, **options):
    """Standard output of a command that succeeds."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = pathlib.Path(cls.folder.name)
        cls.prefix = cls.root / "installed"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)

    def files(self, name):
        found = list(self.prefix.rglob(name))
        self.assertTrue(found, f"{name} is not installed")
        return found

    def assert_answers(self, program):
        self.assertIn("Paris", run(program, MODEL, QUESTION))
        failed = subprocess.run([program, "/nowhere", QUESTION], capture_output=True, text=True)
        self.assertEqual(failed.returncode, 1)
        self.assertIn("error: ", failed.stderr)

    def test_installs_headers_library_program_and_package_files(self):
        headers = sorted(path.name for path in (self.prefix / "include").rglob("*") if path.is_file())
        self.assertEqual(headers, ["cleave.h", "error.h"])
        for name in ("libcleave.so", "cleave", "cleaveConfig.cmake", "cleave.pc"):
            self.files(name)
        self.assertEqual(run(self.prefix / "bin" / "cleave", "--version").split()[0], "cleave")

    def test_a_program_links_it_through_cmake(self):
        build = self.root / "cmake"
        run("cmake", "-S", PROGRAM, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_BUILD_TYPE=Release")
        run("cmake", "--build", build)
        self.assert_answers(build / "consumer")

    def test_a_program_links_it_through_pkg_config(self):
        package = self.files("cleave.pc")[0]
        environment = dict(os.environ, PKG_CONFIG_PATH=str(package.parent))
        flags = run("pkg-config", "--cflags", "--libs", "cleave", env=environment).split()
        program = self.root / "consumer"
        library = self.files("libcleave.so")[0].parent
        run("g++", "-std=c++20", PROGRAM / "main.cpp", "-o", program, *flags, f"-Wl,-rpath,{library}")
        self.assert_answers(program)


if __name__ == "__main__":
    unittest.main()
