"""Fine-tuning: the pretrained encoder and 22 outputs, on posts that `deep_pieces --text` has written out.

The recipe, and what it was chosen from, is in README.md. Two threads of Python share the work of a batch, one core
each: cheaper than two cores for each matrix, and the sums are added in a fixed order.
"""
import math
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional as F

from augment import Cutter, variants
from encoder import OUTPUTS, chance, load_package

SOFTMAX = ((0, 3), (7, 5), (12, 10))  # moment, intent, topic: first output and how many
LOGISTIC = (3, 4, 5, 6)  # actionable, urgency at least 1, 2, 3


@dataclass
class Settings:
    epochs: float = 4
    batch: int = 64
    rate: float = 3e-4  # of the encoder's layers
    embedding_rate: float = 1.5e-4
    head_rate: float = 1.5e-3
    warm_up: float = 0.06  # of all steps; then falling to nothing, linearly
    decay: float = 0.01
    class_power: float = 0.5  # a class weighs its frequency to the minus this
    rough: int = 4  # rough variants of each post; every second visit sees one of them
    average: float = 0.97  # of the weights over every fifth step, once a third of the way is done
    teacher_share: float = 0.3  # of the target, where there is a teacher
    seed: int = 1


@dataclass
class Posts:
    """What deep_pieces prints. `scores` are the fast judge's, where they were asked for."""

    ids: list = field(default_factory=list)
    pieces: list = field(default_factory=list)
    texts: list = field(default_factory=list)
    targets: np.ndarray = None
    weights: np.ndarray = None
    scores: np.ndarray = None

    def __len__(self):
        return len(self.ids)


def together(one, other):
    both = lambda a, b: a + b if isinstance(a, list) else np.concatenate([a, b])
    return Posts(*(both(getattr(one, name), getattr(other, name)) for name in Posts.__dataclass_fields__))


def read_posts(path):
    """A file of `deep_pieces --scores --text`."""
    posts, numbers = Posts(), []
    for line in open(path, encoding="utf-8"):
        columns = line.rstrip("\n").split("\t")
        posts.ids.append(columns[0])
        posts.pieces.append([0] if columns[1] == "-" else [int(p) for p in columns[1].split()])
        numbers.append(np.array(columns[2 : 2 + 3 * OUTPUTS], dtype=np.float32))
        posts.texts.append(columns[-1])
    numbers = np.stack(numbers)
    posts.targets, posts.weights, posts.scores = np.split(numbers, 3, axis=1)
    return posts


def class_weights(targets, weights, power):
    """[posts, 22]: how much each label of each post counts; the mean over the posts is one for each label."""
    out = np.zeros_like(targets)
    for first, count in SOFTMAX:
        head, seen = slice(first, first + count), weights[:, first] > 0
        share = targets[seen, head].mean(0).clip(1e-4)
        of_class = share**-power
        out[:, head] = (targets[:, head] @ of_class / (of_class * share).sum())[:, None] * weights[:, head]
    for k in LOGISTIC:
        share = targets[weights[:, k] > 0, k].mean().clip(1e-4, 1 - 1e-4)
        yes, no = share**-power, (1 - share) ** -power
        out[:, k] = (targets[:, k] * yes + (1 - targets[:, k]) * no) / (share * yes + (1 - share) * no) * weights[:, k]
    return out


def loss_of(logits, targets, weights):
    loss = 0
    for first, count in SOFTMAX:
        head = slice(first, first + count)
        loss = loss - (weights[:, first] * (targets[:, head] * F.log_softmax(logits[:, head], 1)).sum(1)).sum()
    yes_no = slice(LOGISTIC[0], LOGISTIC[-1] + 1)
    each = F.binary_cross_entropy_with_logits(logits[:, yes_no], targets[:, yes_no], reduction="none")
    return loss + (weights[:, yes_no] * each).sum()


def row_of(pieces):
    return torch.tensor([p for post in pieces for p in post]), torch.tensor([len(post) for post in pieces])


