#!/usr/bin/env python3
"""What the vkseq command does with bad vocabularies, models, options and places: one message that
names the fault, an exit code, and no file changed, lost or left half-written.

    test_bad_input.py VKSEQ

Exit code 77 where there is no device.
"""
import fcntl
import json
import os
import pathlib
import shutil
import struct

from bad_input import (GOLDEN, LEARNED, NOTE_ERRORS, TENSOR, Case, main, run_vkseq, train_words)


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

    def test_languages(self):
        self.change(**{"<ph15>": None, ">>deu<<": 17})
        for name, code in (("unknown", "de"), ("far", "zho")):
            with self.subTest(name):
                self.translate(f"language_{name}", "--input", "in", "--target-language", code)
        self.check("language_score", "score", "--model", "other", "--source", "in", "--target",
                   "in", "--source-language", "en")
        self.check("language_trained", *train_words("other", "--target-language", "deu"))
        self.check("language_changed", *train_words("model", "--target-language", "deu"))

    def test_settings(self):
        for fault, data in (("truncated", b'{"src_lang": '), ("list", b"[]"),
                            ("type", b'{"tokenizer_class": 1}'),
                            ("special", b'{"unk_token": "[UNK]"}'),
                            ("id", b'{"added_tokens_decoder": {"x": {"content": "a"}}}')):
            with self.subTest(fault):
                self.write("model/tokenizer_config.json", data)
                self.load(f"settings_{fault}")

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
                ("decoder_heads", {"decoder_attention_heads": 3}),
                ("no_heads", {"encoder_attention_heads": 0}),
                ("wide", {"d_model": 20000}), ("head_width", {"d_model": 12}),
                ("activation", {"activation_function": "tanh"}),
                ("scale", {"scale_embedding": "yes"}), ("start", {"decoder_start_token_id": 5000}),
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
        self.check("state_other_precision", *train_words("model", "--precision", "float16"))
        self.check("state_other_freeze", *train_words("model", "--freeze", "*bias"))


class Conversion(Case):
    def export(self, name, to, *words, exit_code=1, **options):
        self.check(name, "export", "model", "out", "--to", to, *words, exit_code=exit_code, **options)

    def set_config(self, **keys):
        path = self.model / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **keys}), "utf-8")

    def test_what_marian_does_not_have(self):
        self.export("export_positions", "marian")
        self.set_config(activation_function="gelu")
        self.export("export_gelu", "ct2")
        self.set_config(activation_function="relu", scale_embedding=False)
        self.export("export_unscaled", "ct2")

    def test_value_that_float16_does_not_reach(self):
        path = self.model / "model.safetensors"
        data = bytearray(path.read_bytes())
        struct.pack_into("<f", data, len(data) - 4, 1e6)
        path.write_bytes(data)
        self.check("convert_beyond_half", "convert", "model", "out", "--precision", "float16")
        self.export("export_beyond_half", "ct2", "--precision", "float16")

    def test_places(self):
        self.check("convert_onto_itself", "convert", "model", "./other/../model", exit_code=2)
        self.check("convert_missing", "convert", "none", "out")
        self.check("convert_file", "convert", "in", "out")
        self.check("convert_into_file", "convert", "model", "in")


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
    main()
