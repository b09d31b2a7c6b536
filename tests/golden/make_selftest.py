#!/usr/bin/env python3
"""Computes the losses that `vkseq selftest` knows (src/selftest/training.c), in float64.

    VKSEQ_WRITE_GOLDEN=FOLDER build/dev/tests/test_selftest_training
    make_selftest.py FOLDER

The first writes the untrained model, in Hugging Face's layout; the second prints the losses as C.
The model is that of make_transformer.py; sentences, batches and updates are restated here. Needs
PyTorch, numpy and safetensors.
"""
import pathlib
import sys

import torch
from safetensors.torch import load_file

from make_transformer import EOS, Model, batch_loss, freeze_pad, make_batch, parameter_shapes

CONFIG = {"d_model": 32, "heads": 4, "ffn_dim": 64, "encoder_layers": 2, "decoder_layers": 2,
          "vocab_size": 20, "activation_function": "gelu", "normalize_before": False}
NUM_SENTENCES, BATCH_SENTENCES, MAX_TOKENS, UPDATES = 32, 8, 7, 40
LEARNING_RATE, CLIP_NORM = 2e-3, 1.0


def sentence(idx):
    length = 2 + idx % (MAX_TOKENS - 2)
    return [1 + (7 * idx + 3 * i * i + 5 * i) % (CONFIG["vocab_size"] - 2) for i in range(length)]


def batch(idx):
    words = [sentence((idx * BATCH_SENTENCES + i) % NUM_SENTENCES)
             for i in range(BATCH_SENTENCES)]
    return make_batch([torch.tensor(w + [EOS]) for w in words],
                      [torch.tensor(w[::-1] + [EOS]) for w in words], CONFIG["vocab_size"] - 1)


def main():
    tensors = load_file(pathlib.Path(sys.argv[1]) / "model.safetensors")
    params = {name: tensors[name].to(torch.float64).requires_grad_()
              for name in parameter_shapes(CONFIG)}
    model = Model(CONFIG, params)
    optimizer = torch.optim.Adam(params.values(), LEARNING_RATE, (0.9, 0.98), 1e-9)
    for update in range(UPDATES):
        optimizer.zero_grad()
        loss = batch_loss(model, batch(update))
        loss.backward()
        freeze_pad(params)
        norm = torch.stack([p.grad.norm() for p in params.values()]).norm()
        for p in params.values():
            p.grad *= min(1.0, CLIP_NORM / norm.item())
        optimizer.step()
        print(f"{loss.item():.9f},", end="\n" if update % 8 == 7 else " ")


if __name__ == "__main__":
    main()
