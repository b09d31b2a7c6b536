#!/usr/bin/env python3
"""The vkseq command's output and exit codes, where no Vulkan device is needed.

    test_cli.py VKSEQ

What it prints is compared with golden/cli/NAME.out and NAME.err; VKSEQ_WRITE_GOLDEN=1 in the
environment writes them instead. In them FOLDER is the scratch folder, TIME a time stamp, and
VERSION the command's version.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden" / "cli"
VERBS = ["train", "translate", "score", "evaluate", "devices", "bench"]
HYPOTHESES = ["Das ist ein Test.", "Die Katze saß auf der Matte!", "", "Ein Haus im Garten"]
REFERENCES = ["Das ist ein Test.", "Die Katze sitzt auf der Matte.", "Leer", "Ein Haus am Garten"]


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        (self.folder / "model").mkdir()
        for name, lines in (("hyp.de", HYPOTHESES), ("ref.de", REFERENCES),
                            ("short.de", REFERENCES[:2])):
            (self.folder / name).write_text("".join(line + "\n" for line in lines), "utf-8")

    def run_vkseq(self, *words, **environment):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder),
               "VK_DRIVER_FILES": "/nonexistent", **environment}
        return subprocess.run([VKSEQ, *words], cwd=self.folder, env=env, capture_output=True,
                              encoding="utf-8", check=False)

    def normalise(self, text):
        text = text.replace(str(self.folder), "FOLDER")
        text = re.sub(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]", "[TIME]", text, flags=re.M)
        return re.sub(r"\b\d+\.\d+\.\d+\b", "VERSION", text)

    def check(self, name, exit_code, *words, **environment):
        """The command's exit code, and its output as in the golden files."""
        run = self.run_vkseq(*words, **environment)
        for ending, text in (("out", run.stdout), ("err", run.stderr)):
            file = GOLDEN / f"{name}.{ending}"
            text = self.normalise(text)
            if not os.environ.get("VKSEQ_WRITE_GOLDEN"):
                self.assertEqual(text, file.read_text("utf-8") if file.exists() else "")
            elif text:
                file.write_text(text, "utf-8")
            else:
                file.unlink(missing_ok=True)
        self.assertEqual(run.returncode, exit_code)


class Usage(Case):
    def test_no_arguments_print_help_to_stderr(self):
        self.check("no_arguments", 2)

    def test_help(self):
        self.check("help", 0, "--help")

    def test_version(self):
        self.check("version", 0, "--version")

    def test_help_of_verbs(self):
        for verb in VERBS:
            with self.subTest(verb):
                self.check(f"help_{verb}", 0, verb, "--help")

    def test_help_of_bench_train(self):
        self.check("help_bench_train", 0, "bench", "train", "--help")

    def test_unknown_verb_names_the_nearest(self):
        self.check("unknown_verb", 2, "trian")

    def test_unknown_flag_names_the_nearest(self):
        self.check("unknown_flag", 2, "train", "--model", "m", "--vocab-sise", "100")

    def test_unknown_benchmark_names_the_nearest(self):
        self.check("unknown_benchmark", 2, "bench", "trains")

    def test_shapes_of_benchmark_are_checked(self):
        self.check("bad_shapes", 2, "bench", "gemm", "--shapes", "64x64")

    def test_required_flag_is_named(self):
        self.check("required_flag", 2, "translate")

    def test_unknown_task_lists_tasks(self):
        self.check("unknown_task", 2, "train", "-m", "m", "-t", "a", "b", "--task", "huge")

    def test_other_norm_is_refused(self):
        self.check("other_norm", 2, "train", "-m", "m", "-t", "a", "b",
                   "--transformer-preprocess", "n")

    def test_training_needs_two_texts(self):
        self.check("one_text", 2, "train", "-m", "m", "-t", "a")

    def test_frequency_is_in_updates(self):
        self.check("frequency", 2, "train", "-m", "m", "-t", "a", "b", "--valid-freq", "2e")

    def test_optimizer_parameters_are_counted(self):
        self.check("optimizer_parameters", 2, "train", "-m", "m", "-t", "a", "b",
                   "--optimizer", "sgd", "--optimizer-params", "0.9", "0.98")

    def test_evaluate_needs_model_or_hypotheses(self):
        self.check("evaluate_nothing", 2, "evaluate", "--reference", "ref.de")


