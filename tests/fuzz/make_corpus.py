#!/usr/bin/env python3
"""Writes for each fuzz target inputs to start from, and those that once broke it.

    make_corpus.py            into tests/fuzz/corpus, which it replaces
    make_corpus.py FOLDER
"""
import base64
import json
import math
import pathlib
import shutil
import struct
import sys
import zlib

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

SPECIALS = [["<s>", 0], ["<pad>", 0], ["</s>", 0], ["<unk>", 0]]

CONFIG = {
    "model_type": "marian", "vocab_size": 100, "decoder_vocab_size": 100, "d_model": 64,
    "encoder_ffn_dim": 256, "decoder_ffn_dim": 256, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_layers": 2, "decoder_layers": 2, "eos_token_id": 0,
    "pad_token_id": 99, "decoder_start_token_id": 99, "max_position_embeddings": 512,
    "activation_function": "relu", "scale_embedding": True,
    "share_encoder_decoder_embeddings": True, "tie_word_embeddings": True}

STATE = {
    "epoch": 1, "pool_idx": 17, "batch_idx": 2, "steps": 3, "target_tokens": 4,
    "sentences_in_epoch": 5, "rounds": 7, "updates": 6, "num_delayed": 1, "delayed_words": 15, "seed": 7, "warmup": 8,
    "schedule": 1, "schedule_updates": 9, "decay.begin": 0, "decay.most_stalled": 1,
    "mini_batch_fit": 1, "mini_batch_words": 10, "mini_batch": 11, "maxi_batch_pairs": 12,
    "max_length": 13, "is_streamed": 1, "shuffle": 2, "maxi_batch_sort": 3, "num_pairs": 14,
    "data_hash": 18, "optimizer": 2, "num_frozen": 16, "decay.factor": 1.5,
    "valid_metrics": [{"name": "bleu", "best": 2.5, "stalled": 1}], "device_words": [0] * 16}


def stored_gzip(data):
    """gzip data in which nothing is compressed, the same with any library."""
    size = len(data)
    return (b"\x1f\x8b\x08" + bytes(6) + b"\xff" + b"\x01" +
            struct.pack("<HH", size, size ^ 0xffff) + data +
            struct.pack("<II", zlib.crc32(data), size))


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def hash64(data):
    """The checksum of src/io/hash64.h."""
    mask, p1, p2 = 2**64 - 1, 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
    h = p1
    for (word,) in struct.iter_unpack("<Q", data + bytes(-len(data) % 8)):
        h = (h ^ word * p2) & mask
        h = ((h << 29 | h >> 35) & mask) * p1 & mask
    h ^= len(data)
    h = (h ^ h >> 32) * p2 & mask
    return h ^ h >> 29


def stamped(stamp, data):
    """A file of src/io/stamped.h."""
    return b"VKSEQDEV" + stamp + struct.pack("<QQ", len(data), hash64(data)) + data


def manifest(name, num_bytes, checksum):
    return compact({"files": [{"name": name, "num_bytes": num_bytes,
                               "hash64": f"{checksum:016x}"}]})


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def tensors(data_bytes, **header):
    """A header and how many bytes of data the target puts behind it."""
    return bytes([data_bytes]) + compact(header)


def varint(value):
    head = b""
    while value > 127:
        head += bytes([value & 127 | 128])
        value >>= 7
    return head + bytes([value])


