"""What tests of bad input share: two small models, and a case that compares exit code and stderr
with golden/bad_input/CASE.txt, and every file with what it was before.

VKSEQ_WRITE_GOLDEN=1 in the environment writes the golden files instead. In them FOLDER is the
scratch folder, PREFIX that of an installation, TIME a time stamp, PID a process, DEVICE a device's
name, N a figure that depends on a library or a device. Of `vkseq train` only errors and warnings
are compared, and the notes a case names.
"""
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

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden" / "bad_input"
SKIPPED, NO_DEVICE = 77, 3
SHAPE = ["--dim-emb", "16", "--transformer-heads", "2", "--transformer-dim-ffn", "32",
         "--enc-depth", "1", "--dec-depth", "1"]
SMALL_VOCABULARY = ["--vocab-size", "100", "--sentencepiece-options=--byte_fallback=false"]
NOTE_ERRORS = r"\] (error|warning): "
# Progress, and the sums of `vkseq score`.
FIGURES = r"^(translate|score|evaluate): |\d lines, .* perplexity "
TENSOR = "model.encoder.layers.0.fc1.weight"


# The command, and a folder with models that it has made: by main().
under_test = types.SimpleNamespace(vkseq=None, models=None)


def write_text(path, lines):
    path.write_text("".join(line + "\n" for line in lines), "utf-8")


def sentences(seed, num):
    """Lines of made-up words; those of two seeds have no word in common."""
    rng = random.Random(seed)
    letters = "abcdefghijklm" if seed % 2 else "nopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 6))) for _ in range(60)]
    return [" ".join(rng.choices(words, k=rng.randint(2, 8))) for _ in range(num)]


def run_vkseq(folder, *words, **options):
    env = {name: value for name, value in os.environ.items() if name != "VKSEQ_MODEL_PATH"}
    return subprocess.run([under_test.vkseq, *words], cwd=folder, check=False, timeout=600,
                          stderr=subprocess.PIPE,
                          **{"stdout": subprocess.PIPE,
                             "env": {**env, "XDG_DATA_HOME": str(folder / "data")}, **options})


def name_build(text):
    """A text with the folders of models that lie beside the command as an installation has them."""
    return re.sub(r"[^ ]*/share/vkseq/models(, [^ ]*/samples/models)?$",
                  "PREFIX/share/vkseq/models", text, flags=re.M)


def train_words(model, *words):
    return ["train", "--model", model, "--train-sets", "train.src", "train.tgt", "--after", "2u",
            "--mini-batch-words", "120", "--max-length", "40", *SHAPE, *words]


def train_or_end(folder, *words):
    """Trains, and ends the program if that fails: without a device as a skip."""
    run = run_vkseq(folder, *words)
    if run.returncode == NO_DEVICE:
        sys.exit(SKIPPED)
    if run.returncode:
        sys.exit(run.stderr.decode())


def make_model(folder, *words):
    """One model; words: options of its training, instead of a vocabulary without bytes."""
    for name, seed in (("train.src", 1), ("train.tgt", 3)):
        write_text(folder / name, sentences(seed, 60))
    train_or_end(folder, *train_words("model", *(words or SMALL_VOCABULARY)))


def make_models(folder):
    """Two models with different vocabularies; the first has two training states."""
    make_model(folder, *SMALL_VOCABULARY, "--save-freq", "1u")
    for name, seed in (("other.src", 2), ("other.tgt", 4)):
        write_text(folder / name, sentences(seed, 60))
    train_or_end(folder, *train_words("other", *SMALL_VOCABULARY, "--vocab-size", "110"),
                 "--train-sets", "other.src", "other.tgt")
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
        shutil.copytree(under_test.models, self.folder)
        self.model = self.folder / "model"

    def normalise(self, text, notes):
        text = name_build(text.replace(str(self.folder), "FOLDER"))
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
VOCABULARY_FILES = ["source.spm", "special_tokens_map.json", "target.spm", "tokenizer_config.json",
                    "vocab.json"]
MODEL_FILES = ["config.json", "generation_config.json", "model.safetensors", *VOCABULARY_FILES]
STATE_FILES = ["checksums.json", "moment1.safetensors", "moment2.safetensors", "state.json",
               "weights.safetensors"]
TRAINED = {f"new/{name}" for name in [*MODEL_FILES, "history.jsonl", "training_run.json"]} | {
    f"new/training/{generation}/{name}" for name in STATE_FILES
    for generation in ("gen-00000001", "gen-00000002")}
LEARNED = {f"new/{name}" for name in VOCABULARY_FILES}
# What a training leaves that fails before its first update.
STOPPED = LEARNED | {"new/history.jsonl", "new/training_run.json"} | {
    f"new/training/gen-00000001/{name}" for name in STATE_FILES}


def main(make=make_models):
    """Runs the tests of the program, whose first argument is the command. make: given the folder,
    makes models in it."""
    under_test.vkseq = str(pathlib.Path(sys.argv.pop(1)).resolve())
    with tempfile.TemporaryDirectory() as folder:
        under_test.models = pathlib.Path(folder)
        make(under_test.models)
        unittest.main()
