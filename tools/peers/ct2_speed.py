#!/usr/bin/env python3
"""CTranslate2's side of tools/bench-compare: times translation with a random model of a task's shape.

    ct2_speed.py --task small --sentences 64 --source-length 24 --target-length 32 [--beam-size 4]

Every translation has --target-length tokens. Prints one JSON object; medians over --steps after
--warmup. Needs ctranslate2 and PyTorch (for the shapes of torch_model.py).
"""
import argparse
import json
import random
import statistics
import tempfile
import time

import ctranslate2
import numpy as np
from ctranslate2.specs import Activation, TransformerSpec

from torch_model import TASKS


def fill_linear(linear, rng, rows, cols):
    bound = (6 / (rows + cols)) ** 0.5
    linear.weight = rng.uniform(-bound, bound, (rows, cols)).astype(np.float32)
    linear.bias = np.zeros(rows, np.float32)


def fill_attention(attention, rng, width, projections):
    """projections: how many matrices each linear layer joins."""
    for linear, num in zip(attention.linear, projections):
        fill_linear(linear, rng, num * width, width)
    fill_norm(attention.layer_norm, width)


def fill_norm(norm, width):
    norm.gamma, norm.beta = np.ones(width, np.float32), np.zeros(width, np.float32)


def random_model(config, rng):
    spec = TransformerSpec.from_config((config.encoder_layers, config.decoder_layers), config.heads,
                                       pre_norm=False, activation=Activation.RELU)
    width = config.d_model
    embeddings = rng.normal(0, width**-0.5, (config.vocab_size, width)).astype(np.float32)
    for weights in spec.encoder.embeddings[0], spec.decoder.embeddings, spec.decoder.projection:
        weights.weight = embeddings
    for layer in [*spec.encoder.layer, *spec.decoder.layer]:
        fill_attention(layer.self_attention, rng, width, [3, 1])
        if hasattr(layer, "attention"):
            fill_attention(layer.attention, rng, width, [1, 2, 1])
        fill_linear(layer.ffn.linear_0, rng, config.ffn_dim, width)
        fill_linear(layer.ffn.linear_1, rng, width, config.ffn_dim)
        fill_norm(layer.ffn.layer_norm, width)
    words = ["<unk>", "<s>", "</s>", *(f"w{i}" for i in range(config.vocab_size - 3))]
    spec.register_source_vocabulary(words)
    spec.register_target_vocabulary(words)
    spec.validate()
    spec.optimize()
    return spec, words[3:]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=TASKS, default="small")
    parser.add_argument("--sentences", type=int, default=64)
    parser.add_argument("--source-length", type=int, default=24, help="with </s>")
    parser.add_argument("--target-length", type=int, default=32)
    parser.add_argument("--beam-size", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--steps", type=int, default=15)
    args = parser.parse_args()
    spec, words = random_model(TASKS[args.task], np.random.default_rng(1))
    rng = random.Random(1)
    batch = [[*rng.choices(words, k=args.source_length - 1), "</s>"]
             for _ in range(args.sentences)]
    with tempfile.TemporaryDirectory() as folder:
        spec.save(folder)
        translator = ctranslate2.Translator(folder, device="cpu", compute_type="float32",
                                            inter_threads=1, intra_threads=args.threads)
    times = []
    for _ in range(args.warmup + args.steps):
        begin = time.perf_counter()
        results = translator.translate_batch(
            batch, beam_size=args.beam_size, max_batch_size=0,
            min_decoding_length=args.target_length, max_decoding_length=args.target_length)
        times.append(time.perf_counter() - begin)
        assert all(len(result.hypotheses[0]) == args.target_length for result in results)
    median = statistics.median(times[args.warmup:])
    print(json.dumps({"what": "translate", "config": args.task,
                      "device": f"cpu, {args.threads} threads", "dtype": "fp32",
                      "ctranslate2": ctranslate2.__version__, "batch_ms_median": 1e3 * median,
                      "sentences_per_s": args.sentences / median,
                      "target_tokens_per_s": args.sentences * args.target_length / median}))


if __name__ == "__main__":
    main()
