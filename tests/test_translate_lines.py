#!/usr/bin/env python3
"""What vkseq translate does with lines that are out of the ordinary: unknown characters, forced
beginnings of cut lines, a model's own limits, marks of punctuation.

    test_translate_lines.py VKSEQ

Exit code 77 where there is no device.
"""
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

from bad_input import NO_DEVICE, SKIPPED, sentences, train_words, write_text

MARKS = [".", ".", "!", ",", "'", "'s", "n't", "'"]
# Of a model that has learned nothing: all pieces come up.
DRAWN = ["--output-sampling", "full", "--seed", "7"]


def marked_sentences(seed, num):
    """Sentences with marks of punctuation as words, and behind words."""
    rng = random.Random(seed)
    return [re.sub(" ", lambda _: f"{rng.choice(['', '', ' .', '. '])} {rng.choice(MARKS)} ",
                   line) + "." for line in sentences(seed, num)]


class Lines(unittest.TestCase):
    def run_translate(self, *words, text, prefixes=None):
        folder = pathlib.Path(FOLDER)
        if prefixes is not None:
            write_text(folder / "prefixes", prefixes)
            words = ("--force-decode", "prefixes", *words)
        run = subprocess.run([VKSEQ, "translate", "-m", "model", *words], cwd=folder, check=True,
                             input="".join(f"{line}\n" for line in text).encode(),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.warnings = run.stderr.decode()
        return run.stdout.decode().splitlines()

    def tokens(self, line):
        run = subprocess.run([VKSEQ, "encode", "-m", "model"], cwd=FOLDER, check=True,
                             input=line.encode(), stdout=subprocess.PIPE)
        return run.stdout.split()[:-1]  # without </s>

    def set_file(self, name, **changes):
        path = pathlib.Path(FOLDER) / "model" / name
        text = path.read_text("utf-8") if path.exists() else None
        if text is None:
            self.addCleanup(path.unlink)
        else:
            self.addCleanup(path.write_text, text, "utf-8")
        path.write_text(json.dumps({**json.loads(text or "{}"), **changes}), "utf-8")

    def test_unknown_characters_come_from_the_source(self):
        short = ["--max-length-factor", "0.01", "--beam-size", "1"]
        plain = self.run_translate(*short, text=["\u2603"], prefixes=["\u2603"])
        self.assertNotIn("\u2603", plain[0])
        replaced = self.run_translate(*short, "--replace-unknowns", text=["\u2603"],
                                      prefixes=["\u2603"])
        self.assertTrue(replaced[0].startswith("\u2603"), replaced)
        # Of several the one that is attended to, and each hypothesis for itself.
        some = self.run_translate("--replace-unknowns", "--n-best", "--beam-size", "2",
                                  text=["\u2603 acd \u2622"], prefixes=["\u2622"])
        for line in some:
            self.assertRegex(line.split(" ||| ")[1], "^(\u2603|\u2622)")

    def test_known_text_is_left_alone(self):
        text = sentences(1, 5)
        for words in (DRAWN, ["--alignment", "soft"]):
            self.assertEqual(self.run_translate("--suppress", "<unk>", *words, text=text),
                             self.run_translate("--suppress", "<unk>", "--replace-unknowns",
                                                *words, text=text))

    def test_a_cut_line_begins_as_it_was_told_to(self):
        prefix = sentences(3, 1)[0]
        for line in (sentences(1, 3)[2], f"  \t{sentences(1, 3)[2]}", "  "):
            for words in (["--max-length", "6"], ["--split-sentences"]):
                translation = self.run_translate(*words, text=[line], prefixes=[prefix])[0]
                self.assertEqual(translation.lstrip().startswith(prefix), bool(line.strip()))

    def test_the_model_s_limit_cuts_the_source_and_is_told(self):
        self.set_file("config.json", decoding={"max_length": 13})
        text = sentences(1, 2) + [" ".join(sentences(1, 4))]
        self.assertGreater(len(self.tokens(text[2])), 13)
        longer = ["--beam-size", "1", "--min-length", "30"]
        self.run_translate(*longer, text=text)
        self.assertRegex(self.warnings, r"line 3: no more than 1\d tokens .* \(max_target_length\)")
        cut = self.run_translate("--beam-size", "1", "--word-scores", text=text[2:])[0]
        self.assertGreater(len(cut.split("WordScores=")[1].split()), 13)
        whole = self.run_translate(*longer, "--max-target-length", "300", "--word-scores",
                                   text=text)
        self.assertNotIn("line 3", self.warnings)
        for line in whole:
            self.assertGreaterEqual(len(line.split("WordScores=")[1].split()), 30)

    def test_warnings_name_the_line(self):
        text = [f"{line}. {line.capitalize()}." for line in sentences(1, 3)]
        self.set_file("config.json", decoding={"max_length": 60})
        self.run_translate("--split-sentences", "--min-length", "100", "--beam-size", "1",
                           text=text)
        self.assertEqual([self.warnings.count(f"line {i}:") for i in (1, 2, 3, 4)], [2, 2, 2, 0],
                         self.warnings)

    def test_alignments_of_a_cut_line_count_its_tokens(self):
        parts = [f"{sentences(1, 1)[0]}.", "Abc def."]
        text, num = " ".join(parts), sum(len(self.tokens(part)) for part in parts)
        line = self.run_translate("--split-sentences", "--alignment", *DRAWN, text=[text])[0]
        links = [[int(n) for n in link.split("-")] for link in line.split(" ||| ")[1].split()]
        self.assertEqual([target for _, target in links], list(range(len(links))))
        self.assertGreater(num, max(source for source, _ in links))
        line = self.run_translate("--split-sentences", "--alignment", "soft", *DRAWN,
                                  text=[text])[0]
        for row in line.split(" ||| ")[1].split():
            self.assertEqual(len(row.split(",")), num + 1)

    def test_a_suppressed_mark_stands_nowhere(self):
        text = sentences(1, 30)
        plain = "".join(self.run_translate(*DRAWN, text=text))
        self.assertIn(".", plain)
        self.assertIn("!", plain)
        suppressed = "".join(self.run_translate(*DRAWN, "--suppress", ".", text=text))
        self.assertNotIn(".", suppressed)
        self.assertIn("!", suppressed)

    def test_stream_waits_for_marks_that_take_blanks_out(self):
        text = sentences(1, 30)
        plain = self.run_translate(*DRAWN, text=text)
        self.set_file("tokenizer_config.json", clean_up_tokenization_spaces=True)
        cleaned = self.run_translate(*DRAWN, text=text)
        self.assertRegex("".join(plain), r" [.!]| ' ")
        self.assertNotRegex("".join(cleaned), r" [.!]| ' ")
        self.assertEqual(self.run_translate("--stream", *DRAWN, text=text), cleaned)


if __name__ == "__main__":
    VKSEQ = str(pathlib.Path(sys.argv.pop(1)).resolve())
    with tempfile.TemporaryDirectory() as FOLDER:
        for name, seed in (("train.src", 1), ("train.tgt", 3)):
            write_text(pathlib.Path(FOLDER) / name, marked_sentences(seed, 60))
        words = train_words("model", "--vocab-size", "120", "--after", "1u",
                            "--sentencepiece-options=--byte_fallback=false")
        trained = subprocess.run([VKSEQ, *words], cwd=FOLDER, check=False, stderr=subprocess.PIPE)
        if trained.returncode == NO_DEVICE:
            sys.exit(SKIPPED)
        if trained.returncode:
            sys.exit(trained.stderr.decode())
        unittest.main()
