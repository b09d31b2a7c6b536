#!/usr/bin/env python3
"""vkseq translate takes no more memory for many lines than for few, and keeps their order.

    test_flat_memory.py VKSEQ

20 times as many lines: 1,000 and 20,000, or with VKSEQ_LONG_TESTS in the environment 10,000 and
200,000. Exit code 77 where there is no device.
"""
import os
import subprocess
import sys
import time
import unittest

from bad_input import main, make_model, sentences, under_test, write_text

FEW = 10000 if os.environ.get("VKSEQ_LONG_TESTS") else 1000
TIMES = 20
MARGIN_KIB = 4096


class Flat(unittest.TestCase):
    def translate(self, name, *words):
        """Peak of resident memory in KiB."""
        begin = time.monotonic()
        process = subprocess.Popen([under_test.vkseq, "translate", "-m", "model", "-i", name,
                                    "-o", f"{name}.out", "--max-length-factor", "0.5", "--quiet", *words],
                                   cwd=under_test.models)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        num = len(self.output(name).splitlines())
        print(f"{' '.join(words)}: {num} lines, {usage.ru_maxrss / 1024:.1f} MiB at most, "
              f"{time.monotonic() - begin:.0f} s", file=sys.stderr)
        return usage.ru_maxrss

    def output(self, name):
        return (under_test.models / f"{name}.out").read_text("utf-8")

    def test_many_lines_take_the_memory_of_few_and_stay_in_order(self):
        for words in (["--output-sampling", "full"], ["--beam-size", "2", "--word-scores"]):
            with self.subTest(words):
                few, many = self.translate("few", *words), self.translate("many", *words)
                self.assertEqual(self.output("few") * TIMES, self.output("many"))
                self.assertGreater(len(set(self.output("few").splitlines())), FEW // 10)
                self.assertLess(many - few, MARGIN_KIB)


def make(folder):
    make_model(folder)
    write_text(folder / "few", sentences(1, FEW))
    write_text(folder / "many", sentences(1, FEW) * TIMES)


if __name__ == "__main__":
    main(make)
