#!/usr/bin/env python3
"""The vkseq command's output and exit codes, where no Vulkan device is needed.

    test_cli.py VKSEQ

What it prints is compared with golden/cli/NAME.out and NAME.err; VKSEQ_WRITE_GOLDEN=1 in the
environment writes them instead. In them FOLDER is the scratch folder, PREFIX that of an
installation, TIME a time stamp, and VERSION the command's version.
"""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

from bad_input import name_build

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden" / "cli"
VERBS = ["train", "translate", "score", "evaluate", "attention", "average", "convert", "export",
         "inspect", "encode", "decode", "report", "devices", "selftest", "bench", "profile", "tune"]
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
        text = name_build(text.replace(str(self.folder), "FOLDER"))
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


class Flags(Case):
    """Pages of docs against the help, which is printed from the parser's own table."""

    def flags_of_help(self, verb):
        """{name: default}"""
        help_text = self.run_vkseq(verb, "--help").stdout
        flags = {}
        for entry in re.split(r"\n(?=  (?:-\w, |    )--)", help_text)[1:]:
            entry = " ".join(entry.split("\n\n")[0].split())
            default = re.search(r"\((?:default: ([^)]*)|(required))\)", entry)
            flags[re.search(r"--([\w-]+)", entry)[1]] = default[1] or "(required)" if default else ""
        del flags["help"]
        return flags

    def flags_of_page(self, page, num_columns, default_column):
        table = {}
        for line in (DOCS / page).read_text("utf-8").splitlines():
            row = [cell.strip() for cell in line.strip("|").split("|")]
            if line.startswith("| `--") and len(row) == num_columns:
                table[row[0].strip("`-")] = row[default_column]
        return table

    def test_every_flag_of_training_is_in_the_table_with_its_default(self):
        self.assertEqual(self.flags_of_page("training.md", 5, 2), self.flags_of_help("train"))

    def test_every_flag_of_decoding_is_in_the_table_with_its_default(self):
        flags = self.flags_of_help("translate")
        for name in ("model", "input", "output", "device", "quiet"):
            del flags[name]
        self.assertEqual(self.flags_of_page("decoding.md", 3, 1), flags)


