#!/usr/bin/env python3
"""What the vkseq command does with bad input: one message that names the fault, an exit code, and
no file changed, lost or left half-written.

    test_bad_input.py VKSEQ

Exit code and stderr are compared with golden/bad_input/CASE.txt; VKSEQ_WRITE_GOLDEN=1 in the
environment writes them instead. In them FOLDER is the scratch folder, TIME a time stamp, PID a
process, DEVICE a device's name, N a figure that depends on a library or a device. Of `vkseq train`
only errors and warnings are compared, and the notes a case names. Exit code 77 where there is no
device.
"""
import fcntl
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden" / "bad_input"
SKIPPED, NO_DEVICE = 77, 3
SHAPE = ["--dim-emb", "16", "--transformer-heads", "2", "--transformer-dim-ffn", "32",
         "--enc-depth", "1", "--dec-depth", "1"]
NOTE_ERRORS = r"\] (error|warning): "
# Progress, and the sums of `vkseq score`.
FIGURES = r"^(translate|score|evaluate): |\d lines, .* perplexity "
TENSOR = "model.encoder.layers.0.fc1.weight"


def write_text(path, lines):
    path.write_text("".join(line + "\n" for line in lines), "utf-8")


def sentences(seed, num):
    """Lines of made-up words; those of two seeds have no word in common."""
    rng = random.Random(seed)
    letters = "abcdefghijklm" if seed % 2 else "nopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 6))) for _ in range(60)]
    return [" ".join(rng.choices(words, k=rng.randint(2, 8))) for _ in range(num)]


def run_vkseq(folder, *words, **options):
    return subprocess.run([VKSEQ, *words], cwd=folder, check=False, timeout=120,
                          stderr=subprocess.PIPE, **{"stdout": subprocess.PIPE, **options})


def train_words(model, *words):
    return ["train", "--model", model, "--train-sets", "train.src", "train.tgt", "--after", "2u",
            "--mini-batch-words", "120", "--max-length", "40", *SHAPE, *words]


def make_models(folder):
    """Two models with different vocabularies; the first has two training states."""
    for name, seed in (("train.src", 1), ("train.tgt", 3), ("other.src", 2), ("other.tgt", 4)):
        write_text(folder / name, sentences(seed, 60))
    for model, text, size in (("model", "train", "100"), ("other", "other", "110")):
        run = run_vkseq(folder, *train_words(model, "--vocab-size", size, "--save-freq", "1u"),
                        "--sentencepiece-options=--byte_fallback=false",
                        "--train-sets", f"{text}.src", f"{text}.tgt")
        if run.returncode == NO_DEVICE:
            sys.exit(SKIPPED)
        if run.returncode:
            sys.exit(run.stderr.decode())
    write_text(folder / "in", sentences(1, 3))
    shutil.rmtree(folder / "other" / "training")


