#!/usr/bin/env python3
"""What the command says and leaves behind when something fails under it.

    test_faults.py VKSEQ

src/base/inject.h describes the faults; tests/test_train_faults.c walks through all of them.
"""
import pathlib
import random
import shutil
import sys
import tempfile
import unittest

from small_training import NO_DEVICE, SKIPPED, UPDATES, SmallTraining

FATAL = ["alloc:40", "alloc:400+", "device-alloc:9", "vk:vkCreateComputePipelines:5",
         "vk:vkQueueSubmit:12", "write:30:ENOSPC", "write:60:EIO", "write:1+:EROFS"]
SURVIVED = ["lost:25", "skip:20", "lost:30,skip:30"]


class Faults(unittest.TestCase):
    def go_on(self, inject=None):
        return TRAINING.run(TRAINING.words("model"), inject)

    def check(self):
        self.assertEqual(TRAINING.left_over("model"), [])
        self.assertEqual(TRAINING.result("model"), WHOLE)

    def setUp(self):
        shutil.copytree(TRAINING.folder / "half", TRAINING.folder / "model")
        self.addCleanup(shutil.rmtree, TRAINING.folder / "model")

    def test_fatal_fault_is_told_and_leaves_the_checkpoint(self):
        for inject in FATAL:
            with self.subTest(inject):
                exit_code, log = self.go_on(inject)
                self.assertEqual(exit_code, 1, log)
                self.assertRegex(log, r"(?m)^\[[^]]+\] error: \S")
                self.assertEqual(TRAINING.left_over("model"), [])
        self.assertEqual(self.go_on()[0], 0)
        self.check()

    def test_training_survives_a_lost_device(self):
        for inject in SURVIVED:
            with self.subTest(inject):
                shutil.rmtree(TRAINING.folder / "model")
                shutil.copytree(TRAINING.folder / "half", TRAINING.folder / "model")
                exit_code, log = self.go_on(inject)
                self.assertEqual(exit_code, 0, log)
                self.assertIn("The device was lost after update ", log)
                self.check()

    def test_lost_device_ends_translation(self):
        words = [TRAINING.command, "translate", "--model", "model", "--input", "valid.src",
                 "--output", "out"]
        exit_code, log = TRAINING.run(words, "lost:20")
        self.assertEqual(exit_code, 1, log)
        self.assertIn("was lost", log)
        self.assertFalse((TRAINING.folder / "out").exists())

    def test_malformed_list_is_refused(self):
        exit_code, log = self.go_on("alloc:first")
        self.assertEqual(exit_code, 1)
        self.assertIn("VKSEQ_INJECT: not a list of faults", log)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        TRAINING = SmallTraining(str(pathlib.Path(sys.argv.pop(1)).resolve()), scratch,
                                 random.Random(1))
        EXIT_CODE, LOG = TRAINING.run(TRAINING.words("half", UPDATES // 2))
        if EXIT_CODE == NO_DEVICE:
            sys.exit(SKIPPED)
        shutil.copytree(TRAINING.folder / "half", TRAINING.folder / "whole")
        EXIT_CODE, LOG = TRAINING.run(TRAINING.words("whole"))
        if EXIT_CODE:
            sys.exit(LOG)
        WHOLE = TRAINING.result("whole")
        unittest.main()
