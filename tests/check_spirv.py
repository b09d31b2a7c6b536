#!/usr/bin/env python3
"""Checks the compiled shaders: check_spirv.py BUILT_DIR COMMITTED_DIR

Every module of the build passes spirv-val (where that is installed). The committed modules, for
machines without glslc, are the same files; where the build's compiler is the one that is recorded
beside them, the same bytes too.
"""
import hashlib
import pathlib
import shutil
import subprocess
import sys
import unittest

BUILT = COMMITTED = None
ENVIRONMENTS = {"shared": "vulkan1.1", "subgroup": "vulkan1.2", "address": "vulkan1.2",
                "texel": "vulkan1.2"}


def needs_new_compiler(name):
    """Whether a module is of a shader that the list marks so."""
    text = (COMMITTED.parent / "shaders.list").read_text("utf-8")
    return f"\n+{name.split('.')[0]} " in text


def modules(folder):
    return {path.name: path for path in folder.glob("*.spv")}


class Spirv(unittest.TestCase):
    def test_every_module_is_valid(self):
        if not shutil.which("spirv-val"):
            self.skipTest("spirv-val is not installed")
        self.assertTrue(modules(BUILT))
        for name, path in sorted(modules(BUILT).items()):
            if needs_new_compiler(name):
                continue  # distributions' spirv-val is as old as their glslc
            family = name.split(".")[1]
            result = subprocess.run(["spirv-val", "--target-env", ENVIRONMENTS[family], path],
                                    capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, f"{name}: {result.stdout}{result.stderr}")

    def test_committed_modules_are_those_of_the_list(self):
        self.assertEqual(sorted(modules(BUILT)), sorted(modules(COMMITTED)),
                         "run `cmake --build build/dev --target spirv`")

    def test_modules_of_newer_compilers_are_current(self):
        sums = (COMMITTED / "new-sources.txt").read_text("utf-8").splitlines()
        self.assertTrue(sums)
        for line in sums:
            digest, name = line.split()
            source = (COMMITTED.parent / name).read_bytes()
            self.assertEqual(hashlib.sha256(source).hexdigest(), digest,
                             f"{name} has changed: run `cmake --build build/dev --target spirv` "
                             "with VKSEQ_NEW_GLSLC (docs/performance.md)")

    def test_committed_modules_are_current(self):
        built = (BUILT / "glslc-version.txt").read_text()
        if built != (COMMITTED / "glslc-version.txt").read_text():
            self.skipTest("the committed modules were made by another compiler")
        for name, path in sorted(modules(BUILT).items()):
            self.assertEqual(path.read_bytes(), (COMMITTED / name).read_bytes(),
                             f"{name} is stale: run `cmake --build build/dev --target spirv`")


if __name__ == "__main__":
    BUILT, COMMITTED = (pathlib.Path(folder) for folder in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1])
