#!/usr/bin/env python3
"""Where training text comes from, and how it is shuffled, weighed and drawn: the same text trains
the same model, and a training that is resumed ends as one that was not interrupted.

    test_train_text.py VKSEQ

Exit code 77 where there is no device.
"""
import gzip
import hashlib
import itertools
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

UPDATES = 8
SPLIT = 5
NAMES = itertools.count()


def trained(model):
    """What updates have made: the parameters, the moments, and the place in the text."""
    files = TRAINING.result(model)
    state = json.loads(files["state.json"])
    return {**{name: hashlib.sha256(data).hexdigest() for name, data in files.items()
               if name.endswith(".safetensors")},
            **{name: state[name] for name in ("epoch", "pool_idx", "batch_idx", "steps")}}


def read(name):
    return (TRAINING.folder / name).read_bytes()


def write(name, data):
    (TRAINING.folder / name).write_bytes(data)


def new_name():
    return f"model-{next(NAMES)}"


class Text(unittest.TestCase):
    def train(self, *words, model=None, updates=UPDATES, text=None, exit_code=0):
        """The log of a training; text: for standard input."""
        run = subprocess.run([*TRAINING.words(model or new_name(), updates), *words],
                             cwd=TRAINING.folder, input=text, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, check=False, timeout=300)
        log = run.stderr.decode()
        self.assertEqual(run.returncode, exit_code, log)
        return log

    def result(self, *words, **options):
        model = new_name()
        self.train(*words, model=model, **options)
        return trained(model)

    def check_resume(self, *words):
        """A training in two parts against one in one."""
        model = new_name()
        self.train(*words, model=model, updates=SPLIT)
        log = self.train(*words, model=model)
        self.assertIn(f"Going on after update {SPLIT}", log)
        self.assertEqual(trained(model), self.result(*words))


