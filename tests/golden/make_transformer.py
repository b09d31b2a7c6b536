#!/usr/bin/env python3
"""Makes the reference dumps that vkseq's whole-model tests compare with.

    make_transformer.py            writes transformer/postnorm.safetensors and prenorm.safetensors
    make_transformer.py --check    compares the committed dumps with what this script computes

The model is restated here from its definition, in float64, one sequence at a time and without
padding, so that nothing but the definition is shared with vkseq. A dump holds (float32 or int32):

    param.NAME          parameters, under Hugging Face's names
    src, src_offsets    5 sources end to end, </s> included; source i ends before offsets[i + 1]
    tgt_in, tgt_out, tgt_offsets    what the decoder reads and what it should predict
    logits              [target tokens, V], the column of <pad> as 0 where the model has -inf
    loss, grad_norm     [1]: label-smoothed cross-entropy per target token; norm of all gradients
    grad.NAME           gradient of the loss; the row of <pad> in the embedding is zero
    adam_losses         [50]: the loss before each of 50 Adam updates on this same batch
    adamw_losses, sgd_losses    the same of AdamW with decay, and of SGD with momentum and decay
    greedy              [5, 20]: greedy translations with param.NAME, </s> included where it is
                        reached, then -1

The configuration is in the file's metadata, as strings. Needs PyTorch, numpy and safetensors.
"""
import argparse
import math
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

SRC_LENGTHS = [1, 7, 13, 4, 9]  # </s> included
TGT_LENGTHS = [5, 1, 11, 8, 3]
REHEARSAL_LENGTHS = [12, 3, 24, 1, 7]
REHEARSAL_UPDATES = 80
EOS = 0
LABEL_SMOOTHING = 0.1
NORM_EPS = 1e-5
UPDATES = 50
MAX_GREEDY = 20

CONFIGS = {
    "postnorm": {"d_model": 32, "heads": 4, "ffn_dim": 48, "encoder_layers": 2,
                 "decoder_layers": 2, "vocab_size": 61, "activation_function": "relu",
                 "normalize_before": False, "seed": 1},
    "prenorm": {"d_model": 24, "heads": 2, "ffn_dim": 40, "encoder_layers": 1,
                "decoder_layers": 2, "vocab_size": 53, "activation_function": "gelu",
                "normalize_before": True, "seed": 2},
}


def parameter_shapes(config):
    """Name to shape, in Hugging Face's Marian (post-norm) or Pegasus (pre-norm) form."""
    d, ffn = config["d_model"], config["ffn_dim"]
    shapes = {"model.shared.weight": (config["vocab_size"], d)}

    def linear(name, num_out, num_in):
        shapes[name + ".weight"], shapes[name + ".bias"] = (num_out, num_in), (num_out,)

    def norm(name):
        shapes[name + ".weight"], shapes[name + ".bias"] = (d,), (d,)

    for side in "encoder", "decoder":
        for i in range(config[side + "_layers"]):
            layer = f"model.{side}.layers.{i}."
            for block in ["self_attn"] + ["encoder_attn"] * (side == "decoder"):
                for projection in "q_proj", "k_proj", "v_proj", "out_proj":
                    linear(f"{layer}{block}.{projection}", d, d)
                norm(f"{layer}{block}_layer_norm")
            linear(layer + "fc1", ffn, d)
            linear(layer + "fc2", d, ffn)
            norm(layer + "final_layer_norm")
        if config["normalize_before"]:
            norm(f"model.{side}.layer_norm")
    return shapes


def initial_parameters(config, rng):
    """Random float32 values, held as float64: nothing is left at 0 or 1, so no gradient hides."""
    params = {}
    for name, shape in parameter_shapes(config).items():
        if name == "model.shared.weight":
            value = torch.randn(shape, generator=rng) * config["d_model"] ** -0.5
            value[-1] = 0  # <pad>
        elif len(shape) == 2:
            bound = math.sqrt(6 / (shape[0] + shape[1]))  # Xavier
            value = (2 * torch.rand(shape, generator=rng) - 1) * bound
        else:
            value = 0.1 * torch.randn(shape, generator=rng)
            if name.endswith("norm.weight"):
                value += 1
        params[name] = value.to(torch.float64).requires_grad_()
    return params


