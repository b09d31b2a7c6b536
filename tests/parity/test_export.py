#!/usr/bin/env python3
"""Models trained by vkseq in transformers, CTranslate2 and Marian, and models of transformers
trained on by vkseq.

    VKSEQ_COMMAND=build/dev/vkseq PYTHON tests/parity/test_export.py

PYTHON has the pinned peers. Small models learn for a while to write letters in reverse order; 200
lines must then come out the same on both sides, right or wrong. Where they do not, the peer itself
must find both translations equally good, to within 1e-4; such lines are counted and printed.
"""
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import ctranslate2  # noqa: E402
import sentencepiece  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

try:
    import pymarian
except ImportError:
    pymarian = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("VKSEQ_COMMAND", str(ROOT / "build/dev/vkseq"))
NO_DEVICE = 3
NUM_LINES, MARGIN, MAX_WORDS = 200, 1e-4, 60
SHAPE = ["--dim-emb", "48", "--transformer-heads", "4", "--transformer-dim-ffn", "96",
         "--enc-depth", "2", "--dec-depth", "2", "--transformer-dropout", "0", "--vocab-size", "45",
         "--sentencepiece-options=--byte_fallback=false"]
PRE_NORM = ["--transformer-preprocess", "n", "--transformer-postprocess", "da"]
# By name: options of its training. Marian's positions are fairseq's.
MODELS = {
    "post_joint": [],
    "pre_joint": [*PRE_NORM, "--transformer-ffn-activation", "gelu"],
    "post_separate": ["--separate-vocabs", "--positions", "fairseq",
                      "--transformer-ffn-activation", "swish"],
    "pre_separate": ["--separate-vocabs", "--positions", "fairseq", *PRE_NORM],
}
trained = types.SimpleNamespace(folder=None)


def write_text(path, lines):
    path.write_text("".join(line + "\n" for line in lines), "utf-8")


def make_text(folder, name, seed, num):
    """Letters, and the same ones in capitals and in reverse order."""
    rng = random.Random(seed)
    lines = [rng.choices("abcdefghij", k=rng.randint(1, 8)) for _ in range(num)]
    write_text(folder / f"{name}.src", [" ".join(line) for line in lines])
    write_text(folder / f"{name}.tgt", [" ".join(line[::-1]).upper() for line in lines])


def vkseq(*words):
    """What the command prints on stdout."""
    run = subprocess.run([COMMAND, *map(str, words)], capture_output=True, encoding="utf-8",
                         check=False)
    if run.returncode == NO_DEVICE:
        raise unittest.SkipTest(run.stderr)
    if run.returncode:
        raise AssertionError(f"{words[0]} ended with {run.returncode}: {run.stderr}")
    return run.stdout, run.stderr


def train(model, *words):
    folder = trained.folder
    return vkseq("train", "--model", folder / model, "--train-sets", folder / "train.src",
                 folder / "train.tgt", "--mini-batch-words", "800", "--learn-rate", "0.005",
                 "--lr-warmup", "30", "--disp-freq", "50", *words)[1]


def translate(model, beam_size, search, normalize=0):
    out, _ = vkseq("translate", "--model", model, "--input", trained.folder / "test.src",
                   "--beam-size", beam_size, "--search", search, "--normalize", normalize,
                   "--max-length-factor", "50", "--quiet")
    return out.splitlines()


def test_lines():
    return (trained.folder / "test.src").read_text("utf-8").splitlines()


def setUpModule():
    torch.set_num_threads(1)
    scratch = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(scratch.cleanup)
    trained.folder = pathlib.Path(scratch.name)
    make_text(trained.folder, "train", 1, 6000)
    make_text(trained.folder, "test", 2, NUM_LINES)
    for name, options in MODELS.items():
        train(name, *SHAPE, *options, "--after", "300u")


def first_difference(a, b):
    """Where two lists differ that are not the same."""
    pairs = enumerate(zip(a, b))
    return next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))


