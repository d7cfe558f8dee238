#!/usr/bin/env python3
"""BERT in numpy, as transformers' modeling_bert.py has it: what src/model/bert.c is compared with.

    bert.py FOLDER TEXTS OUT    embeddings of the lines of TEXTS by the model in FOLDER, float32, to OUT

Tokens are made by the Python package tokenizers. In float64, so that its own
rounding does not count. GELU by the error function.
"""

import json
import math
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import safetensors      # noqa: E402

erf = numpy.vectorize(math.erf, otypes=[numpy.float64])


class Bert:
    def __init__(self, folder):
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            self.config = json.load(file)
        self.weights = {name: array.astype(numpy.float64) for name, array in safetensors.load(os.path.join(folder, "model.safetensors")).items()}

    def dense(self, name, x):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def norm(self, name, x):
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / numpy.sqrt((x * x).mean(axis=-1, keepdims=True) + self.config["layer_norm_eps"])
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def attention(self, name, x):
        heads = self.config["num_attention_heads"]
        size = x.shape[1] // heads
        query, key, value = (self.dense(name + part, x).reshape(len(x), heads, size).transpose(1, 0, 2) for part in (".self.query", ".self.key", ".self.value"))
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(size)
        scores = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        return (scores @ value).transpose(1, 0, 2).reshape(x.shape)

    def vectors(self, tokens):
        """one for each token"""
        weights = self.weights
        x = weights["embeddings.word_embeddings.weight"][tokens] + weights["embeddings.position_embeddings.weight"][:len(tokens)] + \
            weights["embeddings.token_type_embeddings.weight"][0]
        x = self.norm("embeddings.LayerNorm", x)
        for i in range(self.config["num_hidden_layers"]):
            layer = "encoder.layer.%d." % i
            x = self.norm(layer + "attention.output.LayerNorm", x + self.dense(layer + "attention.output.dense", self.attention(layer + "attention", x)))
            inner = self.dense(layer + "intermediate.dense", x)
            inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
            x = self.norm(layer + "output.LayerNorm", x + self.dense(layer + "output.dense", inner))
        return x

    def embed(self, tokens, pooling="mean", normalize=True):
        x = self.vectors(tokens)
        x = x.mean(axis=0) if pooling == "mean" else x[0]
        return x / math.sqrt((x * x).sum()) if normalize else x


def main():
    from tokenizers import Tokenizer
    folder, texts, out = sys.argv[1:]
    bert = Bert(folder)
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    with open(os.path.join(folder, "sentence_bert_config.json"), encoding="utf-8") as file:
        tokenizer.enable_truncation(json.load(file)["max_seq_length"])
    tokenizer.no_padding()
    with open(texts, encoding="utf-8") as lines, open(out, "wb") as file:
        for line in lines:
            file.write(bert.embed(tokenizer.encode(line.rstrip("\n")).ids).astype(numpy.float32).tobytes())


if __name__ == "__main__":
    main()
