#!/usr/bin/env python3
"""Models of Marian in vkseq: scores, translations and shortlists beside pymarian's own.

    VKSEQ_COMMAND=build/dev/vkseq PYTHON tests/parity/test_marian.py

PYTHON has the pinned pymarian. Marian itself trains small models of several shapes for a few
updates, which learn to write words of letters in reverse order. The log probabilities of 100 given
translations must agree to 1e-5 of their size, and translations of 100 lines, greedy and with a beam
of 4, must be the same, but where Marian itself finds both equally good to 1e-4: such lines are
counted and printed.
"""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import types
import unittest

try:
    import numpy
    import pymarian  # noqa: F401
    import sentencepiece
    import yaml
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("VKSEQ_COMMAND", str(ROOT / "build/dev/vkseq"))
NO_DEVICE = 3
NUM_PAIRS, UPDATES, MARGIN, TOLERANCE = 100, 120, 1e-4, 1e-5

TRANSFORMER = ["--type", "transformer", "--dim-emb", "32", "--transformer-heads", "4",
               "--transformer-dim-ffn", "64", "--enc-depth", "2", "--dec-depth", "2"]
PRE_NORM = ["--transformer-preprocess", "n", "--transformer-postprocess", "da"]
SSRU = ["--transformer-decoder-autoreg", "rnn", "--dec-cell", "ssru"]
# By name: options of its training. What Marian computes for "pre_norm" in steps is not what it was
# trained to (later tokens see the earlier ones' inputs without their norm): only scores are compared.
MODELS = {
    "post_norm": ["--tied-embeddings-all"],
    "pre_norm": [*PRE_NORM, "--transformer-postprocess-top", "n", "--tied-embeddings"],
    "relu_bare": ["--transformer-ffn-activation", "relu", "--output-omit-bias"],
    "gelu_wide": ["--transformer-ffn-activation", "gelu", "--tied-embeddings-src",
                  "--transformer-decoder-dim-ffn", "48"],
    "tied_layers": ["--transformer-tied-layers", "1", "1", "--tied-embeddings-all",
                    "--transformer-postprocess-emb", "nd"],
    "ssru": [*SSRU, "--tied-embeddings-all", "--transformer-ffn-activation", "relu"],
    "ssru_pre_norm": [*SSRU, *PRE_NORM, "--tied-embeddings-all", "--transformer-rnn-projection"],
    "ssru_tied": [*SSRU, "--tied-embeddings", "--transformer-tied-layers", "1", "1"],
}
WITHOUT_STEPS = {"pre_norm"}
made = types.SimpleNamespace(folder=None)


def marian(*words):
    """Runs Marian; what it prints."""
    result = subprocess.run([sys.executable, "-m", "pymarian", *map(str, words)], text=True,
                            cwd=made.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            check=False)
    if result.returncode != 0:
        raise AssertionError(f"pymarian {words[0]} failed: {result.stderr[-2000:]}")
    return result.stdout


def vkseq(*words, status=0):
    """Runs the command; what it prints, or with another status what it says."""
    result = subprocess.run([COMMAND, *map(str, words)], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, check=False)
    if result.returncode == NO_DEVICE:
        raise unittest.SkipTest("no Vulkan device")
    if result.returncode != status:
        raise AssertionError(f"vkseq {words[0]}: status {result.returncode}: {result.stderr}")
    return result.stderr if status else result.stdout


def write_text(path, lines):
    path.write_text("".join(line + "\n" for line in lines), "utf-8")
    return path


def make_pairs(num, seed):
    rng = random.Random(seed)
    lines = [" ".join("".join(rng.choices("abcdefgh", k=rng.randint(1, 5)))
                      for _ in range(rng.randint(1, 6))) for _ in range(num)]
    return lines, [line[::-1] for line in lines]


