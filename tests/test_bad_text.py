#!/usr/bin/env python3
"""What the vkseq command does with bad text to train on, translate and score: one message that
names the fault, an exit code, and no file changed, lost or left half-written.

    test_bad_text.py VKSEQ

Exit code 77 where there is no device.
"""
import gzip
import shutil

from bad_input import (LEARNED, NOTE_ERRORS, STOPPED, TRAINED, Case, main, sentences, train_words,
                       write_text)


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

    def test_masked_placeholders(self):
        self.train("mask_over_1", "--mask-placeholders", "1.5", exit_code=2)
        self.train("mask_weights", "--vocabs", "model", "--mask-placeholders", "0.5",
                   "--data-weighting-type", "word", made=LEARNED)
        shutil.rmtree(self.folder / "new")
        pieces = (self.folder / "model/source.spm").read_bytes()
        self.write("few.spm", pieces.replace(b"<ph15>", b"<none>"))
        self.train("mask_vocabulary", "--vocabs", "few.spm", "--mask-placeholders", "0.5",
                   made=LEARNED)

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


if __name__ == "__main__":
    main()