class Model:
    """One sequence at a time; activations are [length, d_model]."""

    def __init__(self, config, params):
        self.config, self.params = config, params
        self.activation = {"relu": F.relu, "gelu": F.gelu}[config["activation_function"]]

    def linear(self, name, x):
        return x @ self.params[name + ".weight"].T + self.params[name + ".bias"]

    def norm(self, name, x):
        centred = x - x.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        y = centred / torch.sqrt(variance + NORM_EPS)
        return y * self.params[name + ".weight"] + self.params[name + ".bias"]

    def attention(self, name, x, memory, causal):
        heads = self.config["heads"]
        q, k, v = (self.linear(f"{name}.{p}_proj", y).unflatten(-1, (heads, -1)).transpose(0, 1)
                   for p, y in (("q", x), ("k", memory), ("v", memory)))
        scores = q @ k.transpose(1, 2) * q.shape[-1] ** -0.5
        if causal:
            future = torch.ones(scores.shape[1:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(future, -math.inf)
        y = (scores.softmax(-1) @ v).transpose(0, 1).flatten(1)
        return self.linear(name + ".out_proj", y)

    def residual(self, norm_name, x, block):
        if self.config["normalize_before"]:
            return x + block(self.norm(norm_name, x))
        return self.norm(norm_name, x + block(x))

    def feed_forward(self, layer, x):
        return self.linear(layer + "fc2", self.activation(self.linear(layer + "fc1", x)))

    def embed(self, ids):
        d = self.config["d_model"]
        rate = 10000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
        angle = torch.arange(len(ids), dtype=torch.float64)[:, None] * rate
        positions = torch.cat([angle.sin(), angle.cos()], 1)
        return self.params["model.shared.weight"][ids] * math.sqrt(d) + positions

    def stack(self, side, ids, memory=None):
        x = self.embed(ids)
        for i in range(self.config[side + "_layers"]):
            layer = f"model.{side}.layers.{i}."
            x = self.residual(
                layer + "self_attn_layer_norm", x,
                lambda y: self.attention(layer + "self_attn", y, y, memory is not None))
            if memory is not None:
                x = self.residual(
                    layer + "encoder_attn_layer_norm", x,
                    lambda y: self.attention(layer + "encoder_attn", y, memory, False))
            x = self.residual(layer + "final_layer_norm", x,
                              lambda y: self.feed_forward(layer, y))
        if self.config["normalize_before"]:
            x = self.norm(f"model.{side}.layer_norm", x)
        return x

    def logits(self, src, tgt_in):
        """[target length, V]; <pad>, the last id, is never predicted."""
        y = self.stack("decoder", tgt_in, self.stack("encoder", src))
        logits = y @ self.params["model.shared.weight"].T
        pad_column = torch.full((len(tgt_in), 1), -math.inf, dtype=torch.float64)
        return torch.cat([logits[:, :-1], pad_column], 1)

    def greedy(self, src):
        tokens = [self.config["vocab_size"] - 1]
        while len(tokens) <= MAX_GREEDY and tokens[-1] != EOS:
            tokens.append(int(self.logits(src, torch.tensor(tokens))[-1].argmax()))
        return tokens[1:]


def label_smoothed_loss(logits, tgt_out):
    """Summed over the tokens; the smoothing mass is spread over every id but <pad>."""
    log_probs = logits[:, :-1].log_softmax(-1)
    picked = log_probs.gather(1, tgt_out[:, None]).sum()
    uniform = log_probs.mean(-1).sum()
    return -((1 - LABEL_SMOOTHING) * picked + LABEL_SMOOTHING * uniform)


def batch_loss(model, batch):
    total = sum(label_smoothed_loss(model.logits(src, tgt_in), tgt_out)
                for src, tgt_in, tgt_out in batch)
    return total / sum(len(tgt_out) for _, _, tgt_out in batch)


def random_sentences(vocab_size, lengths, rng):
    """Words are ids 1 to V - 2; lengths include </s>."""
    return [torch.cat([torch.randint(1, vocab_size - 1, (length - 1,), generator=rng),
                       torch.tensor([EOS])]) for length in lengths]


def make_batch(sources, targets, pad):
    """(source, decoder input, decoder output) of each pair."""
    return [(src, torch.cat([torch.tensor([pad]), tgt[:-1]]), tgt)
            for src, tgt in zip(sources, targets)]


def freeze_pad(params):
    params["model.shared.weight"].grad[-1] = 0


def adam(params, learning_rate=1e-3):
    return torch.optim.Adam(params, learning_rate, (0.9, 0.98), 1e-9)


def adamw(params):
    return torch.optim.AdamW(params, 1e-3, (0.9, 0.98), 1e-9, weight_decay=0.1)


def sgd(params):
    return torch.optim.SGD(params, 0.02, momentum=0.9, weight_decay=0.01)


def training_losses(model, batch, updates, optimizer):
    """Trains, and gives the loss before each update."""
    losses = []
    for _ in range(updates):
        optimizer.zero_grad()
        loss = batch_loss(model, batch)
        loss.backward()
        freeze_pad(model.params)
        optimizer.step()
        losses.append(loss.item())
    return losses


def rehearse(model, batch):
    """Teaches the model other targets than the dump's: an untrained model only repeats its first
    word, and a model taught the dump's own targets has no gradients left to compare."""
    training_losses(model, batch, REHEARSAL_UPDATES, adam(model.params.values(), 5e-3))
    for p in model.params.values():
        p.data = p.data.float().double()
        p.grad = None


def packed(sequences):
    offsets = [0]
    for sequence in sequences:
        offsets.append(offsets[-1] + len(sequence))
    return torch.cat(sequences), torch.tensor(offsets)


def make_dump(config):
    rng = torch.Generator().manual_seed(config["seed"])
    model = Model(config, initial_parameters(config, rng))
    vocab_size = config["vocab_size"]
    sources = random_sentences(vocab_size, SRC_LENGTHS, rng)
    batch = make_batch(sources, random_sentences(vocab_size, TGT_LENGTHS, rng), vocab_size - 1)
    rehearse(model, make_batch(sources, random_sentences(vocab_size, REHEARSAL_LENGTHS, rng),
                               vocab_size - 1))
    dump = {"param." + name: p.detach().clone() for name, p in model.params.items()}
    dump["src"], dump["src_offsets"] = packed([src for src, _, _ in batch])
    dump["tgt_in"], dump["tgt_offsets"] = packed([tgt_in for _, tgt_in, _ in batch])
    dump["tgt_out"], _ = packed([tgt_out for _, _, tgt_out in batch])

    with torch.no_grad():
        logits = torch.cat([model.logits(src, tgt_in) for src, tgt_in, _ in batch])
        dump["logits"] = logits.masked_fill(logits.isinf(), 0)
        rows = [model.greedy(src) for src, _, _ in batch]
        dump["greedy"] = torch.tensor([row + [-1] * (MAX_GREEDY - len(row)) for row in rows])

    loss = batch_loss(model, batch)
    loss.backward()
    freeze_pad(model.params)
    dump["loss"] = loss.detach().reshape(1)
    dump.update({"grad." + name: p.grad.clone() for name, p in model.params.items()})
    dump["grad_norm"] = torch.stack([p.grad.norm() for p in model.params.values()]).norm()[None]
    begin = {name: p.detach().clone() for name, p in model.params.items()}
    for name, make in ("adam", adam), ("adamw", adamw), ("sgd", sgd):
        for parameter, value in begin.items():
            model.params[parameter].data = value.clone()
        dump[name + "_losses"] = torch.tensor(
            training_losses(model, batch, UPDATES, make(model.params.values())))
    return {name: t.to(torch.float32 if t.is_floating_point() else torch.int32).contiguous()
            for name, t in dump.items()}


def metadata(config):
    values = {"model_type": "pegasus" if config["normalize_before"] else "marian",
              "d_model": config["d_model"], "vocab_size": config["vocab_size"],
              "normalize_before": str(config["normalize_before"]).lower(),
              "activation_function": config["activation_function"],
              "tie_word_embeddings": "true", "scale_embedding": "true",
              "label_smoothing": LABEL_SMOOTHING, "layer_norm_eps": NORM_EPS,
              "eos_token_id": EOS, "pad_token_id": config["vocab_size"] - 1,
              "decoder_start_token_id": config["vocab_size"] - 1,
              "learning_rate": 1e-3, "adam_beta1": 0.9, "adam_beta2": 0.98, "adam_eps": 1e-9}
    for side in "encoder", "decoder":
        values[side + "_layers"] = config[side + "_layers"]
        values[side + "_attention_heads"] = config["heads"]
        values[side + "_ffn_dim"] = config["ffn_dim"]
    return {name: str(value) for name, value in values.items()}


def differences(path, dump):
    """What in the file is not what was computed, one text each."""
    with safe_open(path, "pt") as file:
        if set(file.keys()) != set(dump):
            return [f"other tensors: {sorted(set(file.keys()) ^ set(dump))}"]
        return [name for name, value in dump.items()
                if not torch.allclose(file.get_tensor(name), value, rtol=1e-5, atol=1e-6)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    args = parser.parse_args()
    folder = pathlib.Path(__file__).resolve().parent / "transformer"
    failed = False
    for name, config in CONFIGS.items():
        path, dump = folder / f"{name}.safetensors", make_dump(config)
        if args.check:
            wrong = differences(path, dump)
            failed = failed or bool(wrong)
            print(f"{path.name}: {'differs in ' + ', '.join(wrong) if wrong else 'as computed'}")
        else:
            folder.mkdir(exist_ok=True)
            save_file(dump, path, metadata(config))
            print(f"{path.name}: {path.stat().st_size} bytes, loss {dump['loss'].item():.6f}, "
                  f"after Adam {dump['adam_losses'][-1]:.6f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