def field(number, value):
    """A field of a protocol buffer: a whole number, a float, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def spm(text, model_type, pieces_of_bytes=b"", normalizer=field(1, b"identity")):
    """A text and a SentencePiece model with a few pieces."""
    normal, unknown, control = 1, 2, 3
    pieces = [("</s>", 0.0, control), ("<unk>", 0.0, unknown), ("\u2581", -2.0, normal),
              ("a", -3.0, normal), ("b", -3.5, normal), ("ab", -4.0, normal),
              ("\u2581a", -4.5, normal)]
    model = b"".join(field(1, field(1, piece.encode()) + field(2, score) + field(3, kind))
                     for piece, score, kind in pieces)
    trainer = field(3, model_type) + field(40, 1) + field(41, 2**64 - 1) + field(42, 0) + \
        field(43, 2**64 - 1) + (field(35, 1) if pieces_of_bytes else b"")
    model += pieces_of_bytes + field(2, trainer) + field(3, normalizer)
    return bytes([len(text)]) + text + model


def charsmap(text=0, leaf=0xC1):
    """A normalisation of A to b: the size of a double array, the array, and what it leads to.

    A cell holds a label in its low byte, whether a leaf follows in bit 8, an offset from bit 10 on;
    a leaf has bit 31 and a position in the texts."""
    cells = [0] * 256
    cells[ord("A")] = leaf << 10 | 1 << 8 | ord("A")
    cells[ord("A") ^ 0xC1] = 1 << 31 | text
    array = struct.pack(f"<{len(cells)}I", *cells)
    return field(2, struct.pack("<I", len(array)) + array + b"b\0")


PO_HEADER = (b'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
             b'"Plural-Forms: nplurals=2; plural=n != 1;\\n"\n\n')


def cue(number, text):
    """A subtitle of SRT."""
    return f"{number}\n00:00:{number:02},000 --> 00:00:{number + 1:02},000\n{text}\n\n".encode()


def text(value):
    """A text in a pickle."""
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


def numbers(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def torch_tensor(key, sizes, strides, kind="FloatStorage", size=16):
    """A tensor in a pickle, in a storage of `size` elements."""
    storage = b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu") + \
        number(size) + b"tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0) + numbers(sizes) + \
        numbers(strides) + b"\x89}tR"


def pickled(**tensors):
    return b"\x80\x02}(" + b"".join(text(name) + value for name, value in tensors.items()) + b"u."


def archive(files):
    """A zip archive of stored files, always the same bytes."""
    data = directory = b""
    for name, content in files.items():
        common = struct.pack("<HHHHIIIHH", 0, 0, 0, 0, zlib.crc32(content), len(content),
                             len(content), len(name), 0)
        directory += struct.pack("<IHH", 0x02014b50, 10, 10) + common + bytes(10) + \
            struct.pack("<I", len(data)) + name.encode()
        data += struct.pack("<IH", 0x04034b50, 10) + common + name.encode() + content
    return data + directory + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, len(files), len(files),
                                          len(directory), len(data), 0)


def without(mapping, key):
    return {name: value for name, value in mapping.items() if name != key}


def byte_pieces():
    return b"".join(field(1, field(1, f"<0x{byte:02X}>".encode()) + field(2, 0.0) + field(3, 6))
                    for byte in range(256))


def marian_yaml(**changes):
    """special:model.yml of a small model."""
    options = {"type": "transformer", "version": "v1.12.42", "tied-embeddings-all": "true",
               "transformer-heads": "4", "enc-depth": "2", "dec-depth": "2",
               "transformer-ffn-activation": "gelu", "transformer-postprocess": "dan",
               "transformer-tied-layers": "[1, 1]", **changes}
    return "".join(f"{key}: {value}\n" for key, value in options.items()).encode()


def marian_bin(*arrays, version=1, padding=3):
    """A .bin file of (name, type, shape, data)."""
    headers = b"".join(struct.pack("<QQQQ", len(name) + 1, kind, len(shape), len(data))
                       for name, kind, shape, data in arrays)
    return (struct.pack("<QQ", version, len(arrays)) + headers +
            b"".join(name.encode() + b"\0" for name, *_ in arrays) +
            b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in arrays) +
            struct.pack("<Q", padding) + bytes(padding) + b"".join(data for *_, data in arrays))


def numpy_array(descr, shape, data, order="False"):
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + data


def npz(**arrays):
    """An archive of stored files."""
    files, directory = b"", b""
    for name, data in arrays.items():
        path = name.encode() + b".npy"
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(data), len(data),
                             len(data), len(path), 0)
        directory += (b"PK\1\2\x14\0" + fields + bytes(10) + struct.pack("<I", len(files)) + path)
        files += b"PK\3\4" + fields + path + data
    return (files + directory + b"PK\5\6" + struct.pack(
        "<HHHHIIH", 0, 0, len(arrays), len(arrays), len(directory), len(files), 0))


def binary_shortlist(first, offsets, targets):
    words = struct.pack(f"<QQQQ{len(offsets)}Q", first, 3, len(offsets), len(targets), *offsets)
    words += struct.pack(f"<{len(targets)}I", *targets)
    checksum, mask = 0, 2**64 - 1
    for (word,) in struct.iter_unpack("<Q", words[:len(words) // 8 * 8]):
        checksum ^= (word + 0x9e3779b9 + (checksum << 6) + (checksum >> 2)) & mask
    return struct.pack("<QQ", 0xF11A48D5013417F5, checksum) + words


# As in fuzz_convert_inspect.c.
FOLDER_NAMES = (
    "config.json", "generation_config.json", "model.safetensors", "pytorch_model.bin",
    "a.safetensors", "model.safetensors.index.json", "vocab.json", "target_vocab.json", "source.spm",
    "target.spm", "sentencepiece.bpe.model", "spiece.model", "tokenizer.json",
    "tokenizer_config.json", "added_tokens.json", "model.npz", "model.bin", "decoder.yml",
    "vocab.yml", "vocab.spm")


def folder_of(files):
    """A directory's files as one input."""
    return b"".join(struct.pack("<BH", FOLDER_NAMES.index(name), len(data)) + data
                    for name, data in files.items())


