#!/usr/bin/env python3
"""PyTorch's side of tools/quality-compare: trains on the batches that vkseq trained on.

    torch_quality.py --model DIR --train-sets T.en T.de --valid-sets V.en V.de \\
        --batches BATCHES --init INITIAL.safetensors --dropout 0 --lr-warmup 100
    torch_quality.py --model DIR --valid-sets V.en V.de --init DIR/model.safetensors --updates 0

DIR is a model directory of vkseq with tied embeddings and a joint vocabulary; its config.json,
vocab.json, source.spm and target.spm fix the model and the words' ids. BATCHES is what `vkseq
train --dump-batches` writes: a line for each update, the pairs of its batch as line numbers of the
training text that begin at 0. Without it batches are made here, of at most --mini-batch-words
tokens a side, padding included. INITIAL holds weights under Hugging Face's names; without it they
are Xavier's. Adam 0.9/0.98/1e-9, linear warm-up, then --lr-schedule as in `vkseq train`.

Prints one JSON object; valid_ce_mean_words is the cross-entropy of a target word, </s> included,
without label smoothing. Needs PyTorch 2.1 or later, sentencepiece and safetensors.
"""
import argparse
import json
import math
import pathlib
import random
import sys
import time

import sentencepiece
import torch
from safetensors.torch import load_file

from torch_model import MAX_POSITIONS, Transformer, config_from_json, padded_batch

POOL_PAIRS = 4000
REPORT_EVERY = 100


class Vocabulary:
    """A joint one: pieces of either side's SentencePiece model, ids of vocab.json."""

    def __init__(self, model_dir):
        if (model_dir / "target_vocab.json").exists():
            sys.exit(f"torch_quality.py: {model_dir}: expected a joint vocabulary, not two")
        self.ids = json.loads((model_dir / "vocab.json").read_text(encoding="utf-8"))
        self.pieces = {idx: piece for piece, idx in self.ids.items()}
        self.eos_id, self.unk_id = self.ids["</s>"], self.ids["<unk>"]
        self.models = [sentencepiece.SentencePieceProcessor(model_file=str(model_dir / name))
                       for name in ("source.spm", "target.spm")]

    def encode_file(self, path, side):
        """Ids of each line, without </s>; side 0 is the source."""
        with open(path, encoding="utf-8", newline="\n") as file:
            lines = self.models[side].encode([line.rstrip("\r\n") for line in file], out_type=str)
        return [[self.ids.get(piece, self.unk_id) for piece in line] for line in lines]

    def decode(self, ids):
        return self.models[1].decode_pieces([self.pieces[idx] for idx in ids])


def read_pairs(vocabulary, paths):
    sides = [vocabulary.encode_file(path, side) for side, path in enumerate(paths)]
    if len(sides[0]) != len(sides[1]):
        sys.exit(f"torch_quality.py: {paths[0]} has {len(sides[0])} lines, "
                 f"{paths[1]} has {len(sides[1])}")
    return list(zip(*sides))


def width(pair):
    return max(map(len, pair)) + 1


def cut_batches(pairs, words):
    """Of pairs in order of length: as many in a batch as words allow, padding included."""
    batches = [[]]
    for pair in sorted(pairs, key=lambda p: (width(p), len(p[0]) + len(p[1]))):
        if batches[-1] and width(pair) * (len(batches[-1]) + 1) > words:
            batches.append([])
        batches[-1].append(pair)
    return batches


def dumped_batches(pairs, path):
    with open(path, encoding="ascii") as file:
        for line in file:
            yield [pairs[int(idx)] for idx in line.split()]


def shuffled_batches(pairs, words, rng):
    pairs = [pair for pair in pairs if pair[0] and pair[1] and width(pair) <= MAX_POSITIONS]
    while True:
        rng.shuffle(pairs)
        for begin in range(0, len(pairs), POOL_PAIRS):
            batches = cut_batches(pairs[begin:begin + POOL_PAIRS], words)
            rng.shuffle(batches)
            yield from batches


def load_weights(model, path):
    """Tensors that the model does not have (tied copies, tables of positions) are ignored."""
    missing, _ = model.load_state_dict(load_file(path), strict=False)
    if missing:
        sys.exit(f"torch_quality.py: {path}: no tensor {missing[0]}")


def learn_rate(update, args):
    """As src/train/schedule.c computes it."""
    warmup = args.lr_warmup
    if update < warmup:
        return args.learn_rate * update / warmup
    if args.lr_schedule == "inv-sqrt":
        return args.learn_rate * (max(warmup, 1) / update) ** 0.5
    last = args.lr_schedule_updates
    progress = (min(update, last) - warmup) / (last - warmup + 1)
    factors = {"linear": 1 - progress, "cosine": (1 + math.cos(math.pi * progress)) / 2,
               "constant": 1}
    return args.learn_rate * factors[args.lr_schedule]


