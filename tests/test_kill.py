#!/usr/bin/env python3
"""A training that is killed again and again ends in the same bits as one that is not.

    test_kill.py VKSEQ

Half of the kills come at a random moment, half in place of a random call that changes the disk. With
VKSEQ_LONG_TESTS in the environment there are 50, otherwise 5. VKSEQ_TEST_SEED repeats a run.
"""
import os
import pathlib
import random
import signal
import sys
import tempfile
import time
import unittest

from small_training import NO_DEVICE, SKIPPED, SmallTraining

NUM_KILLS = 50 if os.environ.get("VKSEQ_LONG_TESTS") else 5
MOST_WRITES = 150  # about what a whole training has


class Kill(unittest.TestCase):
    def check(self, model):
        """Ends a training and compares what came of it."""
        exit_code, log = TRAINING.run(TRAINING.words(model))
        self.assertEqual(exit_code, 0, log)
        self.assertEqual(TRAINING.left_over(model), [])
        found = TRAINING.result(model)
        self.assertEqual(found.keys(), WHOLE.keys())
        for name, content in WHOLE.items():
            self.assertEqual(found[name], content, f"{name} differs; the seed is {SEED}")

    def kill(self, model):
        """Runs a training that is killed on its way; whether it was."""
        words = TRAINING.words(model)
        if RNG.random() < 0.5:
            process = TRAINING.start(words, f"kill:{RNG.randint(1, MOST_WRITES)}")
        else:
            process = TRAINING.start(words)
            time.sleep(RNG.uniform(0, WHOLE_S))
            process.kill()
        log = process.communicate()[1]
        self.assertIn(process.returncode, (0, -signal.SIGKILL), log)
        return process.returncode != 0

    def test_killed_training_ends_in_the_same_bits(self):
        num_kills = num_models = 0
        while num_kills < NUM_KILLS:
            model = f"killed-{num_models}"
            while num_kills < NUM_KILLS and self.kill(model):
                num_kills += 1
            self.check(model)
            num_models += 1


if __name__ == "__main__":
    SEED = int(os.environ.get("VKSEQ_TEST_SEED") or random.randrange(2**32))
    RNG = random.Random(SEED)
    print(f"VKSEQ_TEST_SEED={SEED}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        TRAINING = SmallTraining(str(pathlib.Path(sys.argv.pop(1)).resolve()), scratch, RNG)
        BEGIN_S = time.monotonic()
        EXIT_CODE, LOG = TRAINING.run(TRAINING.words("whole"))
        WHOLE_S = time.monotonic() - BEGIN_S
        if EXIT_CODE == NO_DEVICE:
            sys.exit(SKIPPED)
        if EXIT_CODE:
            sys.exit(LOG)
        WHOLE = TRAINING.result("whole")
        unittest.main()