def safetensors(shapes):
    """A file of zeros."""
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 4 * math.prod(shape)
        header[name] = tensor("F32", shape, begin, end)
    text_bytes = compact(header)
    return struct.pack("<Q", len(text_bytes)) + text_bytes + bytes(end)


def small_model(width, ffn, vocab):
    """Names and shapes of a model with a layer a side."""
    shapes = {"model.shared.weight": [vocab, width], "final_logits_bias": [1, vocab]}
    for stack, attentions in (("encoder", ["self_attn"]), ("decoder", ["self_attn", "encoder_attn"])):
        layer = f"model.{stack}.layers.0."
        for attention in attentions:
            for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
                shapes[f"{layer}{attention}.{name}.weight"] = [width, width]
                shapes[f"{layer}{attention}.{name}.bias"] = [width]
        for name in [f"{attention}_layer_norm" for attention in attentions] + ["final_layer_norm"]:
            shapes[f"{layer}{name}.weight"] = shapes[f"{layer}{name}.bias"] = [width]
        for name, out, inner in (("fc1", ffn, width), ("fc2", width, ffn)):
            shapes[f"{layer}{name}.weight"], shapes[f"{layer}{name}.bias"] = [out, inner], [out]
    return shapes


SMALL_CONFIG = {**CONFIG, "vocab_size": 8, "decoder_vocab_size": 8, "d_model": 4,
                "encoder_ffn_dim": 4, "decoder_ffn_dim": 4, "encoder_attention_heads": 1,
                "decoder_attention_heads": 1, "encoder_layers": 1, "decoder_layers": 1,
                "pad_token_id": 7, "decoder_start_token_id": 7}
SMALL_SPM = spm(b"", 1)[1:]
SMALL_VOCAB = compact({"</s>": 0, "<unk>": 1, "\u2581": 2, "a": 3, "b": 4, "ab": 5, "\u2581a": 6,
                       "<pad>": 7})
SMALL_MARIAN = marian_yaml(**{"transformer-heads": 1, "enc-depth": 1, "dec-depth": 1,
                              "transformer-tied-layers": "[]"})

