#!/usr/bin/env python3
"""A model with the vocabulary of NLLB, trained, resumed and used with languages; and the verbs that
show ids.

    test_languages.py VKSEQ

Exit code 77 where there is no device.
"""
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from small_training import NO_DEVICE, SKIPPED, SmallTraining

LANGUAGES = ["--source-language", "eng_Latn", "--target-language", "deu_Latn"]
SPECIALS = "--bos_id=1 --eos_id=2 --unk_id=0 --byte_fallback=false"


class LanguagesTest(unittest.TestCase):
    def run_words(self, *words, text=None):
        run = subprocess.run([TRAINING.command, *words], cwd=TRAINING.folder, check=False,
                             input=text, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout.splitlines()

    def train(self, model, updates, *more):
        code, log = TRAINING.run(TRAINING.words(model, updates, "--vocabs", "nllb",
                                                *more) + ["--vocab-size", "1000"])
        self.assertEqual(code, 0, log)
        return log

    def refuse(self, words, *message):
        code, log = TRAINING.run(words)
        self.assertNotEqual(code, 0)
        for part in message:
            self.assertIn(part, log)

    def test_ids_and_texts(self):
        ids = self.run_words("encode", "--model", "nllb", *LANGUAGES, text="a b\n\nz\n")
        pieces = self.run_words("encode", "--model", "nllb", *LANGUAGES, "--pieces",
                                text="a b\n\nz\n")
        self.assertEqual(pieces, ["eng_Latn ▁a ▁b </s>", "eng_Latn </s>", "eng_Latn ▁ <unk> </s>"])
        self.assertTrue(all(re.fullmatch(r"[\d ]+", line) for line in ids))
        target = self.run_words("encode", "--model", "nllb", *LANGUAGES, "--side", "target",
                                "--pieces", text="a\n")
        self.assertEqual(target, ["deu_Latn ▁a </s>"])
        inner = self.run_words("encode", "--model", "nllb", "--text-only", "--pieces", text="a\n")
        self.assertEqual(inner, ["▁a"])
        self.assertEqual(self.run_words("decode", "--model", "nllb", text="\n".join(ids)),
                         ["a b", "", ""])

    def test_inspection_lists_languages(self):
        """Also of a vocabulary without a model."""
        run = subprocess.run([TRAINING.command, "inspect", "nllb", "--json"], cwd=TRAINING.folder,
                             check=False, capture_output=True, text=True)
        facts = json.loads(run.stdout)
        codes = facts["languages"].split(" ")
        self.assertEqual(len(codes), len(set(codes)))
        self.assertGreater(len(codes), 100)
        self.assertLessEqual({"eng_Latn", "deu_Latn"}, set(codes))

    def test_what_is_wrong_is_said(self):
        nllb = [TRAINING.command, "encode", "--model", "nllb", "--input", "train.src"]
        self.refuse(nllb, "the source language must be named", "zul_Latn")
        self.refuse([*nllb, "--source-language", "en"], "near it are: eng_Latn")
        (TRAINING.folder / "ids").write_text("1 2\n3 b\n", "utf-8")
        self.refuse([TRAINING.command, "decode", "--model", "nllb", "--input", "ids"],
                    "ids line 2: 'b': expected ids")
        self.refuse(TRAINING.words("none", 1, "--vocabs", "nllb"), "source language must be named")
        self.refuse(TRAINING.words("plain", 1, "--target-language", "deu"), "none to choose")

    def test_resuming_gives_the_same_bits(self):
        self.train("whole", 8, *LANGUAGES)
        self.train("resumed", 5, *LANGUAGES)
        self.train("resumed", 8, *LANGUAGES)
        self.assertEqual(
            {name: data for name, data in TRAINING.result("whole").items() if "json" not in name},
            {name: data for name, data in TRAINING.result("resumed").items() if "json" not in name})
        for name in "sentencepiece.bpe.model", "tokenizer_config.json":
            self.assertEqual((TRAINING.folder / "resumed" / name).read_bytes(),
                             (TRAINING.folder / "nllb" / name).read_bytes())
        self.refuse(TRAINING.words("resumed", 9, "--vocabs", "nllb", "--source-language",
                                   "eng_Latn", "--target-language", "fra_Latn"), "other")

    def test_languages_change_what_is_learnt_and_translated(self):
        self.train("german", 4, *LANGUAGES)
        self.train("french", 4, *LANGUAGES[:3], "fra_Latn")
        self.assertNotEqual((TRAINING.folder / "german/model.safetensors").read_bytes(),
                            (TRAINING.folder / "french/model.safetensors").read_bytes())
        common = ["translate", "--model", "german", "--beam-size", "2", "--word-scores", "--n-best",
                  "--source-language", "eng_Latn", "--target-language"]
        german = self.run_words(*common, "deu_Latn", text="a b c\n")
        french = self.run_words(*common, "fra_Latn", text="a b c\n")
        self.assertNotEqual(german, french)
        self.assertNotIn("_Latn", german[0])
        scores = [self.run_words("score", "--model", "german", "--source", "train.src", "--target",
                                 "train.tgt", *LANGUAGES[:3], code)
                  for code in ("deu_Latn", "fra_Latn")]
        self.assertNotEqual(*scores)


def make_vocabulary():
    """A model of SentencePiece that vkseq has learnt, with NLLB's special pieces, in its layout."""
    words = TRAINING.words("learnt", 1, "--init-only")
    words[words.index("--sentencepiece-options=--byte_fallback=false")] = (
        f"--sentencepiece-options={SPECIALS}")
    code, log = TRAINING.run(words)
    if code == NO_DEVICE:
        sys.exit(SKIPPED)
    if code:
        sys.exit(log)
    folder = TRAINING.folder / "nllb"
    folder.mkdir()
    shutil.copy(TRAINING.folder / "learnt/source.spm", folder / "sentencepiece.bpe.model")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "NllbTokenizer", "src_lang": None}), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as scratch:
        TRAINING = SmallTraining(pathlib.Path(sys.argv.pop(1)).resolve(), scratch,
                                 random.Random(3))
        make_vocabulary()
        unittest.main()
