"""vkseq's Transformer in PyTorch: the peer that its speed and quality are compared with.

Batches are padded and masked, attention is PyTorch's fused one, parameters carry Hugging Face's
Marian names. <pad> is the last id: its embedding is zero and frozen, it starts the decoder and is
never predicted. Needs PyTorch 2.1 or later.
"""
import dataclasses
import math

import torch
import torch.nn.functional as F
from torch import nn

MAX_POSITIONS = 1024
IGNORED = -100  # in tgt_out, where a target is padded


@dataclasses.dataclass(frozen=True)
class Config:
    d_model: int
    ffn_dim: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    vocab_size: int
    activation: str = "relu"
    normalize_before: bool = False

    @property
    def pad_id(self):
        return self.vocab_size - 1


TASKS = {
    "tiny": Config(64, 256, 4, 2, 2, 1000),
    "demo": Config(128, 512, 4, 2, 2, 4000),
    "small": Config(256, 1024, 4, 3, 3, 8000),
    "base": Config(512, 2048, 8, 6, 6, 16000),
    "transformer-base": Config(512, 2048, 8, 6, 6, 16000),
    "big": Config(1024, 4096, 16, 6, 6, 32000),
    "transformer-big": Config(1024, 4096, 16, 6, 6, 32000),
}

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu, "swish": F.silu}


def config_from_json(values):
    """From the config.json of a model directory: tied embeddings, the same heads on both sides."""
    return Config(values["d_model"], values["encoder_ffn_dim"], values["encoder_attention_heads"],
                  values["encoder_layers"], values["decoder_layers"], values["vocab_size"],
                  values["activation_function"],
                  values.get("normalize_before", values["model_type"] == "pegasus"))


def source_mask(src, config):
    """[B, 1, 1, S], true where there is a word; None if every source is as long."""
    mask = src != config.pad_id
    return None if mask.all() else mask[:, None, None, :]


class Attention(nn.Module):
    def __init__(self, config, dropout):
        super().__init__()
        self.heads, self.dropout = config.heads, dropout
        for name in "q_proj", "k_proj", "v_proj", "out_proj":
            setattr(self, name, nn.Linear(config.d_model, config.d_model))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def keys_and_values(self, memory):
        return self.split(self.k_proj(memory)), self.split(self.v_proj(memory))

    def forward(self, x, keys_values, mask=None, causal=False):
        y = F.scaled_dot_product_attention(
            self.split(self.q_proj(x)), *keys_values, attn_mask=mask, is_causal=causal,
            dropout_p=self.dropout if self.training else 0.0)
        return self.out_proj(y.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, config, dropout, attention_dropout, ffn_dropout, has_memory):
        super().__init__()
        self.normalize_before = config.normalize_before
        self.activation = ACTIVATIONS[config.activation]
        self.dropout, self.ffn_dropout = nn.Dropout(dropout), nn.Dropout(ffn_dropout)
        self.self_attn = Attention(config, attention_dropout)
        self.self_attn_layer_norm = nn.LayerNorm(config.d_model)
        if has_memory:
            self.encoder_attn = Attention(config, attention_dropout)
            self.encoder_attn_layer_norm = nn.LayerNorm(config.d_model)
        self.fc1 = nn.Linear(config.d_model, config.ffn_dim)
        self.fc2 = nn.Linear(config.ffn_dim, config.d_model)
        self.final_layer_norm = nn.LayerNorm(config.d_model)

    def residual(self, norm, x, block):
        if self.normalize_before:
            return x + self.dropout(block(norm(x)))
        return norm(x + self.dropout(block(x)))

    def feed_forward(self, x):
        return self.fc2(self.ffn_dropout(self.activation(self.fc1(x))))

    def forward(self, x, mask=None, causal=False, memory=None, memory_mask=None):
        """memory: keys and values that self.encoder_attn made of the encoder's output."""
        x = self.residual(
            self.self_attn_layer_norm, x,
            lambda y: self.self_attn(y, self.self_attn.keys_and_values(y), mask, causal))
        return self.after_self_attention(x, memory, memory_mask)

    def after_self_attention(self, x, memory, memory_mask):
        if memory is not None:
            x = self.residual(self.encoder_attn_layer_norm, x,
                              lambda y: self.encoder_attn(y, memory, memory_mask))
        return self.residual(self.final_layer_norm, x, self.feed_forward)

    def step(self, x, cache, memory, memory_mask):
        """One target position, with the keys and values of those before it in cache."""
        def attend(y):
            keys, values = self.self_attn.keys_and_values(y)
            if "keys" in cache:
                keys = torch.cat([cache["keys"], keys], 2)
                values = torch.cat([cache["values"], values], 2)
            cache["keys"], cache["values"] = keys, values
            return self.self_attn(y, (keys, values))

        x = self.residual(self.self_attn_layer_norm, x, attend)
        return self.after_self_attention(x, memory, memory_mask)


class Stack(nn.Module):
    def __init__(self, config, dropouts, is_decoder):
        super().__init__()
        num_layers = config.decoder_layers if is_decoder else config.encoder_layers
        self.layers = nn.ModuleList(
            Layer(config, *dropouts, is_decoder) for _ in range(num_layers))
        if config.normalize_before:
            self.layer_norm = nn.LayerNorm(config.d_model)

    def finish(self, x):
        return self.layer_norm(x) if hasattr(self, "layer_norm") else x


