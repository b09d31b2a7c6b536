#!/usr/bin/env python3
"""A whole document through vkseq translate: paragraphs, blank lines and indents stay where they are.

    test_paragraphs.py VKSEQ

The document is the project's own README. Exit code 77 where there is no device.
"""
import pathlib
import re
import unittest

from bad_input import main, make_model, run_vkseq, under_test

README = pathlib.Path(__file__).resolve().parent.parent / "README.md"


def paragraphs(text):
    """How many lines each has, and each gap between two."""
    return [len(block.splitlines()) for block in re.split(r"(\n{2,})", text)]


class Document(unittest.TestCase):
    def translate(self, text, *words):
        run = run_vkseq(under_test.models, "translate", "-m", "model", "--beam-size", "1",
                        "--max-length-factor", "1", "--min-length", "2", *words,
                        input=text.encode())
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout.decode()

    def check(self, text, *words):
        translation = self.translate(text, *words)
        self.assertEqual(paragraphs(translation), paragraphs(text))
        for line, translated in zip(text.split("\n"), translation.split("\n"), strict=True):
            self.assertEqual(bool(translated.strip()), bool(line.strip()), (line, translated))
        return translation

    def test_lines_and_paragraphs_stay(self):
        text = README.read_text("utf-8")
        self.assertGreater(len(paragraphs(text)), 20)
        self.check(text)

    def test_sentence_by_sentence_the_space_between_them_stays_too(self):
        text = README.read_text("utf-8")
        translation = self.check(text, "--split-sentences")
        for line, translated in zip(text.split("\n"), translation.split("\n"), strict=True):
            if line.startswith("    ") and ". " in line:
                self.assertTrue(translated.startswith("    "), translated)

    def test_long_lines_are_put_together_again(self):
        text = re.sub(r"(?<=\S)\n(?=\S)", " ", README.read_text("utf-8"))
        self.assertGreater(max(map(len, text.splitlines())), 200)
        self.check(text, "--max-length", "30")


if __name__ == "__main__":
    main(make_model)