class Sources(Text):
    def test_compressed_text_and_fields_train_as_plain_text(self):
        plain = self.result()
        for side in "src", "tgt":
            data = read(f"train.{side}")
            half = data.index(b"\n", len(data) // 2) + 1
            write(f"train.{side}.gz", gzip.compress(data[:half]) + gzip.compress(data[half:]))
        rows = zip(*(read(f"train.{side}").splitlines() for side in ("src", "tgt")))
        tsv = b"".join(b"\t".join(row) + b"\n" for row in rows)
        write("train.tsv", tsv)
        write("train.tsv.gz", gzip.compress(tsv))
        valid = zip(*(read(f"valid.{side}").splitlines() for side in ("src", "tgt")))
        write("valid.tsv", b"".join(b"\t".join(row) + b"\n" for row in valid))
        for words in (["--train-sets", "train.src.gz", "train.tgt.gz"],
                      ["--tsv", "--train-sets", "train.tsv", "--valid-sets", "valid.tsv"],
                      ["--tsv", "--train-sets", "train.tsv.gz", "--valid-sets", "valid.tsv"]):
            with self.subTest(words):
                self.assertEqual(self.result(*words), plain)
        log = self.train("--tsv", "--train-sets", "train.tsv.gz", "--valid-sets", "valid.tsv",
                         "--valid-metrics", "bleu")
        self.assertIn(" : bleu : ", log)

    def test_standard_input_trains_as_a_file_and_is_gone_on_with(self):
        rows = zip(*(read(f"train.{side}").splitlines() for side in ("src", "tgt")))
        tsv = b"".join(b"\t".join(row) + b"\n" for row in rows)
        write("piped.tsv", tsv)
        self.train(model="vocabulary", updates=1)
        common = ["--vocabs", "vocabulary", "--tsv", "--valid-sets", "piped.tsv", "--shuffle",
                  "batches", "--maxi-batch", "50"]
        whole = new_name()
        log = self.train(*common, "--train-sets", "stdin", model=whole, updates=1000, text=tsv)
        self.assertIn("The text on standard input has ended", log)
        self.assertEqual(self.result(*common, "--train-sets", "-", updates=1000,
                                     text=gzip.compress(tsv)), trained(whole))
        from_file = self.result(*common, "--train-sets", "piped.tsv", "--tempdir", ".",
                                 "--after", "1e")
        self.assertEqual(from_file, trained(whole))
        part = new_name()
        self.train(*common, "--train-sets", "stdin", model=part, updates=SPLIT, text=tsv)
        self.train(*common, "--train-sets", "stdin", model=part, updates=1000, text=tsv)
        self.assertEqual(trained(part), trained(whole))
        # A stream that has ended is followed by another one; one that has not is left, if asked.
        log = self.train(*common, "--train-sets", "stdin", model=part, updates=1000,
                         text=tsv.splitlines(True)[0])
        self.assertRegex(log, r"Ep\. 2 : Up\. \d+ : Sen\. 1 ")
        log = self.train(*common, "--train-sets", "stdin", "--no-restore-corpus", model=part,
                         updates=1000, text=tsv)
        self.assertRegex(log, r"Ep\. 3 : Up\. \d+ : Sen\. 150 ")

    def test_text_on_disk_trains_the_same_with_any_memory_and_threads(self):
        common = ["--tempdir", ".", "--maxi-batch", "40"]
        expected = self.result(*common, "--data-threads", "1", "--shuffle-memory", "1")
        self.assertEqual(self.result(*common, "--data-threads", "3", "--shuffle-memory", "64"),
                         expected)
        self.assertNotEqual(expected, self.result())


class Resume(Text):
    def test_text_on_disk(self):
        self.check_resume("--tempdir", ".", "--maxi-batch", "30")

    def test_killed_at_a_write(self):
        words = ["--tempdir", ".", "--maxi-batch", "30"]
        model = new_name()
        for place in 2, 9, 30, 70:
            exit_code, log = TRAINING.run([*TRAINING.words(model, UPDATES), *words],
                                          f"kill:{place}")
            self.assertEqual(exit_code, -9, log)
        self.train(*words, model=model)
        self.assertEqual(trained(model), self.result(*words))
        self.assertEqual([path.name for path in TRAINING.folder.glob("*shuffle*")], [])

    def test_drawn_pieces_dropped_words_and_ratios(self):
        write("weights", b"".join(b"%d\n" % (line % 3) for line in range(150)))
        self.check_resume("--sentencepiece-alphas", "0.1", "0.5", "--dropout-src", "0.1",
                          "--dropout-trg", "0.2", "--maxi-batch", "30", "--train-sets",
                          "train.src", "train.tgt", "train.tgt", "train.src", "--train-ratios",
                          "2", "1", "--data-weighting", "weights", "weights")

    def test_masked_placeholders(self):
        for side in "src", "tgt":
            lines = read(f"train.{side}").decode().splitlines()
            write(f"marked.{side}", "".join(f"{line} %s in {line[0]}{i}\n"
                                            for i, line in enumerate(lines)).encode())
        words = ["--train-sets", "marked.src", "marked.tgt", "--vocab-size", "80", "--maxi-batch",
                 "30", "--mask-placeholders", "0.5", "--tempdir", "."]
        self.check_resume(*words)
        model = new_name()
        self.train(*words, model=model)
        self.assertTrue(json.loads(read(f"{model}/config.json"))["placeholders"])
        # One that has learned little says so, and shows no symbols.
        output = subprocess.run(
            [TRAINING.command, "translate", "--model", model], cwd=TRAINING.folder,
            input=b"a %s b\n<b>a</b>\na b\n", capture_output=True, check=True).stdout.decode()
        self.assertEqual(len(output.splitlines()), 3)
        self.assertNotIn("<ph", output)
        self.assertNotIn("<b", output.splitlines()[2])
        # Masks are drawn anew where text is read anew: other ones than by line.
        in_memory = self.result(*words[:-2])
        self.assertNotEqual(in_memory, trained(model))

    def test_batches_of_ordered_text(self):
        self.check_resume("--shuffle", "batches", "--maxi-batch", "30", "--maxi-batch-sort", "trg")
        self.check_resume("--shuffle", "none", "--tempdir", ".")

    def test_other_text_takes_a_new_epoch(self):
        model = new_name()
        write("other.src", read("train.src")[:400].rsplit(b"\n", 1)[0] + b"\n")
        other = ["--train-sets", "other.src", "other.src"]
        log = self.train("--maxi-batch", "30", model=model, updates=SPLIT)
        epoch = int(re.findall(r"Ep\. (\d+) :", log)[-1])
        log = self.train(*other, model=model, exit_code=1)
        self.assertIn("--maxi-batch 30, now it is 4000", log)
        log = self.train(*other, "--no-restore-corpus", model=model, updates=SPLIT + 1)
        self.assertIn(f"Ep. {epoch + 1} : Up. {SPLIT + 1} ", log)
        # From then on it is a training of the other text.
        log = self.train(*other, model=model, updates=SPLIT + 2)
        self.assertIn(f"Up. {SPLIT + 2} ", log)

    def test_lost_device_goes_back_to_the_place_in_the_text(self):
        words = ["--tempdir", ".", "--maxi-batch", "30"]
        model = new_name()
        exit_code, log = TRAINING.run([*TRAINING.words(model, UPDATES), *words], "lost:25")
        self.assertEqual(exit_code, 0, log)
        self.assertIn("The device was lost", log)
        self.assertEqual(trained(model), self.result(*words))


class Weights(Text):
    def test_weights_of_one_change_nothing(self):
        plain = self.result()
        write("ones", b"1\n" * 150)
        write("others", b"1\n2.5\n0\n" * 50)
        self.assertEqual(self.result("--data-weighting", "ones"), plain)
        self.assertNotEqual(self.result("--data-weighting", "others"), plain)

    def test_weights_of_words_and_fields(self):
        lines = [read(f"train.{side}").splitlines() for side in ("src", "tgt")]
        rng = random.Random(5)
        weights = [b"%.2f" % rng.random() for _ in lines[0]]
        write("weights", b"".join(weight + b"\n" for weight in weights))
        write("weighted.tsv", b"".join(b"\t".join(row) + b"\n" for row in
                                       zip(*lines, [b"unused"] * 150, weights)))
        expected = self.result("--data-weighting", "weights")
        self.assertEqual(self.result("--tsv", "--tsv-fields", "4", "--train-sets",
                                      "weighted.tsv", "--valid-sets", "weighted.tsv",
                                      "--data-weighting", "3"), expected)
        log = self.train("--data-weighting", "weights", "--data-weighting-type", "word",
                         exit_code=1)
        self.assertRegex(log, r"weights:\d+: '0\.\d+': expected \d+ weights, a number")

    def test_dropped_words_are_no_others_with_the_same_seed(self):
        plain = self.result()
        for flag in "--dropout-src", "--dropout-trg":
            dropped = self.result(flag, "0.3")
            self.assertNotEqual(dropped, plain)
            self.assertEqual(self.result(flag, "0.3"), dropped)


class Alignments(Text):
    def test_alignments_come_from_files_fields_and_streams(self):
        lines = [read(f"train.{side}").splitlines() for side in ("src", "tgt")]
        rng = random.Random(6)
        links = [b"%d-0 0-0" % rng.randrange(2) for _ in lines[0]]
        write("align", b"".join(line + b"\n" for line in links))
        write("align.gz", gzip.compress(read("align"), mtime=0))
        write("aligned.tsv", b"".join(b"\t".join(row) + b"\n" for row in zip(*lines, links)))
        expected = self.result("--guided-alignment", "align")
        self.assertNotEqual(expected, self.result())
        self.assertEqual(self.result("--guided-alignment", "align.gz"), expected)
        self.assertEqual(self.result("--tsv", "--train-sets", "aligned.tsv", "--tsv-fields", "3",
                                     "--valid-sets", "aligned.tsv", "--guided-alignment", "2"),
                         expected)

    def test_alignments_follow_their_lines_through_streams_and_corpora(self):
        write("align", b"0-0\n" * 75 + b"1-0\n" * 75)
        write("none", b"\n" * 150)
        write("align.weights", b"1\n2\n" * 75)
        stream = ["--tempdir", ".", "--maxi-batch", "30", "--guided-alignment"]
        unguided = self.result(*stream, "none")
        self.assertEqual(unguided, self.result(*stream[:-1]))
        self.assertNotEqual(self.result(*stream, "align"), unguided)
        self.check_resume(*stream, "align", "none", "--train-sets", "train.src", "train.tgt",
                          "train.tgt", "train.src", "--optimizer-delay", "2", "--data-weighting",
                          "align.weights", "align.weights")


class Memory(Text):
    """A text of 16 MB: in memory it takes at least as much, and shuffled with 1 MiB little more than
    that. The difference to a text of a few lines leaves room for what batches are made of."""

    def peak_bytes(self, *words):
        code = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
                "stdout=subprocess.DEVNULL); "
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        run = subprocess.run([sys.executable, "-c", code, TRAINING.command, "bench", "data",
                              "--model", "measured", *words], cwd=TRAINING.folder, check=True,
                             stdout=subprocess.PIPE, timeout=300)
        return int(run.stdout) * 1024

    @unittest.skipUnless(sys.platform == "linux", "the unit of ru_maxrss")
    def test_shuffling_on_disk_takes_the_memory_it_may(self):
        self.train(model="measured", updates=1)
        rng = random.Random(1)
        lines = [" ".join(rng.choices("abcdefghijklmnop", k=20)) + "\n" for _ in range(5000)]
        for name, num in ("large", 200000), ("small", 10):
            (TRAINING.folder / name).write_text(
                "".join(lines[i % 5000] for i in range(num)), "utf-8")
        peaks = {}
        for name in "large", "small":
            sets = ["--train-sets", name, name]
            peaks[name] = self.peak_bytes(*sets)
            peaks[name, "disk"] = self.peak_bytes(*sets, "--tempdir", ".", "--shuffle-memory", "1")
        self.assertGreater(peaks["large"] - peaks["small"], 16 << 20)
        self.assertLess(peaks["large", "disk"] - peaks["small", "disk"], 8 << 20)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        TRAINING = SmallTraining(pathlib.Path(sys.argv.pop(1)).resolve(), scratch,
                                 random.Random(1))
        if TRAINING.run(TRAINING.words("probe", 1))[0] == NO_DEVICE:
            sys.exit(SKIPPED)
        shutil.rmtree(pathlib.Path(scratch) / "probe")
        unittest.main()
