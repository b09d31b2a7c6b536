#!/usr/bin/env python3
"""What a training keeps and leaves with --pretrained-model, --freeze, --exponential-smoothing,
--optimizer-delay and --lr-decay.

    test_fine_tuning.py VKSEQ

VKSEQ_TEST_SEED in the environment repeats a run. Exit code 77 where there is no device.
"""
import json
import os
import pathlib
import random
import re
import shutil
import struct
import sys
import tempfile
import unittest

from small_training import NO_DEVICE, SKIPPED, UPDATES, SmallTraining

SMOOTHING = 0.25


def read_tensors(path):
    """{name: values} of a safetensors file of float32."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + at for at in entry["data_offsets"])
            tensors[name] = struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
    return tensors


class Case(unittest.TestCase):
    def train(self, model, *words, updates=UPDATES, inject=None, exit_code=0):
        """The log."""
        found, log = TRAINING.run(TRAINING.words(model, updates, *words), inject)
        self.assertEqual(found, exit_code, log)
        return log

    def path(self, *parts):
        return TRAINING.folder.joinpath(*parts)

    def states(self, model):
        return sorted(self.path(model, "training").iterdir())


class FineTuning(Case):
    def perplexity(self, model):
        _, log = TRAINING.run([TRAINING.command, "score", "--model", model, "--source",
                               "valid.src", "--target", "valid.src"])
        return float(re.search(r"perplexity ([\d.]+)", log)[1])

    def test_weights_are_taken_and_learn_another_task(self):
        """The pretrained model reverses; fine-tuned it is to copy."""
        words = ["--pretrained-model", "base", "--train-sets", "train.src", "train.src",
                 "--valid-sets", "valid.src", "valid.src", "--learn-rate", "0.005"]
        self.train("taken", *words, "--init-only")
        weights = self.path("taken", "model.safetensors").read_bytes()
        self.assertEqual(weights, self.path("base", "model.safetensors").read_bytes())
        log = self.train("tuned", *words, updates=40)
        self.assertIn("Beginning with the weights in base", log)
        self.assertLess(self.perplexity("tuned"), 0.8 * self.perplexity("base"))
        # The optimiser is fresh, and so is the count of updates.
        state = json.loads((self.states("tuned")[-1] / "state.json").read_text("utf-8"))
        self.assertEqual((state["steps"], state["updates"]), (40, 40))

    def test_the_same_command_goes_on_without_the_pretrained_model(self):
        shutil.copytree(self.path("base"), self.path("gone"))
        words = ["--pretrained-model", "gone", "--lr-schedule-updates", str(UPDATES)]
        self.train("whole-tuned", *words)
        self.train("parted", *words, updates=5)
        shutil.rmtree(self.path("gone"))
        self.train("parted", *words)
        self.assertEqual(TRAINING.result("parted"), TRAINING.result("whole-tuned"))

    def test_frozen_parameters_keep_their_bits_and_have_no_moments(self):
        self.train("frozen", "--pretrained-model", "base", "--freeze", "model.encoder.*", "*fc1*",
                   "--exponential-smoothing", "0.1", updates=5)
        before, after = (read_tensors(self.path(model, "model.safetensors"))
                         for model in ("base", "frozen"))
        frozen = {name for name in before
                  if name.startswith("model.encoder.") or "fc1" in name}
        self.assertTrue(0 < len(frozen) < len(before))
        for name, values in before.items():
            # Without keys' biases, which have no gradient.
            if not name.endswith("k_proj.bias"):
                self.assertEqual(values == after[name], name in frozen, name)
        newest = self.states("frozen")[-1]
        self.assertEqual(set(read_tensors(newest / "weights.safetensors")), set(before))
        for part in "moment1", "moment2", "average":
            self.assertEqual(set(read_tensors(newest / f"{part}.safetensors")),
                             set(before) - frozen)

    def test_training_with_frozen_parameters_is_resumed(self):
        words = ["--freeze", "*bias", "--optimizer", "adamw", "--lr-schedule-updates", "12"]
        self.train("frozen-whole", *words)
        self.train("frozen-parted", *words, updates=7)
        log, submission, exit_code = "", 10, 1
        while exit_code:  # it may be lost before training begins, which is then over
            submission += 10
            exit_code, log = TRAINING.run(TRAINING.words("frozen-parted", UPDATES, *words),
                                          f"lost:{submission}")
        self.assertIn("The device was lost", log)
        self.assertEqual(TRAINING.result("frozen-parted"), TRAINING.result("frozen-whole"))


class Smoothing(Case):
    def test_averages_follow_their_formula_and_are_what_is_exported(self):
        self.train("smooth", "--exponential-smoothing", str(SMOOTHING), "--save-freq", "1",
                   "--keep-last", "100")
        states = self.states("smooth")
        self.assertEqual(len(states), UPDATES + 1)
        average = read_tensors(states[0] / "average.safetensors")
        self.assertEqual(average, read_tensors(states[0] / "weights.safetensors"))
        for update, state in enumerate(states[1:], 1):
            share = max(SMOOTHING, 9 / (update + 9))
            for name, values in read_tensors(state / "weights.safetensors").items():
                average[name] = [(1 - share) * a + share * x
                                 for a, x in zip(average[name], values)]
        found = read_tensors(states[-1] / "average.safetensors")
        worst = max(abs(a - x) for name, values in found.items()
                    for a, x in zip(average[name], values))
        self.assertLess(worst, 1e-6)  # of values below 1: rounding of twelve steps
        self.assertEqual(read_tensors(self.path("smooth", "model.safetensors")), found)
        self.assertNotEqual(found, read_tensors(states[-1] / "weights.safetensors"))

    def test_training_does_not_depend_on_averages(self):
        self.train("smoothed", "--exponential-smoothing")
        self.assertEqual((self.states("smoothed")[-1] / "weights.safetensors").read_bytes(),
                         (self.states("base")[-1] / "weights.safetensors").read_bytes())

    def test_validation_is_of_the_averages(self):
        log = self.train("valid", "--exponential-smoothing", str(SMOOTHING), "--valid-metrics",
                         "perplexity", "--valid-sets", "train.src", "train.tgt")
        _, score = TRAINING.run([TRAINING.command, "score", "--model", "valid", "--source",
                                 "train.src", "--target", "train.tgt"])
        figures = [float(text) for text in re.findall(r"perplexity : ([\d.]+)", log)]
        self.assertAlmostEqual(figures[-1], float(re.search(r"perplexity ([\d.]+)", score)[1]),
                               delta=0.01)


class Resumed(Case):
    # Everything that a state has to keep.
    WORDS = ["--optimizer-delay", "200w", "--exponential-smoothing", "0.05", "--lr-decay", "0.5",
             "--lr-decay-strategy", "stalled", "--lr-decay-start", "1", "--valid-freq", "2",
             "--early-stopping-epsilon", "10", "--lr-decay-repeat-warmup",
             "--lr-schedule-updates", str(UPDATES)]

    def test_killed_within_delayed_updates_it_ends_in_the_same_bits(self):
        log = self.train("kept", *self.WORDS)
        self.assertGreater(log.count("Decaying the learning rate by 0.5"), 2)
        self.train("killed", *self.WORDS, "--after", "1e")  # ends within an update
        newest = self.states("killed")[-1]
        self.assertTrue((newest / "gradient.safetensors").exists())
        for _ in range(3):
            TRAINING.run(TRAINING.words("killed", UPDATES, *self.WORDS),
                         f"kill:{RNG.randint(1, 60)}")
        self.train("killed", *self.WORDS)
        self.assertEqual(TRAINING.result("killed"), TRAINING.result("kept"))

    def test_log_says_the_rate_unless_told_not_to(self):
        log = self.train("rate", "--lr-schedule", "constant", "--lr-warmup", "1", "--lr-decay",
                         "0.5", "--lr-decay-strategy", "batches", "--lr-decay-start", "3",
                         "--lr-decay-freq", "2", updates=6)
        self.assertEqual([float(rate) for rate in re.findall(" : L.r. (.*)", log)],
                         [1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4])
        self.assertNotIn("L.r.", self.train("no-rate", "--lr-report=false", updates=1))


if __name__ == "__main__":
    SEED = int(os.environ.get("VKSEQ_TEST_SEED") or random.randrange(2**32))
    RNG = random.Random(SEED)
    print(f"VKSEQ_TEST_SEED={SEED}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        TRAINING = SmallTraining(str(pathlib.Path(sys.argv.pop(1)).resolve()), scratch,
                                 random.Random(1))
        EXIT_CODE, LOG = TRAINING.run(TRAINING.words("base"))
        if EXIT_CODE == NO_DEVICE:
            sys.exit(SKIPPED)
        if EXIT_CODE:
            sys.exit(LOG)
        unittest.main()
