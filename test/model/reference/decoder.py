#!/usr/bin/env python3
"""Decoders in numpy, after llama.cpp's src/models: what src/model/decoder.c is compared with.

    decoder.py MODEL.gguf TOKENS OUT    logits of all tokens, float32, to OUT

TOKENS is a file of int32. The weights are those that the Python package gguf makes of
the file. In float64, so that its own rounding does not count.
"""

import sys

import gguf
import numpy


class Decoder:
    def __init__(self, path):
        reader = gguf.GGUFReader(path)
        self.fields = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("tokenizer.")}
        self.architecture = self.fields["general.architecture"]
        self.weights = {tensor.name.removesuffix(".weight"): gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float64)
                        for tensor in reader.tensors}
        key = self.key
        self.hidden, self.layers, self.heads = key("embedding_length"), key("block_count"), key("attention.head_count")
        self.kv_heads = key("attention.head_count_kv", self.heads)
        self.head = key("attention.key_length", self.hidden // self.heads)
        self.dims = key("rope.dimension_count", self.head)
        self.dbrx = self.architecture == "dbrx"
        self.epsilon = key("attention.layer_norm_epsilon" if self.dbrx else "attention.layer_norm_rms_epsilon")
        self.clip = key("attention.clamp_kqv", 0)
        self.experts, self.used = key("expert_count", 0), key("expert_used_count", 0)
        self.neighbours = self.architecture == "llama"
        self.base = key("rope.freq_base", 10000.0)
        self.base_local = key("rope.freq_base_swa", 10000.0)
        self.scale = 1 / key("rope.scaling.factor", 1.0)
        gemma = self.architecture == "gemma3"
        self.window, self.pattern = (key("attention.sliding_window", 0), key("attention.sliding_window_pattern", 6)) if gemma else (0, 1)
        self.embedding_scale = self.hidden ** 0.5 if gemma else 1
        self.activation = gelu_tanh if gemma else silu
        self.cap = key("final_logit_softcapping", 0)
        self.head_norms = "blk.0.attn_q_norm" in self.weights
        self.post_norms = "blk.0.post_ffw_norm" in self.weights
        self.chosen = []    # the experts of each token, layer after layer, and the gap to the next one

    def key(self, name, default=None):
        return self.fields.get(self.architecture + "." + name, default)

    def norm(self, name, x):
        if self.dbrx:
            x = x - x.mean(axis=-1, keepdims=True)
        return x / numpy.sqrt((x * x).mean(axis=-1, keepdims=True) + self.epsilon) * self.weights[name]

    def dense(self, name, x):
        y = x @ self.weights[name].T
        return y + self.weights[name + ".bias"] if name + ".bias" in self.weights else y

    def turn(self, x, base, scale):
        """x: tokens, heads, head. Llama's files have neighbours turn together, the others a half with the other half"""
        half = self.dims // 2
        angle = numpy.arange(len(x))[:, None] * scale * base ** (-2.0 * numpy.arange(half) / self.dims)
        if "rope_freqs" in self.weights:
            angle = angle / self.weights["rope_freqs"]
        cos, sin = numpy.cos(angle)[:, None, :], numpy.sin(angle)[:, None, :]
        y = x.copy()
        one, other = (slice(0, self.dims, 2), slice(1, self.dims, 2)) if self.neighbours else (slice(0, half), slice(half, self.dims))
        y[..., one], y[..., other] = x[..., one] * cos - x[..., other] * sin, x[..., one] * sin + x[..., other] * cos
        return y

    def attention(self, i, x):
        name = "blk.%d.attn_" % i
        local = self.window and (i + 1) % self.pattern
        base, scale = (self.base_local, 1) if local else (self.base, self.scale)
        if self.dbrx:
            parts = numpy.split(self.dense(name + "qkv", x), [self.heads * self.head, (self.heads + self.kv_heads) * self.head], axis=1)
        else:
            parts = [self.dense(name + part, x) for part in "qkv"]
        if self.clip:
            parts = [numpy.clip(part, -self.clip, self.clip) for part in parts]
        q, k, v = (part.reshape(len(x), -1, self.head) for part in parts)
        if self.head_norms:
            q, k = self.norm(name + "q_norm", q), self.norm(name + "k_norm", k)
        q, k = self.turn(q, base, scale), self.turn(k, base, scale)
        group = self.heads // self.kv_heads
        distance = numpy.arange(len(x))[:, None] - numpy.arange(len(x))
        seen = (distance >= 0) & (distance < self.window if local else True)
        out = numpy.empty((len(x), self.heads, self.head))
        for head in range(self.heads):
            scores = q[:, head] @ k[:, head // group].T / self.head ** 0.5
            scores = numpy.where(seen, scores, -numpy.inf)
            scores = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
            out[:, head] = scores / scores.sum(axis=-1, keepdims=True) @ v[:, head // group]
        return self.dense(name + "output", out.reshape(len(x), -1))

    def gated(self, gate, up, down, x):
        return (self.activation(x @ gate.T) * (x @ up.T)) @ down.T

    def expert_weights(self, probabilities, best):
        """of a token: what its experts' outputs are multiplied by"""
        return probabilities[best] / probabilities[best].sum()

    def inner(self, name, x):
        gate, up, down = (self.weights[name + "ffn_" + part + ("_exps" if self.experts else "")] for part in ("gate", "up", "down"))
        if not self.experts:
            return self.gated(gate, up, down, x)
        y = numpy.zeros_like(x)
        for i, routes in enumerate(self.dense(name + "ffn_gate_inp", x)):
            probabilities = numpy.exp(routes - routes.max())
            probabilities /= probabilities.sum()
            order = numpy.argsort(-routes, kind="stable")
            best = order[:self.used]
            self.chosen.append((frozenset(best), routes[order[self.used - 1]] - routes[order[self.used]]))
            for expert, weight in zip(best, self.expert_weights(probabilities, best)):
                y[i] += weight * self.gated(gate[expert], up[expert], down[expert], x[i])
        return y

    def logits(self, tokens):
        """of each token: the vocabulary's"""
        x = self.weights["token_embd"][tokens] * self.embedding_scale
        for i in range(self.layers):
            layer = "blk.%d." % i
            y = self.attention(i, self.norm(layer + "attn_norm", x))
            x = x + (self.norm(layer + "post_attention_norm", y) if self.post_norms else y)
            y = self.inner(layer, self.norm(layer + ("attn_output_norm" if self.dbrx else "ffn_norm"), x))
            x = x + (self.norm(layer + "post_ffw_norm", y) if self.post_norms else y)
        x = self.norm("output_norm", x)
        x = x @ self.weights["output" if "output" in self.weights else "token_embd"].T
        return self.cap * numpy.tanh(x / self.cap) if self.cap else x


def silu(x):
    return x / (1 + numpy.exp(-x))


def gelu_tanh(x):
    return x * 0.5 * (1 + numpy.tanh((2 / numpy.pi) ** 0.5 * (x + 0.044715 * x ** 3)))


def main():
    model, tokens, out = sys.argv[1:]
    Decoder(model).logits(numpy.fromfile(tokens, numpy.int32)).astype(numpy.float32).tofile(out)


if __name__ == "__main__":
    main()
