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
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from xml.etree import ElementTree

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

    def translate(self, *words, model="whole"):
        """Lines of fields."""
        output = run("translate", "--model", model, "--input", "valid.src", *words)[0]
        return [line.split(" ||| ") for line in output.splitlines()]

    def test_n_best_list_is_marians(self):
        power, penalty = 0.6, 0.25
        lines = self.translate("--beam-size", "4", "--n-best", "--word-scores", "--normalize",
                               str(power), "--word-penalty", str(penalty))
        self.assertEqual([int(line[0]) for line in lines], [i // 4 for i in range(80)])
        for i, (_, _, words, features, score) in enumerate(lines):
            values = [float(value) for value in words.removeprefix("WordScores= ").split()]
            total = float(features.removeprefix("F0= "))
            self.assertAlmostEqual(sum(values), total, delta=1e-3)
            length = len(values)
            self.assertAlmostEqual((total - penalty * length) / length ** power, float(score),
                                   delta=1e-4)
            if i % 4:
                self.assertLessEqual(float(score), float(lines[i - 1][4]))

    def test_alignments_are_of_the_sources_tokens(self):
        sources = (FOLDER / "valid.src").read_text().splitlines()
        hard = self.translate("--alignment", "--min-length", "1")
        soft = self.translate("--alignment", "soft", "--min-length", "1")
        for source, (text, pairs), (_, shares) in zip(sources, hard, soft, strict=True):
            num_source, num_target = len(source.split()), len(text.split())
            pairs = [[int(side) for side in pair.split("-")] for pair in pairs.split()]
            rows = [[float(share) for share in row.split(",")] for row in shares.split()]
            self.assertEqual([pair[1] for pair in pairs], list(range(num_target)))
            self.assertEqual([len(row) for row in rows], [num_source + 1] * num_target)
            for (place, _), row in zip(pairs, rows, strict=True):
                self.assertAlmostEqual(sum(row), 1, delta=1e-4)
                self.assertEqual(row[place], max(row[:num_source]))

    def test_sample_is_of_the_line_and_the_seed(self):
        words = ["--output-sampling", "topk", "8", "1.5"]
        first = self.translate(*words, "--seed", "7")
        self.assertEqual(self.translate(*words, "--seed", "7", "--mini-batch", "3"), first)
        self.assertNotEqual(self.translate(*words, "--seed", "8"), first)
        line = (FOLDER / "valid.src").read_text().splitlines(keepends=True)[7]
        alone = run("translate", "--model", "whole", *words, "--seed", "7", input=line)[0]
        self.assertEqual(alone, first[7][0] + "\n")

    def test_translation_begins_as_it_is_told(self):
        begins = ["a b", "", "c"] + [""] * 17
        (FOLDER / "begins").write_text("".join(begin + "\n" for begin in begins))
        lines = self.translate("--force-decode", "begins")
        free = self.translate()
        for line, begin, free_line in zip(lines, begins, free, strict=True):
            self.assertTrue(line[0].startswith(begin))
            if not begin:
                self.assertEqual(line, free_line)

    def test_suppressed_symbol_is_not_there(self):
        text = " ".join(line[0] for line in self.translate())
        symbol = max(set(text.split()), key=text.split().count)
        for line in self.translate("--suppress", symbol):
            self.assertNotIn(symbol, line[0].split())

    def test_models_are_summed(self):
        run(*train_words("untrained", UPDATES), "--init-only", "--vocabs", "whole")
        twice = run("translate", "--models", "whole", "whole", "--weights", "0.5", "0.5",
                    "--input", "valid.src")[0]
        self.assertEqual(twice, run("translate", "--model", "whole", "--input", "valid.src")[0])
        output = run("translate", "--models", "whole", "untrained", "--weights", "0.75", "2",
                     "--n-best", "--input", "valid.src")[0]
        for line in output.splitlines():
            sums = re.search(r" F0= (\S+) F1= (\S+) \|\|\| (\S+)$", line)
            first, second, total = map(float, sums.groups())
            self.assertAlmostEqual(0.75 * first + 2 * second, total, delta=1e-3)

    def test_rule_is_the_models(self):
        shutil.copytree(FOLDER / "whole", FOLDER / "saved", dirs_exist_ok=True)
        config = json.loads((FOLDER / "whole/config.json").read_text())
        words = ["--beam-size", "3", "--normalize", "--n-best"]
        by_rule = {rule: self.translate(*words, "--search", rule)
                   for rule in ("marian", "hf", "exact")}
        self.assertNotEqual(by_rule["marian"], by_rule["hf"])
        for keys, rule in (({}, "marian"), ({"transformers_version": "4.40.0"}, "hf"),
                           ({"search": "exact", "transformers_version": "4.40.0"}, "exact")):
            (FOLDER / "saved/config.json").write_text(json.dumps({**config, **keys}))
            self.assertEqual(self.translate(*words, model="saved"), by_rule[rule])

    def test_attention_is_shown(self):
        words = ["attention", "--model", "whole", "--source", "a b c"]
        cross = json.loads(run(*words, "--target", "c b", "--svg", "look.svg")[0])
        self.assertEqual([cross["rows"], cross["columns"]],
                         [["▁c", "▁b", "</s>"], ["▁a", "▁b", "▁c", "</s>"]])
        own = json.loads(run(*words, "--part", "encoder", "--layer", "0", "--head", "3")[0])
        self.assertEqual((own["layer"], own["head"], own["rows"]), (0, 3, cross["columns"]))
        before = json.loads(run(*words, "--target", "c b", "--part", "decoder")[0])
        self.assertEqual(before["columns"], ["<pad>", "▁c", "▁b"])
        self.assertEqual(before["weights"][0], [1, 0, 0])
        for shown in cross, own, before:
            for row in shown["weights"]:
                self.assertEqual(len(row), len(shown["columns"]))
                self.assertAlmostEqual(sum(row), 1, delta=1e-4)
        svg = ElementTree.parse(FOLDER / "look.svg").getroot()
        cells = svg.findall(".//{*}rect[{*}title]")
        self.assertEqual([float(cell.get("fill-opacity")) for cell in cells],
                         [round(weight, 3) for row in cross["weights"] for weight in row])

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