class Case(unittest.TestCase):
    def compare(self, what, ours, theirs, margin):
        """Translations; margin(line): by how much the peer prefers its own one to ours."""
        self.assertEqual((len(ours), len(theirs)), (NUM_LINES, NUM_LINES))
        # What does not end is cut where each side has its own limit.
        ours, theirs = ([" ".join(line.split()[:MAX_WORDS]) for line in lines]
                        for lines in (ours, theirs))
        differing = [i for i in range(NUM_LINES) if ours[i] != theirs[i]]
        margins = [margin(i) for i in differing]
        print(f"{self.id().split('.')[-1]}: {what}: {NUM_LINES - len(differing)} of {NUM_LINES} "
              f"lines the same, {len(differing)} with margins below {MARGIN}"
              + "".join(f" {m:.1e}" for m in margins), flush=True)
        for i, m in zip(differing, margins):
            self.assertLess(m, MARGIN, f"line {i}: '{ours[i]}', the peer has '{theirs[i]}'")
        references = (trained.folder / "test.tgt").read_text("utf-8").splitlines()
        num_right = sum(a == b for a, b in zip(ours, references))
        self.assertGreater(num_right, NUM_LINES // 10, "the model has not learnt its task")


class Transformers(Case):
    """Directories that AutoModel and AutoTokenizer open."""

    def open(self, folder, name):
        self.model, report = transformers.AutoModelForSeq2SeqLM.from_pretrained(
            folder, output_loading_info=True, dtype=torch.float32)
        self.model.eval()
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.assertEqual(type(self.model).__name__, name)
        self.assertEqual(type(self.tokenizer).__name__, "MarianTokenizer")
        self.assertFalse(report["unexpected_keys"])
        self.assertLessEqual(set(report["missing_keys"]), {"final_logits_bias"})

    def generate(self, beam_size, length_penalty):
        ids = []
        for i in range(0, NUM_LINES, 50):
            batch = self.tokenizer(test_lines()[i:i + 50], return_tensors="pt", padding=True)
            out = self.model.generate(**batch, num_beams=beam_size, length_penalty=length_penalty,
                                      max_length=100, do_sample=False)
            ids += [[id for id in row[1:] if id != self.tokenizer.pad_token_id]
                    for row in out.tolist()]
        return ids

    @torch.no_grad()
    def log_probs(self, line, ids):
        """Of each token of a translation."""
        start = self.model.config.decoder_start_token_id
        source = self.tokenizer(test_lines()[line], return_tensors="pt")
        logits = self.model(**source, decoder_input_ids=torch.tensor([[start, *ids[:-1]]])).logits
        logits[..., self.model.config.pad_token_id] = -1e9
        return torch.log_softmax(logits[0], -1)[range(len(ids)), ids].tolist()

    def margin(self, line, ours, theirs, beam_size, length_penalty):
        ids = self.tokenizer(text_target=ours).input_ids
        a, b = self.log_probs(line, theirs), self.log_probs(line, ids)
        if beam_size == 1:
            at = first_difference(theirs, ids)
            return a[at] - b[at]
        return sum(a) / len(a) ** length_penalty - sum(b) / len(b) ** length_penalty

    def check(self, folder):
        for beam_size, length_penalty in (1, 0.0), (4, 0.0), (4, 1.0):
            ids = self.generate(beam_size, length_penalty)
            theirs = self.tokenizer.batch_decode(ids, skip_special_tokens=True)
            ours = translate(folder, beam_size, "hf", length_penalty)
            self.compare(f"beam {beam_size}, length penalty {length_penalty}", ours, theirs,
                         lambda i: self.margin(i, ours[i], ids[i], beam_size, length_penalty))

    def test_marian_as_it_is_trained(self):
        self.open(trained.folder / "post_joint", "MarianMTModel")
        self.check(trained.folder / "post_joint")

    def test_pegasus_exported(self):
        out = trained.folder / "pre_joint.hf"
        vkseq("export", trained.folder / "pre_joint", out, "--to", "hf")
        self.open(out, "PegasusForConditionalGeneration")
        self.check(trained.folder / "pre_joint")

    def test_marian_of_other_positions_exported(self):
        out = trained.folder / "post_separate.hf"
        vkseq("export", trained.folder / "post_separate", out, "--to", "hf")
        self.open(out, "MarianMTModel")
        self.check(trained.folder / "post_separate")
        self.assertEqual(translate(out, 1, "hf"), translate(trained.folder / "post_separate", 1, "hf"))

    def test_defaults_are_the_same_on_both_sides(self):
        folder = trained.folder / "post_joint"
        self.open(folder, "MarianMTModel")
        batch = self.tokenizer(test_lines()[:50], return_tensors="pt", padding=True)
        theirs = self.tokenizer.batch_decode(self.model.generate(**batch),
                                             skip_special_tokens=True)
        ours = translate(folder, 4, "hf", 0)[:50]
        self.assertGreaterEqual(sum(a == b for a, b in zip(ours, theirs)), 45)

    def test_half_precision(self):
        folder, out = trained.folder / "post_joint", trained.folder / "half"
        vkseq("convert", folder, out, "--precision", "float16")
        self.open(out, "MarianMTModel")
        self.check(out)
        ours, whole = translate(out, 1, "hf"), translate(folder, 1, "hf")
        self.assertGreater(sum(a == b for a, b in zip(ours, whole)), NUM_LINES * 9 // 10)


class CTranslate2(Case):
    def run_converter(self, *words):
        converter = pathlib.Path(sys.executable).parent / words[0]
        run = subprocess.run([converter, *map(str, words[1:])], capture_output=True, check=False,
                             encoding="utf-8", env={**os.environ, "HF_HUB_OFFLINE": "1"})
        self.assertEqual(run.returncode, 0, run.stderr)

    def open(self, name, form, *words):
        folder, out = trained.folder / name, trained.folder / f"{name}.{form}"
        if not out.exists():
            vkseq("export", folder, out, "--to", form)
        converted = trained.folder / f"{name}.{form}.converted"
        self.run_converter(*(str(word).format(out) for word in words), "--output_dir", converted,
                           "--force")
        self.translator = ctranslate2.Translator(str(converted), intra_threads=1)
        self.pieces = [sentencepiece.SentencePieceProcessor(str(folder / f"{side}.spm"))
                       for side in ("source", "target")]
        # The converter for Marian's models appends </s> by itself.
        self.end = [] if form == "ct2" else ["</s>"]

    def encode(self, line):
        return self.pieces[0].encode(line, out_type=str) + self.end

    def margin(self, line, ours, theirs, beam_size):
        ids = self.pieces[1].encode(ours, out_type=str)
        a, b = (self.translator.score_batch([self.encode(test_lines()[line])], [target])[0].log_probs
                for target in (theirs, ids))
        if beam_size == 1:
            at = first_difference(theirs, ids)
            return a[at] - b[at]
        return sum(a) - sum(b)

    def check(self, name):
        """With sums as scores both search until nothing can be better; patience, since otherwise
        CTranslate2 would stop when as many have ended as the beam is wide."""
        for beam_size in 1, 4:
            results = self.translator.translate_batch(
                [self.encode(line) for line in test_lines()], beam_size=beam_size,
                length_penalty=0, max_decoding_length=100, patience=8 if beam_size > 1 else 1)
            tokens = [result.hypotheses[0] for result in results]
            theirs = [self.pieces[1].decode(row) for row in tokens]
            ours = translate(trained.folder / name, beam_size, "exact")
            self.compare(f"beam {beam_size}", ours, theirs,
                         lambda i: self.margin(i, ours[i], tokens[i], beam_size))

    def test_by_marians_converter(self):
        for name in "post_joint", "post_separate", "pre_separate":
            with self.subTest(name):
                self.open(name, "ct2", "ct2-marian-converter", "--model_path", "{}/model.npz",
                          "--vocab_paths", "{0}/source.yml", "{0}/target.yml")
                self.check(name)

    def test_by_transformers_converter(self):
        for name in "post_joint", "pre_joint":
            with self.subTest(name):
                self.open(name, "hf", "ct2-transformers-converter", "--model", "{}")
                self.check(name)


@unittest.skipUnless(pymarian, "pymarian is not installed")
class Marian(Case):
    """Each run in a process of its own: Marian ends the whole process when something fails."""

    def run_python(self, script, *words):
        run = subprocess.run([sys.executable, "-c", f"import sys, pymarian\n{script}", *words],
                             encoding="utf-8", input="\n".join(test_lines()) + "\n",
                             capture_output=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout.splitlines()

    def translate(self, folder, beam_size):
        return self.run_python(
            "print('\\n'.join(pymarian.Translator(sys.argv[1])"
            ".translate(sys.stdin.read().splitlines())))",
            f"--config {folder}/decoder.yml --beam-size {beam_size} --max-length-factor 50 "
            "--cpu-threads 1 --quiet --quiet-translation")

    def word_scores(self, folder, source, target):
        """Log probabilities of the tokens of translations, by lines of two files."""
        options = ["score", "--model", f"{folder}/model.npz", "--vocabs", f"{folder}/source.spm",
                   f"{folder}/target.spm", "--train-sets", source, target, "--cpu-threads", "1",
                   "--word-scores", "--quiet"]
        lines = self.run_python("pymarian._pymarian.main(sys.argv[1:])", *map(str, options))
        return [[float(score) for score in line.split("WordScores=")[1].split()] for line in lines]

    def margin(self, folder, line, ours, theirs, beam_size):
        source, target = (trained.folder / f"pair.{side}" for side in ("src", "tgt"))
        write_text(source, 2 * [test_lines()[line]])
        write_text(target, [theirs, ours])
        a, b = self.word_scores(folder, source, target)
        if beam_size > 1:
            return sum(a) - sum(b)
        at = first_difference(theirs.split(), ours.split())
        return a[at] - b[at]

    def export(self, name):
        folder = trained.folder / f"{name}.marian"
        vkseq("export", trained.folder / name, folder, "--to", "marian")
        return folder

    def test_translations_are_the_same(self):
        folder = self.export("post_separate")
        for beam_size in 1, 4:
            theirs = self.translate(folder, beam_size)
            ours = translate(trained.folder / "post_separate", beam_size, "marian")
            self.compare(f"beam {beam_size}", ours, theirs,
                         lambda i: self.margin(folder, i, ours[i], theirs[i], beam_size))

    def test_scores_are_the_same(self):
        source, target = trained.folder / "test.src", trained.folder / "test.tgt"
        for name in "post_separate", "pre_separate":
            with self.subTest(name):
                theirs = self.word_scores(self.export(name), source, target)
                out, _ = vkseq("score", "--model", trained.folder / name, "--source", source,
                               "--target", target, "--quiet")
                gap = max(abs(float(ours) - sum(row))
                          for ours, row in zip(out.splitlines(), theirs, strict=True))
                print(f"{name}: log probabilities within {gap:.1e}", flush=True)
                self.assertLess(gap, 1e-3)


class FineTuning(unittest.TestCase):
    """Models of random weights, made by transformers and trained on by vkseq."""

    CLASSES = {
        "MarianMTModel": transformers.MarianConfig,
        "PegasusForConditionalGeneration": transformers.PegasusConfig,
    }

    def make(self, folder, name):
        vocabulary = trained.folder / "post_joint"
        size = len(json.loads((vocabulary / "vocab.json").read_text("utf-8")))
        torch.manual_seed(3)
        config = self.CLASSES[name](
            vocab_size=size, d_model=32, encoder_layers=1, decoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64,
            decoder_ffn_dim=64, max_position_embeddings=64, activation_function="swish",
            scale_embedding=True, pad_token_id=size - 1, decoder_start_token_id=size - 1,
            eos_token_id=0, forced_eos_token_id=0)
        getattr(transformers, name)(config).save_pretrained(folder)
        for path in vocabulary.iterdir():
            if path.suffix == ".spm" or path.name.startswith(("vocab", "tokenizer", "special")):
                shutil.copy(path, folder / path.name)

    def check(self, name):
        folder, tuned = trained.folder / name, trained.folder / f"{name}.tuned"
        self.make(folder, name)
        log = train(tuned.name, "--pretrained-model", folder, "--valid-sets",
                    trained.folder / "test.src", trained.folder / "test.tgt", "--valid-metrics",
                    "ce-mean-words", "--valid-freq", "10u", "--after", "100u",
                    "--transformer-dropout", "0")
        losses = [float(loss) for loss in re.findall(r"ce-mean-words : ([\d.]+)", log)]
        print(f"{name}: cross-entropy {losses[0]:.3f}, after training {losses[-1]:.3f}", flush=True)
        self.assertLess(losses[-1], 0.9 * losses[0])
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(tuned)
        self.assertEqual(type(model).__name__, name)
        self.assertAlmostEqual(self.loss(model.eval(), tuned), losses[-1], delta=1e-3)

    @torch.no_grad()
    def loss(self, model, folder):
        """Mean cross-entropy of a token of the validation text."""
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        targets = (trained.folder / "test.tgt").read_text("utf-8").splitlines()
        total = num = 0
        for source, target in zip(test_lines(), targets):
            batch = tokenizer(source, text_target=target, return_tensors="pt")
            logits = model(**batch).logits[0]
            total -= torch.log_softmax(logits, -1)[range(len(logits)), batch.labels[0]].sum().item()
            num += len(logits)
        return total / num

    def test_marian(self):
        self.check("MarianMTModel")

    def test_pegasus(self):
        self.check("PegasusForConditionalGeneration")


if __name__ == "__main__":
    unittest.main()
