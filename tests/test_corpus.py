#!/usr/bin/env python3
"""Tests of tools/corpus: its readers, each rule of cleaning, the split and its being repeatable."""

import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent.parent / "tools"
sys.path.insert(0, str(TOOLS / "lib"))

import corpus_cleaning as cleaning  # noqa: E402
import corpus_packages as packages  # noqa: E402
import corpus_readers as readers  # noqa: E402
import corpus_split as splitting  # noqa: E402

HEADER = ("", "Content-Type: text/plain; charset=UTF-8\n")


def make_catalogue(entries, order="<", encoding="utf-8"):
    """A compiled gettext catalogue with (key, value) entries."""
    entries = sorted(entries)
    strings = [[entry[side].encode(encoding) for entry in entries] for side in (0, 1)]
    offset = 28 + 16 * len(entries)
    tables, texts = b"", b""
    for side in strings:
        for text in side:
            tables += struct.pack(order + "2I", len(text), offset + len(texts))
            texts += text + b"\0"
    keys, values = 28, 28 + 8 * len(entries)
    head = struct.pack(order + "7I", 0x950412DE, 0, len(entries), keys, values, 0, 0)
    return head + tables + texts


def make_package(folder, name, contents):
    """A .deb file of the package `name` with {path: text}."""
    root = pathlib.Path(folder) / f"{name}.root"
    for path, data in contents.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
    control = root / "DEBIAN/control"
    control.parent.mkdir(parents=True)
    control.write_text(f"Package: {name}\nVersion: 1.0\nArchitecture: all\n"
                       "Maintainer: Nobody <nobody@example.org>\nDescription: test\n")
    package = pathlib.Path(folder) / "cache" / f"{name}_1.0_all.deb"
    package.parent.mkdir(exist_ok=True)
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", str(root), str(package)],
                   check=True, capture_output=True)
    return package


class Catalogues(unittest.TestCase):
    def test_entries_are_read_in_both_byte_orders(self):
        entries = [HEADER, ("Open a file", "Öffnet eine Datei")]
        for order in "<>":
            self.assertEqual(readers.read_catalogue(make_catalogue(entries, order)), entries[1:])

    def test_declared_charset_is_used(self):
        header = ("", "Content-Type: text/plain; charset=ISO-8859-1\n")
        data = make_catalogue([header, ("Print", "Drücken")], encoding="latin-1")
        self.assertEqual(readers.read_catalogue(data), [("Print", "Drücken")])

    def test_context_is_taken_off(self):
        data = make_catalogue([HEADER, ("page|label\4Left", "Links")])
        self.assertEqual(readers.read_catalogue(data), [("Left", "Links")])

    def test_plural_forms_become_pairs(self):
        data = make_catalogue([HEADER, ("a file\0many files", "eine Datei\0viele Dateien")])
        self.assertEqual(readers.read_catalogue(data),
                         [("a file", "eine Datei"), ("many files", "viele Dateien")])

    def test_only_form_translates_the_plural(self):
        data = make_catalogue([HEADER, ("a file\0many files", "许多文件")])
        self.assertEqual(readers.read_catalogue(data), [("many files", "许多文件")])

    def test_other_files_are_refused(self):
        with self.assertRaises(readers.FormatError):
            readers.read_catalogue(b"PK\3\4 no catalogue")

    def test_every_truncation_is_refused(self):
        data = make_catalogue([HEADER, ("Open a file", "Öffnet eine Datei")])
        for length in range(len(data) - 1):
            with self.assertRaises(readers.FormatError):
                readers.read_catalogue(data[:length])


class HelpPages(unittest.TestCase):
    def test_paragraphs_go_by_id(self):
        page = ('<p id="menu">no content</p><div id="DisplayArea"><h1 id="a">Some <b>bold</b> title'
                '</h1><p id="b">One<br>line &amp; more.</p><p>without id</p></div>')
        self.assertEqual(readers.read_help_page(page),
                         {"a": "Some bold title", "b": "One line & more."})

    def test_default_wording_is_taken(self):
        page = ('<p id="a">Press <span class="switchinline"><span hidden="true" class="MAC">Command'
                '</span><span hidden="true" id="default_1"><span>Ctrl</span></span></span>+A.</p>')
        self.assertEqual(readers.read_help_page(page), {"a": "Press Ctrl+A."})


