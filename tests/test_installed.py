#!/usr/bin/env python3
"""What `cmake --install` puts somewhere: libraries whose internal names are out of the way, the
files by which other builds find them, and the models of the tree.

    test_installed.py BUILD_DIR CC NM [FLAG]

The flag is one that programs have to be linked with.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
LIBRARIES = ["libvkseq.a", "libvkseq_document.a"]
PROJECT = """cmake_minimum_required(VERSION 3.22)
project(clashing LANGUAGES C CXX)
find_package(vkseq REQUIRED)
add_executable(clashing_names "{source}")
target_link_libraries(clashing_names PRIVATE vkseq::vkseq_document vkseq::vkseq {flags})
"""


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True,
                          text=True, **options).stdout


def names_of(*libraries):
    """Names that other programs see."""
    listed = run(NM, "-g", "-P", "--defined-only", *libraries)
    return set(re.findall(r"^(\S+) [A-Za-z]", listed, flags=re.M))


class Installed(unittest.TestCase):
    def setUp(self):
        self.libraries = [next(PREFIX.rglob(name)) for name in LIBRARIES]

    def test_only_public_names_are_plain(self):
        names = {name for name in names_of(*self.libraries) if re.fullmatch(r"[A-Za-z]\w*", name)}
        self.assertEqual({name for name in names if not name.startswith("vks_")}, set())
        built = names_of(*(BUILD / name for name in LIBRARIES))
        self.assertEqual({name for name in built if name.startswith("vks_")} - names, set())
        for name in "log_write", "vkCreateInstance":
            self.assertIn(name, built)
            self.assertIn(f"vks_internal_{name}", names)

    def check_program(self, program):
        env = {**os.environ, "VK_DRIVER_FILES": "/nonexistent"}
        lines = run(program, FOLDER / "missing.txt", env=env).splitlines()
        self.assertEqual(lines[0], "program: here")
        self.assertRegex(lines[1], "^library: .*missing.txt")
        self.assertTrue(all(line.startswith("library: ") for line in lines[1:]), lines)

    def test_program_with_such_names_links_by_pkg_config(self):
        program = FOLDER / "clashing_names"
        env = {**os.environ, "PKG_CONFIG_PATH": str(self.libraries[0].parent / "pkgconfig")}
        flags = run("pkg-config", "--static", "--cflags", "--libs", "vkseq_document", env=env)
        run(CC, "-o", program, HERE / "clashing_names.c", *flags.split(), *FLAGS)
        self.check_program(program)

    def test_program_with_such_names_links_by_cmake(self):
        source, build = FOLDER / "project", FOLDER / "project" / "build"
        source.mkdir()
        (source / "CMakeLists.txt").write_text(
            PROJECT.format(source=HERE / "clashing_names.c", flags=" ".join(FLAGS)), "utf-8")
        run("cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={PREFIX}",
            f"-DCMAKE_C_COMPILER={CC}")
        run("cmake", "--build", build)
        self.check_program(build / "clashing_names")

    def test_installing_again_changes_nothing(self):
        before = [library.read_bytes() for library in self.libraries]
        install()
        self.assertEqual([library.read_bytes() for library in self.libraries], before)

    def test_models_of_the_tree_are_there(self):
        def files(folder):
            return {path.relative_to(folder): path.stat().st_size
                    for path in folder.rglob("*") if path.is_file()}

        self.assertEqual(files(PREFIX / "share" / "vkseq" / "models"),
                         files(HERE.parent / "samples" / "models"))


def install():
    run("cmake", "--install", BUILD, "--prefix", PREFIX)


if __name__ == "__main__":
    BUILD, CC, NM = pathlib.Path(sys.argv[1]), *sys.argv[2:4]
    FLAGS = [flag for flag in sys.argv[4:] if flag]
    with tempfile.TemporaryDirectory() as scratch:
        FOLDER = pathlib.Path(scratch)
        PREFIX = FOLDER / "prefix"
        install()
        unittest.main(argv=sys.argv[:1])
