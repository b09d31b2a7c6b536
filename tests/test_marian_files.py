#!/usr/bin/env python3
"""Decoders with recurrent cells are trained as others are, and Marian's files with their weights
are the same model.

    test_marian_files.py VKSEQ

VKSEQ_TEST_SEED in the environment repeats a run. Exit code 77 where there is no device. Marian
itself is compared with in tests/parity/test_marian.py.
"""
import json
import math
import os
import pathlib
import random
import shutil
import struct
import sys
import tempfile
import unittest
import zipfile

from small_training import NO_DEVICE, SKIPPED, UPDATES, SmallTraining

SSRU = ["--transformer-decoder-autoreg", "rnn", "--dec-cell", "ssru", "--positions", "fairseq",
        "--lr-schedule-updates", str(UPDATES)]
FLOAT32, INT8 = 0x404, 0x101
# Marian's norms have another epsilon, 1e-6 instead of 1e-5.
TOLERANCE = 1e-3
IN_LAYERS = {
    "self_attn.q_proj.weight": "self_Wq", "self_attn.k_proj.weight": "self_Wk",
    "self_attn.v_proj.weight": "self_Wv", "self_attn.out_proj.weight": "self_Wo",
    "encoder_attn.q_proj.weight": "context_Wq", "encoder_attn.k_proj.weight": "context_Wk",
    "encoder_attn.v_proj.weight": "context_Wv", "encoder_attn.out_proj.weight": "context_Wo",
    "ssru.input_proj.weight": "rnn_W", "ssru.forget_proj.weight": "rnn_Wf",
    "ssru.forget_proj.bias": "rnn_bf", "fc1.weight": "ffn_W1", "fc2.weight": "ffn_W2"}
IN_LAYERS.update({name.replace("weight", "bias"): marian.replace("W", "b")
                  for name, marian in IN_LAYERS.items() if "ssru" not in name})
NORMS = {"encoder": {"self_attn_layer_norm": "self_Wo_ln", "final_layer_norm": "ffn_ffn_ln"},
         "decoder": {"self_attn_layer_norm": "rnn_ffn_ln", "final_layer_norm": "ffn_ffn_ln",
                     "encoder_attn_layer_norm": "context_Wo_ln"}}
OPTIONS = {"type": "transformer", "dim-emb": 16, "transformer-heads": 2, "enc-depth": 1,
           "dec-depth": 1, "transformer-ffn-activation": "relu", "tied-embeddings-all": "true",
           "transformer-decoder-autoreg": "rnn", "dec-cell": "ssru",
           "transformer-postprocess": "dan", "version": "v1.12.0"}


