#!/usr/bin/env python3
"""Ids and texts of vkseq beside those of transformers, for every family of tokenizers.

    VKSEQ_COMMAND=build/dev/vkseq PYTHON tests/parity/test_tokenizers.py

PYTHON has the pinned transformers and sentencepiece. VKSEQ_CORPUS is a folder with text that
tools/corpus has made: train.en, train.de and train.zh somewhere below it, also as .gz; without it
build/corpus. Models are learnt from that text; vocabularies are saved by transformers where it
still can. 10,000 lines go through both: en, de, zh, ja (where there is none, made of kana and
Chinese characters), and lines of what is seldom: emoji, control characters, full-width forms.
"""
import gzip
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unicodedata
import unittest
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import sentencepiece  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("VKSEQ_COMMAND", str(ROOT / "build/dev/vkseq"))
CORPUS = pathlib.Path(os.environ.get("VKSEQ_CORPUS", ROOT / "build/corpus"))
NUM_LINES, NUM_SPECIAL, NUM_PIECES = 10000, 400, 8000
# Of 10,000 lines, those in which the peer may differ for one of two reasons, which are checked:
# ways to cut a line whose scores are the same up to rounding, of which SentencePiece takes another
# one since 0.2; and combining marks behind compatibility characters, which the normaliser of the
# tokenizers library drops and SentencePiece keeps.
MAX_TIES, MAX_DROPPED_MARKS = 5, 5

EMOJI = ["😀", "👨‍👩‍👧", "🇩🇪", "❤️", "👍🏽", "\u200d"]
# Not LF, and not CR: the command's lines end with them.
CONTROL = [chr(c) for c in range(1, 32) if c not in (10, 13)] + list(
    "\x7f\x85\u200b\ufeff\u00ad\u2028\u00a0\u3000\ufffd\ufffe")
FULL_WIDTH = [chr(c) for c in range(0xFF01, 0xFF5F)]
RANGES = [(1, 9), (14, 0x2FF), (0x300, 0x36F), (0x370, 0x1FFF), (0x2000, 0x2580),
          (0x2582, 0x2FFF), (0x3000, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x1FFFF)]


def read_text(language):
    for path in sorted(CORPUS.rglob(f"*train*.{language}*")):
        opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(
            path, encoding="utf-8")
        with opened as file:
            return [line.rstrip("\r\n") for line in file]
    return []


def made_japanese(chance, chinese, num):
    kana = [chr(c) for c in [*range(0x3041, 0x3097), *range(0x30A1, 0x30FB)]] + list("ー。、「」")
    characters = "".join(chinese[:2000])
    return ["".join(chance.choice(kana) if chance.random() < 0.6 else chance.choice(characters)
                    for _ in range(chance.randint(1, 60))) for _ in range(num)]


def special_lines(chance, english, num):
    lines = ["", " ", "  ", "a", " a", "a ", "  a  b  ", "\ta\t", "é", "e\u0301", "ﬁ", "①", "㍿", "½",
             "\u1100\u1161", "x" * 5000, "中" * 3000, " ".join(english[:300]), "a\u3000", "\u3000a",
             "a , b . c ? d ! e 's f n't g ' h"]
    while len(lines) < num:
        words = chance.choice(english).split(" ")
        kinds = chance.choice([EMOJI, CONTROL, FULL_WIDTH, EMOJI + CONTROL + FULL_WIDTH])
        if chance.random() < 0.4:
            words = ["".join(chr(chance.randint(*chance.choice(RANGES)))
                             for _ in range(chance.randint(1, 30)))]
        for _ in range(chance.randint(1, 6)):
            word = "".join(chance.choice(kinds) for _ in range(chance.randint(1, 4)))
            words.insert(chance.randint(0, len(words)), word)
        lines.append((" " if chance.random() < 0.7 else "").join(words))
    return [line.rstrip("\r") for line in lines]