def train(name, options, vocabs, source, target):
    """A model by Marian, in a folder of its own with its decoder.yml."""
    folder = made.folder / name
    folder.mkdir()
    for vocab in set(vocabs):
        shutil.copy(vocab, folder)
    marian("train", *TRANSFORMER, *options, "--model", folder / "model.npz", "--train-sets",
           source, target, "--vocabs", *(folder / vocab.name for vocab in vocabs), "--cpu-threads",
           1, "--workspace", 200, "--mini-batch", 32, "--after", f"{UPDATES}u", "--seed", 1,
           "--learn-rate", 0.005, "--quiet", "--overwrite", "--beam-size", 3, "--normalize", 0.7,
           "--max-length", 60, "--tempdir", made.folder)
    return folder


def write_model(path, arrays):
    """As Marian writes it: arrays stored without compression."""
    numpy.savez(path, **arrays)


def change_config(arrays, **changes):
    config = yaml.safe_load(bytes(arrays["special:model.yml"]).split(b"\0")[0])
    config.update(changes)
    text = yaml.safe_dump(config).encode() + b"\0"
    arrays["special:model.yml"] = numpy.frombuffer(text, numpy.int8)


def setUpModule():
    made.folder = pathlib.Path(tempfile.mkdtemp())
    source, target = make_pairs(600, 1)
    made.source = write_text(made.folder / "train.src", source)
    made.target = write_text(made.folder / "train.tgt", target)
    source, target = make_pairs(NUM_PAIRS, 2)
    made.valid_source = write_text(made.folder / "valid.src", source)
    made.valid_target = write_text(made.folder / "valid.tgt", target)
    made.spm = made.folder / "vocab.spm"
    sentencepiece.SentencePieceTrainer.train(
        input=[str(made.source), str(made.target)], model_prefix=str(made.folder / "pieces"),
        vocab_size=60, bos_id=-1, eos_id=0, unk_id=1, hard_vocab_limit=False, minloglevel=2)
    shutil.move(made.folder / "pieces.model", made.spm)
    made.models = {}


def tearDownModule():
    shutil.rmtree(made.folder, ignore_errors=True)


def model_of(name):
    if name not in made.models:
        made.models[name] = train(name, MODELS[name], [made.spm, made.spm], made.source,
                                  made.target)
    return made.models[name]


def marian_scores(folder, source, target, model="model.npz", vocabs=("vocab.spm", "vocab.spm")):
    out = marian("score", "-m", folder / model, "-v", *(folder / vocab for vocab in vocabs), "-t",
                 source, target, "--cpu-threads", 1, "--quiet")
    return [float(line) for line in out.split()]


def vkseq_scores(model, source=None, target=None):
    out = vkseq("score", "--model", model, "--source", source or made.valid_source, "--target",
                target or made.valid_target, "--quiet")
    return [float(line) for line in out.split()]


def marian_lines(folder, source, *words, vocabs=("vocab.spm", "vocab.spm")):
    out = marian("decode", "-m", folder / "model.npz", "-v",
                 *(folder / vocab for vocab in vocabs), "-i", source, "--cpu-threads", 1,
                 "--quiet", "--mini-batch", 1, "--maxi-batch", 1, *words)
    return out.split("\n")[:-1]