def train(model, batches, vocabulary, args):
    """Number of updates made."""
    optimizer = torch.optim.Adam(model.parameters(), args.learn_rate, (0.9, 0.98), 1e-9)
    update = num_words = 0
    total, mark = 0.0, time.time()
    model.train()
    for batch in batches:
        if update == args.updates or time.time() - args.begin > 60 * args.max_minutes:
            break
        update += 1
        for group in optimizer.param_groups:
            group["lr"] = learn_rate(update, args)
        data = padded_batch(batch, model.config, vocabulary.eos_id, args.device)
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(*data, label_smoothing=args.label_smoothing)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip_norm)
        optimizer.step()
        words = sum(len(tgt) + 1 for _, tgt in batch)
        total, num_words = total + loss.item() * words, num_words + words
        if update % REPORT_EVERY == 0:
            print(f"update {update}: cost {total / num_words:.4f}, "
                  f"{num_words / (time.time() - mark):.0f} target words/s", file=sys.stderr)
            total, num_words, mark = 0.0, 0, time.time()
    return update


@torch.inference_mode()
def validate(model, pairs, vocabulary, args):
    """Cross-entropy per target word, and the number of words."""
    model.eval()
    total = words = 0
    for batch in cut_batches(pairs, args.mini_batch_words):
        data = padded_batch(batch, model.config, vocabulary.eos_id, args.device)
        total += model.loss(*data, label_smoothing=0.0, reduction="sum").item()
        words += sum(len(tgt) + 1 for _, tgt in batch)
    return total / words, words


def translate(model, vocabulary, args):
    """Greedy, sources of like length together; written in the order of the lines."""
    model.eval()
    sources = vocabulary.encode_file(args.input, 0)
    order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
    lines = [""] * len(sources)
    for begin in range(0, len(order), args.mini_batch):
        chosen = order[begin:begin + args.mini_batch]
        src = padded_batch([(sources[i], []) for i in chosen], model.config, vocabulary.eos_id,
                           args.device)[0]
        max_length = min(int(args.max_length_factor * src.shape[1]) + 1, MAX_POSITIONS)
        for i, ids in zip(chosen, model.greedy(src, max_length, vocabulary.eos_id)):
            lines[i] = vocabulary.decode(ids)
    pathlib.Path(args.output).write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--train-sets", nargs=2)
    parser.add_argument("--valid-sets", nargs=2)
    parser.add_argument("--batches")
    parser.add_argument("--init")
    parser.add_argument("--input", help="text to translate greedily after training")
    parser.add_argument("--output", help="the translations")
    parser.add_argument("--updates", type=int, default=-1, help="default: all of BATCHES")
    parser.add_argument("--max-minutes", type=float, default=1e9)
    parser.add_argument("--mini-batch-words", type=int, default=1536)
    parser.add_argument("--mini-batch", type=int, default=64, help="sources translated at once")
    parser.add_argument("--max-length-factor", type=float, default=3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--attention-dropout", type=float, default=0.0)
    parser.add_argument("--ffn-dropout", type=float, default=0.0)
    parser.add_argument("--label-smoothing", type=float, default=0.1)
    parser.add_argument("--learn-rate", type=float, default=1e-3)
    parser.add_argument("--lr-warmup", type=int, default=2000)
    parser.add_argument("--lr-schedule", default="inv-sqrt",
                        choices=["inv-sqrt", "linear", "cosine", "constant"])
    parser.add_argument("--lr-schedule-updates", type=int, help="where linear and cosine end")
    parser.add_argument("--clip-norm", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    if bool(args.input) != bool(args.output):
        parser.error("--input and --output go together")
    if args.lr_schedule in ("linear", "cosine") and not args.lr_schedule_updates:
        parser.error("--lr-schedule linear and cosine need --lr-schedule-updates")
    if args.updates and not args.train_sets:
        parser.error("--train-sets is needed unless --updates is 0")
    return args


def main():
    args = parse_args()
    args.begin = time.time()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    vocabulary = Vocabulary(args.model)
    config = config_from_json(json.loads((args.model / "config.json").read_text("utf-8")))
    model = Transformer(config, args.dropout, args.attention_dropout, args.ffn_dropout)
    if args.init:
        load_weights(model, args.init)
    model.to(args.device)
    result = {"updates": 0}
    if args.updates:
        pairs = read_pairs(vocabulary, args.train_sets)
        batches = (dumped_batches(pairs, args.batches) if args.batches else
                   shuffled_batches(pairs, args.mini_batch_words, random.Random(args.seed)))
        args.begin = time.time()
        result["updates"] = train(model, batches, vocabulary, args)
    result["seconds"] = time.time() - args.begin
    if args.valid_sets:
        pairs = read_pairs(vocabulary, args.valid_sets)
        result["valid_ce_mean_words"], result["valid_words"] = validate(model, pairs, vocabulary,
                                                                        args)
    if args.input:
        translate(model, vocabulary, args)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
