#!/usr/bin/env python3
"""Makes metrics.tsv: invented translations with the scores that sacreBLEU gives them.

    make_metrics.py            writes metrics.tsv
    make_metrics.py --check    compares the committed file with what this script computes

Rows, fields apart by tabs:
    line   HYPOTHESIS REFERENCE
    score  FIRST NUM TOKENIZE BLEU P1 P2 P3 P4 BP HYP_WORDS REF_WORDS CHRF CHRF++
A score is that of lines FIRST to FIRST + NUM - 1 as one corpus. Needs sacreBLEU 2.6.0.
"""
import pathlib
import sys

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF

ENGLISH = [
    ("The cat sat on the mat.", "The cat sat on the mat."),
    ("The dog is barking at the moon tonight.", "The dog barks at the moon tonight."),
    ("It costs $1,234.56 (about 1.100,00 EUR).", "That costs $1,234.56 (roughly 1.100,00 EUR)."),
    ("Open the file-manager, then press F5...", "Open the file manager; then press F5 ..."),
    ("He said: \"I don't know\" - and left.", "He said, \"I do not know,\" and left."),
    ("See page 12-14, or 3.5.1.", "See pages 12-14 or section 3.5.1."),
    ("", "The hypothesis of this line is empty."),
    ("The reference of this line is empty.", ""),
    ("", ""),
    ("Yes", "Yes"),
    ("No!", "No, never!"),
    ("a b c", "a b c"),
    ("R&amp;D said &quot;x &lt; y&quot; &gt; nothing", "R&D said \"x < y\" > nothing"),
    ("escaped twice: &amp;lt;b&amp;gt;", "escaped twice: <b>"),
    ("one <skipped> word", "one word"),
    ("  leading and trailing blanks   ", "leading and trailing blanks"),
    ("no\u00a0break\u2009and\u3000wide blanks", "no break and wide blanks"),
    ("50% of C++ & C# users @ home use a_b^c~d", "50 % of C++ and C# users at home use a_b^c~d"),
    ("Party tonight \U0001f389\U0001f389 \u2192 bring \u2615!", "Party tonight \U0001f389 -> bring \u2615"),
    ("the the the the the the", "the cat the dog"),
    ("In 1999., 2,000 people; 3,5 of them: 7.", "In 1999 2,000 people, 3.5 of them, 7."),
    ("Version 2.0-beta.1 (x86_64/arm64) [new]", "Version 2.0-beta.1 for x86_64 and arm64 {new}"),
    ("x\u00b2 + y\u00b2 = 5\u20ac \u2260 \u00bd", "x\u00b2 + y\u00b2 = 5 \u20ac \u2260 0.5"),
    ("(hi) 'tis -- \"so\"", "(hi), 'tis - so"),
    (".,.,.. 1.,2 ,3. -4-5- 6--7", ". , .. 1,2 ,3 -4 -5 6-7"),
]
GERMAN = [
    ("Die Katze sa\u00df auf der Matte.", "Die Katze sa\u00df auf der Matte."),
    ("\u00d6ffnen Sie bitte das Fenster!", "Bitte \u00f6ffnen Sie das Fenster."),
    ("Der Preis betr\u00e4gt 1.234,56 \u20ac inkl. MwSt.", "Der Preis liegt bei 1.234,56\u00a0\u20ac inkl. MwSt."),
    ("\u201eGuten Tag\u201c, sagte sie \u2013 und ging.", "\u201eGuten Tag!\u201c, sagte sie und ging."),
    ("Am 3. Oktober 1990 um 14:30 Uhr", "Am 3. Oktober 1990, 14.30 Uhr"),
    ("Donaudampfschifffahrtsgesellschaft", "Donau-Dampfschifffahrts-Gesellschaft"),
    ("Klicken Sie auf \u00bbSpeichern\u00ab, um fortzufahren\u2026", "Zum Fortfahren auf \u00abSpeichern\u00bb klicken\u2026"),
    ("Stra\u00dfe STRASSE stra\u00dfe", "Strasse Stra\u00dfe STRASSE"),
    ("Er hat's nicht gewu\u00dft.", "Er hat es nicht gewusst."),
    ("E-Mail-Adresse und U-Bahn-Station", "E-Mail-Adresse der U-Bahn-Station"),
    ("Zwischen 10-20 % der F\u00e4lle (s.o.) sind's 5\u201310.", "In 10-20% der F\u00e4lle (s. o.) sind es 5\u201310."),
    ("Ja.", "Nein."),
    ("Der schnelle braune Fuchs springt \u00fcber den faulen Hund", "Der flinke braune Fuchs springt \u00fcber einen faulen Hund"),
    ("A\u0308pfel und U\u0308bel", "\u00c4pfel und \u00dcbel"),
    ("\u00a7 5 Abs. 2 Nr. 3 \u2014 Z. B. so!", "\u00a7\u00a05 Abs.\u00a02 Nr.\u00a03 \u2014 z.\u00a0B. so!"),
    ("Das war's.  Wirklich ?", "Das war es. Wirklich?"),
]
CHINESE = [
    ("\u732b\u5750\u5728\u57ab\u5b50\u4e0a\u3002", "\u732b\u5750\u5728\u57ab\u5b50\u4e0a\u3002"),
    ("\u8bf7\u6253\u5f00\u6587\u4ef6\uff0c\u7136\u540e\u6309 F5\uff01", "\u8bf7\u5148\u6253\u5f00\u6587\u4ef6\uff0c\u518d\u6309F5\u952e\u3002"),
    ("\u4ef7\u683c\u662f 1,234.56 \u5143\uff08\u7ea6 180 \u7f8e\u5143\uff09", "\u4ef7\u683c\u4e3a1,234.56\u5143\uff08\u5927\u7ea6180\u7f8e\u5143\uff09\u3002"),
    ("\u4ed6\u8bf4\uff1a\u201c\u6211\u4e0d\u77e5\u9053\u2026\u2026\u201d", "\u4ed6\u8bf4\uff0c\u201c\u6211\u4e0d\u6e05\u695a\u2026\u2026\u201d"),
    ("\uff21\uff22\uff23\uff11\uff12\uff13 \uff76\uff85", "ABC123 \u30ab\u30ca"),
    ("\u4eca\u5929\u5929\u6c14\u5f88\u597d\uff0c\u6211\u4eec\u53bb\u516c\u56ed\u5427\u3002", "\u4eca\u5929\u5929\u6c14\u4e0d\u9519\uff0c\u6211\u4eec\u53bb\u516c\u56ed\u5427\uff01"),
    ("", "\u8fd9\u4e00\u884c\u6ca1\u6709\u8bd1\u6587\u3002"),
    ("\u3000\u8fd9\u662f Linux \u7cfb\u7edf\u3000", "\u8fd9\u662fLinux\u7cfb\u7edf"),
    ("\u6a21\u578b\u2192\u7ed3\u679c\u2460\u2264\u2461", "\u6a21\u578b\u2192\u7ed3\u679c \u2460\u2264\u2461"),
    ("\U00020000\U0002a6d6\u5b57 \U0002f800", "\U00020000\u5b57\U0002a6d6 \U0002f800"),
    ("\u65b0\u7248\u672c2.0-beta\u53d1\u5e03\u4e86\U0001f680\U0001f680", "\u65b0\u7248 2.0-beta \u53d1\u5e03\U0001f680"),
    ("\u3007\u3400\u4db5\u9fa5\u9fbb\u9fbc\ufa2e\ufe10\u31f0", "\u3007\u3400 \u4db5\u9fa5 \u9fbb\u9fbc \ufa2e\ufe10 \u31f0"),
    ("\u5317\u4eac\u3001\u4e0a\u6d77\u548c\u5e7f\u5dde", "\u4e0a\u6d77\u3001\u5317\u4eac\u3001\u5e7f\u5dde"),
    ("\u8c22\u8c22", "\u8c22\u8c22\u60a8"),
    ("\u2603\u2764\ufe0f \u4f60\u597d", "\u2603 \u2764 \u4f60\u597d\uff01"),
    ("\u4e2d\u6587-\u82f1\u6587,100%.", "\u4e2d\u6587\uff0d\u82f1\u6587\uff0c100\uff05\u3002"),
    ("\u5b83\u662f\u300a\u7ea2\u697c\u68a6\u300b\u7684\u4f5c\u8005\u5417\uff1f", "\u4ed6\u662f\u300a\u7ea2\u697c\u68a6\u300b\u7684\u4f5c\u8005\u5417?"),
]


