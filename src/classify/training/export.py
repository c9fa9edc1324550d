"""Writes a fine-tuned encoder as config/model/deep.model.

  export.py --state FIT.pt --pieces pieces.blob --calibration CALIBRATION.json --version V --trained-on TEXT --out FILE

All numbers little-endian: magic "TRIAGEDM", format version 1 (4 bytes), length of the header (4), the header (JSON),
the tensors (each at a multiple of 64 bytes from the start of the data), FNV-1a 64 of everything before. Matrices are
input x output, row-major, one signed byte a weight with a scale for each column (for the embedding: each row).
"""
import argparse
import json
import struct

import numpy as np
import torch


def quantised(matrix, axis):
    """Bytes and scales; `axis` is the one that shares a scale."""
    scale = np.maximum(np.abs(matrix).max(axis=axis, keepdims=True), 1e-12) / 127
    return np.clip(np.rint(matrix / scale), -127, 127).astype("i1"), scale.squeeze(axis).astype("<f4")


def tensors_of(state):
    """(name, array) for each tensor, in the order of the file."""
    at = {k: v.detach().numpy().astype("<f4") for k, v in state.items()}
    out = []

    def matrix(name, weights, axis=0):
        bytes_, scale = quantised(weights, axis)
        out.append((name, bytes_))
        out.append((name + ".scale", scale))

    matrix("embedding", at["embedding.weight"], axis=1)
    out.append(("frequency", at["frequency"]))
    for layer in ("layer0", "layer1"):
        for part in ("norm1", "qkv", "out", "residual", "norm2", "ffn1", "ffn2"):
            here = f"{layer}.{part}"
            if here + ".weight" not in at:
                continue
            if part.startswith("norm"):
                out.append((here + ".gain", at[here + ".weight"]))
            else:
                matrix(here, at[here + ".weight"].T)
            out.append((here + ".bias", at[here + ".bias"]))
    matrix("sentence", at["sentence.weight"].T)
    out.append(("sentence.bias", at["sentence.bias"]))
    out.append(("head", np.ascontiguousarray(at["head.weight"].T)))
    out.append(("head.bias", at["head.bias"]))
    return out


def dequantised(state):
    """The state with its matrices as the file holds them, for measuring what the bytes cost."""
    out = dict(state)
    for name, weights in state.items():
        if weights.dim() == 2 and name != "head.weight":  # torch keeps output x input: a row is a column of the file
            bytes_, scale = quantised(weights.numpy(), 1)
            out[name] = torch.tensor(bytes_.astype("f4") * scale[:, None])
    return out


def fnv1a(data):
    # Bytewise in Python takes seconds for 7 MB, which is fine for a tool that runs once.
    value, prime, mask = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF
    for byte in data:
        value = ((value ^ byte) * prime) & mask
    return value


def write(path, state, pieces, calibration, version, trained_on):
    entries, data = [], bytearray()

    def put(name, kind, shape, raw):
        data.extend(bytes(-len(data) % 64))
        entries.append({"name": name, "type": kind, "shape": list(shape), "offset": len(data)})
        data.extend(raw)

    for name, array in tensors_of(state):
        array = np.ascontiguousarray(array)
        put(name, "i8" if array.dtype == np.int8 else "f32", array.shape, array.tobytes())
    put("pieces", "text", [len(pieces)], pieces)
    header = {
        "judge": "deep",
        "version": version,
        "trained_on": trained_on,
        "encoder": {"pieces": 8002, "width": [256, 512], "heads": 4, "ffn": 1536, "layers": 2},
        "tensors": entries,
        **calibration,  # "blend", "calibration", "fast"
    }
    text = json.dumps(header).encode()
    whole = b"TRIAGEDM" + struct.pack("<II", 1, len(text)) + text + bytes(data)
    with open(path, "wb") as file:
        file.write(whole + struct.pack("<Q", fnv1a(whole)))
    return len(whole) + 8


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("state", "pieces", "calibration", "version", "trained-on", "out"):
        parser.add_argument("--" + name, required=True)
    o = parser.parse_args()
    size = write(
        o.out,
        torch.load(o.state),
        open(o.pieces, "rb").read(),
        json.load(open(o.calibration)),
        o.version,
        o.trained_on,
    )
    print(f"{o.out}: {size} bytes")