class Transformer(nn.Module):
    def __init__(self, config, dropout=0.0, attention_dropout=0.0, ffn_dropout=0.0):
        super().__init__()
        self.config, self.dropout = config, nn.Dropout(dropout)
        self.model = nn.Module()
        self.model.shared = nn.Embedding(config.vocab_size, config.d_model, config.pad_id)
        dropouts = dropout, attention_dropout, ffn_dropout
        self.model.encoder = Stack(config, dropouts, False)
        self.model.decoder = Stack(config, dropouts, True)
        rate = 10000.0 ** (-torch.arange(0, config.d_model, 2) / config.d_model)
        angle = torch.arange(MAX_POSITIONS)[:, None] * rate
        positions = torch.cat([angle.sin(), angle.cos()], 1)
        self.register_buffer("positions", positions, persistent=False)
        self.reset_parameters()

    def reset_parameters(self):
        for name, p in self.named_parameters():
            if name == "model.shared.weight":
                nn.init.normal_(p, 0, self.config.d_model**-0.5)
                p.data[self.config.pad_id] = 0
            elif p.dim() == 2:
                nn.init.xavier_uniform_(p)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def embed(self, ids, position=0):
        x = self.model.shared(ids) * math.sqrt(self.config.d_model)
        return self.dropout(x + self.positions[position:position + ids.shape[1]])

    def encode(self, src, mask):
        x = self.embed(src)
        for layer in self.model.encoder.layers:
            x = layer(x, mask)
        return self.model.encoder.finish(x)

    def output(self, x):
        """Logits of every id but <pad>, which is the last."""
        return F.linear(x, self.model.shared.weight[:-1])

    def forward(self, src, tgt_in, src_mask=None):
        """Logits [B, T, V - 1]."""
        memory = self.encode(src, src_mask)
        x = self.embed(tgt_in)
        for layer in self.model.decoder.layers:
            x = layer(x, causal=True, memory=layer.encoder_attn.keys_and_values(memory),
                      memory_mask=src_mask)
        return self.output(self.model.decoder.finish(x))

    def loss(self, src, tgt_in, tgt_out, src_mask=None, label_smoothing=0.1, reduction="mean"):
        """Cross-entropy over the target tokens that are not IGNORED, smoothed over V - 1 ids."""
        logits = self(src, tgt_in, src_mask).flatten(0, 1).float()
        return F.cross_entropy(logits, tgt_out.flatten(), ignore_index=IGNORED,
                               label_smoothing=label_smoothing, reduction=reduction)

    @torch.inference_mode()
    def greedy(self, src, max_length, eos_id=None):
        """Target ids, a list for each source, without eos_id. eos_id None: all of max_length."""
        mask = source_mask(src, self.config)
        memory = self.encode(src, mask)
        layers = self.model.decoder.layers
        memories = [layer.encoder_attn.keys_and_values(memory) for layer in layers]
        caches = [{} for _ in layers]
        token = torch.full((len(src), 1), self.config.pad_id, device=src.device)
        ended = torch.zeros(len(src), 1, dtype=torch.bool, device=src.device)
        tokens = []
        for position in range(max_length):
            x = self.embed(token, position)
            for layer, cache, keys_values in zip(layers, caches, memories):
                x = layer.step(x, cache, keys_values, mask)
            token = self.output(self.model.decoder.finish(x))[:, -1].argmax(-1, keepdim=True)
            tokens.append(token)
            if eos_id is not None:
                ended |= token == eos_id
                if ended.all():
                    break
        rows = torch.cat(tokens, 1).tolist()
        return [row[:row.index(eos_id)] if eos_id in row else row for row in rows]


    @torch.inference_mode()
    def beam(self, src, length, size):
        """Beam search to a fixed length, for its speed: ids [B, length] of the best hypotheses."""
        mask = source_mask(src, self.config)
        memory = self.encode(src, mask).repeat_interleave(size, 0)
        mask = None if mask is None else mask.repeat_interleave(size, 0)
        layers = self.model.decoder.layers
        memories = [layer.encoder_attn.keys_and_values(memory) for layer in layers]
        caches = [{} for _ in layers]
        first = torch.arange(len(src), device=src.device)[:, None] * size
        token = torch.full((len(memory), 1), self.config.pad_id, device=src.device)
        tokens = token[:, :0]
        sums = torch.full((len(src), size), -torch.inf, device=src.device)
        sums[:, 0] = 0  # all hypotheses of a sentence are the same one at first
        for position in range(length):
            x = self.embed(token, position)
            for layer, cache, keys_values in zip(layers, caches, memories):
                x = layer.step(x, cache, keys_values, mask)
            logits = self.output(self.model.decoder.finish(x))[:, -1]
            scores = sums[:, :, None] + logits.log_softmax(-1).unflatten(0, (-1, size))
            sums, best = scores.flatten(1).topk(size)
            rows = (first + best // logits.shape[1]).flatten()
            token = (best % logits.shape[1]).flatten()[:, None]
            tokens = torch.cat([tokens[rows], token], 1)
            for cache in caches:
                cache["keys"], cache["values"] = cache["keys"][rows], cache["values"][rows]
        return tokens[::size]


def padded_batch(pairs, config, eos_id=0, device="cpu"):
    """src, tgt_in, tgt_out, src_mask of (source ids, target ids) without </s>."""
    def tensor(rows, filler):
        width = max(map(len, rows))
        return torch.tensor([row + [filler] * (width - len(row)) for row in rows], device=device)

    src = tensor([s + [eos_id] for s, _ in pairs], config.pad_id)
    tgt_in = tensor([[config.pad_id] + t for _, t in pairs], config.pad_id)
    tgt_out = tensor([t + [eos_id] for _, t in pairs], IGNORED)
    return src, tgt_in, tgt_out, source_mask(src, config)
