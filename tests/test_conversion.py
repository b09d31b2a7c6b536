#!/usr/bin/env python3
"""vkseq convert and vkseq export: every number of a model is in the files that they make, where the
format has it; vkseq inspect says what the files are.

    test_conversion.py VKSEQ

Files are read with Python alone. Exit code 77 where there is no device.
"""
import json
import math
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

SKIPPED, NO_DEVICE = 77, 3
WIDTH, LAYERS = 16, 2
SHAPE = ["--dim-emb", str(WIDTH), "--transformer-heads", "2", "--transformer-dim-ffn", "32",
         "--enc-depth", str(LAYERS), "--dec-depth", str(LAYERS), "--vocab-size", "80",
         "--sentencepiece-options=--byte_fallback=false", "--init-only"]
PRE_NORM = ["--transformer-preprocess", "n", "--transformer-postprocess", "da"]
# By name: options of vkseq train.
MODELS = {
    "joint": [],
    "pegasus": PRE_NORM,
    "separate": ["--separate-vocabs", "--positions", "fairseq", *PRE_NORM],
    "fairseq": ["--positions", "fairseq", "--tied-embeddings"],
    "learned": ["--positions", "learned"],
}


def run_vkseq(*words):
    return subprocess.run([VKSEQ, *map(str, words)], capture_output=True, encoding="utf-8",
                          check=False)


def make_models():
    lines = ["a b c d", "e f g h i", "j k l'm", "n o p q"]
    for side, text in (("src", lines), ("tgt", [line[::-1].upper() for line in lines])):
        (FOLDER / f"train.{side}").write_text("".join(8 * f"{line}\n" for line in text), "utf-8")
    for name, options in MODELS.items():
        run = run_vkseq("train", "--model", FOLDER / name, "--train-sets", FOLDER / "train.src",
                        FOLDER / "train.tgt", *SHAPE, *options)
        if run.returncode == NO_DEVICE:
            sys.exit(SKIPPED)
        if run.returncode:
            sys.exit(run.stderr)