def predict(model, pieces):
    """[posts, 22] raw scores."""
    model.eval()
    order = sorted(range(len(pieces)), key=lambda i: len(pieces[i]))
    out = np.zeros((len(pieces), OUTPUTS), np.float32)
    with torch.no_grad():
        for at in range(0, len(order), 64):
            some = order[at : at + 64]
            out[some] = model(*row_of([pieces[i] for i in some])).numpy()
    return out


def batches_of(lengths, size, numbers):
    """One epoch: posts of similar length together, batches in random order."""
    order, out = numbers.permutation(len(lengths)), []
    for at in range(0, len(order), size * 40):
        some = sorted(order[at : at + size * 40], key=lambda i: lengths[i])
        out += [some[k : k + size] for k in range(0, len(some), size)]
    numbers.shuffle(out)
    return out


def fit(posts, package, settings, say=print, teacher=None):
    """The fine-tuned encoder's state. `teacher`: [posts, 22] probabilities mixed into the targets."""
    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    numbers = np.random.default_rng(settings.seed)
    cutter, rough_random = Cutter(package), random.Random(settings.seed)
    rough = [variants(text, settings.rough, cutter, rough_random) for text in posts.texts]

    targets = posts.targets
    if teacher is not None:
        targets = (1 - settings.teacher_share) * targets + settings.teacher_share * teacher
    targets = torch.tensor(targets, dtype=torch.float32)
    weights = torch.tensor(class_weights(posts.targets, posts.weights, settings.class_power), dtype=torch.float32)

    model = load_package(package)
    torch.nn.init.normal_(model.head.weight, std=0.02)
    torch.nn.init.zeros_(model.head.bias)
    body = [p for part in (model.layer0, model.layer1, model.sentence) for p in part.parameters()]
    groups = (
        (model.embedding.parameters(), settings.embedding_rate, 0.0),
        (body, settings.rate, settings.decay),
        (model.head.parameters(), settings.head_rate, settings.decay),
    )
    optimizer = torch.optim.AdamW(
        [{"params": list(p), "lr": rate, "weight_decay": decay} for p, rate, decay in groups], foreach=True
    )
    parameters = list(model.parameters())

    def half(job):
        ids, lengths, rows, share, seed = job
        chance.generator = torch.Generator().manual_seed(seed)
        loss = loss_of(model(ids, lengths), targets[rows], weights[rows]) * share
        return loss.item(), torch.autograd.grad(loss, parameters)

    def seen(i):
        return rough[i][numbers.integers(len(rough[i]))] if rough[i] and numbers.random() < 0.5 else posts.pieces[i]

    lengths = [len(p) for p in posts.pieces]
    total = math.ceil(math.ceil(len(posts) / settings.batch) * settings.epochs)
    step, started, recent, mean = 0, time.time(), 0.0, None
    with ThreadPoolExecutor(2) as pool:
        while step < total:
            for batch in batches_of(lengths, settings.batch, numbers):
                if step == total:
                    break
                model.train()
                factor = min(1.0, (step + 1) / (settings.warm_up * total)) * (total - step) / total
                for group, (_, rate, _) in zip(optimizer.param_groups, groups):
                    group["lr"] = rate * factor
                jobs = [
                    (*row_of([seen(i) for i in rows]), rows, 1 / len(batch), (settings.seed << 32) + 2 * step + k)
                    for k, rows in enumerate((batch[0::2], batch[1::2]))
                    if rows
                ]
                results = list(pool.map(half, jobs))
                for parameter, *gradients in zip(parameters, *(r[1] for r in results)):
                    parameter.grad = sum(gradients[1:], gradients[0])
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
                step += 1
                recent = 0.98 * recent + 0.02 * sum(r[0] for r in results)
                if step > total / 3 and step % 5 == 0:
                    with torch.no_grad():
                        if mean is None:
                            mean = {k: v.clone() for k, v in model.state_dict().items()}
                        for name, value in model.state_dict().items():
                            mean[name].lerp_(value, 1 - settings.average)
                if step % 100 == 0 or step == total:
                    say(f"step {step} of {total}, loss {recent / (1 - 0.98**step):.3f}, {time.time() - started:.0f} s")
    return mean
