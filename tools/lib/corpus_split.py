"""Division of parallel text into training, validation and test lines that do not overlap."""

import collections
import hashlib
import re
import unicodedata

HELD_OUT_WORDS = range(5, 41)
GRAM = 4
NOT_A_WORD = re.compile(r"[\W\d_]+")


def normalise(text):
    """Folds case and drops punctuation and digits: texts that differ only so count as the same."""
    return NOT_A_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def split(pairs, num_valid, num_test, may_hold_out=lambda pair: True):
    """Divides distinct (English, translation) pairs; returns (train, valid, test).

    The order, which is also that of the lines returned, is by a hash of the normalised English
    text: it depends on nothing else, so a text keeps its rank when packages change or are added.
    The first fitting lines, of the pairs that may be held out, become test lines, the next ones
    validation lines. What resembles a held-out line is in no part.
    """
    groups = collections.defaultdict(list)
    for pair in pairs:
        groups[normalise(pair[0])].append(pair)
    ordered = sorted(groups, key=lambda text: (hashlib.sha256(text.encode()).digest(), text))
    held_out, picked, taken = _HeldOut(), [], set()
    for text in ordered:
        if len(picked) == num_test + num_valid:
            break
        pair = next((pair for pair in groups[text]
                     if may_hold_out(pair) and _fits_held_out(pair)), None)
        if pair and not held_out.resembles(pair):
            held_out.add(pair)
            picked.append(pair)
            taken.add(text)
    train = [pair for text in ordered if text not in taken
             for pair in groups[text] if not held_out.resembles(pair)]
    return train, picked[num_test:], picked[:num_test]


def _fits_held_out(pair):
    english = pair[0]
    return (len(english.split()) in HELD_OUT_WORDS and english[0].isupper()
            and len(normalise(english).split()) >= HELD_OUT_WORDS.start)


def _grams(text):
    words = normalise(text).split()
    return {tuple(words[i : i + GRAM]) for i in range(len(words) - GRAM + 1)}


class _HeldOut:
    """The lines held out, by their 4-grams and by their translations."""

    def __init__(self):
        self.translations = set()
        self.num_grams = []  # of each line
        self.lines_with = collections.defaultdict(list)

    def add(self, pair):
        line, grams = len(self.num_grams), _grams(pair[0])
        self.translations.add(normalise(pair[1]))
        self.num_grams.append(len(grams))
        for gram in grams:
            self.lines_with[gram].append(line)

    def resembles(self, pair):
        """Whether the pair has a held-out line's translation, or over half of its 4-grams."""
        if normalise(pair[1]) in self.translations:
            return True
        shared = collections.Counter(
            line for gram in _grams(pair[0]) for line in self.lines_with.get(gram, ()))
        return any(2 * count > self.num_grams[line] for line, count in shared.items())