class Cleaning(unittest.TestCase):
    def assert_kept(self, english, translation, expected, target="de"):
        self.assertEqual(cleaning.clean(english, translation, target), (expected, []))

    def assert_dropped(self, reason, english, translation, target="de"):
        self.assertEqual(cleaning.clean(english, translation, target), ([], [reason]))

    def test_accelerators_are_stripped(self):
        pair = [("Open the file", "Datei öffnen")]
        for english, german in (("_Open the file", "_Datei öffnen"),
                                ("~Open the file", "Datei ö~ffnen"),
                                ("&Open the file", "Datei &öffnen"),
                                ("Op_en the file", "Datei öffnen")):
            self.assert_kept(english, german, pair)

    def test_chinese_accelerators_are_stripped(self):
        self.assert_kept("_Open the file...", "打开文件(_O)...",
                         [("Open the file...", "打开文件...")], "zh_CN")

    def test_ampersand_of_a_name_stays(self):
        self.assert_kept("Use drag and drop here", "Hier Drag&Drop verwenden",
                         [("Use drag and drop here", "Hier Drag&Drop verwenden")])

    def test_markup_and_space_are_normalised(self):
        self.assert_kept("Save <b>all</b><br/>open\n files\u00a0now", "Jetzt \u200balle offenen "
                         "<i>Dateien</i> speichern",
                         [("Save all open files now", "Jetzt alle offenen Dateien speichern")])

    def test_product_name_is_filled_in(self):
        self.assert_kept("Start %PRODUCTNAME again", "%PRODUCTNAME neu starten",
                         [("Start LibreOffice again", "LibreOffice neu starten")])

    def test_sentences_are_split_when_both_sides_agree(self):
        self.assert_kept(
            "Choose a file, e.g. a letter. Then click the button.",
            "Wählen Sie eine Datei, z.B. einen Brief. Klicken Sie dann auf die Schaltfläche.",
            [("Choose a file, e.g. a letter.", "Wählen Sie eine Datei, z.B. einen Brief."),
             ("Then click the button.", "Klicken Sie dann auf die Schaltfläche.")])

    def test_sentences_stay_together_when_sides_disagree(self):
        pair = ("Choose a file. Then click the button.",
                "Wählen Sie eine Datei und klicken Sie auf die Schaltfläche.")
        self.assert_kept(*pair, [pair])

    def test_chinese_sentences_are_split(self):
        self.assert_kept("Choose a file. Then click the button.", "选择一个文件。然后单击该按钮。",
                         [("Choose a file.", "选择一个文件。"),
                          ("Then click the button.", "然后单击该按钮。")], "zh_CN")

    def test_short_texts_are_dropped(self):
        self.assert_dropped("too short", "Settings", "Einstellungen")
        self.assert_dropped("too short", "Go on", "Weiter")

    def test_long_texts_are_dropped(self):
        self.assert_dropped("too long", "some words " * 60, "einige Wörter " * 60)

    def test_placeholders_are_dropped(self):
        for text in ("Open file %s", "Open file %1 now", "Open the $(ARG1) file",
                     "Open {name} now", "Open %(name)s now", "Open ${file} now",
                     "%5.2f files found", "Type %qD is bad"):
            self.assert_dropped("placeholder", text, "Datei öffnen")

    def test_percentages_are_kept(self):
        pair = ("Fill 100% of the page", "100%ige Füllung der Seite")
        self.assert_kept(*pair, [pair])

    def test_code_is_dropped(self):
        for text in ("See https://example.org for more", "Edit the file /etc/fstab now",
                     "Use the --verbose option here", "Call print() to show it",
                     "Set max_size to something", "Use a = b for comparing"):
            self.assert_dropped("code, path or URL", text, text.replace("the", "die"))

    def test_untranslated_texts_are_dropped(self):
        self.assert_dropped("same on both sides", "Open Document Text", "open document text!")
        self.assert_dropped("same on both sides", "This text is not translated at all",
                            "This text is not translated, oh")

    def test_texts_of_few_letters_are_dropped(self):
        self.assert_dropped("few letters", "approx 1234567890 units", "rund 1234567890 Teile")

    def test_different_numbers_are_dropped(self):
        self.assert_dropped("numbers differ", "Wait 10 seconds for it", "Warten Sie 20 Sekunden")

    def test_number_formats_are_the_same(self):
        pair = ("It costs about 1,000.50 dollars", "Es kostet etwa 1.000,50 Dollar")
        self.assert_kept(*pair, [pair])

    def test_lists_are_dropped(self):
        self.assert_dropped("list", "one thing, two things, more, and, so", "ein, zwei, mehr, so")

    def test_stray_brackets_are_dropped(self):
        self.assert_dropped("stray bracket", "The end of it) is here", "Das Ende davon ist hier")

    def test_unlike_lengths_are_dropped(self):
        self.assert_dropped("length ratio", "Show the properties",
                            "Zeigt in einem neuen Fenster alle Eigenschaften des Objekts an")

    def test_chinese_must_be_chinese(self):
        self.assert_dropped("wrong language", "Show the properties",
                            "Eigenschaften zeigen", "zh_CN")


