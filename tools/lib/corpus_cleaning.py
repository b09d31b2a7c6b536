"""Cleaning of parallel text: strips what is no language, splits sentences, drops the bad ones."""

import html
import re
import unicodedata

MIN_WORDS = 2
MIN_LETTERS = 8
MAX_WORDS = 100
MAX_LENGTH_RATIO = 2.0

# Chinese characters and their punctuation, kana, full-width forms.
WIDE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|code|em|font|i|kbd|small|span|strong|sub|sup|tt|u|var)(?:\s[^<>]*)?/?>",
    re.I)
BREAKING_TAG = re.compile(r"</?(?:br|div|h\d|li|nobr|p|ul|qt|html|body)(?:\s[^<>]*)?/?>", re.I)
ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#\d+);")
BULLET = re.compile(r"^[•·▪‣*–-] +")

PLACEHOLDER = re.compile("|".join((
    r"(?<!\d)%[-+#'\d.*]*[A-Za-z<>({@]", r"%\d",  # %s, %5.2f, %NAME, %(name)s, %1, but 100%ige
    r"\$\w", r"\$[({]", r"\{\w*\}", r"@\w+@",  # $1, $(ARG1), ${name}, {0}, @NAME@
    r"#\w+#", r"#\d", r"~\d", r"&\w+;", r"\\[nrt]")))
KEPT = re.compile("|".join((
    r"</?[A-Za-z][^<>]*>", r"%[-+#\d.*]*(?:\d\$)?l?[diouxXeEfgGcs]\b", r"%\(\w+\)[sd]", r"%L?\d",
    r"%[A-Z]{2}\w*%?", r"\$[({]\w+[)}]", r"\$[A-Za-z_]\w*\$?", r"\$\d\$?", r"\{\w*\}", r"@\w+@",
    r"#\w+#")))
CODE = re.compile("|".join((
    r"://", r"www\.", r"\w@\w",  # addresses
    r"(?:^|[\s(\"'])~?/\w", r"\w/\w+/", r"\*\.\w", r"(?:^|\s)\.\w",  # paths, *.odt, .odt
    r"(?:^|\s)--?[A-Za-z]",  # options
    r"\w_\w", r"\w::\w", r"[a-z]\.[a-z]+\.[a-z]",  # max_size, std::string, com.sun.star
    r"\w\(\)", r"\w\([^()]*[;\"=]", r"[{}<>|=\\^`]", r";\S*;")))  # calls, formulas, SQL
NUMBER = re.compile(r"\d+(?:[.,\u2009\u202f']\d+)*")
WORD = re.compile(r"[^\W\d_]+")

CJK_ACCELERATOR = re.compile(r"\s*[(（][_&~][A-Za-z0-9][)）]")
ACCELERATORS = {marker: re.compile(marker + r"(?=[^\W_])") for marker in "_&~"}

SENTENCE_END = re.compile(r"(?<=[.!?])[\"”“’»)]*\s+(?=[\"“„»«(]?[^\W_a-zß-ÿ])")
WIDE_SENTENCE_END = re.compile(r"(?<=[。！？])(?![」』”）)。！？])")
ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|\d+|e\.g|i\.e|etc|vs|approx|resp|incl|no|fig|mr|mrs|dr|st"
    r"|z\. ?b|d\. ?h|u\. ?a|o\. ?ä|bzw|usw|ggf|evtl|inkl|nr|abb|ca|max|min|p\. ?ex|cf)\.$", re.I)


def clean(english, translation, target, keep_placeholders=False):
    """Makes good sentence pairs of an (English, translation) entry in the language `target`.

    keep_placeholders: pairs with the same placeholders and tags on both sides are good ones.
    Returns (pairs, reasons): the sentence pairs kept and, for each one dropped, the reason.
    """
    english, translation = (_normalise(text, keep_placeholders) for text in (english, translation))
    english, translation = _strip_accelerators(english, translation)
    if BULLET.match(english) and BULLET.match(translation):
        english, translation = BULLET.sub("", english), BULLET.sub("", translation)
    pairs, reasons = [], []
    for pair in _split_sentences(english, translation):
        reason = find_fault(*pair, target, keep_placeholders)
        if reason:
            reasons.append(reason)
        else:
            pairs.append(pair)
    return pairs, reasons


def has_placeholder(text):
    return bool(KEPT.search(text))


