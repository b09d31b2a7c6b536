#!/usr/bin/env python3
"""vkseq profile, bench train and tune: what they count and choose, and say without timestamps.

    test_profile.py VKSEQ

Exit code 77 when there is no Vulkan device.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SENTENCES, VOCAB, WIDTH, SOURCE = 3, 100, 64, 8  # of decoding; WIDTH is that of tiny
TRAINED = 32 * (SOURCE + 1)                      # tokens of a side of a training step
SHAPE = ["--task", "tiny", "--vocab-size", str(VOCAB), "--source-length", str(SOURCE),
         "--warmup", "1", "--steps", "1"]
PROFILE = ["profile", *SHAPE, "--sentences", str(SENTENCES), "--target-length", "4"]


def run(*words, limits=None):
    """What the command prints; limits: a profile of limits that the device is held to."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {}
        if limits:
            path = pathlib.Path(folder) / "limits.json"
            path.write_text(json.dumps(limits), "utf-8")
            environment["VKSEQ_LIMITS"] = str(path)
        command = ["env", *(f"{name}={text}" for name, text in environment.items()), VKSEQ, *words]
        return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def sum_of(step, key, operator, kernel=""):
    rows = [row for row in step["kernels"]
            if row["operator"] == operator and row["kernel"].startswith(kernel)]
    return sum(row[key] for row in rows)


class Profile(unittest.TestCase):
    def test_work_is_counted_for_the_batch_at_hand(self):
        training, decoding = json.loads(run(*PROFILE, "--json"))["steps"]
        self.assertEqual(sum_of(decoding, "flops", "logits"), 2 * SENTENCES * WIDTH * VOCAB)
        for layout in ("gemm_nt", "gemm_nn", "gemm_tn"):
            self.assertEqual(sum_of(training, "flops", "cross-entropy", layout),
                             2 * TRAINED * WIDTH * VOCAB)
        # Attention of an encoder's layers is TRAINED / 32 keys wide, of a decoder's half as much in
        # blocks of 8 rows: 8 and 9 keys. Two of each, and two that see the source.
        pairs = 32 * ((SOURCE + 1) ** 2 * 4 + (8 * 8 + 1 * 9) * 2)
        self.assertEqual(sum_of(training, "flops", "attention"), pairs * 4 * WIDTH)
        # The step in the middle, the third, has 3 keys of its own and SOURCE + 1 of the source. It
        # leaves a table of 4 keys for the next one, which is what is counted by.
        self.assertEqual(sum_of(decoding, "flops", "attention step"),
                         2 * SENTENCES * (4 + SOURCE + 1) * 4 * WIDTH)
        self.assertEqual(sum_of(decoding, "bytes", "embedding"),
                         SENTENCES * (4 + 4 + 3 * 4 * WIDTH))
        self.assertGreater(sum_of(training, "dispatches", "optimizer"), 0)

    def test_shares_are_all(self):
        for step in json.loads(run(*PROFILE, "--json"))["steps"]:
            if step["kernels"][0]["share"] is None:
                self.skipTest("the device has no timestamps")
            self.assertAlmostEqual(sum(row["share"] for row in step["kernels"]), 1, delta=0.01)
            times = [row["ms"] for row in step["kernels"]]
            self.assertEqual(times, sorted(times, reverse=True))
            self.assertGreater(step["floor_ms"], 0)

    def test_a_device_without_timestamps_is_counted_too(self):
        text = run(*PROFILE, limits={"timestamps": False})
        self.assertIn("no timestamps", text)
        report = json.loads(run(*PROFILE, "--json", limits={"timestamps": False}))
        for step in report["steps"]:
            self.assertGreater(step["flops"], 0)
            self.assertGreater(step["step_ms"], 0)
            for row in step["kernels"]:
                self.assertIsNone(row["ms"])
                self.assertIsNone(row["gflops"])


class Busy(unittest.TestCase):
    def test_device_is_busy_for_a_part_of_the_time(self):
        result = json.loads(run("bench", "train", *SHAPE, "--json"))
        self.assertGreater(result["host_ms"], 0)
        if result["device_busy"] is not None:
            self.assertTrue(0 < result["device_busy"] <= 1.001)

    def test_without_timestamps_nobody_knows(self):
        limits = {"timestamps": False}
        self.assertIsNone(json.loads(run("bench", "train", *SHAPE, "--json",
                                         limits=limits))["device_busy"])
        self.assertIn("no timestamps", run("bench", "train", *SHAPE, limits=limits))


class Tune(unittest.TestCase):
    def test_choices_are_listed_and_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            words = ["--cache-dir", folder, "tune", "--task", "tiny", "--vocab-size", str(VOCAB),
                     "--mini-batch-words", "64"]
            choices = json.loads(run(*words, "--json"))
            self.assertTrue(any(pathlib.Path(folder).glob("tiles-*")))
        shapes = {(c["layout"], c["rows"], c["cols"], c["n"]) for c in choices}
        self.assertEqual(len(shapes), len(choices))
        for shape in (("NT", 64, WIDTH, 3 * WIDTH), ("TN", 64, VOCAB, WIDTH),
                      ("NN", 64, VOCAB, WIDTH), ("NT", 4, WIDTH, VOCAB)):
            self.assertIn(shape, shapes)
        self.assertLessEqual({c["tile"] for c in choices}, {"short", "medium", "tall"})


if __name__ == "__main__":
    VKSEQ = sys.argv.pop(1)
    if subprocess.run([VKSEQ, "devices"], capture_output=True, check=False).returncode == 3:
        sys.exit(77)
    unittest.main()
