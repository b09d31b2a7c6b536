"""A training of seconds with the vkseq command, for tests of what disturbs it."""
import os
import pathlib
import subprocess

SKIPPED, NO_DEVICE = 77, 3
UPDATES = 12
SYMBOLS = "abcdefghijklmnop"


class SmallTraining:
    """Texts in a scratch folder, and the command run there."""

    def __init__(self, command, folder, rng):
        self.command, self.folder = command, pathlib.Path(folder)
        for name, num_pairs in (("train", 150), ("valid", 5)):
            pairs = [rng.choices(SYMBOLS, k=rng.randint(2, 6)) for _ in range(num_pairs)]
            for side, step in (("src", 1), ("tgt", -1)):
                (self.folder / f"{name}.{side}").write_text(
                    "".join(" ".join(pair[::step]) + "\n" for pair in pairs), "utf-8")

    def words(self, model, updates=UPDATES, *more):
        return [self.command, "train", "--model", model, "--train-sets", "train.src", "train.tgt",
                "--valid-sets", "valid.src", "valid.tgt", "--task", "tiny", "--dim-emb", "16",
                "--transformer-dim-ffn", "32", "--transformer-heads", "2", "--enc-depth", "1",
                "--dec-depth", "1", "--vocab-size", "50",
                "--sentencepiece-options=--byte_fallback=false", "--mini-batch-words", "120",
                "--max-length", "20", "--save-freq", "4", "--valid-freq", "4", "--disp-freq", "1",
                "--lr-warmup", "4", "--after", f"{updates}u", *more]

    def start(self, words, inject=None):
        # Faults are counted: what is kept from the last run must not change the count.
        env = {"MESA_SHADER_CACHE_DIR": str(self.folder / "mesa"), **os.environ,
               "VKSEQ_CACHE_DIR": "", **({"VKSEQ_INJECT": inject} if inject else {})}
        return subprocess.Popen(words, cwd=self.folder, env=env, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run(self, words, inject=None):
        """Exit code and stderr."""
        process = self.start(words, inject)
        log = process.communicate()[1]
        return process.returncode, log

    def result(self, model):
        """What a training has led to: the model's files, and the newest training state's."""
        path = self.folder / model
        newest = max((path / "training").glob("gen-*"))
        files = [path / "model.safetensors", path / "config.json", *sorted(newest.iterdir())]
        return {file.name: file.read_bytes() for file in files}

    def left_over(self, model):
        """Names of files that were not written to their end."""
        return [str(path) for path in (self.folder / model).rglob("*") if "tmp" in path.name]