def find_fault(english, translation, target, keep_placeholders=False):
    """Why a pair of sentences is no good for training, or None."""
    if keep_placeholders and has_placeholder(english + translation):
        if sorted(KEPT.findall(english)) != sorted(KEPT.findall(translation)):
            return "placeholder"
        english, translation = (" ".join(KEPT.sub(" ", text).split())
                                for text in (english, translation))
    faults = (
        ("too short", _too_short), ("placeholder", _has_placeholder),
        ("code, path or URL", _is_code), ("same on both sides", _is_copy),
        ("few letters", _has_few_letters), ("numbers differ", _numbers_differ),
        ("too long", _too_long), ("list", _is_list), ("stray bracket", _has_stray_bracket),
        ("length ratio", _lengths_differ))
    for name, is_fault in faults:
        if is_fault(english, translation):
            return name
    if target.startswith(("zh", "ja")) and 3 * len(WIDE.findall(translation)) < len(translation):
        return "wrong language"
    return None


def _normalise(text, keep_placeholders):
    text = unicodedata.normalize("NFC", INVISIBLE.sub("", text))
    text = BREAKING_TAG.sub(" ", text)
    if not keep_placeholders:
        text = INLINE_TAG.sub("", text)
    if ENTITY.search(text) and not (keep_placeholders and INLINE_TAG.search(text)):
        text = html.unescape(text)
    text = text.replace("%PRODUCTNAME", "LibreOffice")
    return " ".join(text.split())


def _strip_accelerators(english, translation):
    """Takes out the marker of a menu entry's key: _File, E~xit, &Datei, 文件(_F).

    A marker inside the same word on both sides is part of an identifier and stays, to be dropped
    as code.
    """
    translation = CJK_ACCELERATOR.sub("", translation)
    for marker, pattern in ACCELERATORS.items():
        counts = english.count(marker), translation.count(marker)
        if max(counts) != 1:
            continue
        inside = [{word for word in text.split() if marker in word[1:]}
                  for text in (english, translation)]
        if inside[0] & inside[1] or (marker == "&" and min(counts) == 0 and any(inside)):
            continue
        english, translation = pattern.sub("", english), pattern.sub("", translation)
    return english, translation


def _split_sentences(english, translation):
    """Sentence pairs where both sides have as many sentences of like lengths, else the one pair."""
    sides = [_sentences(english), _sentences(translation)]
    if len(sides[0]) != len(sides[1]) or any(_lengths_differ(*pair) for pair in zip(*sides)):
        return [(english, translation)]
    return list(zip(*sides))


def _sentences(text):
    sentences, begin = [], 0
    for pattern in (SENTENCE_END, WIDE_SENTENCE_END):
        for end in pattern.finditer(text):
            sentence = text[begin : end.end()].strip()
            if sentence and not ABBREVIATION.search(sentence):
                sentences.append(sentence)
                begin = end.end()
    rest = text[begin:].strip()
    return sentences + [rest] if rest else sentences


def _too_short(english, translation):
    letters = sum(map(len, WORD.findall(english)))
    return len(WORD.findall(english)) < MIN_WORDS or letters < MIN_LETTERS or not translation


def _too_long(english, _):
    return len(english.split()) > MAX_WORDS


def _has_placeholder(english, translation):
    return PLACEHOLDER.search(english) or PLACEHOLDER.search(translation)


def _is_code(english, translation):
    return CODE.search(english) or CODE.search(translation)


def _is_copy(english, translation):
    """Untranslated: the same words, or four words and more of which most are English ones."""
    words, translated = ([word.casefold() for word in WORD.findall(text)]
                         for text in (english, translation))
    if words == translated:
        return True
    copied = sum(word in words for word in translated)
    return len(translated) >= 4 and copied > 0.7 * len(translated)


def _has_few_letters(english, translation):
    return any(sum(map(len, WORD.findall(text))) < 0.5 * len(text.replace(" ", ""))
               for text in (english, translation))


def _numbers_differ(english, translation):
    """Grouping and decimal marks do not count: 1,000.5 is 1.000,5."""
    values = [sorted(re.sub(r"\D", "", number)
                     for number in NUMBER.findall(unicodedata.normalize("NFKC", text)))
              for text in (english, translation)]
    return values[0] != values[1]


def _is_list(english, _):
    return english.count(";") > 1 or english.count(", ") > 1 + 0.3 * len(english.split())


def _has_stray_bracket(english, translation):
    return any(text.count(opening) != text.count(closing)
               for text in map(_narrow_brackets, (english, translation))
               for opening, closing in ("()", "[]"))


def _narrow_brackets(text):
    return text.translate({0xFF08: "(", 0xFF09: ")"})


def _lengths_differ(english, translation):
    """A Chinese character or kana says about as much as three letters."""
    shorter, longer = sorted(len(text) + 2 * len(WIDE.findall(text))
                             for text in (english, translation))
    return longer + 10 > MAX_LENGTH_RATIO * (shorter + 10)