def score_row(lines, first, num, tokenize):
    hypotheses = [hypothesis for hypothesis, _ in lines[first:first + num]]
    references = [[reference for _, reference in lines[first:first + num]]]
    bleu = BLEU(tokenize=tokenize, force=True).corpus_score(hypotheses, references)
    chrf = [CHRF(word_order=n).corpus_score(hypotheses, references).score for n in (0, 2)]
    numbers = [f"{x:.6f}" for x in (bleu.score, *bleu.precisions, bleu.bp)]
    return ["score", str(first), str(num), tokenize, *numbers, str(bleu.sys_len),
            str(bleu.ref_len), *(f"{x:.6f}" for x in chrf)]


def main():
    if sacrebleu.__version__ != "2.6.0":
        sys.exit(f"sacreBLEU 2.6.0 is needed, this is {sacrebleu.__version__}")
    lines = ENGLISH + GERMAN + CHINESE
    ranges = [(i, 1) for i in range(len(lines))]
    ranges += [(0, len(ENGLISH)), (len(ENGLISH), len(GERMAN)),
               (len(ENGLISH) + len(GERMAN), len(CHINESE)), (0, len(lines))]
    rows = [["line", hypothesis, reference] for hypothesis, reference in lines]
    rows += [score_row(lines, first, num, tokenize) for first, num in ranges
             for tokenize in ("13a", "intl", "zh", "char")]
    text = "".join("\t".join(row) + "\n" for row in rows)
    path = pathlib.Path(__file__).with_name("metrics.tsv")
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if path.read_text(encoding="utf-8") == text else f"{path} is out of date")
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
