#!/usr/bin/env python3
"""tools/lib/gpu-check-run, the script in gpu-check's package, with programs that only pretend.

What it says of a real device, tools/gpu-check shows.
"""
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import unittest

TREE = pathlib.Path(__file__).resolve().parent.parent
DEVICE = ('{"index": 0, "api": "1.3.1", "name": "A card", "driver": "its driver 5", '
          '"type": "discrete", "kernels": "address, wave 32", "unusable": ""}')

VKSEQ = f"""#!/bin/sh
case "$1 $2" in
--version*) echo "vkseq 0.1.0" ;;
devices*) echo '[{DEVICE}]' ;;
selftest*) echo '{{"vkseq": "0.1.0",'; echo ' "verdict": "ok"}}'; exit $FAKE_SELFTEST ;;
"bench gemm")
    if [ "$FAKE_DEVICE" ]; then exit 3; fi
    echo '{{"what": "gemm", "device": "A card", "driver": "its driver 5", "gflops": {{"64x64x64": 1000.4, "8x8x8": 10}}}}' ;;
"bench train") echo '{{"what": "train", "target_tokens_per_s": 1000, "device_busy": 0.9751}}' ;;
"bench translate") exit 1 ;;
profile*) echo '{{"config": "base", "steps": [{{"what": "training", "step_ms": 20.0, "floor_ms": 5.0, "kernels": []}}, {{"what": "decoding", "step_ms": 2.0, "floor_ms": 0.5, "kernels": []}}]}}' ;;
esac
"""
TESTS = """#!/bin/sh
case "$1" in
"") echo test_a; echo test_b ;;
test_a) [ "$VKSEQ_KERNELS" != shared ] ;;
test_b) exit 77 ;;
esac
"""
PYTHON = """#!/bin/sh
case "$*" in
-c*) exit $FAKE_TORCH ;;
*"train --task base"*fp32*) echo '{"target_tokens_per_s": 500}' ;;
*"train --task base"*bf16*) echo '{"target_tokens_per_s": 2000}' ;;
*gemm*fp32*) echo '{"gflops": {"64x64x64": 2000, "8x8x8": 5}}' ;;
*) exit 1 ;;
esac
"""


class GpuCheck(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        shutil.copy(TREE / "tools/lib/gpu-check-run", self.folder / "gpu-check")
        (self.folder / "bin").mkdir()
        for name, text in (("bin/vkseq", VKSEQ), ("bin/vkseq-tests", TESTS), ("python", PYTHON)):
            path = self.folder / name
            path.write_text(text, "utf-8")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run_it(self, *words, **settings):
        """Exit code, report.md and report.json."""
        environment = {"PATH": os.environ["PATH"], "FAKE_SELFTEST": "0", "FAKE_TORCH": "0",
                       "FAKE_DEVICE": "", "PYTHON": str(self.folder / "python"),
                       "OUT": str(self.folder / "out"), **settings}
        code = subprocess.run([self.folder / "gpu-check", *words], env=environment, check=False,
                              capture_output=True).returncode
        if code == 3:
            return code, None, None
        out = self.folder / "out"
        self.assertEqual({path.name for path in out.iterdir()},
                         {"report.md", "report.json", "log.txt"})
        return code, (out / "report.md").read_text("utf-8"), json.loads(
            (out / "report.json").read_text("utf-8"))

    def results(self, report):
        return {check["name"]: check["result"] for check in report["checks"]}

    def test_tables_stand_beside_pytorch(self):
        _, text, report = self.run_it()
        self.assertIn("## A card\n", text)
        self.assertIn("| gemm 64x64x64 | GFLOP/s | 1000 | 2000 | - | 0.50 |", text)
        self.assertIn("| gemm 8x8x8 | GFLOP/s | 10 | 5 | - | 2.00 |", text)
        self.assertIn("| train-base | target tokens/s | 1000 | 500 | 2000 | 2.00 |", text)
        self.assertIn("| train-small | target tokens/s | 1000 | - | - | - |", text)
        self.assertIn("| training | 20.00 | 5.00 | 25 % |", text)
        self.assertIn("train-base: the device was busy 97.5 % of the time.", text)
        self.assertEqual(report["device"]["driver"], "its driver 5")
        self.assertEqual(report["selftest"]["verdict"], "ok")
        self.assertEqual(report["torch"]["train-base-bf16"]["target_tokens_per_s"], 2000)
        self.assertEqual(report["vkseq"]["gemm"]["gflops"]["8x8x8"], 10)

    def test_what_fails_is_told(self):
        code, text, report = self.run_it(FAKE_SELFTEST="4", FAKE_TORCH="1")
        self.assertEqual(code, 1)
        results = self.results(report)
        self.assertEqual(results["selftest"], "FAILED (4)")
        self.assertEqual(results["test_a"], "ok")
        self.assertEqual(results["test_a, shared kernels"], "FAILED (1)")
        self.assertEqual(results["test_a, subgroup kernels"], "ok")
        self.assertEqual(results["test_b"], "skipped")
        self.assertEqual(results["translate-base-64"], "FAILED (1)")
        self.assertIn("- FAILED (1): test_a, shared kernels\n", text)
        self.assertNotIn("PyTorch train-base fp32", results)

    def test_time_is_kept(self):
        code, text, report = self.run_it("--minutes", "0")
        self.assertEqual(code, 0)
        self.assertEqual(set(self.results(report).values()), {"out of time"})
        self.assertIn("out of time: selftest", text)

    def test_no_device_is_told_apart(self):
        self.assertEqual(self.run_it(FAKE_DEVICE="none")[0], 3)


if __name__ == "__main__":
    unittest.main()