def read_tensors(path):
    """{name: (shape, values)} of a safetensors file of float32."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + at for at in entry["data_offsets"])
            tensors[name] = (entry["shape"], struct.unpack(f"<{(end - begin) // 4}f",
                                                           data[begin:end]))
    return tensors


def marian_name(name):
    if name == "model.shared.weight":
        return "Wemb"
    _, stack, _, layer, rest = name.split(".", 4)
    prefix = f"{stack}_l{int(layer) + 1}_"
    if rest in IN_LAYERS:
        return prefix + IN_LAYERS[rest]
    norm, kind = rest.rsplit(".", 1)
    return prefix + NORMS[stack][norm] + ("_scale" if kind == "weight" else "_bias")


def marian_array(name, shape, values):
    """Matrices are [in, out] there, and embeddings have no <pad>."""
    if name == "Wemb":
        return [shape[0] - 1, shape[1]], values[:-shape[1]]
    if len(shape) == 1:
        return [1, shape[0]], values
    return shape[::-1], [values[row * shape[1] + col] for col in range(shape[1])
                         for row in range(shape[0])]


def marian_items(tensors, **changes):
    """[(name, type, shape, bytes)] of a model."""
    items = []
    for name, (shape, values) in tensors.items():
        shape, values = marian_array(marian_name(name), shape, values)
        items.append((marian_name(name), FLOAT32, shape, struct.pack(f"<{len(values)}f", *values)))
    text = "".join(f"{key}: {value}\n" for key, value in {**OPTIONS, **changes}.items()) + "\0"
    return [*items, ("special:model.yml", INT8, [len(text)], text.encode())]


def write_bin(path, items):
    data = struct.pack("<QQ", 1, len(items))
    data += b"".join(struct.pack("<QQQQ", len(name) + 1, kind, len(shape), len(values))
                     for name, kind, shape, values in items)
    data += b"".join(name.encode() + b"\0" for name, *_ in items)
    data += b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in items)
    data += struct.pack("<Q", 5) + bytes(5)
    path.write_bytes(data + b"".join(values for *_, values in items))


def write_npz(path, items):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, kind, shape, values in items:
            descr = "<f4" if kind == FLOAT32 else "|i1"
            header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(shape)}, }}\n"
            archive.writestr(name + ".npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) +
                             header.encode() + values)


class Case(unittest.TestCase):
    def train(self, model, *words, updates=UPDATES):
        found, log = TRAINING.run(TRAINING.words(model, updates, *words))
        self.assertEqual(found, 0, log)

    def path(self, *parts):
        return TRAINING.folder.joinpath(*parts)

    def run_command(self, verb, *words, exit_code=0):
        """stdout, or with another exit code stderr."""
        process = TRAINING.start([TRAINING.command, verb, *words, "--quiet"])
        out, log = process.communicate()
        self.assertEqual(process.returncode, exit_code, log)
        return log if exit_code else out

    def scores(self, model):
        out = self.run_command("score", "--model", model, "--source", "train.src", "--target",
                               "train.tgt")
        return [float(line) for line in out.split()]

    def make_marian(self, folder, **changes):
        """A folder with the trained model as Marian has it."""
        path = self.path(folder)
        path.mkdir()
        shutil.copy(self.path("cells", "source.spm"), path / "vocab.spm")
        items = marian_items(read_tensors(self.path("cells", "model.safetensors")), **changes)
        write_npz(path / "model.npz", items)
        write_bin(path / "model.bin", items)
        return folder


class Cells(Case):
    def test_training_in_parts_gives_the_same_bytes(self):
        self.train("parted", *SSRU, updates=5)
        self.train("parted", *SSRU)
        self.assertEqual(TRAINING.result("parted"), TRAINING.result("cells"))

    def test_training_lowers_the_loss(self):
        self.train("begun", *SSRU, "--learn-rate", "0.005", updates=60)
        self.assertGreater(sum(self.scores("begun")), 0.8 * sum(self.scores("cells")))

    def test_another_cell_is_asked_for_in_vain(self):
        _, log = TRAINING.run(TRAINING.words("cells", UPDATES, "--transformer-decoder-autoreg",
                                             "self-attention"))
        self.assertIn("the model in cells has --transformer-decoder-autoreg rnn", log)


class Files(Case):
    def test_marian_files_are_the_same_model(self):
        self.make_marian("same")
        from_npz = self.scores("same/model.npz")
        self.assertEqual(from_npz, self.scores("same/model.bin"))
        for a, b in zip(from_npz, self.scores("cells")):
            self.assertTrue(math.isclose(a, b, rel_tol=TOLERANCE), (a, b))

    def test_a_marian_model_is_trained_on(self):
        self.make_marian("pretrained")
        self.train("tuned", *SSRU, "--pretrained-model", "pretrained/model.npz", "--learn-rate",
                   "0.005", updates=60)
        self.assertGreater(sum(self.scores("tuned")), 0.8 * sum(self.scores("cells")))
        config = json.loads(self.path("tuned", "config.json").read_text("utf-8"))
        self.assertEqual((config["decoder_cell"], config["position_formula"]), ("ssru", "fairseq"))
        self.assertAlmostEqual(config["layer_norm_eps"], 1e-6)

    def test_options_beside_a_model_name_its_files(self):
        self.make_marian("named")
        os.rename(self.path("named", "vocab.spm"), self.path("named", "other.spm"))
        self.path("named", "decoder.yml").write_text(
            "relative-paths: true\nmodels:\n  - model.bin\nvocabs:\n  - other.spm\n  - other.spm\n"
            "beam-size: 2\nnormalize: 0.5\nword-penalty: 0.25\n", "utf-8")
        words = ("--input", "valid.src", "--n-best")
        self.assertEqual(
            self.run_command("translate", "--model", "named", *words),
            self.run_command("translate", "--model", "named/model.npz", *words, "--beam-size", "2",
                             "--normalize", "0.5", "--word-penalty", "0.25"))

    def test_decoding_defaults_are_kept_by_convert(self):
        self.make_marian("defaults")
        self.path("defaults", "decoder.yml").write_text(
            "models: [model.bin]\nvocabs: [vocab.spm, vocab.spm]\nbeam-size: 3\nnormalize: 0.6\n"
            "word-penalty: 0.25\n", "utf-8")
        self.run_command("convert", "defaults", "defaults.own")
        config = json.loads(self.path("defaults.own", "config.json").read_text("utf-8"))
        self.assertEqual(config["search"], "marian")
        self.assertEqual(config["decoding"], {"num_beams": 3, "length_penalty": 0.6,
                                              "bad_words_ids": [[1]], "word_penalty": 0.25})
        words = ("--input", "valid.src", "--n-best")
        kept = self.run_command("translate", "--model", "defaults.own", *words)
        self.assertEqual(kept, self.run_command("translate", "--model", "defaults", *words))
        self.assertNotEqual(kept, self.run_command("translate", "--model", "defaults.own", *words,
                                                   "--normalize", "0"))
        self.run_command("convert", "defaults.own", "defaults.again")
        self.assertEqual(self.path("defaults.again", "config.json").read_bytes(),
                         self.path("defaults.own", "config.json").read_bytes())

    def test_what_is_not_supported_is_named(self):
        self.make_marian("highway", **{"transformer-postprocess": "dhn"})
        log = self.run_command("score", "--model", "highway/model.bin", "--source", "train.src",
                               "--target", "train.tgt", exit_code=1)
        self.assertIn("'transformer-postprocess' is 'dhn'", log)


def main():
    global TRAINING
    seed = int(os.environ.get("VKSEQ_TEST_SEED", random.randrange(10**6)))
    print(f"VKSEQ_TEST_SEED={seed}", file=sys.stderr)
    command = os.path.abspath(sys.argv.pop(1))
    with tempfile.TemporaryDirectory() as folder:
        TRAINING = SmallTraining(command, pathlib.Path(folder), random.Random(seed))
        exit_code, log = TRAINING.run(TRAINING.words("cells", UPDATES, *SSRU))
        if exit_code == NO_DEVICE:
            sys.exit(SKIPPED)
        if exit_code:
            sys.exit(log)
        unittest.main()


if __name__ == "__main__":
    main()