def content(folder):
    """Every file's bytes, by its path; locks are no content."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name) / "work"
        shutil.copytree(MODELS, self.folder)
        self.model = self.folder / "model"

    def normalise(self, text, notes):
        text = text.replace(str(self.folder), "FOLDER")
        text = re.sub(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]", "[TIME]", text, flags=re.M)
        text = re.sub(r"PID \d+", "PID", text)
        text = re.sub(r"byte \d+ of \d+$", "byte N of N", text, flags=re.M)
        text = re.sub(r"byte \d+(?=[:,])", "byte N", text)
        text = re.sub(r"tmp-\d+-\d+", "tmp-PID", text)
        text = re.sub(r"is \w{16}, and was \w{16} when", "is N, and was N when", text)
        text = re.sub(r"had \d+ when", "had N when", text)
        text = re.sub(r"has \d+ tokens", "has N tokens", text)
        text = re.sub(r"(?<=MiB that ).* (?=binds)", "DEVICE ", text)
        lines = [line for line in text.splitlines(True)
                 if not line.startswith("[TIME]") or re.search(notes, line)]
        return "".join(line for line in lines if not re.search(FIGURES, line))

    def check(self, name, *words, exit_code=1, notes=NOTE_ERRORS, made=None, **options):
        """Runs a command; made: the names of files it may make, all others stay as they were."""
        before = content(self.folder)
        run = run_vkseq(self.folder, *words, **options)
        after = content(self.folder)
        text = f"exit code {run.returncode}\n" + self.normalise(run.stderr.decode(), notes)
        golden = GOLDEN / f"{name}.txt"
        if os.environ.get("VKSEQ_WRITE_GOLDEN"):
            golden.write_text(text, "utf-8")
        self.assertEqual(text, golden.read_text("utf-8"))
        self.assertEqual(run.returncode, exit_code, text)
        for path, data in before.items():
            self.assertEqual(after.get(path), data, f"{path} is not as it was")
        self.assertEqual(set(after) - set(before), set(made or ()))
        return run.stdout

    def write(self, name, data):
        (self.folder / name).write_bytes(data)

    def translate(self, name, *words, **options):
        return self.check(name, "translate", "--model", "model", "--beam-size", "1",
                          "--max-length-factor", "0.1", *words, **options)

    def load(self, name):
        """Translation with a model that should not load."""
        self.assertEqual(self.translate(name, "--input", "in", "--output", "out"), b"")

    def train(self, name, *words, source="train.src", target="train.tgt", **options):
        return self.check(name, *train_words("new", *words), "--train-sets", source, target,
                          **options)

    def score(self, name, source, target, **options):
        return self.check(name, "score", "--model", "model", "--source", source, "--target",
                          target, **options)

    def evaluate(self, name, hypotheses, **options):
        self.assertEqual(self.check(name, "evaluate", "--reference", "in", "--hypotheses",
                                    hypotheses, **options), b"")


# What the training of a new model leaves when it ends well.
MODEL_FILES = ["config.json", "generation_config.json", "model.safetensors", "source.spm",
               "target.spm", "vocab.json"]
STATE_FILES = ["checksums.json", "moment1.safetensors", "moment2.safetensors", "state.json",
               "weights.safetensors"]
TRAINED = {f"new/{name}" for name in [*MODEL_FILES, "history.jsonl", "training_run.json"]} | {
    f"new/training/{generation}/{name}" for name in STATE_FILES
    for generation in ("gen-00000001", "gen-00000002")}
LEARNED = {"new/source.spm", "new/target.spm", "new/vocab.json"}
# What a training leaves that fails before its first update.
STOPPED = LEARNED | {"new/history.jsonl", "new/training_run.json"} | {
    f"new/training/gen-00000001/{name}" for name in STATE_FILES}


class Text(Case):
    def setUp(self):
        super().setUp()
        lines = sentences(1, 3)
        self.write("empty", b"")
        self.write("binary", bytes(range(256)) * 3)
        self.write("latin1", f"{lines[0]}\n{lines[1]}\ncaf\xe9\n".encode("latin-1"))
        write_text(self.folder / "short", lines[:2])
        write_text(self.folder / "blank", ["", lines[0], " \t "])
        write_text(self.folder / "blanks", ["", "", ""])
        write_text(self.folder / "long", [lines[0], "a" * 100000, lines[1]])

    def test_training_text(self):
        for fault, source, target in (
                ("missing", "train.src", "none"), ("folder", "model", "train.tgt"),
                ("empty", "empty", "empty"), ("empty_side", "empty", "train.tgt"),
                ("binary", "binary", "binary"), ("not_utf8", "in", "latin1"),
                ("unequal", "in", "short"), ("blanks", "blanks", "blanks")):
            with self.subTest(fault):
                self.train(f"train_{fault}", source=source, target=target)

    def test_validation_text(self):
        for fault, source, target in (
                ("missing", "none", "in"), ("empty", "empty", "empty"),
                ("not_utf8", "latin1", "in"), ("unequal", "short", "in")):
            with self.subTest(fault):
                self.train(f"valid_{fault}", "--valid-sets", source, target)

    def test_compressed_text(self):
        data = gzip.compress((self.folder / "train.src").read_bytes(), mtime=0)
        self.write("early.gz", data[:-20])
        self.write("late.gz", data + b"more")
        self.write("checksum.gz", data[:-8] + bytes(8))
        self.write("plain.gz", (self.folder / "train.src").read_bytes())
        for fault in "early", "late", "checksum", "plain":
            with self.subTest(fault):
                self.train(f"train_gzip_{fault}", source=f"{fault}.gz")
                self.train(f"valid_gzip_{fault}", "--valid-sets", f"{fault}.gz", "train.tgt")

    def test_text_with_fields(self):
        write_text(self.folder / "fields", ["a\tb", "a b", "a\tb\tc"])
        words = ["--tsv", "--vocabs", "model"]
        self.check("tsv_one_field", *train_words("new", *words), "--train-sets", "fields")
        write_text(self.folder / "fields", ["a\tb\t1", "a\tb\tx"])
        self.check("tsv_three_fields", *train_words("new", *words), "--train-sets", "fields")
        self.check("tsv_weights", *train_words("new", *words), "--train-sets", "fields",
                   "--data-weighting", "2", made=LEARNED)
        for fault, options in (("weights_field", ["--data-weighting", "1"]),
                               ("weights_beyond", ["--data-weighting", "3", "--tsv-fields", "3"]),
                               ("valid_two", ["--valid-sets", "fields", "fields"])):
            with self.subTest(fault):
                self.check(f"tsv_{fault}", *train_words("new", *words, *options), "--train-sets",
                           "fields", exit_code=2)

    def test_standard_input(self):
        words = ["--tsv", "--train-sets", "stdin"]
        self.train("stdin_shuffled", *words[:1], source="stdin", target="in", exit_code=2)
        self.check("stdin_whole", *train_words("new", *words), exit_code=2)
        self.check("stdin_two", *train_words("new"), "--train-sets", "-", "train.tgt", exit_code=2)
        self.check("stdin_valid", *train_words("new", "--tsv"), "--train-sets", "in",
                   "--valid-sets", "stdin", exit_code=2)
        self.check("stdin_vocabulary", *train_words("new", "--shuffle", "batches", *words),
                   input=b"a\tb\n")
        self.check("stdin_binary", *train_words("new", "--vocabs", "model", "--shuffle", "none",
                                                *words), input=b"a\tb\n\xff\tb\n",
                   made=STOPPED)

    def test_weights(self):
        write_text(self.folder / "weights", ["1"] * 58 + ["-1", "1"])
        self.train("weights_of_lines", "--vocabs", "model", "--data-weighting", "weights",
                   made=LEARNED)
        write_text(self.folder / "weights", ["1"] * 59)
        self.train("weights_few", "--data-weighting", "weights")
        self.train("weights_two", "--data-weighting", "weights", "weights", exit_code=2)
        self.train("weights_drawn", "--vocabs", "model", "--data-weighting-type", "word",
                   "--sentencepiece-alphas", "0.1")

    def test_ratios_and_alphas(self):
        for fault, words in (("two", ["1", "2"]), ("negative", ["-1"]), ("zero", ["0"])):
            with self.subTest(fault):
                self.train(f"ratios_{fault}", "--train-ratios", *words, exit_code=2)
        self.train("alphas_three", "--sentencepiece-alphas", "1", "1", "1", exit_code=2)
        self.train("alphas_text", "--sentencepiece-alphas", "x", exit_code=2)

    def test_folder_for_shuffling(self):
        write_text(self.folder / "lines.src", sentences(1, 20000))
        write_text(self.folder / "lines.tgt", sentences(3, 20000))
        self.train("tempdir_missing", "--vocabs", "model", "--tempdir", "none", "--shuffle-memory",
                   "1", source="lines.src", target="lines.tgt", made=LEARNED)

    def test_blank_validation_text(self):
        self.train("valid_blanks", "--vocabs", "model", "--valid-sets", "blanks", "blanks",
                   made=LEARNED)

    def test_blank_lines_are_left_out_and_long_ones_cut_for_validation(self):
        self.train("train_blank", "--vocabs", "model", "--valid-sets", "long", "in",
                   source="blank", target="in", exit_code=0,
                   notes=NOTE_ERRORS + "|left out|cut", made=TRAINED)

    def test_a_long_line_is_left_out(self):
        self.train("train_long", "--vocab-size", "300", source="long", target="in", exit_code=0,
                   notes=NOTE_ERRORS + "|left out", made=TRAINED)

    def test_a_long_line_is_cut(self):
        self.train("train_long_crop", "--vocabs", "model", "--max-length-crop", source="long",
                   target="in", exit_code=0, notes=NOTE_ERRORS + "|cut", made=TRAINED)

    def test_alignments(self):
        line = b"0-0\n"
        for fault, data, made in (
                ("short", 59 * line, ()), ("not_utf8", 59 * line + b"\xe9\n", ()),
                ("word", 59 * line + b"0-0 none\n", LEARNED),
                ("beyond", b"0-0 1-500\n" + 59 * line, LEARNED)):
            with self.subTest(fault):
                self.write("align", data)
                self.train(f"alignment_{fault}", "--vocabs", "model", "--guided-alignment",
                           "align", made=made)
                shutil.rmtree(self.folder / "new", ignore_errors=True)
        self.train("alignment_missing", "--vocabs", "model", "--guided-alignment", "none")
        self.train("alignment_two", "--vocabs", "model", "--guided-alignment", "align", "align",
                   exit_code=2)
        self.train("alignment_drawn", "--vocabs", "model", "--guided-alignment", "train.src",
                   "--sentencepiece-alphas", "0.1", made=LEARNED)
        shutil.rmtree(self.folder / "new")
        write_text(self.folder / "fields", ["a\tb\t0-0", "a\tb\t0-0 x"])
        self.check("alignment_field", *train_words("new", "--tsv", "--vocabs", "model"),
                   "--train-sets", "fields", "--guided-alignment", "2", made=LEARNED)

    def test_alignment_of_a_layer_that_is_not_there(self):
        self.write("align", 60 * b"0-0\n")
        self.train("alignment_layer", "--vocabs", "model", "--guided-alignment", "align",
                   "--transformer-guided-alignment-layer", "2", made=LEARNED)

    def test_text_to_translate(self):
        for fault in "none", "model", "binary", "latin1":
            with self.subTest(fault):
                self.assertEqual(self.translate(f"translate_{fault}", "--input", fault,
                                                "--output", "out"), b"")

    def test_a_bad_line_in_a_pipe_keeps_what_is_done(self):
        out = self.translate("translate_pipe", input=(self.folder / "latin1").read_bytes())
        self.assertLessEqual(out.count(b"\n"), 2)

    def test_no_text_has_an_empty_translation(self):
        self.translate("translate_empty", "--input", "empty", "--output", "out", exit_code=0,
                       made=["out"])
        self.assertEqual((self.folder / "out").read_bytes(), b"")

    def test_blank_lines_have_empty_translations(self):
        out = self.translate("translate_blank", "--input", "blank", exit_code=0).split(b"\n")
        self.assertEqual((len(out), out[0], out[2]), (4, b"", b""))

    def test_a_long_line_is_cut_for_translation(self):
        out = self.translate("translate_long", "--input", "long", "--max-length", "50",
                             exit_code=0)
        self.assertEqual(out.count(b"\n"), 3)

    def test_forced_beginnings(self):
        write_text(self.folder / "two", ["a", "b"])
        self.write("latin1", b"a\n\xe4\nb\n")
        for fault, words in (("missing", ["none"]), ("lines", ["two"]), ("latin1", ["latin1"])):
            with self.subTest(fault):
                self.translate(f"force_decode_{fault}", "--input", "in", "--force-decode", *words)

    def test_forced_beginnings_of_a_pipe_end_early(self):
        write_text(self.folder / "two", ["a", "b"])
        self.translate("force_decode_pipe", "--force-decode", "two", input=b"a\nb\nc\n")

    def test_suppressed_words(self):
        self.translate("suppress_blank", "--input", "in", "--suppress", " ")
        self.translate("suppress_latin1", "--input", "in", "--suppress", b"\xe4")

    def test_models_that_do_not_go_together(self):
        self.check("models_vocab", "translate", "--models", "model", "other", "--input", "in")
        self.check("models_missing", "translate", "--models", "model", "none", "--input", "in")

    def test_attention_that_is_not_there(self):
        attention = ["attention", "--model", "model", "--source", "a b", "--target", "b"]
        self.check("attention_layer", *attention, "--layer", "1")
        self.check("attention_head", *attention, "--head", "2", "--part", "encoder")
        self.check("attention_latin1", *attention, "--target", b"\xe4")
        self.check("attention_long", *attention, "--source", "a " * 5000)
        self.check("attention_svg", *attention, "--svg", "none/look.svg")

    def test_scored_text(self):
        for fault, source, target in (
                ("missing", "none", "in"), ("not_utf8", "in", "latin1"),
                ("unequal", "in", "short"), ("binary", "binary", "binary")):
            with self.subTest(fault):
                self.assertEqual(self.score(f"score_{fault}", source, target), b"")

    def test_no_text_has_no_score(self):
        self.assertEqual(self.score("score_empty", "empty", "empty", exit_code=0), b"")

    def test_blank_lines_are_scored(self):
        out = self.score("score_blank", "blanks", "blanks", exit_code=0,
                         notes=NOTE_ERRORS).split()
        self.assertEqual(len(out), 3)

    def test_a_long_line_is_cut_for_scoring(self):
        out = self.score("score_long", "long", "in", exit_code=0)
        self.assertEqual(len(out.split()), 3)

    def test_hypotheses(self):
        for fault in "none", "empty", "binary", "latin1", "short":
            with self.subTest(fault):
                self.evaluate(f"evaluate_{fault}", fault)

    def test_evaluated_source(self):
        self.check("evaluate_source", "evaluate", "--model", "model", "--source", "latin1",
                   "--reference", "in", "--output", "out")


class Vocabulary(Case):
    def change(self, **pieces):
        path = self.model / "vocab.json"
        vocab = json.loads(path.read_text("utf-8"))
        vocab.update(pieces)
        path.write_text(json.dumps({k: v for k, v in vocab.items() if v is not None}), "utf-8")

    def test_vocabulary_file(self):
        deep = b"[" * 100000
        for fault, data in (("empty", b""), ("truncated", b'{"</s>": 0,\n"<unk>": '),
                            ("list", b"[1, 2]"), ("deep", b'{"a":' + deep), ("binary", b"\0\1\2"),
                            ("two_ids", b'{"a": 0, "a": 1}'), ("one_id", b'{"a": 0, "b": 0}'),
                            ("text_id", b'{"a": "0"}'), ("negative_id", b'{"a": -1}'),
                            ("huge_id", b'{"a": 1e9}'), ("no_specials", b'{"a": 0}')):
            with self.subTest(fault):
                self.write("model/vocab.json", data)
                self.load(f"vocab_{fault}")

    def test_missing_vocabulary_file(self):
        (self.model / "vocab.json").unlink()
        self.load("vocab_missing")

    def test_vocabulary_of_another_size(self):
        self.change(more=100)
        self.load("vocab_larger")

    def test_other_special_pieces(self):
        self.change(**{"</s>": 1, "<unk>": 0})
        self.load("vocab_other_eos")

    def test_vocabulary_of_another_model(self):
        for name in "source.spm", "target.spm", "vocab.json":
            shutil.copy(self.folder / "other" / name, self.model / name)
        self.load("vocab_of_other")
        self.check("vocab_of_other_trained", *train_words("model"))

    def test_pieces_and_ids_of_two_models(self):
        shutil.copy(self.folder / "other" / "source.spm", self.model / "source.spm")
        self.load("vocab_other_pieces")

    def test_other_vocabulary_than_asked_for(self):
        self.check("vocabs_differ", *train_words("model", "--vocabs", "other"))

    def test_sentencepiece_file(self):
        whole = (self.model / "source.spm").read_bytes()
        for fault, data in (("empty", b""), ("truncated", whole[:len(whole) // 2]),
                            ("no_specs", whole[:pieces_end(whole)]),
                            ("text", b"no model at all\n"), ("json", b'{"</s>": 0}')):
            with self.subTest(fault):
                self.write("model/source.spm", data)
                self.load(f"spm_{fault}")

    def test_missing_sentencepiece_file(self):
        (self.model / "target.spm").unlink()
        self.load("spm_missing")

    def test_vocabs_for_training(self):
        self.write("bad.spm", b"none")
        for fault, words in (("missing", ["none"]), ("text", ["bad.spm"]), ("folder", ["."]),
                             ("empty", ["/dev/null"]), ("three", ["a", "b", "c"])):
            with self.subTest(fault):
                self.train(f"vocabs_{fault}", "--vocabs", *words,
                           exit_code=2 if fault == "three" else 1)


def pieces_end(spm):
    """Where the pieces of a SentencePiece model end: fields are a tag, a length, and bytes."""
    at = 0
    while spm[at] == 0x0A:
        length, shift = 0, 0
        at += 1
        while True:
            length |= (spm[at] & 0x7F) << shift
            shift += 7
            at += 1
            if spm[at - 1] < 0x80:
                break
        at += length
    return at


class Config(Case):
    def check_config(self, name, **keys):
        path = self.folder / "other" / "config.json"
        config = json.loads(path.read_text("utf-8"))
        config.update(keys)
        (self.model / "config.json").write_text(json.dumps(config), "utf-8")
        self.load(f"config_{name}")

    def setUp(self):
        super().setUp()
        shutil.copy(self.model / "config.json", self.folder / "other" / "config.json")

    def test_config_file(self):
        for fault, data in (("empty", b""), ("truncated", b'{\n"d_model": 16,\n'), ("list", b"[]"),
                            ("deep", b'{"a":' + b"[" * 100000), ("binary", b"\0\1\2"),
                            ("after", b"{} {}"), ("large", b" " * (1 << 21))):
            with self.subTest(fault):
                self.write("model/config.json", data)
                self.load(f"config_{fault}")

    def test_missing_config_file(self):
        (self.model / "config.json").unlink()
        self.load("config_missing")

    def test_missing_key(self):
        path = self.model / "config.json"
        config = json.loads(path.read_text("utf-8"))
        del config["d_model"]
        path.write_text(json.dumps(config), "utf-8")
        self.load("config_no_width")

    def test_values(self):
        for fault, keys in (
                ("type", {"model_type": "bert"}), ("type_number", {"model_type": 3}),
                ("text_width", {"d_model": "16"}), ("negative_width", {"d_model": -16}),
                ("zero_width", {"d_model": 0}), ("huge_width", {"d_model": 1e300}),
                ("fraction", {"d_model": 16.5}), ("null", {"encoder_layers": None}),
                ("layers", {"encoder_layers": 1000000}), ("zero_layers", {"decoder_layers": 0}),
                ("heads", {"encoder_attention_heads": 3, "decoder_attention_heads": 3}),
                ("decoder_heads", {"decoder_attention_heads": 4}),
                ("no_heads", {"encoder_attention_heads": 0}),
                ("wide", {"d_model": 20000}), ("head_width", {"d_model": 12}),
                ("activation", {"activation_function": "tanh"}),
                ("scale", {"scale_embedding": "yes"}), ("start", {"decoder_start_token_id": 3}),
                ("pad", {"pad_token_id": 1000, "decoder_start_token_id": 1000}),
                ("zero_pad", {"pad_token_id": 0, "decoder_start_token_id": 0}),
                ("eos", {"eos_token_id": 5000}),
                ("positions", {"position_formula": 1}),
                ("search", {"search": "fast"}),
                ("offset", {"position_offset": 16000000}),
                ("vocab", {"vocab_size": 1, "decoder_vocab_size": 1}),
                ("absurd", {"encoder_layers": 64, "decoder_layers": 64, "encoder_ffn_dim": 100000,
                            "decoder_ffn_dim": 100000}),
                ("other_width", {"d_model": 32})):
            with self.subTest(fault):
                self.check_config(fault, **keys)


class Weights(Case):
    def setUp(self):
        super().setUp()
        self.path = self.model / "model.safetensors"
        data = self.path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        self.header, self.data = json.loads(data[8:8 + length]), data[8 + length:]

    def check_raw(self, name, header, data=None, length=None):
        self.path.write_bytes(struct.pack("<Q", len(header) if length is None else length) +
                              header + (self.data if data is None else data))
        self.load(f"weights_{name}")

    def check_header(self, name, header, **options):
        self.check_raw(name, json.dumps(header).encode(), **options)

    def check_tensor(self, name, **keys):
        self.check_header(name, {**self.header, TENSOR: {**self.header[TENSOR], **keys}})

    def test_file(self):
        whole = self.path.read_bytes()
        for fault, data in (("empty", b""), ("short", whole[:5]), ("half_header", whole[:100]),
                            ("half", whole[:len(whole) // 2]), ("less", whole[:-1]),
                            ("more", whole + b"x"), ("text", b"no model at all\n")):
            with self.subTest(fault):
                self.path.write_bytes(data)
                self.load(f"weights_{fault}")

    def test_missing_file(self):
        self.path.unlink()
        self.load("weights_missing")

    def test_folder_instead_of_a_file(self):
        self.path.unlink()
        self.path.mkdir()
        self.load("weights_folder")

    def test_header(self):
        self.check_raw("header_beyond_file", b"{}", length=1 << 20)
        self.check_raw("header_huge", b"{}", length=(1 << 64) - 1)
        self.check_raw("header_not_json", b'{"a": }')
        self.check_raw("header_list", b"[]")
        self.check_raw("header_deep", b'{"a":' + b"[" * 100000)
        self.check_raw("header_nul", b'{"a\\u0000b": 1}')
        self.check_raw("header_empty", b"{}", data=b"")

    def test_tensor(self):
        begin, end = self.header[TENSOR]["data_offsets"]
        self.check_tensor("overlap", data_offsets=[begin - 4, end - 4])
        self.check_tensor("beyond_file", data_offsets=[begin, 1 << 40])
        self.check_tensor("backwards", data_offsets=[end, begin])
        self.check_tensor("negative_offset", data_offsets=[-4, end])
        self.check_tensor("huge_offset", data_offsets=[1e300, 1e300])
        self.check_tensor("other_size", data_offsets=[begin, end - 4])
        self.check_tensor("overflow", shape=[1 << 33, 1 << 33])
        self.check_tensor("text_shape", shape=["32", 16])
        self.check_tensor("dimensions", shape=[1] * 9)
        self.check_tensor("other_shape", shape=[16, 32])
        self.check_tensor("flat", shape=[512])
        self.check_tensor("unknown_dtype", dtype="F23")
        self.check_tensor("integer_dtype", dtype="I32")
        self.check_tensor("four_keys", more=1)

    def test_names(self):
        name = json.dumps(TENSOR).encode()
        entry = json.dumps(self.header[TENSOR]).encode()
        text = json.dumps(self.header).encode()
        self.check_raw("two_of_a_name", text[:-1] + b", " + name + b": " + entry + b"}")
        end = len(self.data)
        empty = {"dtype": "F32", "shape": [0], "data_offsets": [end, end]}
        self.check_raw("two_of_an_empty_name", text[:-1] +
                       2 * (b', "a": ' + json.dumps(empty).encode()) + b"}")
        renamed = {key.replace("fc1", "fc9"): value for key, value in self.header.items()}
        self.check_header("surplus", renamed)
        without = {key: value for key, value in self.header.items() if key != TENSOR}
        self.check_header("hole", without)

    def test_missing_tensor(self):
        begin, end = self.header[TENSOR]["data_offsets"]
        header = {}
        for key, value in self.header.items():
            if key != TENSOR and key != "__metadata__":
                moved = [at - (end - begin) * (at >= end) for at in value["data_offsets"]]
                header[key] = {**value, "data_offsets": moved}
        self.check_header("lacks_tensor", header, data=self.data[:begin] + self.data[end:])

    def test_values(self):
        begin, _ = self.header[TENSOR]["data_offsets"]
        whole = self.path.read_bytes()
        at = len(whole) - len(self.data) + begin + 4 * 17
        for name, value in ("nan", float("nan")), ("infinite", float("-inf")):
            with self.subTest(name):
                self.path.write_bytes(whole[:at] + struct.pack("<f", value) + whole[at + 4:])
                self.load(f"weights_{name}")
                shutil.rmtree(self.model / "training", ignore_errors=True)
                self.check(f"weights_{name}_trained", *train_words("model"))


class State(Case):
    def setUp(self):
        super().setUp()
        self.newest, self.older = (self.model / "training" / f"gen-{number:08}"
                                   for number in (3, 2))

    def resume(self, name, **options):
        self.check(name, *train_words("model"), notes=NOTE_ERRORS + "|Going on", **options)

    def check_fall_back(self, name):
        """The older state is gone on from. Files of the newer one are not there to compare."""
        run = run_vkseq(self.folder, *train_words("model"))
        text = f"exit code {run.returncode}\n" + self.normalise(
            run.stderr.decode(), NOTE_ERRORS + "|Going on|finished")
        golden = GOLDEN / f"{name}.txt"
        if os.environ.get("VKSEQ_WRITE_GOLDEN"):
            golden.write_text(text, "utf-8")
        self.assertEqual(text, golden.read_text("utf-8"))
        self.assertEqual(run.returncode, 0, text)

    def test_truncated_file(self):
        path = self.newest / "moment1.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
        self.check_fall_back("state_truncated")

    def test_changed_byte(self):
        path = self.newest / "weights.safetensors"
        data = bytearray(path.read_bytes())
        data[-10] ^= 1
        path.write_bytes(data)
        self.check_fall_back("state_changed")

    def test_missing_file(self):
        (self.newest / "state.json").unlink()
        self.check_fall_back("state_missing_file")

    def test_none_is_whole(self):
        for folder in self.newest, self.older:
            (folder / "state.json").write_bytes(b"{}")
        self.resume("state_none_whole")

    def test_other_options(self):
        self.check("state_other_seed", *train_words("model", "--seed", "2"))
        self.check("state_other_fit", *train_words("model", "--mini-batch-fit"))
        self.check("state_other_text", *train_words("model"), "--train-sets", "in", "in")
        self.check("state_other_shuffle", *train_words("model", "--shuffle", "batches"))
        self.check("state_other_sort", *train_words("model", "--maxi-batch-sort", "src"))
        self.check("state_on_disk", *train_words("model", "--tempdir", "."))
        self.check("state_other_crop", *train_words("model", "--max-length-crop"))


class Pretrained(Case):
    """Fine-tuning, and what is frozen."""

    def begin(self, name, *words, **options):
        """Training of a new model that begins with the other one."""
        self.train(name, "--pretrained-model", "other", *words, **options)

    def test_missing_model(self):
        self.train("pretrained_missing", "--pretrained-model", "none")

    def test_other_vocabulary_than_asked_for(self):
        self.begin("pretrained_vocabs", "--vocabs", "model")
        self.begin("pretrained_vocab_size", "--vocab-size", "60")

    def test_vocabulary_that_is_there_already(self):
        for file in LEARNED:
            (self.folder / file).parent.mkdir(exist_ok=True)
            shutil.copy(self.model / pathlib.Path(file).name, self.folder / file)
        self.begin("pretrained_beside")

    def test_other_shape_than_asked_for(self):
        self.begin("pretrained_shape", "--dim-emb", "32", "--positions", "fairseq", made=LEARNED)

    def test_other_vocabulary_size_than_the_models(self):
        for file in "source.spm", "target.spm", "vocab.json":
            shutil.copy(self.model / file, self.folder / "other" / file)
        self.begin("pretrained_fits_not", made=LEARNED)

    def test_freezing(self):
        for fault, pattern in (("typo", "model.encodr.*"), ("part", "*self_attn.q_proj.*"),
                               ("all", "*")):
            with self.subTest(fault):
                self.train(f"freeze_{fault}", "--vocabs", "model", "--freeze", pattern,
                           made=LEARNED if fault == "typo" else ())

    def test_resumed_with_another_optimizer(self):
        self.check("state_other_optimizer", *train_words("model", "--optimizer", "sgd"))
        self.check("state_other_freeze", *train_words("model", "--freeze", "*bias"))


class Places(Case):
    def test_batch_that_cannot_fit(self):
        self.train("batch_too_small", "--mini-batch-words", "30", exit_code=2)
        devices = json.loads(run_vkseq(self.folder, "devices", "--json").stdout)
        if max(device["max_binding_bytes"] for device in devices) > 128 << 20:
            self.skipTest("a million words may fit")
        self.train("batch_too_large", "--vocabs", "model", "--mini-batch-words", "1000000",
                   made=LEARNED)

    def test_workspace_that_cannot_hold_a_batch(self):
        self.train("workspace_too_small", "--vocabs", "model", "--mini-batch-fit", "--workspace",
                   "1", "--max-length", "4000", "--mini-batch-words", "5000", made=LEARNED)

    def test_heads_that_do_not_divide(self):
        self.train("train_heads", "--vocabs", "model", "--transformer-heads", "3", made=LEARNED)

    def test_folder_in_use(self):
        for name, model in (("in_use", "model"), ("in_use_new", "new")):
            (self.folder / model).mkdir(exist_ok=True)
            with open(self.folder / model / ".lock", "w", encoding="utf-8") as lock:
                lock.write(f"{os.getpid()}\n")
                lock.flush()
                fcntl.flock(lock, fcntl.LOCK_EX)
                self.check(name, *train_words(model))

    def test_model_is_a_file(self):
        for verb, words in (("translate", ["--input", "in"]), ("train", train_words("in")[1:])):
            with self.subTest(verb):
                self.check(f"model_is_a_file_{verb}", verb, *words, "--model", "in")
        self.check("model_below_a_file", *train_words("in/model"))
        self.check("model_is_missing", "translate", "--model", "none", "--input", "in")

    def test_unwritable_output(self):
        for name, path in (("folder", "model"), ("missing_folder", "none/out"),
                           ("full", "/dev/full")):
            with self.subTest(name):
                self.translate(f"output_{name}", "--input", "in", "--output", path)

    def test_unwritable_evaluation(self):
        words = ["evaluate", "--model", "model", "--source", "in", "--reference", "in"]
        self.check("output_of_evaluation", *words, "--output", "none/out")

    def test_full_standard_output(self):
        with open("/dev/full", "wb") as full:
            self.translate("stdout_full_translate", "--input", "in", stdout=full)
            self.score("stdout_full_score", "in", "in", stdout=full)
            self.evaluate_full("stdout_full_evaluate", full)

    def evaluate_full(self, name, full):
        self.check(name, "evaluate", "--reference", "in", "--hypotheses", "in", stdout=full)

    def test_unwritable_files_of_training(self):
        self.train("log_missing_folder", "--log", "none/log")
        self.train("dump_missing_folder", "--vocabs", "model", "--dump-batches", "none/dump",
                   made=LEARNED)


if __name__ == "__main__":
    VKSEQ = str(pathlib.Path(sys.argv.pop(1)).resolve())
    with tempfile.TemporaryDirectory() as scratch_folder:
        MODELS = pathlib.Path(scratch_folder)
        make_models(MODELS)
        unittest.main()
