#!/usr/bin/env python3
"""`vkseq selftest` on this machine's device, and that it finds what is wrong.

    test_selftest.py VKSEQ WRONG

WRONG is the same command, but its linear layers forget their bias.
"""
import json
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXIT_NO_DEVICE, EXIT_WRONG = 3, 4


def selftest(program, *words):
    run = subprocess.run([program, "selftest", *words], capture_output=True, encoding="utf-8",
                         check=False)
    if run.returncode == EXIT_NO_DEVICE:
        print(run.stderr)
        sys.exit(77)
    return run


class Operators(unittest.TestCase):
    def test_each_is_in_the_selftest(self):
        sources = "".join(path.read_text("utf-8")
                          for path in (ROOT / "src/selftest").glob("*_case.c"))
        operators = [name for path in sorted((ROOT / "src/ops").glob("*.h"))
                     for name in re.findall(r"^\S.*?\b(op_\w+)\(", path.read_text("utf-8"), re.M)]
        self.assertGreater(len(operators), 10)
        # What op_copy_out is made of.
        self.assertEqual({name for name in operators if name + "(" not in sources}, {"op_copy_to"})


class RightDevice(unittest.TestCase):
    def test_all_figures_are_ok(self):
        run = selftest(VKSEQ, "--json")
        report = json.loads(run.stdout)
        self.assertEqual([result for result in report["results"] if not result["ok"]], [])
        self.assertEqual((run.returncode, report["verdict"], report["failed"]), (0, "ok", 0))
        self.assertEqual(run.stderr, "")
        table = (ROOT / "src/selftest/operators.h").read_text("utf-8")
        operators = set(re.findall(r"^ +(?:FLOATS|ALL)\((\w+)\)", table, re.M))
        operators |= {name + halves for name in re.findall(r"^ +ALL\((\w+)\)", table, re.M)
                      for halves in ("_float16", "_bfloat16")}
        self.assertGreater(len(operators), 30)
        self.assertEqual({result["name"] for result in report["results"]},
                         operators | {"operators", "training", "scores", "translations"})
        print(f"{report['device']['name']}: {report['seconds']} s")


class WrongDevice(unittest.TestCase):
    def test_wrong_figures_and_no_others_fail(self):
        run = selftest(WRONG, "--report")
        rows = re.findall(r"^(\w+) +(\w+) +\S+ +\S+  (ok|FAILED)", run.stdout, re.M)
        self.assertEqual({(name, part) for name, part, verdict in rows if verdict == "FAILED"},
                         {(name, part) for name in ("linear", "linear_float16", "linear_bfloat16")
                          for part in ("forward", "gradient")} | {("training", "losses")})
        self.assertIn(("feed_forward", "forward", "ok"), rows)
        self.assertRegex(run.stdout, rf"\nFAILED: 7 of {len(rows)} figures are wrong \(.* s\)\n$")
        self.assertEqual(run.returncode, EXIT_WRONG)
        for word in ("vkseq 0.", "driver ", "Vulkan ", "kernels ", "subgroups ", "ids "):
            self.assertIn(word, run.stdout)


if __name__ == "__main__":
    WRONG = str(pathlib.Path(sys.argv.pop()).resolve())
    VKSEQ = str(pathlib.Path(sys.argv.pop()).resolve())
    unittest.main()
