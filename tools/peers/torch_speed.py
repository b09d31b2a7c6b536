#!/usr/bin/env python3
"""PyTorch's side of tools/bench-compare: times training, translation or matrix products.

    torch_speed.py train --task small [--lengths FILE --mini-batch-words 2048]
    torch_speed.py translate --task small --sentences 64 --source-length 24 --target-length 32
                             [--beam-size 4]
    torch_speed.py gemm --shapes 1024x1024x1024,2048x512x512

--lengths FILE has a line per sentence pair, "source_tokens target_tokens", </s> not counted.
Batches are taken from pools of 100 batches, sorted by length, so that little is padded, and hold
at most --mini-batch-words tokens a side, padding included. Without it a batch is 32 pairs of
--source-length tokens. Tokens per second count target tokens with </s>, without padding.
Prints one JSON object; medians over --steps after --warmup.
"""
import argparse
import json
import random
import statistics
import time

import torch

from torch_model import TASKS, Transformer, padded_batch

POOL_BATCHES = 100
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def read_lengths(path):
    with open(path, encoding="utf-8") as file:
        return [tuple(map(int, line.split()[:2])) for line in file]


def width(pair):
    return max(pair) + 1


def batches_of_lengths(pairs, words, rng):
    """Lists of length pairs, without end."""
    mean_width = sum(map(width, pairs)) / len(pairs)
    pool_pairs = max(1, int(POOL_BATCHES * words / mean_width))
    while True:
        rng.shuffle(pairs)
        for begin in range(0, len(pairs), pool_pairs):
            batches = [[]]
            for pair in sorted(pairs[begin:begin + pool_pairs], key=lambda p: (max(p), min(p))):
                if batches[-1] and width(pair) * (len(batches[-1]) + 1) > words:
                    batches.append([])
                batches[-1].append(pair)
            rng.shuffle(batches)
            yield from batches


def training_batches(args, config, rng):
    """(tensors, number of target tokens) of random words, without end."""
    if args.lengths:
        batches = batches_of_lengths(read_lengths(args.lengths), args.mini_batch_words, rng)
    else:
        batches = iter(lambda: [(args.source_length - 1,) * 2] * 32, None)
    for lengths in batches:
        pairs = [tuple([rng.randrange(2, config.pad_id) for _ in range(n)] for n in pair)
                 for pair in lengths]
        yield (padded_batch(pairs, config, device=args.device),
               sum(len(tgt) + 1 for _, tgt in pairs))


def synchronize(args):
    if args.device == "cuda":
        torch.cuda.synchronize()


def timed(args, step):
    """Seconds of each of args.steps calls of step, after args.warmup calls."""
    times = []
    for _ in range(args.warmup + args.steps):
        synchronize(args)
        begin = time.perf_counter()
        step()
        synchronize(args)
        times.append(time.perf_counter() - begin)
    return times[args.warmup:]


def train(args):
    config = TASKS[args.task]
    model = Transformer(config, args.dropout, args.dropout).to(args.device).train()
    loss_of = torch.compile(model.loss, dynamic=bool(args.lengths)) if args.compile else model.loss
    optimizer = torch.optim.Adam(model.parameters(), 1e-4, (0.9, 0.98), 1e-9,
                                 fused=args.device == "cuda" or None)
    scaler = torch.amp.GradScaler(args.device, enabled=args.dtype == "fp16")
    endless = training_batches(args, config, random.Random(1))
    batches = [next(endless) for _ in range(args.warmup + args.steps)]
    waiting = iter(batches)

    def step():
        data, _ = next(waiting)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(args.device, DTYPES[args.dtype], enabled=args.dtype != "fp32"):
            loss = loss_of(*data)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()

    times = timed(args, step)
    tokens = sum(num for _, num in batches[args.warmup:])
    return {"parameters": sum(p.numel() for p in model.parameters()),
            "step_ms_median": 1e3 * statistics.median(times),
            "target_tokens_per_s": tokens / sum(times),
            "peak_device_bytes":
                torch.cuda.max_memory_allocated() if args.device == "cuda" else None}


def translate(args):
    config = TASKS[args.task]
    model = Transformer(config).to(args.device, DTYPES[args.dtype]).eval()
    src = torch.randint(2, config.pad_id, (args.sentences, args.source_length),
                        device=args.device)

    def step():
        if args.beam_size > 1:
            model.beam(src, args.target_length, args.beam_size)
        else:
            model.greedy(src, args.target_length)

    median = statistics.median(timed(args, step))
    return {"parameters": sum(p.numel() for p in model.parameters()),
            "batch_ms_median": 1e3 * median,
            "sentences_per_s": args.sentences / median,
            "target_tokens_per_s": args.sentences * args.target_length / median}


def gemm(args):
    gflops = {}
    for shape in args.shapes.split(","):
        m, n, k = map(int, shape.split("x"))
        a = torch.randn(m, k, device=args.device, dtype=DTYPES[args.dtype])
        b = torch.randn(n, k, device=args.device, dtype=DTYPES[args.dtype])
        flops = 2 * m * n * k
        repeats = max(1, int((2e12 if args.device == "cuda" else 4e10) / flops))

        def step():
            for _ in range(repeats):
                torch.nn.functional.linear(a, b)

        gflops[shape] = flops * repeats / statistics.median(timed(args, step)) / 1e9
    return {"gflops": gflops}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "translate", "gemm"])
    parser.add_argument("--task", choices=TASKS, default="small")
    parser.add_argument("--lengths", help="training: file of sentence lengths")
    parser.add_argument("--mini-batch-words", type=int, default=2048)
    parser.add_argument("--dropout", type=float, default=0.1, help="of attention, too")
    parser.add_argument("--sentences", type=int, default=64)
    parser.add_argument("--source-length", type=int, default=24, help="with </s>")
    parser.add_argument("--target-length", type=int, default=32)
    parser.add_argument("--beam-size", type=int, default=1)
    parser.add_argument("--shapes", default="1024x1024x1024,2048x512x512,2048x2048x512,"
                                            "2048x512x2048,32x512x512",
                        help="MxNxK, by commas")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="fp32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--steps", type=int, default=15)
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    result = {"train": train, "translate": translate, "gemm": gemm}[args.what](args)
    device = (torch.cuda.get_device_name() if args.device == "cuda"
              else f"cpu, {args.threads} threads")
    print(json.dumps({"what": args.what, "config": args.task, "device": device,
                      "dtype": args.dtype, "compile": args.compile, "torch": torch.__version__,
                      **result}))


if __name__ == "__main__":
    main()