class Usage(Case):
    def test_no_arguments_print_help_to_stderr(self):
        self.check("no_arguments", 2)

    def test_help(self):
        self.check("help", 0, "--help")

    def test_version(self):
        self.check("version", 0, "--version")

    def test_folder_of_caches_comes_before_the_verb(self):
        self.check("cache_dir_without_folder", 2, "--cache-dir")
        self.check("cache_dir_without_verb", 2, "--cache-dir", "model")
        for words in (["--cache-dir", "C"], ["--cache-dir=C"], ["--cache-dir", "B", "--cache-dir=C"]):
            self.assertEqual(self.run_vkseq(*words, "devices").returncode, 3)
            self.assertTrue(next((self.folder / "C").glob("mesa-*")).is_dir())
            self.assertFalse((self.folder / ".cache").exists())
            shutil.rmtree(self.folder / "C")
        self.assertEqual(self.run_vkseq("devices", VKSEQ_CACHE_DIR="").returncode, 3)
        self.assertEqual(self.run_vkseq("devices", VKSEQ_CACHE_DIR="C").returncode, 3)
        self.assertTrue((self.folder / "C").is_dir())
        self.assertFalse((self.folder / ".cache").exists())

    def test_compiled_shaders_of_a_chosen_vector_width_lie_apart(self):
        processor = pathlib.Path("/proc/cpuinfo")
        words = processor.read_text("utf-8").split() if processor.exists() else []
        if not {"avx512f", "avx512dq", "avx512bw", "avx512vl"} <= set(words):
            self.skipTest("no vectors of 512 bits, or it is not known")
        self.run_vkseq("devices", MESA_SHADER_CACHE_DIR="S")
        self.assertEqual([path.name for path in (self.folder / "S").iterdir()], ["mesa-512"])
        self.run_vkseq("devices", MESA_SHADER_CACHE_DIR="T", LP_NATIVE_VECTOR_WIDTH="256")
        self.assertFalse((self.folder / "T").exists())

    def test_options_as_a_file(self):
        self.check("dump_config", 0, "train", "-m", "M", "-t", "a", "b", "--dump-config", "expand")
        (self.folder / "bad.yml").write_text("model: M\nlr-wramup: 3\n", "utf-8")
        self.check("bad_config", 2, "train", "--config", "bad.yml")

    def test_options_of_fitted_batches_come_back_from_a_file(self):
        def dump(*words):
            return self.run_vkseq("train", *words, "--dump-config", "full").stdout

        text = dump("-m", "M", "-t", "a", "b", "--mini-batch-fit")
        self.assertIn("mini-batch-words: 0\n", text)
        (self.folder / "fit.yml").write_text(text, "utf-8")
        self.assertEqual(dump("-c", "fit.yml"), text)

    def test_average_needs_models_or_a_training(self):
        self.check("average_of_what", 2, "average", "--output", "M")
        self.check("average_states", 1, "average", "--training", "model", "--output", "M")

    def test_misuse_of_conversion_is_told(self):
        for name, words in (
                ("convert_nothing", ["convert"]),
                ("convert_nowhere", ["convert", "model"]),
                ("convert_three", ["convert", "model", "out", "more"]),
                ("convert_precision", ["convert", "model", "out", "--precision", "int8"]),
                ("convert_in", ["convert", "--IN", "model"]),
                ("export_nowhere_known", ["export", "model", "out"]),
                ("export_to", ["export", "model", "out", "--to", "onnx"]),
                ("inspect_nothing", ["inspect", "--json"])):
            with self.subTest(name):
                self.check(name, 2, *words)

    def test_report_is_one_page_of_a_training(self):
        model = self.folder / "model"
        (model / "history.jsonl").write_text(
            '{"update":10,"time":5.5,"train/cost":4.5,"train/epoch":1}\n'
            '{"update":10,"time":6.5,"valid/bleu":12.5}\n'
            '{"update":20,"time":7.5,"train/cost":3.25,"train/epoch":2}\n', "utf-8")
        (model / "config.json").write_text('{"d_model": 64, "model_type": "marian"}', "utf-8")
        (model / "training_run.json").write_text('{"device": "A <fast> one"}', "utf-8")
        (model / "samples.json").write_text(
            '{"update": 20, "samples": [{"source": "a & b", "reference": "c", '
            '"translation": "d"}]}', "utf-8")
        self.check("report", 0, "report", "--model", "model", "--output", "-")
        self.check("report_quiet", 0, "report", "--model", "model")
        self.assertIn("a &amp; b", (model / "report.html").read_text("utf-8"))
        (model / "history.jsonl").write_text("nonsense\n", "utf-8")
        self.check("report_nonsense", 1, "report", "--model", "model")
        self.check("report_nothing", 1, "report", "--model", "nowhere")

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

    def test_misuse_of_decoding_options_is_told(self):
        translate = ["translate", "-m", "model"]
        for name, words in (
                ("sampling_method", [*translate, "--output-sampling", "nuclear"]),
                ("sampling_k", [*translate, "--output-sampling", "topk", "0"]),
                ("sampling_mass", [*translate, "--output-sampling", "nucleus", "1.5"]),
                ("sampling_temperature", [*translate, "--output-sampling", "full", "0"]),
                ("sampling_words", [*translate, "--output-sampling", "full", "1", "1"]),
                ("sampling_search", [*translate, "--output-sampling", "full", "--search", "hf"]),
                ("search_rule", [*translate, "--search", "fairseq"]),
                ("alignment_form", [*translate, "--alignment", "medium"]),
                ("beam_too_wide", [*translate, "--beam-size", "65"]),
                ("penalty_zero", [*translate, "--repetition-penalty", "0"]),
                ("length_negative", [*translate, "--min-length", "-1"]),
                ("weights_without_models", [*translate, "--weights", "1"]),
                ("weights_words", ["translate", "--models", "a", "b", "--weights", "1", "x"]),
                ("models_and_model", [*translate, "--models", "a", "b"]),
                ("models_nine", ["translate", "--models", *"abcdefghi"]),
                ("suppress_nothing", [*translate, "--suppress"]),
                ("translate_precision", [*translate, "--precision", "half"]),
                ("score_precision", ["score", "-m", "m", "-s", "a", "-t", "b", "--precision",
                                     "int8"]),
                ("translate_workspace", [*translate, "--workspace", "auto"]),
                ("translate_workspace_huge", [*translate, "--workspace", "2000000"]),
                ("stream_beam", [*translate, "--stream", "--beam-size", "4"]),
                ("stream_drawn", [*translate, "--stream", "--output-sampling", "full",
                                  "--beam-size", "2"]),
                ("stream_n_best", [*translate, "--stream", "--n-best"]),
                ("stream_unknowns", [*translate, "--stream", "--replace-unknowns"]),
                ("split_n_best", [*translate, "--split-sentences", "--n-best"]),
                ("one_input", [*translate, "--force-decode", "-"]),
                ("format_unknown", [*translate, "--format", "odt"]),
                ("format_auto", [*translate, "--format", "auto"]),
                ("format_n_best", [*translate, "--format", "po", "--n-best"]),
                ("format_stream", [*translate, "--format", "srt", "--stream"]),
                ("format_prefixes", [*translate, "--format", "text", "--force-decode", "ref.de"]),
                ("fuzzy_alone", [*translate, "--fuzzy"]),
                ("decoder_cell", ["train", "-m", "m", "-t", "a", "b", "--dec-cell", "gru"]),
                ("decoder_autoreg", ["train", "-m", "m", "-t", "a", "b",
                                     "--transformer-decoder-autoreg", "gru"]),
                ("shortlist_nothing", [*translate, "--shortlist"]),
                ("attention_part", ["attention", "-m", "model", "-s", "a", "--part", "self"]),
                ("attention_source", ["attention", "-m", "model"])):
            with self.subTest(name):
                self.check(name, 2, *words)

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

    def test_dropout_is_below_1(self):
        for name in "attention", "ffn":
            with self.subTest(name):
                self.check(f"dropout_{name}", 2, "train", "-m", "m", "-t", "a", "b",
                           f"--transformer-dropout-{name}", "1")

    def test_guided_alignment_has_known_costs_and_layers(self):
        self.check("alignment_cost", 2, "train", "-m", "m", "-t", "a", "b",
                   "--guided-alignment-cost", "kl")
        self.check("alignment_layer", 2, "train", "-m", "m", "-t", "a", "b",
                   "--transformer-guided-alignment-layer", "first")
        self.check("alignment_weight", 2, "train", "-m", "m", "-t", "a", "b",
                   "--guided-alignment-weight", "-1")

    def test_workspace_is_for_fitted_batches(self):
        self.check("workspace_alone", 2, "train", "-m", "m", "-t", "a", "b", "-w", "2048")
        self.check("workspace_word", 2, "train", "-m", "m", "-t", "a", "b", "--mini-batch-fit",
                   "--workspace", "all")

    def test_options_of_the_optimizer_are_checked(self):
        for name, words in (
                ("delay_zero", ["--optimizer-delay", "0"]),
                ("delay_fraction", ["--optimizer-delay", "0.5"]),
                ("delay_epochs", ["--optimizer-delay", "2e"]),
                ("beta_one", ["--optimizer-params", "0.9", "1"]),
                ("decay_above_one", ["--lr-decay", "1.5"]),
                ("decay_strategy", ["--lr-decay-strategy", "stall"]),
                ("decay_start_word", ["--lr-decay-start", "3e"]),
                ("decay_starts", ["--lr-decay-strategy", "epoch", "--lr-decay-start", "3", "4"]),
                ("decay_without_validation", ["--lr-decay", "0.5", "--lr-decay-strategy",
                                              "stalled"]),
                ("precision_unknown", ["--precision", "float8"]),
                ("scaling_below_minimum", ["--cost-scaling", "2", "100", "2", "4"]),
                ("scaling_part_update", ["--cost-scaling", "2", "0.5"]),
                ("smoothing_one", ["--exponential-smoothing", "1"]),
                ("freeze_nothing_named", ["--freeze"])):
            with self.subTest(name):
                self.check(name, 2, "train", "-m", "m", "-t", "a", "b", *words)

    def test_selftest_prints_in_one_form(self):
        self.check("selftest_forms", 2, "selftest", "--json", "--report")

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

    def test_vocabulary_of_a_folder_without_one(self):
        self.check("encode_nothing", 1, "encode", "-m", "model", "-i", "ref.de")
        self.check("encode_side", 2, "encode", "-m", "model", "--side", "both")
        (self.folder / "model/tokenizer.json").write_text("{}", "utf-8")
        self.check("tokenizer_alone", 1, "decode", "-m", "model", "-i", "ref.de")

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


