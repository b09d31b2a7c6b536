#!/usr/bin/env python3
"""Documents translated by the command: PO, SRT and text, from files and from standard input, broken
ones, and a signal in the middle.

    test_documents.py VKSEQ

What a broken document is answered with is compared with golden/bad_input/document_CASE.txt. Exit
code 77 where there is no device.
"""
import re
import shutil
import signal
import subprocess
import time
import unittest

import bad_input
from bad_input import under_test

HEADER = '''# A translation.
msgid ""
msgstr ""
"Project-Id-Version: x 1\\n"
"PO-Revision-Date: 2026-01-02 03:04+0000\\n"
"Last-Translator: x <x@x.org>\\n"
"Language-Team: x <x@x.org>\\n"
"Language: de\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
'''
ENTRY = '\n#. note\n#: file.c:{0}\nmsgctxt "menu {0}"\nmsgid "{1}"\nmsgstr ""\n'
PLURAL = '\n#, c-format\nmsgid "{0}"\nmsgid_plural "{1}"\nmsgstr[0] ""\nmsgstr[1] ""\n'
DONE = '\nmsgid "done"\nmsgstr "fertig"\n\n#, fuzzy\nmsgid "old"\nmsgstr "alt"\n'
OBSOLETE = '\n#~ msgid "gone"\n#~ msgstr "weg"\n'
SUBTITLES = ("\ufeff1\r\n00:00:01,000 --> 00:00:02,000 X1:40\r\n{{\\an8}}<i>{0},</i>\r\n\r\n"
             "2\r\n00:00:02,000 --> 00:00:03,000\r\n{1}.\r\n\r\n"
             "3\r\n00:00:03,000 --> 00:00:04,000\r\n- {2}.\r\n- {3}.\r\n")
COUNTS = r"^translate: (\d+) \w+ translated, (\d+) kept, (\d+) left"
BROKEN = {
    "quote.po": b'msgid "a"\nmsgstr "b\n',
    "keyword.po": b'msgid "a"\nmsgstr "b"\n\nmsgfoo "c"\n',
    "twice.po": b'msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n',
    "charset.po": b'msgid ""\nmsgstr "Content-Type: text/plain; charset=KOI8-R\\n"\n',
    "latin1.po": b'msgid "a"\nmsgstr "\xe4"\n',
    "number.srt": b"1\n00:00:01,000 --> 00:00:02,000\nHi.\n\nHello.\n",
    "times.srt": b"1\n00:00:01 --> 00:00:02,000\nHi.\n",
    "cut.srt": b"1\n00:00:01,000 --> 00:00:02,000\nHi.\n\n2\n",
    "latin1.txt": b"one\n\xe4\n",
    "binary.txt": b"one\n\0\n",
}


def po_file(num):
    lines = bad_input.sentences(1, num)
    return (HEADER + "".join(ENTRY.format(i, line) for i, line in enumerate(lines)) +
            PLURAL.format(lines[0], lines[1]) + DONE + OBSOLETE)


