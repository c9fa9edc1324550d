"""Written posts made as rough as real ones: words left out, typing errors, marks dropped, and words cut into other
pieces than the likeliest. Works on the text that `deep_pieces --text` prints, so that all else stays as the binary
does it. Used in training only."""
from encoder import load_vocabulary

FIRST, LAST = 96, 32  # as ../encoder.h
NEAR = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wqrtyuioipsdfghjklkxzvbnnb"))


class Cutter:
    """The segmentation of ../pieces.cpp; `spread` adds noise to the scores of the pieces."""

    def __init__(self, package):
        self.scores, last = {}, 0.0
        for i, (piece, score) in enumerate(load_vocabulary(package)):
            last = last if score is None else score
            if i >= 6:
                self.scores[piece.replace("\u2581", " ")] = (last, i)
        self.longest = max(map(len, self.scores))
        self.unknown = min(s for s, _ in self.scores.values()) - 10

    def cut(self, text, spread=0.0, random=None):
        size = len(text)
        best, back = [None] * (size + 1), [None] * (size + 1)
        best[0] = 0.0
        for begin in range(size):
            if best[begin] is None:
                continue
            known = False
            for end in range(begin + 1, min(size, begin + self.longest) + 1):
                hit = self.scores.get(text[begin:end])
                if hit is None:
                    continue
                known = known or end == begin + 1
                score = best[begin] + hit[0] + (random.gauss(0, spread) if spread else 0)
                if best[end] is None or score >= best[end]:
                    best[end], back[end] = score, (begin, hit[1])
            if not known and (best[begin + 1] is None or best[begin] + self.unknown >= best[begin + 1]):
                best[begin + 1], back[begin + 1] = best[begin] + self.unknown, (begin, 0)
        pieces, end = [], size
        while end > 0:
            end, piece = back[end]
            if not (piece == 0 and pieces and pieces[-1] == 0):
                pieces.append(piece)
        pieces.reverse()
        return pieces if len(pieces) <= FIRST + LAST else pieces[:FIRST] + pieces[-LAST:]


def mistyped(word, random):
    if len(word) < 4 or not word.isalpha():
        return word
    k, kind = random.randrange(1, len(word) - 1), random.random()
    if kind < 0.3:
        return word[:k] + word[k + 1] + word[k] + word[k + 2 :]
    if kind < 0.6:
        return word[:k] + word[k + 1 :]
    if kind < 0.8:
        return word[:k] + word[k] + word[k:]
    return word[:k] + NEAR.get(word[k], word[k]) + word[k + 1 :]


def roughened(text, random):
    words = [w for w in text.split(" ") if w]
    errors, gaps = random.choice([0, 0.03, 0.08]), random.choice([0, 0.05, 0.12])
    out = []
    for word in words:
        if random.random() < gaps and len(words) > 4:
            continue
        if random.random() < errors:
            word = mistyped(word, random)
        if errors and random.random() < 0.15:
            word = word.rstrip(".,!") or word
        if errors and random.random() < 0.1:
            word = word.replace("'", "")
        out.append(word)
    return " " + " ".join(out) if out else text


def variants(text, count, cutter, random):
    """`count` rough versions of a text, as pieces."""
    out = []
    for _ in range(count):
        pieces = cutter.cut(roughened(text, random), random.choice([0, 1.0, 2.0]), random)
        if pieces:
            out.append(pieces)
    return out
