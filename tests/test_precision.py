#!/usr/bin/env python3
"""Training in float16 and bfloat16 with --precision and --cost-scaling.

    test_precision.py VKSEQ

VKSEQ_TEST_SEED in the environment repeats a run. Exit code 77 where there is no device.
"""
import os
import pathlib
import random
import re
import struct
import json
import subprocess
import sys
import tempfile
import unittest

from small_training import NO_DEVICE, SKIPPED, SmallTraining

UPDATES = 60
HALVES = ("float16", "bfloat16")
# Words of the device's state in a training state (shaders/optimizer_interface.h).
SKIPPED_UPDATES, COST_SCALE, SCALE_GOOD = 1, 8, 9


class Precision(unittest.TestCase):
    def train(self, model, *words, updates=UPDATES, inject=None):
        """The log."""
        found, log = TRAINING.run(TRAINING.words(model, updates, "--learn-rate", "0.01", "--valid-freq",
                                                 "20", "--save-freq", "100", *words), inject)
        self.assertEqual(found, 0, log)
        return log

    def device_words(self, model):
        newest = max((TRAINING.folder / model / "training").glob("gen-*"))
        return json.loads((newest / "state.json").read_text("utf-8"))["device_words"]

    def cost_scale(self, model):
        return struct.unpack("f", struct.pack("I", self.device_words(model)[COST_SCALE]))[0]

    def test_halves_train_as_well_as_float32(self):
        """The validation's cross-entropy is within 1 % after as many updates."""
        losses = {}
        for precision in ("float32", *HALVES):
            log = self.train(precision, "--precision", precision)
            losses[precision] = [float(text) for text in re.findall(r"ce-mean-words : ([\d.]+)", log)]
        self.assertLess(losses["float32"][-1], 0.9 * losses["float32"][0])
        for precision in HALVES:
            self.assertNotEqual(losses[precision], losses["float32"])
            for half, full in zip(losses[precision], losses["float32"]):
                self.assertLess(abs(half - full), 0.01 * full, precision)

    def test_models_score_and_translate_in_halves(self):
        """About as in float32, and lines the same alone and among others."""
        def output(*words):
            run = subprocess.run([TRAINING.command, *words], cwd=TRAINING.folder, check=True,
                                 capture_output=True, text=True)
            return run.stdout

        self.train("scored")
        pairs = ["score", "--model", "scored", "--source", "valid.src", "--target", "valid.tgt"]
        lines = ["translate", "--model", "scored", "--input", "valid.src", "--n-best"]
        full = [float(line) for line in output(*pairs).split()]
        for precision in HALVES:
            words = ["--precision", precision]
            scores = [float(line) for line in output(*pairs, *words).split()]
            self.assertNotEqual(scores, full)
            self.assertEqual(len(scores), len(full))
            for half, exact in zip(scores, full):
                self.assertLess(abs(half - exact), 0.01 * abs(exact), precision)
            self.assertEqual(output(*lines, *words), output(*lines, *words, "--mini-batch", "1"))

    def test_what_overflows_is_skipped_and_lowers_the_scale(self):
        """Gradients of costs times 1e38 overflow, also in float32."""
        log = self.train("overflow", "--precision", "float16", "--cost-scaling", "1e38", "100",
                         "1e30", "1", updates=6)
        self.assertIn("is skipped, as its gradients overflowed; the scale of costs falls to 1e+08",
                      log)
        self.assertNotIn("learning rate halved", log)
        self.assertGreaterEqual(self.device_words("overflow")[SKIPPED_UPDATES], 1)
        self.assertLess(self.cost_scale("overflow"), 1e9)

    def test_the_scale_rises_after_good_updates(self):
        self.train("rising", "--cost-scaling", "8", "4", "2", updates=9)
        self.assertEqual(self.cost_scale("rising"), 32)
        self.assertEqual(self.device_words("rising")[SCALE_GOOD], 1)

    def test_a_scale_that_is_a_power_of_two_does_not_change_float32(self):
        self.train("plain", updates=5)
        self.train("scaled", "--cost-scaling", "64", updates=5)
        self.assertEqual(TRAINING.result("plain")["model.safetensors"],
                         TRAINING.result("scaled")["model.safetensors"])

    def test_resumed_training_has_the_same_bits(self):
        """The scale changes before and after the interruption."""
        for precision in HALVES:
            words = ["--precision", precision, "--cost-scaling", "1e38", "5", "1e30", "1",
                     "--optimizer-delay", "2", "--transformer-dropout", "0.1", "--lr-schedule-updates",
                     "12"]
            self.train("whole-" + precision, *words, updates=12)
            self.train("parted-" + precision, *words, updates=7)
            self.train("parted-" + precision, *words, updates=12)
            self.assertEqual(TRAINING.result("parted-" + precision),
                             TRAINING.result("whole-" + precision))

    def test_all_parts_that_train_take_halves(self):
        """Pre-norm layers, other activations, dropout everywhere and guided alignment."""
        lines = (TRAINING.folder / "train.src").read_text("utf-8").splitlines()
        (TRAINING.folder / "links").write_text("".join("0-0 1-1\n" for _ in lines), "utf-8")
        words = ["--transformer-preprocess", "n", "--transformer-postprocess", "da",
                 "--transformer-ffn-activation", "swish", "--transformer-dropout-ffn", "0.1",
                 "--transformer-dropout-attention", "0.1", "--dropout-src", "0.1",
                 "--guided-alignment", "links", "--exponential-smoothing", "0.1"]
        costs = {}
        for precision in ("float32", *HALVES):
            log = self.train("parts-" + precision, "--precision", precision, *words, updates=12)
            costs[precision] = float(re.findall(r"Cost ([\d.]+)", log)[-1])
        for precision in HALVES:
            self.assertLess(abs(costs[precision] - costs["float32"]), 0.01 * costs["float32"])


if __name__ == "__main__":
    COMMAND = str(pathlib.Path(sys.argv[1]).resolve())
    SEED = int(os.environ.get("VKSEQ_TEST_SEED", random.randrange(2 ** 32)))
    with tempfile.TemporaryDirectory() as scratch:
        TRAINING = SmallTraining(COMMAND, scratch, random.Random(SEED))
        code, base_log = TRAINING.run(TRAINING.words("base", 1))
        if code == NO_DEVICE:
            sys.exit(SKIPPED)
        print(f"VKSEQ_TEST_SEED={SEED}", base_log if code else "", file=sys.stderr)
        unittest.main(argv=sys.argv[:1])