def read_safetensors(path):
    """Names to shapes and rows of numbers."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + at for at in entry["data_offsets"])
        letter = {"F32": "f", "F16": "e"}[entry["dtype"]]
        numbers = struct.unpack(f"<{math.prod(entry['shape'])}{letter}", data[begin:end])
        tensors[name] = (entry["shape"], numbers)
    return tensors


def read_npz(path):
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            data = archive.read(info)
            assert data[:8] == b"\x93NUMPY\1\0"
            (length,) = struct.unpack("<H", data[8:10])
            assert (10 + length) % 64 == 0
            header = data[10:10 + length].decode("ascii")
            letter, size = re.search(r"'descr': '.([fi])(\d)', 'fortran_order': False", header).groups()
            shape = [int(n) for n in re.search(r"'shape': \(([\d, ]*)\)", header)[1].split(",") if n.strip()]
            letter = {"f4": "f", "f2": "e", "i1": "b"}[letter + size]
            numbers = struct.unpack(f"<{math.prod(shape)}{letter}", data[10 + length:])
            arrays[info.filename.removesuffix(".npy")] = (shape, numbers)
    return arrays


def transposed(tensor):
    (rows, cols), numbers = tensor
    return [cols, rows], tuple(numbers[row * cols + col] for col in range(cols) for row in range(rows))


def without_last_row(tensor):
    (rows, cols), numbers = tensor
    return [rows - 1, cols], numbers[:(rows - 1) * cols]


def as_row(tensor):
    (num,), numbers = tensor
    return [1, num], numbers


def sines(formula, num_rows):
    half = WIDTH // 2
    last = half if formula == "hf" else half - 1
    angles = [[row * 10000 ** (-i / last) for i in range(half)] for row in range(num_rows)]
    return [value for row in angles for value in [*map(math.sin, row), *map(math.cos, row)]]


def files(folder):
    return sorted(path.name for path in folder.iterdir())


class Case(unittest.TestCase):
    def make(self, verb, model, name, *words):
        run = run_vkseq(verb, FOLDER / model, FOLDER / name, *words)
        self.assertEqual(run.returncode, 0, run.stderr)
        return FOLDER / name

    def refuse(self, message, verb, model, *words):
        run = run_vkseq(verb, FOLDER / model, FOLDER / "refused", *words)
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stderr, message)
        self.assertEqual(len(run.stderr.splitlines()), 1)
        self.assertFalse((FOLDER / "refused").exists())

    def assert_close(self, a, b, tolerance):
        self.assertEqual(len(a), len(b))
        self.assertLessEqual(max(abs(x - y) for x, y in zip(a, b)), tolerance)


class Convert(Case):
    def test_model_in_float32_is_the_same(self):
        for name in MODELS:
            with self.subTest(name):
                out = self.make("convert", name, f"{name}.again")
                kept = [file for file in files(FOLDER / name) if (out / file).exists()]
                self.assertEqual(files(out), kept)
                self.assertIn("vocab.json", kept)
                for file in kept:
                    self.assertEqual((out / file).read_bytes(), (FOLDER / name / file).read_bytes())

    def test_float16_is_the_nearest(self):
        out = self.make("convert", "joint", "joint.half", "--precision", "float16")
        whole = read_safetensors(FOLDER / "joint/model.safetensors")
        half = read_safetensors(out / "model.safetensors")
        self.assertEqual(list(whole), list(half))
        for name, (shape, numbers) in whole.items():
            rounded = struct.unpack(f"<{len(numbers)}e", struct.pack(f"<{len(numbers)}e", *numbers))
            self.assertEqual(half[name], (shape, rounded))
        config = json.loads((out / "config.json").read_text("utf-8"))
        self.assertEqual(config["torch_dtype"], "float16")
        again = self.make("convert", out, "joint.half_again", "--precision", "float16")
        self.assertEqual((again / "model.safetensors").read_bytes(),
                         (out / "model.safetensors").read_bytes())


class Transformers(Case):
    def test_files_that_peers_need(self):
        for name, is_separate in (("joint", False), ("fairseq", False)):
            out = self.make("export", name, f"{name}.hf", "--to", "hf")
            self.assertLessEqual({"config.json", "generation_config.json", "model.safetensors",
                                  "source.spm", "target.spm", "vocab.json", "tokenizer_config.json",
                                  "special_tokens_map.json"}, set(files(out)))
            tokenizer = json.loads((out / "tokenizer_config.json").read_text("utf-8"))
            self.assertEqual(tokenizer["tokenizer_class"], "MarianTokenizer")
            self.assertEqual(tokenizer["separate_vocabs"], is_separate)
            generation = json.loads((out / "generation_config.json").read_text("utf-8"))
            self.assertEqual((generation["num_beams"], generation["length_penalty"]), (4, 0))

    def test_separate_vocabularies_are_told(self):
        path = FOLDER / "separate/tokenizer_config.json"
        self.assertTrue(json.loads(path.read_text("utf-8"))["separate_vocabs"])

    def test_positions_of_another_formula_are_written_out(self):
        own = read_safetensors(FOLDER / "fairseq/model.safetensors")
        out = self.make("export", "fairseq", "fairseq.tables", "--to", "hf")
        config = json.loads((out / "config.json").read_text("utf-8"))
        self.assertEqual((config["model_type"], config["position_formula"]), ("marian", "fairseq"))
        tensors = read_safetensors(out / "model.safetensors")
        for stack in "encoder", "decoder":
            shape, numbers = tensors.pop(f"model.{stack}.embed_positions.weight")
            self.assertEqual(shape, [512, WIDTH])
            self.assert_close(numbers, sines("fairseq", 512), 1e-6)
        self.assertEqual(tensors, own)
        # vkseq goes on by the formula, beyond the table.
        again = self.make("convert", out, "fairseq.back")
        self.assertEqual(read_safetensors(again / "model.safetensors"), own)

    def test_pegasus_finds_its_positions(self):
        out = self.make("export", "pegasus", "pegasus.hf", "--to", "hf")
        shape, numbers = read_safetensors(out / "model.safetensors")["model.encoder.embed_positions.weight"]
        self.assert_close(numbers, sines("hf", shape[0]), 1e-6)

    def test_what_no_class_has_is_refused(self):
        self.refuse("no class of transformers.* separate vocabularies", "export", "separate", "--to", "hf")


class Marian(Case):
    def expected(self, name):
        """Marian's arrays, from vkseq's tensors."""
        config = json.loads((FOLDER / name / "config.json").read_text("utf-8"))
        pre = "_pre" if config["normalize_before"] else ""
        parts = {"self_attn": "self", "encoder_attn": "context"}
        arrays = {}
        for key, tensor in read_safetensors(FOLDER / name / "model.safetensors").items():
            layer = re.fullmatch(r"model\.(\w+)\.layers\.(\d+)\.(.*)\.(weight|bias)", key)
            if not layer:
                own = {"model.shared.weight": "Wemb", "lm_head.weight": "decoder_ff_logit_out_Wt"}
                new = own.get(key) or key.removeprefix("model.").replace(
                    ".embed_tokens.weight", "_Wemb").replace(
                    ".layer_norm.weight", "_top_ln_scale").replace(".layer_norm.bias", "_top_ln_bias")
                arrays[new] = as_row(tensor) if "_ln_" in new else without_last_row(tensor)
                continue
            stack, number, rest, kind = layer.groups()
            prefix = f"{stack}_l{int(number) + 1}_"
            letter = "W" if kind == "weight" else "b"
            if rest.endswith("layer_norm"):
                block = parts.get(rest.removesuffix("_layer_norm"))
                new = (f"{block}_Wo" if block else "ffn_ffn") + (
                    "_ln_scale" if kind == "weight" else "_ln_bias") + pre
            elif rest.startswith("fc"):
                new = f"ffn_{letter}{rest[2:]}"
            else:
                block, projection = rest.split(".")
                new = f"{parts[block]}_{letter}{projection[0]}"
            arrays[prefix + new] = transposed(tensor) if len(tensor[0]) == 2 else as_row(tensor)
        return arrays

    def check_arrays(self, name, out, num_pieces):
        arrays = read_npz(out / "model.npz")
        options = arrays.pop("special:model.yml")[1]
        self.assertEqual(arrays.pop("decoder_ff_logit_out_b"), ([1, num_pieces], (0.0,) * num_pieces))
        positions = arrays.pop("Wpos", None)
        self.assertEqual(arrays, self.expected(name))
        self.assertEqual((options[-1], options.count(0)), (0, 1))
        return bytes(options[:-1]).decode("ascii"), positions

    def test_arrays_and_options_of_marian(self):
        for name, tied, norm in (("fairseq", "true", "dan"), ("separate", "true", "da")):
            with self.subTest(name):
                out = self.make("export", name, f"{name}.marian", "--to", "marian")
                options, positions = self.check_arrays(name, out, self.num_pieces(name))
                self.assertIsNone(positions)
                for line in (f"dim-emb: {WIDTH}", f"enc-depth: {LAYERS}", "transformer-heads: 2",
                             "transformer-dim-ffn: 32", "transformer-ffn-activation: relu",
                             f"transformer-postprocess: {norm}", f"tied-embeddings: {tied}",
                             "tied-embeddings-all: false", "type: transformer"):
                    self.assertIn(f"\n{line}\n", f"\n{options}")
                decoder = (out / "decoder.yml").read_text("utf-8")
                self.assertIn("  - source.spm\n  - target.spm\n", decoder)
                self.assertEqual((out / "target.spm").read_bytes(),
                                 (FOLDER / name / "target.spm").read_bytes())

    def test_marian_model_comes_back(self):
        for name in "fairseq", "separate":
            with self.subTest(name):
                out = self.make("export", name, f"{name}.away", "--to", "marian")
                code = run_vkseq("inspect", out).returncode
                self.assertEqual(code, 0)
                again = self.make("convert", f"{name}.away", f"{name}.home")
                tensors = read_safetensors(again / "model.safetensors")
                shape, bias = tensors.pop("final_logits_bias")
                self.assertEqual((shape[0], set(bias)), (1, {0.0}))
                self.assertEqual(tensors, read_safetensors(FOLDER / name / "model.safetensors"))
                third = self.make("export", f"{name}.home", f"{name}.away_again", "--to", "marian")
                first, last = (read_npz(path / "model.npz") for path in (out, third))
                del first["special:model.yml"], last["special:model.yml"]
                self.assertEqual(first, last)

    def num_pieces(self, name):
        vocab = FOLDER / name / "target_vocab.json"
        vocab = vocab if vocab.exists() else FOLDER / name / "vocab.json"
        return len(json.loads(vocab.read_text("utf-8"))) - 1

    def test_arrays_of_ctranslate2_have_the_positions_of_training(self):
        for name, formula in (("joint", "hf"), ("separate", "fairseq")):
            with self.subTest(name):
                out = self.make("export", name, f"{name}.ct2", "--to", "ct2")
                _, (shape, numbers) = self.check_arrays(name, out, self.num_pieces(name))
                self.assertEqual(shape, [1024, WIDTH])
                self.assert_close(numbers, sines(formula, 1024), 1e-6)
                self.assertFalse((out / "decoder.yml").exists())

    def test_half_precision(self):
        out = self.make("export", "joint", "joint.ct2.half", "--to", "ct2", "--precision", "float16")
        whole = self.expected("joint")
        half = read_npz(out / "model.npz")
        self.assert_close(half["encoder_l1_ffn_W1"][1], whole["encoder_l1_ffn_W1"][1], 1e-3)

    def test_vocabulary_in_yaml(self):
        out = self.make("export", "separate", "separate.yaml", "--to", "ct2")
        for side, file in (("source", "vocab.json"), ("target", "target_vocab.json")):
            lines = (out / f"{side}.yml").read_text("utf-8").splitlines()
            pieces = [re.fullmatch(r"'((?:[^']|'')*)': (\d+)", line).groups() for line in lines]
            vocab = json.loads((FOLDER / "separate" / file).read_text("utf-8"))
            del vocab["<pad>"]
            self.assertEqual({piece.replace("''", "'"): int(id) for piece, id in pieces}, vocab)
        self.assertIn("''", (out / "source.yml").read_text("utf-8"))

    def test_same_model_gives_the_same_bytes(self):
        paths = [self.make("export", "joint", f"joint.twice{i}", "--to", "ct2") for i in (1, 2)]
        self.assertEqual(*((path / "model.npz").read_bytes() for path in paths))

    def test_what_marian_does_not_have_is_refused(self):
        self.refuse("positions.*--positions fairseq", "export", "joint", "--to", "marian")
        self.refuse("learned positions.*take the format hf", "export", "learned", "--to", "ct2")


class Inspect(Case):
    def inspect(self, path, *words):
        run = run_vkseq("inspect", path, "--json", *words)
        return run.returncode, json.loads(run.stdout)

    def test_model(self):
        config = json.loads((FOLDER / "pegasus/config.json").read_text("utf-8"))
        tensors = read_safetensors(FOLDER / "pegasus/model.safetensors")
        code, facts = self.inspect(FOLDER / "pegasus", "--tensors")
        self.assertEqual((code, facts["usable"], facts["problems"]), (0, True, []))
        self.assertEqual(facts["class"], "PegasusForConditionalGeneration")
        self.assertEqual((facts["width"], facts["source_vocabulary"]), (WIDTH, config["vocab_size"]))
        self.assertEqual((facts["pad_id"], facts["eos_id"], facts["unk_id"]),
                         (config["pad_token_id"], 0, 1))
        self.assertEqual(facts["parameters"], sum(math.prod(shape) for shape, _ in tensors.values()))
        self.assertEqual({entry["name"]: entry["shape"] for entry in facts["tensor_list"]},
                         {name: shape for name, (shape, _) in tensors.items()})
        self.assertEqual({entry["type"] for entry in facts["tensor_list"]}, {"F32"})

    def test_text_and_json_say_the_same(self):
        _, facts = self.inspect(FOLDER / "separate")
        text = run_vkseq("inspect", FOLDER / "separate").stdout
        for key, value in facts.items():
            if key not in ("problems", "usable"):
                self.assertRegex(text, rf"(?m)^{key} +{re.escape(str(value))}$")
        self.assertIn("\nusable                  yes\n", text)

    def test_what_is_missing_is_named(self):
        out = self.make("convert", "joint", "joint.broken")
        path = out / "config.json"
        config = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**config, "encoder_layers": 3, "encoder_ffn_dim": 8,
                                    "decoder_ffn_dim": 8}), "utf-8")
        (out / "vocab.json").unlink()
        code, facts = self.inspect(out)
        self.assertEqual((code, facts["usable"]), (1, False))
        problems = "\n".join(facts["problems"])
        self.assertIn("fc1.weight' has another shape than [8, 16]", problems)
        self.assertRegex(problems, r"and \d+ more tensors")
        self.assertIn("vocab.json", problems)

    def test_missing_array_of_marian_is_named(self):
        out = self.make("export", "fairseq", "fairseq.less", "--to", "marian")
        options = "transformer-heads: 2\nenc-depth: 3\ndec-depth: 2\ntied-embeddings: true\n"
        with zipfile.ZipFile(out / "model.npz") as archive:
            arrays = {name: archive.read(name) for name in archive.namelist()}
        header = f"{{'descr': '|i1', 'fortran_order': False, 'shape': ({len(options)},), }}"
        arrays["special:model.yml.npy"] = b"\x93NUMPY\1\0" + struct.pack("<H", 118) + \
            header.ljust(117).encode() + b"\n" + options.encode()
        with zipfile.ZipFile(out / "model.npz", "w") as archive:
            for name, data in arrays.items():
                archive.writestr(name, data)
        for path in out, out / "model.npz":
            code, facts = self.inspect(path)
            self.assertEqual(code, 1)
            self.assertIn("array 'encoder_l3_self_Wq' is missing, which the options ask for",
                          facts["problems"])

    def test_surplus_tensor_is_named(self):
        out = self.make("convert", "joint", "joint.surplus")
        path = out / "config.json"
        config = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**config, "encoder_layers": 1}), "utf-8")
        code, facts = self.inspect(out)
        self.assertEqual(code, 1)
        self.assertRegex(facts["problems"][0], r"layers\.1\..*has no place")

    def test_files_of_a_model(self):
        out = self.make("export", "joint", "joint.npz", "--to", "ct2")
        for path, form in ((FOLDER / "joint/model.safetensors", "safetensors file"),
                           (FOLDER / "joint/source.spm", "SentencePiece model"),
                           (FOLDER / "joint/config.json", "JSON text"),
                           (out / "model.npz", "Marian model (.npz)")):
            with self.subTest(form):
                self.assertEqual(self.inspect(path)[1]["format"], form)


if __name__ == "__main__":
    VKSEQ = str(pathlib.Path(sys.argv.pop(1)).resolve())
    with tempfile.TemporaryDirectory() as scratch:
        FOLDER = pathlib.Path(scratch)
        make_models()
        unittest.main()
