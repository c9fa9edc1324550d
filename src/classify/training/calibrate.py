"""How raw scores become probabilities: temperatures and logistic curves fitted on scores of posts that neither judge has
seen (whole parts of the corpus held out), as ../trainer.cpp does for the fast judge. The names are those of
../model.h's Calibration."""
import numpy as np


def platt(logits, targets):
    """Newton on the log loss of sigmoid(slope * logit + offset)."""
    slope, offset = 1.0, 0.0
    for _ in range(60):
        p = 1 / (1 + np.exp(-(slope * logits + offset)))
        d, h = p - targets, p * (1 - p)
        ga, gb = (d * logits).sum(), d.sum()
        haa, hab, hbb = 1e-6 + (h * logits**2).sum(), (h * logits).sum(), 1e-6 + h.sum()
        det = haa * hbb - hab**2
        if not abs(det) > 1e-12:
            break
        slope -= np.clip((hbb * ga - hab * gb) / det, -0.5, 0.5)
        offset -= np.clip((haa * gb - hab * ga) / det, -0.5, 0.5)
    return {"slope": float(max(slope, 0.05)), "offset": float(offset)}


def softmax_fit(logits, targets):
    """Temperature and offsets of a softmax."""
    inverse, offset = 1.0, np.zeros(logits.shape[1])
    for _ in range(400):
        z = logits * inverse + offset
        p = np.exp(z - z.max(1, keepdims=True))
        d = p / p.sum(1, keepdims=True) - targets
        inverse = max(0.05, inverse - 0.3 * (d * logits).sum(1).mean())
        offset = offset - d.mean(0)
    return 1 / inverse, offset


def softened(scores, targets):
    """[posts, 22] probabilities from raw scores, each group of outputs fitted to the targets by a scale and offsets."""
    scores, targets = scores.astype(np.float64), targets.astype(np.float64)
    out = np.zeros(scores.shape, np.float32)
    for head in (slice(0, 3), slice(7, 12), slice(12, 22)):
        temperature, offset = softmax_fit(scores[:, head], targets[:, head])
        p = scores[:, head] / temperature + offset
        p = np.exp(p - p.max(1, keepdims=True))
        out[:, head] = p / p.sum(1, keepdims=True)
    for k in (3, 4, 5, 6):
        curve = platt(scores[:, k], targets[:, k])
        out[:, k] = 1 / (1 + np.exp(-(curve["slope"] * scores[:, k] + curve["offset"])))
    return out


def calibrate(scores, targets, weights):
    """scores, targets, weights: [posts, 22]."""
    scores = scores.astype(np.float64)
    targets = targets.astype(np.float64)
    seen = weights[:, 0] > 0
    temperature, offset = softmax_fit(scores[seen, :3], targets[seen, :3])
    sure = seen & (targets[:, 2] < 0.5)
    share = targets[sure, 0] / (targets[sure, 0] + targets[sure, 1])
    return {
        "moment_temperature": float(temperature),
        "moment_offset": [float(x) for x in offset],
        "moment_confidence": platt(scores[sure, 0] - scores[sure, 1], share),
        "actionable": platt(scores[weights[:, 3] > 0, 3], targets[weights[:, 3] > 0, 3]),
        "urgency": [platt(scores[weights[:, k] > 0, k], targets[weights[:, k] > 0, k]) for k in (4, 5, 6)],
    }