class Split(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        generator = random.Random(1)
        words = [f"{a}{b}{c}" for a in "bdfg" for b in "aeiou" for c in "klmnrst"]
        pairs = {}
        for _ in range(2000):
            english = " ".join(generator.choices(words, k=generator.randint(3, 20))).capitalize()
            pairs[english] = " ".join(reversed(english.upper().split()))
        for english in list(pairs)[:1500]:
            pairs[english + " 12!"] = pairs[english] + " ZWÖLF"
            pairs[english.upper()] = pairs[english] + " GROSS"
            pairs["Also " + english] = pairs[english] + " AUCH"
            pairs["Hidden " + " ".join(english.split()[::-1])] = pairs[english]
        cls.pairs = list(pairs.items())
        cls.train, cls.valid, cls.test = splitting.split(cls.pairs, 100, 100)

    def test_parts_have_the_sizes_asked_for(self):
        self.assertEqual((len(self.valid), len(self.test)), (100, 100))
        self.assertGreater(len(self.train), len(self.pairs) // 2)

    def test_held_out_lines_have_5_to_40_words(self):
        for english, _ in self.valid + self.test:
            self.assertIn(len(english.split()), range(5, 41))

    def test_no_text_straddles_after_normalising(self):
        for side in (0, 1):
            train, valid, test = ({splitting.normalise(pair[side]) for pair in part}
                                  for part in (self.train, self.valid, self.test))
            self.assertFalse(train & valid or train & test or valid & test)

    def test_no_training_sentence_has_most_of_a_held_out_line(self):
        def grams(text):
            words = splitting.normalise(text).split()
            return set(zip(words, words[1:], words[2:], words[3:]))
        train = [grams(english) for english, _ in self.train]
        for english, _ in self.valid + self.test:
            line = grams(english)
            self.assertFalse(any(2 * len(line & other) > len(line) for other in train), english)

    def test_order_of_the_input_does_not_matter(self):
        shuffled = sorted(self.pairs, key=lambda pair: pair[1])
        groups = splitting.split(shuffled, 100, 100)
        for part, again in zip((self.train, self.valid, self.test), groups):
            self.assertEqual(sorted(part), sorted(again))

    def test_added_text_leaves_most_test_lines(self):
        added = [(f"Some {word} text that was added later", word) for word in "abcdefgh"]
        again = splitting.split(self.pairs + added, 100, 100)[2]
        self.assertGreaterEqual(len(set(again) & set(self.test)), 92)


class Packages(unittest.TestCase):
    def test_licence_of_most_files_is_found(self):
        text = "Files: *\nCopyright: A\n B\nLicense: MPL-2.0\n\nFiles: b\nLicense: MIT\n"
        self.assertEqual(packages.licence(text), "MPL-2.0")
        self.assertIsNone(packages.licence("Free text, see GPL.\n"))

    def test_alternatives_in_the_cache_need_no_network(self):
        with tempfile.TemporaryDirectory() as folder:
            package = pathlib.Path(folder) / "gcc-12-locales_12.2_all.deb"
            package.touch()
            found = packages.fetch(["gcc-14-locales|gcc-12-locales"], pathlib.Path(folder),
                                   self.fail)
            self.assertEqual(found, [package])


class Command(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        nouns = ["file", "page", "table", "letter", "picture", "border", "colour", "number"]
        names = ["Datei", "Seite", "Tabelle", "Briefseite", "Grafik", "Umrandung", "Farbe", "Zahl"]
        entries = [HEADER] + [
            (f"Here one {a} is moved behind the other {b}", f"Schiebt hier {x} hinter andere {y}")
            for a, x in zip(nouns, names) for b, y in zip(nouns, names)]
        notice = "Files: *\nLicense: MPL-2.0\n"
        help_page = '<div id="DisplayArea"><p id="par_1">{}</p></div>'
        make_package(self.folder, "libreoffice-l10n-de", {
            "/usr/lib/libreoffice/program/resource/de/LC_MESSAGES/sw.mo": make_catalogue(entries),
            "/usr/share/doc/libreoffice-l10n-de/copyright": notice})
        for name, language, text in (("en-us", "en-US", "This page helps you."),
                                     ("de", "de", "Diese Seite hilft Ihnen.")):
            make_package(self.folder, f"libreoffice-help-{name}", {
                f"/usr/share/libreoffice/help/{language}/text/a.html": help_page.format(text)})

    def run_corpus(self, *arguments):
        return subprocess.run(
            [sys.executable, str(TOOLS / "corpus"), "--cache", str(self.folder / "cache"),
             *map(str, arguments)], capture_output=True, text=True)

    def read(self, output):
        return {file.name: file.read_bytes() for file in (self.folder / output).glob("*.*")}

    def test_cached_packages_become_a_corpus(self):
        run = self.run_corpus("--output", self.folder / "out")
        self.assertEqual(run.returncode, 0, run.stderr)
        files = self.read("out")
        self.assertEqual(set(files), {"manifest.json"} | {
            f"{part}.{side}" for part in ("train", "valid", "test") for side in ("en", "de")})
        english, german = (files[f"train.{side}"].decode().splitlines() for side in ("en", "de"))
        self.assertIn(("This page helps you.", "Diese Seite hilft Ihnen."), zip(english, german))
        self.assertIn('"licence": "MPL-2.0"', files["manifest.json"].decode())
        self.assertTrue((self.folder / "out/copyright/libreoffice-l10n-de").is_file())

    def test_same_packages_give_the_same_bytes(self):
        for output in ("one", "two"):
            self.run_corpus("--output", self.folder / output)
        self.assertEqual(self.read("one"), self.read("two"))

    def test_source_and_target_can_be_swapped(self):
        self.run_corpus("--output", self.folder / "there")
        self.run_corpus("--source", "de", "--target", "en", "--output", self.folder / "back")
        for name in ("train.en", "train.de", "test.en"):
            self.assertEqual(self.read("there")[name], self.read("back")[name])

    def test_max_pairs_takes_the_first_lines(self):
        self.run_corpus("--output", self.folder / "all")
        self.run_corpus("--output", self.folder / "few", "--max-pairs", 3)
        lines = [self.read(output)["train.en"].splitlines() for output in ("all", "few")]
        self.assertEqual(lines[0][:3], lines[1])

    def test_wrong_arguments_are_refused(self):
        for arguments in (["--source", "de", "--target", "fr"], ["--list", "none"],
                          ["--max-pairs", "0"]):
            self.assertEqual(self.run_corpus(*arguments).returncode, 2)

    def test_damaged_package_is_named(self):
        package = self.folder / "cache/libreoffice-l10n-de_1.0_all.deb"
        package.write_bytes(package.read_bytes()[:200])
        run = self.run_corpus("--output", self.folder / "out")
        self.assertEqual(run.returncode, 1)
        self.assertIn("libreoffice-l10n-de_1.0_all.deb cannot be unpacked", run.stderr)
        self.assertNotIn("Traceback", run.stderr)


if __name__ == "__main__":
    unittest.main()
