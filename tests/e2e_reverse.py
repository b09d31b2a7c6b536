#!/usr/bin/env python3
"""Trains, resumes, translates and scores with the vkseq command on a Vulkan device.

    e2e_reverse.py VKSEQ

The model learns to reverse sequences of symbols, for a few updates only. Exit code 77 where there
is no device.
"""
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import unittest

SKIPPED, NO_DEVICE = 77, 3
SYMBOLS = "abcdefghijklmnopqrstuvwxyz012345"
UPDATES = 40


def write_pairs(folder, name, num_pairs, rng):
    pairs = [rng.choices(SYMBOLS, k=rng.randint(3, 10)) for _ in range(num_pairs)]
    for side, step in (("src", 1), ("tgt", -1)):
        (folder / f"{name}.{side}").write_text(
            "".join(" ".join(pair[::step]) + "\n" for pair in pairs), "utf-8")


def run(*words, exit_code=0, **options):
    """What the command prints on stdout and stderr."""
    result = subprocess.run([VKSEQ, *words], cwd=FOLDER, capture_output=True, text=True,
                            check=False, **options)
    if result.returncode != exit_code:
        raise AssertionError(f"{words} ended with {result.returncode}:\n{result.stderr}")
    return result.stdout, result.stderr


def train_words(model, updates):
    return ["train", "--model", model, "--train-sets", "train.src", "train.tgt",
            "--valid-sets", "valid.src", "valid.tgt", "--task", "tiny", "--vocab-size", "84",
            "--sentencepiece-options=--byte_fallback=false", "--mini-batch-words", "400",
            "--learn-rate", "0.005", "--lr-warmup", "10", "--disp-freq", "10",
            "--after", f"{updates}u"]


def read_weights(model):
    return (FOLDER / model / "model.safetensors").read_bytes()


class Reverse(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.log = run(*train_words("whole", UPDATES))[1]

    def test_cost_falls(self):
        costs = [float(cost) for cost in re.findall(r" : Cost ([0-9.]+) ", self.log)]
        self.assertEqual(len(costs), UPDATES // 10, self.log)
        self.assertLess(costs[-1], costs[0] - 0.3)

    def test_end_names_the_command_to_translate(self):
        self.assertRegex(self.log, r"To translate: \S+ translate --model whole < FILE\n$")

    def test_resumed_equals_uninterrupted(self):
        run(*train_words("parts", UPDATES // 2))
        log = run(*train_words("parts", UPDATES))[1]
        self.assertIn(f"Going on after update {UPDATES // 2}", log)
        self.assertEqual(read_weights("parts"), read_weights("whole"))

    def test_interrupted_training_is_saved_and_resumes(self):
        with subprocess.Popen([VKSEQ, *train_words("stopped", UPDATES)], cwd=FOLDER,
                              stderr=subprocess.PIPE, text=True) as process:
            log = ""
            while " : Up. 10 " not in log:
                line = process.stderr.readline()
                self.assertTrue(line, log)
                log += line
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)  # two at once count as one
            log += process.stderr.read()
        self.assertEqual(process.returncode, 0, log)
        self.assertIn("To go on: ", log)
        run(*train_words("stopped", UPDATES))
        self.assertEqual(read_weights("stopped"), read_weights("whole"))

    def test_other_shape_is_refused(self):
        log = run(*train_words("whole", UPDATES), "--dim-emb", "128", exit_code=1)[1]
        self.assertIn("the model in whole has --dim-emb 64, but 128 is asked for", log)

    def test_other_vocabulary_is_refused(self):
        log = run(*train_words("whole", UPDATES), "--vocab-size", "60", exit_code=1)[1]
        self.assertIn("whole has a vocabulary of 84 pieces, --vocab-size asks for 60", log)

    def test_initial_model_depends_on_the_seed_alone(self):
        for model, seed in (("init", "1"), ("init_again", "1"), ("init_other", "2")):
            run(*train_words(model, UPDATES), "--init-only", "--seed", seed,
                "--vocabs", "whole")
        self.assertEqual(read_weights("init"), read_weights("init_again"))
        self.assertNotEqual(read_weights("init"), read_weights("init_other"))

    def test_vocabulary_of_model_files(self):
        spm = "whole/source.spm"
        for model, vocabs in (("one_file", [spm]), ("two_files", [spm, "whole/target.spm"])):
            run(*train_words(model, UPDATES), "--init-only", "--vocabs", *vocabs)
            for name in "source.spm", "target.spm", "vocab.json":
                self.assertEqual((FOLDER / model / name).read_bytes(),
                                 (FOLDER / "whole" / name).read_bytes())

    def test_line_has_the_same_translations_alone_and_among_others(self):
        lines = (FOLDER / "valid.src").read_text().splitlines(keepends=True)[:12]
        words = ["translate", "--model", "whole", "--beam-size", "3", "--n-best", "--normalize"]
        together = run(*words, input="".join(lines))[0].splitlines()
        for i in (0, 5, 11):
            alone = run(*words, input=lines[i])[0].splitlines()
            self.assertEqual([re.sub("^0 ", f"{i} ", line) for line in alone],
                             [line for line in together if line.startswith(f"{i} ")])

    def test_score_is_what_translate_reports(self):
        output = run("translate", "--model", "whole", "--beam-size", "2", "--n-best",
                     "--input", "valid.src")[0]
        sources = (FOLDER / "valid.src").read_text().splitlines()
        pairs, reported = [], []
        for line in output.splitlines():
            number, text, features, _ = line.split(" ||| ")
            source = sources[int(number)]
            # One that was cut at --max-length-factor has no </s> to score.
            if len(text.split()) < 3 * (len(source.split()) + 1):
                pairs.append((source, text))
                reported.append(float(features.removeprefix("F0= ")))
        self.assertGreater(len(pairs), 5)
        for side, name in enumerate(("hyp.src", "hyp.tgt")):
            (FOLDER / name).write_text("".join(pair[side] + "\n" for pair in pairs))
        scores = run("score", "--model", "whole", "--source", "hyp.src",
                     "--target", "hyp.tgt")[0].split()
        for score, expected in zip(scores, reported, strict=True):
            self.assertAlmostEqual(float(score), expected, delta=1e-4)

    def test_output_is_whole_and_in_order(self):
        words = ["translate", "--model", "whole", "--beam-size", "1"]
        printed = run(*words, "--input", "valid.src")[0]
        run(*words, "--input", "valid.src", "--output", "out.tgt")
        self.assertEqual((FOLDER / "out.tgt").read_text(), printed)
        self.assertFalse((FOLDER / "out.tgt.partial").exists())
        self.assertEqual(len(printed.splitlines()), 20)

    def test_evaluation_of_model_is_that_of_its_translations(self):
        words = ["evaluate", "--reference", "valid.tgt", "--json"]
        first = run(*words, "--model", "whole", "--source", "valid.src", "--beam-size", "1",
                    "--output", "eval.tgt")[0]
        self.assertEqual(json.loads(first),
                         json.loads(run(*words, "--hypotheses", "eval.tgt")[0]))


if __name__ == "__main__":
    VKSEQ = str(pathlib.Path(sys.argv.pop(1)).resolve())
    if subprocess.run([VKSEQ, "devices"], capture_output=True, check=False).returncode == NO_DEVICE:
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as scratch:
        FOLDER = pathlib.Path(scratch)
        RNG = random.Random(1)
        write_pairs(FOLDER, "train", 2000, RNG)
        write_pairs(FOLDER, "valid", 20, RNG)
        unittest.main()
