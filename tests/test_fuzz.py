#!/usr/bin/env python3
"""Runs each fuzz target on its corpus and, for about two seconds, on random inputs that are the same
every time. Exit code 77 where there is no clang with libFuzzer.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = 77
RUNS, SECONDS = 20_000, 2
TARGETS = sorted(path.stem for path in (ROOT / "tests/fuzz").glob("fuzz_*.c"))


def fuzz(*words):
    return subprocess.run([ROOT / "tools/fuzz", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


class Fuzz(unittest.TestCase):
    def test_every_target_has_a_corpus(self):
        self.assertEqual({path.name for path in (ROOT / "tests/fuzz/corpus").iterdir()},
                         set(TARGETS))

    def test_corpus_is_what_its_script_makes(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, ROOT / "tests/fuzz/make_corpus.py", folder], check=True)
            made, kept = ({path.relative_to(root).as_posix(): path.read_bytes()
                           for path in root.rglob("*") if path.is_file()}
                          for root in (pathlib.Path(folder), ROOT / "tests/fuzz/corpus"))
        self.assertEqual(made, kept)
        self.assertLess(sum(map(len, kept.values())), 100_000)


def add_test(target):
    def test(self):
        result = fuzz("--runs", str(RUNS), "--seconds", str(SECONDS), target)
        self.assertEqual(result.returncode, 0, result.stdout)
        runs = int(re.search(r"([\d,]+) runs", result.stdout)[1].replace(",", ""))
        num_seeds = len(list((ROOT / "tests/fuzz/corpus" / target).iterdir()))
        self.assertGreater(runs, num_seeds + 1, result.stdout)
    setattr(Fuzz, f"test_{target}_breaks_nothing", test)


for name in TARGETS:
    add_test(name)

if __name__ == "__main__":
    if fuzz("--runs", "0").returncode == SKIPPED:
        sys.exit(SKIPPED)
    unittest.main()