class Models(unittest.TestCase):
    maxDiff = None

    def check_scores(self, name, ours, theirs):
        self.assertEqual(len(ours), len(theirs))
        worst = max(abs(a - b) / max(1, abs(b)) for a, b in zip(ours, theirs))
        print(f"{name}: scores differ by {worst:.1e} of their size at most", flush=True)
        self.assertLess(worst, TOLERANCE)

    def check_lines(self, name, folder, ours, theirs):
        """Lines that differ are equally good for Marian."""
        self.assertEqual(len(ours), len(theirs))
        other = [i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b]
        print(f"{name}: {len(other)} of {len(ours)} translations differ", flush=True)
        self.assertLessEqual(len(other), 3)
        if not other:
            return
        lines = made.valid_source.read_text("utf-8").splitlines()
        source = write_text(made.folder / "other.src", [lines[i] for i in other])
        scores = [marian_scores(folder, source, write_text(made.folder / "other.tgt",
                                                           [side[i] for i in other]))
                  for side in (ours, theirs)]
        for a, b in zip(*scores):
            self.assertLess(abs(a - b), MARGIN)

    def test_scores_are_those_of_marian(self):
        for name in MODELS:
            with self.subTest(name):
                folder = model_of(name)
                self.check_scores(name, vkseq_scores(folder / "model.npz"),
                                  marian_scores(folder, made.valid_source, made.valid_target))

    def test_translations_are_those_of_marian(self):
        for name in MODELS:
            if name in WITHOUT_STEPS:
                continue
            for beam in (1, 4):
                with self.subTest(name, beam=beam):
                    folder = model_of(name)
                    words = ("--beam-size", beam, "--normalize", 0.6)
                    ours = vkseq("translate", "--model", folder, "--input", made.valid_source,
                                 "--quiet", *words)
                    self.check_lines(f"{name}, beam {beam}", folder, ours.split("\n")[:-1],
                                     marian_lines(folder, made.valid_source, *words))

    def test_n_best_lists_have_the_scores_of_marian(self):
        folder = model_of("ssru")
        words = ("--beam-size", 4, "--n-best", "--normalize", 1)
        ours = vkseq("translate", "--model", folder, "--input", made.valid_source, "--quiet", *words)
        theirs = marian_lines(folder, made.valid_source, *words)
        fields = [[line.split(" ||| ") for line in side]
                  for side in (ours.split("\n")[:-1], theirs)]
        self.assertEqual(len(fields[0]), len(fields[1]))
        for a, b in zip(*fields):
            self.assertEqual(a[0], b[0])
            self.assertLess(abs(float(a[-1]) - float(b[-1])), MARGIN)

    def test_decoder_yml_says_how_to_translate(self):
        folder = model_of("ssru")
        by_default = vkseq("translate", "--model", folder, "--input", made.valid_source, "--quiet")
        told = vkseq("translate", "--model", folder, "--input", made.valid_source, "--quiet",
                     "--beam-size", 3, "--normalize", 0.7)
        self.assertEqual(by_default, told)

    def test_binary_models_are_the_same(self):
        for name in ("post_norm", "ssru"):
            folder = model_of(name)
            marian("convert", "-f", folder / "model.npz", "-t", made.folder / f"{name}.bin")
            self.assertEqual(vkseq_scores(made.folder / f"{name}.bin"),
                             vkseq_scores(folder / "model.npz"))

    def test_quantised_matrices_are_what_marian_rounded(self):
        folder = model_of("ssru")
        rounded = made.folder / "rounded"
        rounded.mkdir()
        shutil.copy(made.spm, rounded)
        arrays = dict(numpy.load(folder / "model.npz"))
        for name, array in arrays.items():
            if name.endswith(("_W", "_Wt")) or name[-3:-1] == "_W":
                factor = numpy.float32(127) / numpy.abs(array).max()
                arrays[name] = numpy.rint(array * factor).clip(-127, 127) / factor
        write_model(rounded / "model.npz", {k: v.astype(numpy.float32) if v.dtype != numpy.int8
                                            else v for k, v in arrays.items()})
        marian("convert", "-f", folder / "model.npz", "-t", folder / "int8.bin", "-g", "intgemm8")
        self.check_scores("intgemm8", vkseq_scores(folder / "int8.bin"),
                          vkseq_scores(rounded / "model.npz"))

    def test_learned_positions_are_added_to_embeddings_as_they_are(self):
        """Marian of this version cannot run them; sines and scaled embeddings are the same."""
        folder = made.folder / "learned"
        folder.mkdir()
        shutil.copy(made.spm, folder)
        arrays = dict(numpy.load(model_of("relu_bare") / "model.npz"))
        change_config(arrays, **{"transformer-train-positions": True})
        angles = numpy.outer(numpy.arange(70), 1e-4 ** (numpy.arange(16) / 15))
        arrays["Wpos"] = numpy.hstack([numpy.sin(angles), numpy.cos(angles)]).astype(numpy.float32)
        for side in ("encoder", "decoder"):
            arrays[f"{side}_Wemb"] = arrays[f"{side}_Wemb"] * numpy.float32(32 ** 0.5)
        write_model(folder / "model.npz", arrays)
        self.check_scores("learned positions", vkseq_scores(folder),
                          vkseq_scores(model_of("relu_bare")))

    def test_the_gelu_of_older_versions_is_a_swish(self):
        folder = made.folder / "old_gelu"
        folder.mkdir()
        shutil.copy(made.spm, folder)
        arrays = dict(numpy.load(model_of("relu_bare") / "model.npz"))
        change_config(arrays, version="v1.9.0", **{"transformer-ffn-activation": "gelu"})
        write_model(folder / "model.npz", arrays)
        ours = vkseq_scores(folder)
        change_config(arrays, **{"transformer-ffn-activation": "swish"})
        for name in arrays:
            factor = 1.702 if "_ffn_W1" in name or "_ffn_b1" in name else 1 / 1.702
            if "_ffn_W" in name or "_ffn_b1" in name:
                arrays[name] = arrays[name] * numpy.float32(factor)
        write_model(folder / "model.npz", arrays)
        self.check_scores("old gelu", ours, marian_scores(folder, made.valid_source,
                                                         made.valid_target))

    def test_vocabularies_of_words_are_read(self):
        folder = made.folder / "words"
        folder.mkdir()
        source = write_text(made.folder / "letters.src",
                            [" ".join(line) for line in made.source.read_text().splitlines()])
        target = write_text(made.folder / "letters.tgt",
                            [" ".join(line) for line in made.target.read_text().splitlines()])
        entries = ["</s>", "<unk>", *"abcdefg", "no", "~", "a: b", "1"]
        vocab = folder / "vocab.yml"
        vocab.write_text(yaml.safe_dump({word: i for i, word in enumerate(entries)},
                                        sort_keys=False), "utf-8")
        marian("train", *TRANSFORMER, *MODELS["ssru"], "--model", folder / "model.npz",
               "--train-sets", source, target, "--vocabs", vocab, vocab, "--cpu-threads", 1,
               "--workspace", 200, "--mini-batch", 32, "--after", "60u", "--seed", 1, "--quiet",
               "--tempdir", made.folder)
        vocabs = ("vocab.yml", "vocab.yml")
        self.check_scores("words", vkseq_scores(folder, source, target)[:NUM_PAIRS],
                          marian_scores(folder, source, target, vocabs=vocabs)[:NUM_PAIRS])
        lines = write_text(made.folder / "few.src", source.read_text().splitlines()[:20])
        self.assertEqual(
            vkseq("translate", "--model", folder, "--input", lines, "--quiet", "--beam-size", 2,
                  "--normalize", 1).split("\n")[:-1],
            marian_lines(folder, lines, "--beam-size", 2, "--normalize", 1, vocabs=vocabs))

    def make_shortlist(self, folder):
        """A text in which each piece has a few others, and what Marian makes of it."""
        pieces = sentencepiece.SentencePieceProcessor(str(made.spm))
        names = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size())]
        rng = random.Random(5)
        lines = [f"{target} {source} {rng.random():.4f}" for source in names[2:]
                 for target in rng.sample(names[2:], 12)]
        text = write_text(folder / "lex.txt", [*lines, "NULL a 0.5", f"{names[5]} NULL 0.9"])
        # Marian's converter cannot open SentencePiece models: a list of the same pieces.
        vocab = folder / "list.yml"
        vocab.write_text(yaml.safe_dump({name: i for i, name in enumerate(names)},
                                        allow_unicode=True, sort_keys=False), "utf-8")
        marian("convert", "--shortlist", text, 12, 5, 0.1, "--dump-shortlist", folder / "lex.bin",
               "--vocabs", vocab, vocab)
        return text, folder / "lex.bin"

    def test_shortlists_leave_what_marian_leaves(self):
        folder = model_of("ssru")
        words = ("--beam-size", 4, "--normalize", 0.6)
        free = vkseq("translate", "--model", folder, "--input", made.valid_source, "--quiet", *words)
        for path, *numbers in ((self.make_shortlist(folder)[0], 12, 5, 0.1),
                               (self.make_shortlist(folder)[1],)):
            with self.subTest(path.name):
                ours = vkseq("translate", "--model", folder, "--input", made.valid_source,
                             "--quiet", *words, "--shortlist", path, *numbers)
                theirs = marian_lines(folder, made.valid_source, *words, "--shortlist", path,
                                      *numbers)
                self.assertNotEqual(ours, free)
                self.check_lines(f"shortlist {path.name}", folder, ours.split("\n")[:-1], theirs)
        n_best = ("--n-best", *words, "--shortlist", folder / "lex.bin")
        ours = vkseq("translate", "--model", folder, "--input", made.valid_source, "--quiet",
                     *n_best).split("\n")[:-1]
        for a, b in zip(ours, marian_lines(folder, made.valid_source, *n_best)):
            self.assertLess(abs(float(a.split()[-1]) - float(b.split()[-1])), MARGIN)

    def test_a_binary_shortlist_that_is_damaged_is_refused(self):
        folder = model_of("ssru")
        data = bytearray(self.make_shortlist(folder)[1].read_bytes())
        data[-1] ^= 64
        path = folder / "damaged.bin"
        path.write_bytes(data)
        self.assertIn("damaged", vkseq("translate", "--model", folder, "--input",
                                       made.valid_source, "--shortlist", path, status=1))