class Files(Case):
    def test_missing_model_directory(self):
        self.check("missing_model", 1, "translate", "--model", "en-de", "--input", "ref.de")

    def test_model_directory_without_files(self):
        self.check("empty_model", 1, "translate", "--model", "model", "--input", "ref.de")

    def test_missing_input(self):
        self.check("missing_input", 1, "translate", "--model", "model", "--input", "no.de")

    def test_output_in_missing_folder(self):
        self.check("bad_output", 1, "translate", "--model", "model", "--input", "ref.de",
                   "--output", "no/out.de")

    def test_missing_training_text(self):
        self.check("missing_text", 1, "train", "-m", "new", "-t", "ref.de", "no.de")
        self.assertFalse((self.folder / "new").exists())

    def test_training_texts_of_unequal_length(self):
        self.check("unequal_texts", 1, "train", "-m", "new", "-t", "ref.de", "short.de")

    def test_validation_texts_of_unequal_length(self):
        self.check("unequal_validation", 1, "train", "-m", "new", "-t", "ref.de", "hyp.de",
                   "--valid-sets", "ref.de", "short.de")

    def test_scored_texts_of_unequal_length(self):
        self.check("unequal_scores", 1, "score", "-m", "model", "-s", "ref.de", "-t", "short.de")

    def test_hypotheses_of_unequal_number(self):
        self.check("unequal_hypotheses", 1, "evaluate", "-r", "ref.de", "--hypotheses", "short.de")

    def test_nul_byte_is_refused(self):
        (self.folder / "nul.de").write_bytes(b"fine\nnot\0fine\n")
        self.check("nul_byte", 1, "evaluate", "-r", "nul.de", "--hypotheses", "short.de")

    def test_bad_limits_are_named(self):
        for name, text in (("limit_unknown", '{"max_invocation": 64}'),
                           ("limit_value", '{"max_invocations": "many"}'),
                           ("limits_not_json", "max_invocations = 64")):
            with self.subTest(name):
                (self.folder / "limits.json").write_text(text, "utf-8")
                self.check(name, 1, "devices", VKSEQ_LIMITS="limits.json")

    def test_missing_limits(self):
        self.check("limits_missing", 1, "devices", VKSEQ_LIMITS="no.json")

    def test_log_in_missing_folder(self):
        self.check("bad_log", 1, "train", "-m", "new", "-t", "ref.de", "hyp.de",
                   "--log", "no/train.log")


class Evaluation(Case):
    def test_figures(self):
        self.check("evaluate", 0, "evaluate", "-r", "ref.de", "--hypotheses", "hyp.de")

    def test_figures_in_json(self):
        self.check("evaluate_json", 0, "evaluate", "-r", "ref.de", "--hypotheses", "hyp.de",
                   "--tokenize", "char", "--json")

    def test_line_ends_and_byte_order_mark_do_not_count(self):
        text = "\r\n".join(HYPOTHESES)
        (self.folder / "dos.de").write_bytes(b"\xef\xbb\xbf" + text.encode())
        self.check("evaluate", 0, "evaluate", "-r", "ref.de", "--hypotheses", "dos.de")

    def test_no_text_is_an_error(self):
        (self.folder / "empty.de").touch()
        self.check("evaluate_empty", 1, "evaluate", "-r", "empty.de", "--hypotheses", "empty.de")


class NoDevice(Case):
    def assert_no_device(self, name, *words):
        run = self.run_vkseq(*words)
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertIn(name, run.stderr)
        self.assertIn("Vulkan", run.stderr)
        self.assertIn("install", run.stderr)
        return run

    def test_devices(self):
        self.assert_no_device("vkseq devices: ", "devices")

    def test_devices_in_json(self):
        self.assertEqual(self.assert_no_device("vkseq devices: ", "devices", "--json").stdout,
                         "[]\n")

    def test_bench(self):
        self.assert_no_device("vkseq bench gemm: ", "bench", "gemm")

    def test_train(self):
        self.assert_no_device("error: ", "train", "-m", "new", "-t", "ref.de", "hyp.de")
        self.assertFalse((self.folder / "new").exists())


if __name__ == "__main__":
    VKSEQ = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
