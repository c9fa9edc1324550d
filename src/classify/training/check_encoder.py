#!/usr/bin/python3
"""Compares encoder.py with the package itself: segmentation and sentence vectors.

  check_encoder.py PACKAGE/dist TEXTS.json REFERENCE.json      (REFERENCE.json from reference_vectors.cjs)
"""
import json
import sys

import torch
from torch.nn import functional as F

from encoder import Pieces, load_package, load_vocabulary

folder, texts, reference = sys.argv[1:4]
texts, reference = json.load(open(texts)), json.load(open(reference))
pieces = Pieces(load_vocabulary(folder))
ids = [pieces.encode(t) for t in texts]
print("segmentation agrees on", sum(a == b for a, b in zip(ids, reference["ids"])), "of", len(texts))
with torch.no_grad():
    ids = reference["ids"]
    got = load_package(folder).vector(torch.tensor(sum(ids, [])), torch.tensor([len(i) for i in ids]))
want = torch.tensor(reference["vec"])
got = F.normalize(got, dim=1)
print("smallest cosine %.7f, largest difference %.2g" % ((got * want).sum(1).min(), (got - want).abs().max()))