class Inspection(Case):
    """Of what is no model, or not a whole one; whole ones are in test_conversion.py."""

    def test_files(self):
        header = b'{"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]}}'
        whole = struct.pack("<Q", len(header)) + header + bytes(4)
        for fault, data in (("empty", b""), ("text", b"no model at all\n"), ("one_byte", b"{"),
                            ("safetensors", whole), ("safetensors_cut", whole[:-1]),
                            ("safetensors_lies", whole.replace(b"[2,1]", b"[2,9]")),
                            ("json", b'{"model_type": "t5", "architectures": ["T5\\u001b[2J"]}'),
                            ("deep", b'{"a":' + b"[" * 100000), ("zip", b"PK\3\4" + bytes(100)),
                            ("marian", struct.pack("<QQ", 1, 1 << 60) + bytes(64)),
                            ("zeros", bytes(4096))):
            with self.subTest(fault):
                (self.folder / "file").write_bytes(data)
                self.check(f"inspect_{fault}", 1, "inspect", "file", "--tensors")

    def test_marian_archive(self):
        with zipfile.ZipFile(self.folder / "model.npz", "w") as archive:
            archive.writestr("special:model.yml.npy", b"")
            archive.writestr("Wemb.npy", b"")
        self.check("inspect_npz", 1, "inspect", "model.npz")

    def test_places(self):
        self.check("inspect_missing", 1, "inspect", "nowhere")
        self.check("inspect_no_model", 1, "inspect", "model")
        self.check("inspect_device", 1, "inspect", "/dev/null", "--json")


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

    def test_selftest(self):
        self.assertEqual(self.assert_no_device("vkseq selftest: ", "selftest").stdout, "")

    def test_bench(self):
        self.assert_no_device("vkseq bench gemm: ", "bench", "gemm")

    def test_train(self):
        self.assert_no_device("error: ", "train", "-m", "new", "-t", "ref.de", "hyp.de")
        self.assertFalse((self.folder / "new").exists())


if __name__ == "__main__":
    VKSEQ = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