SEEDS = {
    "fuzz_convert_inspect": {
        "own": folder_of({
            "config.json": compact({**SMALL_CONFIG, "position_formula": "hf", "decoding": {
                "num_beams": 2, "word_penalty": 0.5, "bad_words_ids": [[1]]}}),
            "model.safetensors": safetensors(small_model(4, 4, 8)), "vocab.json": SMALL_VOCAB,
            "source.spm": SMALL_SPM, "target.spm": SMALL_SPM}),
        "marian": folder_of({
            "config.json": compact(SMALL_CONFIG), "generation_config.json": compact({"num_beams": 6}),
            "pytorch_model.bin": archive({"m/data.pkl": pickled(
                a=torch_tensor("0", [2], [1], size=2)), "m/data/0": bytes(8)}),
            "vocab.json": compact({"</s>": 0, "<unk>": 1, ">>deu<<": 2, "a": 3, "<pad>": 4}),
            "source.spm": SMALL_SPM, "target.spm": SMALL_SPM}),
        "shards": folder_of({
            "config.json": compact({**SMALL_CONFIG, "model_type": "mbart"}),
            "model.safetensors.index.json": compact({"weight_map": {"a": "a.safetensors",
                                                                    "b": "model.safetensors"}}),
            "a.safetensors": safetensors({"a": [3]}), "model.safetensors": safetensors({"b": [2, 2]}),
            "sentencepiece.bpe.model": SMALL_SPM,
            "tokenizer_config.json": compact({"tokenizer_class": "MBart50Tokenizer",
                                              "src_lang": "en_XX", "tgt_lang": "de_DE"})}),
        "npz": folder_of({
            "model.npz": npz(**{"special:model.yml": numpy_array("|i1", (len(SMALL_MARIAN),),
                                                                 SMALL_MARIAN),
                                "Wemb": numpy_array("<f4", "(3, 4)", bytes(48)),
                                "encoder_l1_ffn_W1": numpy_array("<f4", "(4, 4)", bytes(64)),
                                "decoder_l1_ffn_W1": numpy_array("<f4", "(4, 4)", bytes(64))}),
            "decoder.yml": b"models: [model.npz]\nvocabs: [vocab.yml, vocab.yml]\nbeam-size: 2\n",
            "vocab.yml": b"</s>: 0\n<unk>: 1\na: 2\n"}),
        "bin": folder_of({
            "model.bin": marian_bin(("special:model.yml", 0x101, (len(SMALL_MARIAN) + 1,),
                                     SMALL_MARIAN + b"\0"), ("Wemb", 0x404, (3, 4), bytes(48)),
                                    ("encoder_l1_ffn_W1", 0x404, (4, 4), bytes(64)),
                                    ("decoder_l1_ffn_W1", 0x404, (4, 4), bytes(64))),
            "vocab.spm": SMALL_SPM}),
        "endless": folder_of({"model.npz": npz(), "decoder.yml":
                              b"models: [/dev/zero]\nvocabs: [/dev/zero, /dev/zero]\n"}),
        "only_vocabulary": folder_of({"spiece.model": SMALL_SPM, "tokenizer.json": b"{}"}),
        "nothing": b""},
    "fuzz_io_yaml": {
        "map": b"a: 1\n'b c': [x, \"y\\n\"]\nd: {e: ~}\n", "deep": b"[" * 20,
        "alias": b"a: &x 1\nb: *x\n", "two": b"a\n--- b\n", "block": b"a: |\n  one\n  two\n- b\n",
        "key": b"? [a]\n: b\n"},
    "fuzz_io_marian_file": {
        "bin": marian_bin(("Wemb", 0x404, (2, 3), bytes(24)), ("special:model.yml", 0x101, (4,), b"a:b\0")),
        "rounded": marian_bin(("encoder_l1_self_Wq", 0x10001, (2, 2), b"\1\2\3\4" + struct.pack("<f", 2)),
                              ("Wemb", 0x4101, (1, 4), b"\1\2\3\4" + struct.pack("<f", 0))),
        "packed": marian_bin(("Wemb", 0x11001, (2, 2), bytes(8))),
        "encrypted": marian_bin(version=2), "short": marian_bin(("W", 0x404, (2, 3), bytes(20))),
        "twice": marian_bin(("W", 0x404, (1,), bytes(4)), ("W", 0x404, (1,), bytes(4))),
        "far": marian_bin(("W", 0x404, (2**31 - 1,) * 4, bytes(4))),
        "npz": npz(Wemb=numpy_array("<f4", "(2, 3)", bytes(24)), half=numpy_array("<f2", "(2,)", bytes(4))),
        "columns": npz(Wemb=numpy_array("<f4", "(2, 3)", bytes(24), "True")),
        "long": npz(Wemb=numpy_array("<f4", "(2, 3)", bytes(28))),
        "shape": npz(Wemb=numpy_array("<f4", "(2, x)", bytes(28)))},
    "fuzz_model_marian_config": {
        "post_norm": marian_yaml(), "ssru": marian_yaml(**{
            "transformer-decoder-autoreg": "rnn", "dec-cell": "ssru", "transformer-preprocess": "n",
            "transformer-postprocess": "da", "transformer-postprocess-top": "n"}),
        "highway": marian_yaml(**{"transformer-postprocess": "dhn"}),
        "layers": marian_yaml(**{"dec-depth": "70"}),
        "tied": marian_yaml(**{"transformer-tied-layers": "[2, 1]"})},
    "fuzz_text_marian_vocab": {
        "words": b"\1</s>: 0\n<unk>: 1\nthe: 2\n\"no\": 3\n'a: b': 4\n",
        "pieces": b"\0\"</s>\": 0\n<unk>: 1\n\xe2\x96\x81the: 2\n", "nematus": b"\0eos: 0\nUNK: 1\na: 2\n",
        "twice": b"\0</s>: 0\n<unk>: 1\na: 2\nb: 2\n", "list": b"\0- a\n", "negative": b"\0</s>: -1\n"},
    "fuzz_decode_shortlist": {
        "text": b"a b 0.5\nc b 0.25\na NULL 1\nx y 1e-3\n", "words": b"a b\n",
        "binary": binary_shortlist(2, [0, 0, 1, 3, 3, 3, 3, 3, 3, 3], [4, 5, 8]),
        "beyond": binary_shortlist(2, [0, 0, 1, 3, 3, 3, 3, 3, 3, 3], [4, 9, 8]),
        "order": binary_shortlist(2, [0, 2, 1, 3, 3, 3, 3, 3, 3, 3], [4, 5, 8]),
        "size": binary_shortlist(2, [0, 0, 1], [4])},
    "fuzz_base_utf8": {
        "plain": b"plain", "lengths": "\u00e9\u20ac\U0001f600".encode(), "overlong": b"\xc0\xaf",
        "surrogate": b"\xed\xa0\x80", "past_the_end": b"\xf4\x90\x80\x80", "cut": b"\xe2\x82"},
    "fuzz_io_safetensors": {
        "none": tensors(0),
        "two": tensors(12, a=tensor("F32", [2], 0, 8), b=tensor("F16", [1, 2], 8, 12)),
        "metadata": tensors(2, __metadata__={"format": "pt"}, x=tensor("BF16", [], 0, 2)),
        "others": tensors(19, a=tensor("I64", [1], 0, 8), b=tensor("U8", [3], 8, 11),
                          c=tensor("F64", [1], 11, 19), d=tensor("BOOL", [0, 7], 19, 19)),
        "overlap": tensors(8, a=tensor("F32", [2], 0, 8), b=tensor("F32", [1], 4, 8)),
        "empty_overflow": tensors(0, a=tensor("F32", [2**32, 2**31, 0], 0, 0)),
        "hole": tensors(8, a=tensor("F32", [1], 0, 4)),
        "overflow": tensors(0, a=tensor("F32", [2**32, 2**32, 0], 0, 0)),
        "whole_file": b"\xff" + struct.pack("<Q", 2) + b"{}",
        "long_header": b"\xff" + struct.pack("<Q", 2**63) + b"{}"},
    "fuzz_io_pickle": {
        "none": pickled(), "two": pickled(a=torch_tensor("0", [2, 3], [3, 1]),
                                          b=torch_tensor("1", [], [], kind="HalfStorage")),
        "turned": pickled(a=torch_tensor("0", [3, 2], [1, 3])),
        "beyond": pickled(a=torch_tensor("0", [17], [1])),
        "overflow": pickled(a=torch_tensor("0", [2**31 - 1] * 4, [2**31 - 1] * 4)),
        "repeated": pickled(a=torch_tensor("0", [9, 9], [0, 0])),
        "twice": b"\x80\x02}(" + text("a") + torch_tensor("0", [1], [1]) + text("a") +
                 torch_tensor("0", [1], [1]) + b"u.",
        "harm": b"\x80\x02cos\nsystem\n" + text("true") + b"\x85R.",
        "frame": b"\x80\x04\x95" + struct.pack("<Q", 3) + b"}\x94.",
        "remembered": b"\x80\x02}q\x00h\x00h\x00b.", "far": b"\x80\x02}r\xff\xff\xff\x7f."},
    "fuzz_io_torch_file": {
        "two": pickled(a=torch_tensor("0", [2, 3], [3, 1]),
                       b=torch_tensor("1", [32], [1], kind="HalfStorage", size=32)),
        "missing": pickled(a=torch_tensor("7", [2], [1])),
        "size": pickled(a=torch_tensor("0", [2], [1], size=15)),
        "whole": b"\xff" + archive({"m/data.pkl": pickled()}),
        "storage": b"\xff" + archive({"m/data.pkl": pickled(a=torch_tensor("0", [2], [1], size=2)),
                                      "m/data/0": bytes(8), "m/byteorder": b"little"}),
        "big_endian": b"\xff" + archive({"m/data.pkl": pickled(), "m/byteorder": b"big"}),
        "no_pickle": b"\xff" + archive({"m/other": b""}), "end": b"\xff" + archive({})[:-1],
        "large": b"\xff" + struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, 0, 0, 0, 0) +
                 struct.pack("<IIQI", 0x07064b50, 0, 0, 1) +
                 struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0),
        "old": b"\xff\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9 j\xa8P\x19."},
    "fuzz_io_shard_index": {
        "two": compact({"metadata": {"total_size": 8}, "weight_map": {"b": "1.bin", "a": "2.bin",
                                                                      "c": "1.bin"}}),
        "none": compact({"weight_map": {}}), "above": compact({"weight_map": {"a": "../1.bin"}}),
        "twice": b'{"weight_map":{"a":"1","a":"2"}}', "list": compact({"weight_map": ["a"]})},
    "fuzz_io_generations": {
        "empty": b'{"files":[]}', "right": manifest("weights", 5, hash64(b"vkseq")),
        "wrong": manifest("weights", 5, 0), "missing": manifest("moments", 5, 0),
        "folder": manifest(".", 0, hash64(b"")), "above": manifest("../whole", 1, 1)},
    "fuzz_text_vocab": {
        "small": compact({"</s>": 0, "<unk>": 1, "\u2581a": 2, "<pad>": 3}),
        "gaps": compact({"</s>": 7, "<unk>": 0, "<pad>": 40, "\n\"": 9}),
        "same_id": compact({"</s>": 0, "<unk>": 1, "<pad>": 1}),
        "same_piece": b'{"</s>":0,"<unk>":1,"<pad>":2,"</s>":3}',
        "fraction": compact({"</s>": 0.5}), "list": b"[1]"},
    "fuzz_text_tokenizer_settings": {
        "model": b"\0" + compact({"model_type": "mbart", "forced_bos_token_id": None}),
        "generation": b"\1" + compact({"forced_bos_token_id": 250003}),
        "added": b"\2" + compact({"<a>": 7, "<b>": 16777215}), "added_far": b'\2{"<a>":16777216}',
        "added_nameless": b'\2{"":1}',
        "tokenizer": b"\3" + compact({
            "tokenizer_class": "NllbTokenizer", "src_lang": "eng_Latn", "tgt_lang": None,
            "legacy_behaviour": True, "offset": 103, "eos_token": {"content": "</s>"},
            "added_tokens_decoder": {"4": {"content": "<a>", "lstrip": True, "special": False}}}),
        "other_specials": b'\3{"pad_token":"[PAD]"}', "empty_token": b'\3{"added_tokens_decoder":{"3":{}}}',
        "list": b"\3[1]"},
    "fuzz_text_tokenizer_json": {
        "unigram": compact({"model": {"vocab": [*SPECIALS, ["\u2581", -1], ["a", -2], ["b", -2.5]]},
                            "added_tokens": [{"id": 0, "content": "<s>", "special": True},
                                             {"id": 7, "content": "eng_Latn"}]}),
        "bpe": compact({"model": {"merges": [], "vocab": {
            "<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "ab": 4, "a": 5, "b": 6}}}),
        "rules": compact({"normalizer": {"normalizers": [
            {"precompiled_charsmap": base64.b64encode(charsmap()).decode()}]},
            "model": {"vocab": [*SPECIALS, ["a", -1]]}}),
        "not_base64": compact({"normalizer": {"precompiled_charsmap": "a-b"},
                               "model": {"vocab": SPECIALS}}),
        "gap": compact({"model": {"merges": [], "vocab": {"a": 1}}}),
        "empty_piece": compact({"model": {"vocab": [["", 0]]}}), "none": b"{}"},
    "fuzz_text_metrics": {
        "western": b"\x00Hello, world: 3.5-fold.\0Hello, &quot;world&quot; 3,5 - fold!",
        "international": b"\x01" + "\u00abOui\u00bb, dit-il.\0\u00abNon\u00bb \u20ac5.".encode(),
        "chinese": b"\x02" + "\u4f60\u597d\u3002abc\0\u4f60\u4eec\u597d\u3002".encode(),
        "characters": b"\x03the cat sat on\0the cat sat", "malformed": b"\x00\xff\xfe a\0\xc3 b",
        "skipped": b"\x00<skipped>-\nx\0a b c d e"},
    "fuzz_text_spm": {
        "unigram": spm(b"ab ba", 1), "bpe": spm(b"abab", 2), "word": spm(b"a b", 3),
        "char": spm(b"ab", 4), "not_utf8": spm(b"\xff\x80a", 1),
        "rules": spm(b"aAb", 1, normalizer=charsmap()),
        "far_leaf": spm(b"aAb", 1, normalizer=charsmap(leaf=2**20)),
        "far_text": spm(b"aAb", 1, normalizer=charsmap(text=2**30)),
        "bytes": spm("\u20ac".encode(), 1, byte_pieces()), "none": b"\x00"},
    "fuzz_io_stamped": {
        "empty": b"\0", "whole": b"\0" + stamped(b"0123456789abcdefghijklmnop\0\0", b"data"),
        "huge": b"\0VKSEQDEV" + b"0" * 28 + b"\xff" * 16, "written": b"\x21data", "nothing": b"\1"},
    "fuzz_data_alignments": {
        "points": b"\x10" b"0-0 1-2\t69999-8 ", "cut": b"\x05" b"0-0 1-9 99999999999-0",
        "beyond": b"\x08" b"0-5", "half": b"\x08" b"0-0 1-", "word": b"\x08" b"a-b"},
    "fuzz_text_placeholders": {
        "formats": b"%s %1$ld %(name)s %L1 %NAME% %% {0} {x:.2f} %-5.3f", "variables":
        b"$(ARG1) ${a.b} $HOME $NAME$ $1$ @A@ #B#", "tags": b"<b>a</b><a href='x'> &lt;&#160;\\n",
        "address": b"see https://example.org/a?b, (x://y).", "symbols": b"<ph0> <ph15><ph16> <ph"},
    "fuzz_document_text": {
        "paragraphs": BYTE_ORDER_MARK + b"One.\r\n\r\n  a line that goes\r\n  on here\ttab\r\n- two",
        "wide": "\u4f60\u597d\u3002\n\u4f60 &amp; %s {0}:\n1. <b>a</b>".encode(),
        "narrow": b"a\nb\nc\nd %s\ne f", "not_utf8": b"a\n\xff"},
    "fuzz_document_srt": {
        "marks": BYTE_ORDER_MARK + cue(1, "{\\an8}<i>One,</i>\n<i>two</i>") + cue(2, "three."),
        "speakers": cue(1, "- A. B c\n- <b>D</b>") + cue(2, "\u266a e \u266a"),
        "long": cue(1, "a " * 30) + cue(2, "b") + cue(3, "") + cue(4, "c <u>d"),
        "crlf": cue(1, "a,").replace(b"\n", b"\r\n") + cue(2, "b"),
        "settings": b"9\n0:0:1.5 --> 100:59:59,9 X1:3\na", "times": b"1\n00:00:01 --> 2",
        "number": b"one\n", "end": b"1"},
    "fuzz_document_po": {
        "entries": PO_HEADER + b'# a\n#. b\n#: c:1\n#, c-format\nmsgctxt "d"\nmsgid "_Open %s\\n"\n'
                   b'msgstr ""\n\n#~ msgid "e"\n#~ msgstr "f"\n',
        "plural": PO_HEADER + b'msgid "a"\nmsgid_plural "%d b"\nmsgstr[0] ""\nmsgstr[1] ""\n',
        "fuzzy": PO_HEADER + b'#, fuzzy\n#| msgid "a"\nmsgid "E&xit..."\nmsgstr "b"\n',
        "lines": b'msgid ""\n"a\\n"\n"\\tb:\\n"\nmsgstr ""\n', "domain": b'domain "a"\n',
        "escape": b'msgid "a\\377\\000\\n"\nmsgstr ""\n', "wide": "msgid \"\uff1a\"\nmsgstr \"\"\n".encode(),
        "cut": b'msgid "a\n', "word": b'msgid "a"\nmsgstr "b"\nc',
        "charset": b'msgid ""\nmsgstr "Content-Type: text/plain; charset=EUC-JP\\n"\n',
        "forms": b'msgid ""\nmsgstr "Plural-Forms: nplurals=3; plural=n%10==1?0:n/2;\\n"\n'
                 b'msgid "~a"\nmsgid_plural "b"\nmsgstr[0] ""\n'},
    "fuzz_io_line_reader": {
        "crlf": b"one\r\ntwo\nthree", "mark": BYTE_ORDER_MARK + b"one\n", "returns": b"\r\r\n\n\r",
        "not_utf8": b"one\n\xff\n", "gzip": stored_gzip(b"one\ntwo\n"),
        "gzips": stored_gzip(b"on") + stored_gzip(b"e\n\xc3\xa9"), "magic": b"\x1f\x8b",
        "gzip_checksum": stored_gzip(b"one\n")[:-8] + bytes(8),
        "gzip_early": stored_gzip(b"one\n")[:-4], "gzip_more": stored_gzip(b"one\n") + b"two\n"},
    "fuzz_data_corpus": {
        "pairs": b"\x08" b"1 2\n3\n\0" b"4\n5 6\r\n", "cut": b"\x03" b"1 2 3\n\0" b"4 5 6\n",
        "empty_side": b"\x10" b"1\n\n2\n\0" b"1\n2\n3\n", "unequal": b"\x00" b"1\n2\n\0" b"1\n",
        "long": b"\x02" b"1 2 3\n\0" b"1\n"},
    "fuzz_model_config": {
        "marian": compact(CONFIG),
        "pegasus": compact({**CONFIG, "model_type": "pegasus", "activation_function": "gelu",
                            "max_position_embeddings": 0}),
        "vkseq": compact({**CONFIG, "model_type": "vkseq", "normalize_before": True,
                          "position_formula": "fairseq", "position_offset": 2, "vocab_size": 120,
                          "tie_word_embeddings": False, "activation_function": "silu",
                          "share_encoder_decoder_embeddings": False}),
        "learned": compact({**CONFIG, "model_type": "vkseq", "position_formula": "learned",
                            "share_encoder_decoder_embeddings": False}),
        "far": compact({**CONFIG, "position_offset": 1e10}),
        "no_width": compact(without(CONFIG, "d_model")),
        "heads": compact({**CONFIG, "encoder_attention_heads": 3}),
        "own": compact({**CONFIG, "position_formula": "hf", "search": "hf-early"}),
        "m2m_100": compact({**CONFIG, "model_type": "m2m_100", "decoder_start_token_id": 2,
                            "pad_token_id": 1, "eos_token_id": [2]}),
        "mbart": compact({**CONFIG, "model_type": "mbart", "decoder_ffn_dim": 128}) + b"\0" +
                 compact({"num_beams": 5, "early_stopping": True, "forced_bos_token_id": 7,
                          "forced_eos_token_id": 0, "max_length": 200, "length_penalty": 0.6}),
        "generation": compact(CONFIG) + b"\0" +
                      compact({"bad_words_ids": [[99], [3, 4]], "suppress_tokens": [5],
                               "early_stopping": "never", "repetition_penalty": 1.1,
                               "no_repeat_ngram_size": 3, "min_length": 2, "do_sample": True,
                               "max_new_tokens": 16777216}),
        "decoding": compact({**CONFIG, "position_formula": "hf", "decoding": {
            "num_beams": 2, "length_penalty": 0.5, "word_penalty": 0.1, "max_length": 9,
            "bad_words_ids": [[1], [2, 3]]}}),
        "decoding_list": compact({**CONFIG, "position_formula": "hf", "decoding": [1]}),
        "first_is_pad": compact({**CONFIG, "pad_token_id": 0, "decoder_start_token_id": 0,
                                 "eos_token_id": 1})},
    "fuzz_train_state": {
        "new": compact({**STATE, "valid_metrics": []}),
        "long_numbers": compact({**STATE, "target_tokens": 2**53 - 1, "decay.factor": 0.1 + 0.2,
                                 "device_words": [2**32 - 1] * 16}),
        "endless": compact(STATE).replace(b"1.5", b"1e999"),
        "few_words": compact({**STATE, "device_words": [1]})},
    "fuzz_cli_values": {
        "duration": b"1h30m", "seconds": b"90", "decimals": b"2.5d1.5s", "updates": b"20Ku",
        "tokens": b"10Gt", "epochs": b"3e", "hexadecimal": b"0x10s", "exponent": b"1e3s",
        "no_unit": b"0s5", "endless": b"9" * 303 + b"d" + b"9" * 303 + b"d",
        "overflow": b"18446744073709551615K"},
    "fuzz_vk_limits": {
        "profile": compact({"_": "a phone", "api": "1.1", "memory_bytes": 10**9,
                            "max_binding_bytes": 2**27, "max_storage_buffers": 4,
                            "float16": False, "subgroup_operations": True}),
        "version": compact({"api": "1.1.0"}), "list": b"[1]"},
    "fuzz_command_lines": {
        "crlf": b"\x01one\r\ntwo\nthree", "mark": b"\x00" + BYTE_ORDER_MARK + b"one\n\n",
        "two_marks": b"\x00" + 2 * BYTE_ORDER_MARK, "nul": b"\x02one\n\0two",
        "returns": b"\x00\r\r\n\n\r"},
    "fuzz_command_options": {
        "short": b"-mM\n-t\na\nb\n-l\n1e-3", "long": b"--model\nM\n--train-sets\na\nb\n--seed=5",
        "equals": b"--model=M\n--train-sets=a\nb\n--dropout=0.1\n--quiet=false",
        "limits": b"-m\nM\n-t\na\nb\n--after\n20Ku\n--valid-freq\n1Ku\n--disp-freq=10e",
        "optimizer": b"-m\nM\n-t\na\nb\n--optimizer\nsgd\n--optimizer-params\n0.9\n-0.1",
        "norm": b"-m\nM\n-t\na\nb\n--transformer-preprocess\nn\n--transformer-postprocess=da",
        "corpora": b"-m\nM\n-t\na\nb\nc\nd\n--train-ratios\n1\n2\n--data-weighting\nx\ny",
        "fields": b"-m\nM\n--tsv\n-t\n-\n--shuffle=none\n--data-weighting\n2\n--tsv-fields=4"
                  b"\n--guided-alignment=3",
        "drawn": b"-m\nM\n-t\na\nb\n--sentencepiece-alphas\n0.1\n-1\n-T\nD",
        "help": b"--help", "unknown": b"--modle\nM", "choice": b"--task\ntinny"},
}


def main():
    corpus = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    if corpus == CORPUS:
        shutil.rmtree(corpus, ignore_errors=True)
    for target, inputs in SEEDS.items():
        folder = corpus / target
        folder.mkdir(parents=True)
        for name, data in inputs.items():
            (folder / f"{target.split('_', 1)[1]}-{name}").write_bytes(data)


if __name__ == "__main__":
    main()