class Documents(bad_input.Case):
    def run_translate(self, *words, **options):
        return bad_input.run_vkseq(self.folder, "translate", "--model", "model", "--beam-size", "1",
                                   *words, **options)

    def translate_file(self, name, text, *words):
        """The document that comes of a text, and the counts that were printed."""
        (self.folder / name).write_bytes(text.encode())
        run = self.run_translate("--input", name, "--output", f"new-{name}", "--format", "auto",
                                 *words)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual((self.folder / name).read_bytes(), text.encode())
        self.assertFalse((self.folder / f"new-{name}.partial").exists())
        counts = re.search(COUNTS, run.stderr.decode(), re.M)
        return ((self.folder / f"new-{name}").read_bytes().decode(),
                [int(number) for number in counts.groups()])

    def check_by_msgfmt(self, name):
        if not shutil.which("msgfmt"):
            self.skipTest("no msgfmt")
        run = subprocess.run(["msgfmt", "--check", "--use-fuzzy", "-o", "/dev/null", name],
                             cwd=self.folder, capture_output=True, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, b""))

    def test_a_po_file_keeps_all_but_empty_translations(self):
        text = po_file(20)
        new, counts = self.translate_file("a.po", text)
        self.assertEqual(sum(counts), 23)
        self.assertEqual(counts[1], 2)
        self.assertGreater(counts[0], 10)
        self.assertTrue(new.startswith(HEADER))
        self.assertTrue(new.endswith(DONE + OBSOLETE))
        kept = ("#", "msgid", "msgctxt")
        self.assertEqual([line for line in new.splitlines()
                          if line.startswith(kept) and not line.startswith("#,")],
                         [line for line in text.splitlines()
                          if line.startswith(kept) and not line.startswith("#,")])
        self.assertEqual(len(re.findall("^#, fuzzy", new, re.M)), counts[0] + 1)
        self.check_by_msgfmt("new-a.po")

    def test_fuzzy_entries_are_translated_when_asked_for(self):
        counts = self.translate_file("a.po", po_file(3), "--fuzzy")[1]
        self.assertEqual((sum(counts), counts[1]), (6, 1))

    def test_input_may_be_output(self):
        whole = self.translate_file("a.po", po_file(5))[0]
        run = self.run_translate("--input", "a.po", "--output", "a.po", "--format", "po")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual((self.folder / "a.po").read_bytes().decode(), whole)

    def test_standard_streams_give_the_same(self):
        for name, text in (("a.po", po_file(3)), ("a.txt", "nopq rst.\r\n\r\nuvw\r\n"),
                           ("a.srt", SUBTITLES.format("nop", "qrs", "tuv", "wxy"))):
            with self.subTest(name):
                whole = self.translate_file(name, text)[0]
                kind = "text" if name == "a.txt" else name[2:]
                run = self.run_translate("--format", kind, input=text.encode())
                self.assertEqual(run.stdout.decode(), whole)

    def test_subtitles_keep_numbers_times_and_marks(self):
        words = [line.split()[0] for line in bad_input.sentences(1, 4)]
        new, counts = self.translate_file("a.srt", SUBTITLES.format(*words))
        self.assertEqual(sum(counts), 3)
        shape = SUBTITLES.format("W", "W", "W", "W")
        pattern = re.escape(shape).replace("W,", "W").replace("W\\.", "W").replace("W", "[^<>]*")
        self.assertRegex(new, f"^{pattern}$")

    def test_text_keeps_its_paragraphs(self):
        words = [line.split()[0] for line in bad_input.sentences(1, 3)]
        new = self.translate_file("a.txt", "\ufeff{}.\r\n\r\n\r\n  {}.\t\r\n- {}".format(*words))[0]
        self.assertRegex(new, "^\ufeff[^\r\n]*\r\n\r\n\r\n  [^\r\n]*\t\r\n- [^\r\n]*$")

    def test_broken_documents_change_nothing(self):
        for name, data in BROKEN.items():
            with self.subTest(name):
                self.write(name, data)
                self.write("old", b"as it was")
                words = ["--input", name, "--format", "auto"]
                stem, kind = name.split(".")
                self.translate(f"document_{kind}_{stem}", *words, "--output", "old")
                self.translate(f"document_{kind}_{stem}", *words, "--output", name)

    def test_missing_files(self):
        self.translate("document_missing", "--input", "none.po", "--format", "auto")
        self.write("a.txt", b"one\n")
        self.translate("document_output", "--input", "a.txt", "--format", "text", "--output",
                       "none/out")

    def test_a_folder_that_is_no_model(self):
        self.write("a.txt", b"one\n")
        self.check("document_model", "translate", "--model", ".", "--input", "a.txt", "--format",
                   "text", "--output", "out")

    def test_a_signal_leaves_the_original_and_nothing_else(self):
        text = po_file(3000).encode()
        self.write("a.po", text)
        before = bad_input.content(self.folder)
        process = subprocess.Popen(
            [under_test.vkseq, "translate", "--model", "model", "--input", "a.po", "--output",
             "a.po", "--format", "po"], cwd=self.folder, stderr=subprocess.PIPE)
        limit = time.monotonic() + 60
        while not (self.folder / "a.po.partial").exists() and time.monotonic() < limit:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        log = process.communicate(timeout=120)[1].decode()
        self.assertEqual(process.returncode, 1, log)
        self.assertIn("vkseq translate: cancelled; nothing is written to a.po\n", log)
        self.assertEqual(bad_input.content(self.folder), before)


if __name__ == "__main__":
    bad_input.main()