def all_lines():
    chance = random.Random(7)
    texts = {language: read_text(language) for language in ("en", "de", "zh", "ja")}
    for language in ("en", "de", "zh"):
        if not texts[language]:
            raise unittest.SkipTest(f"no train.{language} below {CORPUS}")
    each = (NUM_LINES - NUM_SPECIAL) // 4
    texts["ja"] = texts["ja"] or made_japanese(chance, texts["zh"], each)
    lines = [line for language in texts for line in chance.sample(texts[language], each)]
    return lines, special_lines(chance, texts["en"], NUM_SPECIAL)


def added(text, **fields):
    return {"content": text, "lstrip": False, "rstrip": False, "normalized": False,
            "single_word": False, "special": True, **fields}


def piece_names(model):
    return [model.id_to_piece(i) for i in range(model.get_piece_size())]


class TokenizersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        plain, special = all_lines()
        cls.lines = plain + special
        (cls.folder / "lines").write_text("\n".join(cls.lines) + "\n", "utf-8")
        (cls.folder / "text").write_text("\n".join(line for line in plain if line.strip()), "utf-8")
        for name, kind, options in (("bpe", "bpe", {}), ("unigram", "unigram", {}),
                                    ("other", "unigram", {"vocab_size": NUM_PIECES - 1000}),
                                    ("pegasus", "unigram", {"pad_id": 0, "eos_id": 1, "unk_id": 2,
                                                            "bos_id": -1})):
            sentencepiece.SentencePieceTrainer.train(**{
                "input": str(cls.folder / "text"), "model_prefix": str(cls.folder / name),
                "model_type": kind, "vocab_size": NUM_PIECES, "character_coverage": 0.998,
                "num_threads": 2, "minloglevel": 2, "max_sentence_length": 100000, **options})

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def model(self, name):
        return sentencepiece.SentencePieceProcessor(model_file=str(self.folder / f"{name}.model"))

    def make(self, name, models, files):
        """A folder of copied models and JSON files."""
        path = self.folder / name
        path.mkdir()
        for target, source in models.items():
            shutil.copy(self.folder / f"{source}.model", path / target)
        for target, content in files.items():
            (path / target).write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        return path

    def run_vkseq(self, verb, folder, text, *flags):
        result = subprocess.run([COMMAND, verb, "--model", str(folder), *flags], check=False,
                                input=text.encode("utf-8"), capture_output=True)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result.stdout.decode("utf-8").split("\n")[:-1]

    def assert_ids(self, folder, expected, *flags, lines=None, model=None):
        """model: the SentencePiece model whose scores and pieces decide where ids differ."""
        lines = self.lines if lines is None else lines
        text = "".join(line + "\n" for line in lines)
        found = self.run_vkseq("encode", folder, text, *flags)
        pieces = self.run_vkseq("encode", folder, text, "--pieces", "--text-only", *flags)
        self.assertEqual(len(found), len(lines))
        different, num_ties, num_dropped = [], 0, 0
        for line, ours, names, theirs in zip(lines, found, pieces, expected):
            if [int(word) for word in ours.split()] == list(theirs):
                continue
            num_ties += self.is_tie(line, names.split(" "), model)
            num_dropped += self.is_dropped_mark(line, names.split(" "), model)
            different.append((line, ours, theirs))
        if different:
            print(f"{folder.name}: {num_ties} ties and {num_dropped} dropped marks "
                  f"in {len(lines)} lines")
        self.assertEqual(num_ties + num_dropped, len(different),
                         f"{len(different)} of {len(lines)} lines: {different[:3]}")
        self.assertLessEqual(num_ties, MAX_TIES)
        self.assertLessEqual(num_dropped, MAX_DROPPED_MARKS)

    def is_tie(self, line, names, model):
        """Whether another way to cut a line than SentencePiece's own has the same score."""
        if model is None:
            return False
        own = self.model(model)
        theirs = own.encode(line, out_type=str)

        def score(cut):
            return sum(own.get_score(own.piece_to_id(piece)) for piece in cut)
        known = [piece for piece in names if piece != "<unk>"]
        compared = [piece for piece in theirs if own.piece_to_id(piece) != own.unk_id()]
        return (known != compared and "".join(known) == "".join(compared) and
                abs(score(known) - score(compared)) < 1e-4)

    def is_dropped_mark(self, line, names, model):
        """Whether a line with combining marks is cut as SentencePiece does it, not the peer."""
        if model is None or not any(unicodedata.combining(c) for c in line):
            return False
        own = self.model(model)
        return names == [piece if own.piece_to_id(piece) != own.unk_id() else "<unk>"
                         for piece in own.encode(line, out_type=str)]

    def assert_texts(self, folder, ids, expected, *flags):
        text = "".join(" ".join(map(str, line)) + "\n" for line in ids)
        found = self.run_vkseq("decode", folder, text, *flags)
        self.assertEqual(len(found), len(ids))
        different = [pair for pair in zip(found, expected) if pair[0] != pair[1]]
        self.assertFalse(different, f"{len(different)} of {len(ids)} texts: {different[:3]}")

    def check(self, folder, peer, languages, model, num_around=(0, 0)):
        """Both sides' ids, and the texts of both. languages: codes of source and target, or none.
        model: of the source. num_around: tokens around the text's own that the peer does not take
        for special ones, and so leaves in texts."""
        if peer.is_fast:
            peer._tokenizer.encode_special_tokens = True  # a text that spells <s> does not mean it
        flags = []
        for side, code in zip(("source", "target"), languages):
            flags += [f"--{side}-language", code]
        ids = [peer(line, split_special_tokens=True)["input_ids"] for line in self.lines]
        self.assert_ids(folder, ids, *flags, model=model)
        first, last = num_around
        inner = [line[first:len(line) - last] for line in ids]
        texts = [peer.decode(line, skip_special_tokens=True) for line in inner]
        self.assert_texts(folder, inner, texts)
        some = self.lines[::20]
        targets = [peer(text_target=line, split_special_tokens=True)["input_ids"] for line in some]
        self.assert_ids(folder, targets, *flags, "--side", "target", lines=some, model=model)

    def marian_vocab(self, *models, codes=()):
        names = ["</s>", "<unk>"]
        for model in models:
            names += [name for name in piece_names(self.model(model))
                      if name not in ("<s>", "</s>", "<unk>")]
        names = list(dict.fromkeys([*names, *codes, "<pad>"]))
        return {name: i for i, name in enumerate(names)}

    def save(self, name, peer):
        peer.save_pretrained(self.folder / name)
        return self.folder / name

    def test_marian(self):
        vocab = self.marian_vocab("unigram", "other", codes=[">>deu<<", ">>zho<<"])
        made = self.make("marian_made", {"source.spm": "unigram", "target.spm": "other"},
                         {"vocab.json": vocab})
        peer = transformers.MarianTokenizer.from_pretrained(made)
        folder = self.save("marian", peer)
        self.check(folder, peer, (), "unigram")
        coded = [f"{code}{line}" for line in self.lines[::40]
                 for code in (">>deu<< ", ">>zho<<", ">>xxx<<", ">><<", " >>deu<<", ">>deu")]
        self.assert_ids(folder, [peer(line, split_special_tokens=True)["input_ids"]
                                 for line in coded], lines=coded)
        # What --target-language adds is what a text may say itself.
        some = [line for line in self.lines[::40] if not line.startswith(">>")]
        wanted = [peer(">>zho<<" + line, split_special_tokens=True)["input_ids"] for line in some]
        self.assert_ids(folder, wanted, "--target-language", "zho", lines=some)

    def test_marian_with_separate_vocabularies(self):
        made = self.make("separate_made", {"source.spm": "unigram", "target.spm": "other"},
                         {"vocab.json": self.marian_vocab("unigram", codes=[">>deu<<"]),
                          "target_vocab.json": self.marian_vocab("other")})
        peer = transformers.MarianTokenizer.from_pretrained(made, separate_vocabs=True)
        folder = self.save("separate", peer)
        some = self.lines[::4]
        self.assert_ids(folder, [peer(line, split_special_tokens=True)["input_ids"]
                                 for line in some], lines=some, model="unigram")
        targets = [peer(text_target=line, split_special_tokens=True)["input_ids"] for line in some]
        self.assert_ids(folder, targets, "--side", "target", lines=some, model="other")
        self.assert_texts(folder, targets, [peer.decode(line, skip_special_tokens=True)
                                            for line in targets])

    def test_marian_that_cleans_up(self):
        made = self.make("clean_made", {"source.spm": "unigram", "target.spm": "unigram"},
                         {"vocab.json": self.marian_vocab("unigram")})
        peer = transformers.MarianTokenizer.from_pretrained(made, clean_up_tokenization_spaces=True)
        self.check(self.save("clean", peer), peer, (), "unigram")

    def test_pegasus(self):
        folder = self.make("pegasus", {"spiece.model": "pegasus"},
                           {"tokenizer_config.json": {"tokenizer_class": "PegasusTokenizer",
                                                      "clean_up_tokenization_spaces": True}})
        peer = transformers.PegasusTokenizer.from_pretrained(folder)
        self.assertEqual(peer.unk_token_id, 105)
        self.check(folder, peer, (), "pegasus")
        # What transformers saves is tokenizer.json alone; published models have the model too.
        saved = self.save("pegasus_saved", peer)
        self.assertFalse((saved / "spiece.model").exists())
        self.check(saved, peer, (), "pegasus")
        shutil.copy(folder / "spiece.model", saved)
        self.check(saved, peer, (), "pegasus")

    def test_m2m100(self):
        names = ["<s>", "<pad>", "</s>", "<unk>", *piece_names(self.model("bpe"))[3:]]
        made = self.make("m2m_made", {"sentencepiece.bpe.model": "bpe"},
                         {"vocab.json": {name: i for i, name in enumerate(names)}})
        peer = transformers.M2M100Tokenizer.from_pretrained(made, src_lang="de", tgt_lang="zh")
        self.check(self.save("m2m", peer), peer, ("de", "zh"), "bpe", num_around=(1, 1))

    def nllb(self, name, **settings):
        """A folder as transformers 4 saved it: ids of added tokens stand in tokenizer_config.json."""
        codes = transformers.models.nllb.tokenization_nllb.FAIRSEQ_LANGUAGE_CODES
        num = self.model("bpe").get_piece_size() + 1
        names = {0: "<s>", 1: "<pad>", 2: "</s>", 3: "<unk>",
                 **{num + i: code for i, code in enumerate(codes)}}
        tokens = {str(i): added(text) for i, text in names.items()}
        tokens[str(num + len(codes))] = added("<mask>", lstrip=True, normalized=True)
        config = {"tokenizer_class": "NllbTokenizer", "added_tokens_decoder": tokens,
                  "additional_special_tokens": codes, "clean_up_tokenization_spaces": True}
        return self.make(name, {"sentencepiece.bpe.model": "bpe"},
                         {"tokenizer_config.json": {**config, **settings}})

    def test_nllb(self):
        folder = self.nllb("nllb")
        peer = transformers.NllbTokenizer.from_pretrained(folder, src_lang="jpn_Jpan",
                                                          tgt_lang="deu_Latn")
        self.assertEqual(len(peer), NUM_PIECES + 1 + 202 + 1)
        self.check(folder, peer, ("jpn_Jpan", "deu_Latn"), "bpe")
        saved = self.save("nllb_saved", peer)
        peer = transformers.AutoTokenizer.from_pretrained(saved, src_lang="zho_Hans",
                                                          tgt_lang="eng_Latn")
        self.check(saved, peer, ("zho_Hans", "eng_Latn"), "bpe")
        shutil.copy(folder / "sentencepiece.bpe.model", saved)
        self.check(saved, peer, ("zho_Hans", "eng_Latn"), "bpe")

    def test_nllb_with_the_older_order(self):
        folder = self.nllb("nllb_old", legacy_behaviour=True)
        peer = transformers.NllbTokenizer.from_pretrained(folder, src_lang="deu_Latn")
        some = self.lines[:9000:20]
        ids = [peer(line)["input_ids"] for line in some]
        self.assertEqual(ids[0][-1], peer.convert_tokens_to_ids("deu_Latn"))
        self.assert_ids(folder, ids, "--source-language", "deu_Latn", lines=some)

    def test_mbart50(self):
        folder = self.make("mbart50", {"sentencepiece.bpe.model": "unigram"},
                           {"tokenizer_config.json": {"tokenizer_class": "MBart50Tokenizer"}})
        peer = transformers.MBart50Tokenizer.from_pretrained(folder, src_lang="ja_XX",
                                                             tgt_lang="de_DE")
        self.check(folder, peer, ("ja_XX", "de_DE"), "unigram")
        self.check(self.save("mbart50_saved", peer), peer, ("ja_XX", "de_DE"), "unigram")

    def check_translations(self, folder, peer, model, languages):
        """Texts of a model with random weights, from texts, with the target language forced."""
        source, target = languages
        model.eval().generation_config.max_length = 20
        model.save_pretrained(folder)
        peer.src_lang = source
        forced = peer.convert_tokens_to_ids(target) if target in peer.get_vocab() else (
            peer.get_lang_id(target))
        lines = [line[:60].strip() for line in self.lines[:9000:600]]
        text = "".join(line + "\n" for line in lines)
        for beam in (1, 4):
            expected = []
            for line in lines:
                made = model.generate(**peer(line, return_tensors="pt", split_special_tokens=True),
                                      forced_bos_token_id=forced, num_beams=beam, do_sample=False)
                ids = [i for i in made[0].tolist() if i != forced]
                expected.append(peer.decode(ids, skip_special_tokens=True))
            found = self.run_vkseq("translate", folder, text, "--source-language", source,
                                   "--target-language", target, "--beam-size", str(beam),
                                   "--normalize", "1", "--max-length-factor", "50")
            same = sum(ours == theirs for ours, theirs in zip(found, expected))
            print(f"{folder.name}: {same} of {len(lines)} translations with a beam of {beam} equal")
            # Where two tokens are equally good, either may come first.
            self.assertGreaterEqual(same, len(lines) - 1, list(zip(found, expected))[:5])

    def test_translations(self):
        torch.manual_seed(5)
        torch.set_num_threads(1)
        shape = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 2,
                 "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 48,
                 "decoder_ffn_dim": 48, "max_position_embeddings": 256, "init_std": 0.4,
                 "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
                 "decoder_start_token_id": 2}
        folder = self.nllb("nllb_model")
        peer = transformers.NllbTokenizer.from_pretrained(folder)
        config = transformers.M2M100Config(vocab_size=len(peer) + 2, **shape)
        model = transformers.M2M100ForConditionalGeneration(config)
        self.check_translations(folder, peer, model, ("eng_Latn", "deu_Latn"))
        folder = self.make("mbart_model", {"sentencepiece.bpe.model": "unigram"},
                           {"tokenizer_config.json": {"tokenizer_class": "MBart50Tokenizer"}})
        peer = transformers.MBart50Tokenizer.from_pretrained(folder)
        config = transformers.MBartConfig(vocab_size=len(peer), **shape)
        model = transformers.MBartForConditionalGeneration(config)
        self.check_translations(folder, peer, model, ("de_DE", "zh_CN"))

    def test_added_tokens(self):
        vocab = self.marian_vocab("unigram")
        made = self.make("added_made", {"source.spm": "unigram", "target.spm": "unigram"},
                         {"vocab.json": vocab})
        peer = transformers.MarianTokenizer.from_pretrained(made)
        peer.add_tokens([transformers.AddedToken("[TERM]", lstrip=True, rstrip=True),
                         transformers.AddedToken("[T]")])
        peer.add_special_tokens({"extra_special_tokens": ["<2x>"]})
        folder = self.save("added", peer)
        peer = transformers.MarianTokenizer.from_pretrained(folder)
        lines = [mark.join(self.lines[i:i + 3]) for i in range(0, 600, 3)
                 for mark in ("[TERM]", " [TERM] ", "[T]", " [T] ", "<2x>", "[T][TERM][T]")]
        ids = [peer(line)["input_ids"] for line in lines]
        self.assertTrue(any(len(vocab) in line for line in ids))
        self.assert_ids(folder, ids, lines=lines)
        self.assert_texts(folder, ids, [peer.decode(line, skip_special_tokens=True)
                                        for line in ids])


if __name__ == "__main__":
    print(f"transformers {transformers.__version__}, sentencepiece {sentencepiece.__version__}")
    unittest.main()