class Refusals(unittest.TestCase):
    def check(self, said, arrays=None, **changes):
        folder = pathlib.Path(tempfile.mkdtemp(dir=made.folder))
        shutil.copy(made.spm, folder)
        arrays = dict(arrays or numpy.load(model_of("ssru") / "model.npz"))
        change_config(arrays, **changes)
        write_model(folder / "model.npz", arrays)
        text = vkseq("score", "--model", folder, "--source", made.valid_source, "--target",
                     made.valid_target, status=1)
        self.assertIn(said, text)

    def test_layers_that_vkseq_has_not_are_named(self):
        self.check("'type' is 's2s'", type="s2s")
        self.check("'transformer-ffn-depth' is '3'", **{"transformer-ffn-depth": 3})
        self.check("'transformer-postprocess' is 'dhn'", **{"transformer-postprocess": "dhn"})
        self.check("'transformer-preprocess' is 'r'", **{"transformer-preprocess": "r"})
        self.check("'dec-cell' is 'gru'", **{"dec-cell": "gru"})
        self.check("'transformer-decoder-autoreg' is 'average-attention'",
                   **{"transformer-decoder-autoreg": "average-attention"})
        self.check("'transformer-ffn-activation' is 'tanh'",
                   **{"transformer-ffn-activation": "tanh"})

    def test_arrays_that_do_not_fit_are_named(self):
        arrays = dict(numpy.load(model_of("ssru") / "model.npz"))
        self.check("'encoder_l1_other' has no place", {**arrays, "encoder_l1_other": arrays["Wemb"]})
        short = {**arrays, "decoder_l1_rnn_Wf": arrays["decoder_l1_rnn_Wf"][:16]}
        self.check("'decoder_l1_rnn_Wf' is [16, 32]", short)
        del arrays["decoder_l2_rnn_W"]
        self.check("there is no array 'decoder_l2_rnn_W'", arrays)


if __name__ == "__main__":
    unittest.main()
