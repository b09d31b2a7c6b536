#!/usr/bin/env python3
"""The desktop translator, with real keys and a real pointer in a window of an X server without a
screen, read as a screen reader does.

    test_desktop.py VKSEQ VKSEQ_TRANSLATOR_WATCHED

The second is built with watch_threads.c, which notes the thread of each call of the library.
"""
import configparser
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import desktop_model
import desktop_session

SKIPPED, NO_DEVICE = 77, 3
HERE = pathlib.Path(__file__).resolve().parent
SOURCE, TARGET = "Text to translate", "Translation"
DROP_HINT = "Drop a model folder or a document"
NUM_ENTRIES, NUM_LONG = 60, 20000


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.desktop = DESKTOP
        self.folder = pathlib.Path(scratch.name)
        self.models = self.folder / "data" / "vkseq" / "models"
        shutil.copytree(MODELS, self.models)
        self.watch = self.folder / "calls"
        settings = self.folder / "config" / "vkseq" / "translator.ini"
        settings.parent.mkdir(parents=True)
        settings.write_text(f"[translation]\nmodel={self.models / 'en-de-one'}\n", "utf-8")

    def start(self, *words, **environment):
        # Out of the way: lists select what is under the pointer.
        self.desktop.move(self.desktop.width - 2, self.desktop.height - 2)
        program = desktop_session.Program(
            self.desktop, [TRANSLATOR, *words], VKSEQ_WATCH=str(self.watch),
            XDG_CONFIG_HOME=str(self.folder / "config"), XDG_DATA_HOME=str(self.folder / "data"),
            **environment)
        self.addCleanup(self.end, program)
        return program

    def end(self, program):
        self.assertIn(program.stop(), (0, -signal.SIGTERM), program.said())
        self.assertNotIn("main", {thread for _, thread in self.calls()})
        self.assertNotRegex(program.said(), "CRITICAL|WARNING")

    def calls(self):
        lines = self.watch.read_text("utf-8").splitlines() if self.watch.exists() else []
        return [tuple(line.split()) for line in lines]

    def ready(self, *words, **environment):
        """A program that has opened its model."""
        program = self.start(*words, **environment)
        program.wait(lambda: program.find(contains=" · ready"), "model")
        return program

    def translated(self, program, text):
        program.wait(lambda: program.text(TARGET) == text, f"translation “{text}”")

    def notice(self, program, title):
        program.wait(lambda: program.find(contains=title, role="label"), f"notice “{title}”")

    def setting(self, section, name):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(self.folder / "config" / "vkseq" / "translator.ini", "utf-8")
        return parser.get(section, name, fallback=None)

    def choose(self, program, keys, step):
        """Another entry of a list, by the keyboard."""
        self.desktop.key(keys)
        program.wait(lambda: program.focused().get_role_name() == "list item", "list")
        self.desktop.key(step, "Return")

    def choose_file(self, program, path, is_last=False):
        """Types a path into the file dialog that has been asked for. is_last: the dialog may be
        followed by another one, or by the end."""
        dialog = program.enter_dialog("file dialog")
        self.desktop.key("ctrl+a")
        self.desktop.type("/")  # opens the entry for paths, if there is none
        self.entry_has(program, dialog, "/")
        self.desktop.type(str(path)[1:])
        self.entry_has(program, dialog, str(path))
        self.desktop.key("Return")
        if not is_last:
            program.wait(lambda: not program.dialog(), "end of the file dialog")

    def entry_has(self, program, dialog, text):
        program.wait(lambda: program.content(program.focused(dialog)) == text,
                     f"“{text}” in the file dialog")

    def first_word(self, program, pane):
        x, y, _, _ = program.extents(program.find(pane, "text"))
        return x + desktop_session.BORDER + 26, y + desktop_session.BORDER + 26


class Typing(Case):
    def test_translation_follows_typing(self):
        program = self.ready()
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        self.desktop.type("\ngreen bird")
        self.translated(program, "rot Haus\ngrün Vogel")
        self.desktop.key("ctrl+n")
        self.translated(program, "")
        status = program.find(contains="tokens/s")
        self.assertRegex(status.get_name(), r"^.+ · [\d.]+ m?s · \d+ tokens/s$")

    def test_translation_equals_that_of_the_command(self):
        program = self.ready()
        line = "big tree water small bird fire old house"
        self.desktop.type(line)
        expected = subprocess.run([VKSEQ, "translate", "--model", self.models / "en-de-one"],
                                  input=line, capture_output=True, text=True, check=True)
        self.translated(program, expected.stdout.rstrip("\n"))

    def test_no_translation_call_runs_on_the_main_thread(self):
        program = self.ready()
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        self.desktop.click(*self.first_word(program, TARGET))
        program.wait(lambda: program.find("Other words"), "alternatives")
        program.stop()
        calls = self.calls()
        called = {name for name, _ in calls}
        for name in ("vks_devices_list", "vks_device_create", "vks_tokenizer_load", "vks_model_load",
                     "vks_translator_create", "vks_translate_from", "vks_translate_alternatives"):
            self.assertIn(name, called)
        self.assertEqual({thread for _, thread in calls}, {"other"})

    def test_swapped_texts_are_translated_back(self):
        program = self.ready()
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        self.desktop.key("ctrl+shift+x")
        self.translated(program, "red house")
        self.assertEqual(program.text(SOURCE), "rot Haus")
        self.assertIsNotNone(program.find("Model: de-en-two"))

    def test_copied_translation_can_be_pasted(self):
        program = self.ready()
        self.desktop.type("blue water")
        self.translated(program, "blau Wasser")
        self.desktop.key("ctrl+shift+c")
        self.desktop.key("ctrl+n")
        self.desktop.key("ctrl+v")
        program.wait(lambda: program.text(SOURCE) == "blau Wasser", "pasted text")


class Words(Case):
    def test_chosen_alternative_is_translated_from(self):
        program = self.ready()
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        self.desktop.click(*self.first_word(program, TARGET))
        row = program.wait(lambda: program.find(contains=" %", role="list item"), "alternatives")
        word = row.get_name().split(",")[0]
        self.assertNotEqual(word, "rot")
        self.desktop.key("Return")  # the first one has the focus
        program.wait(lambda: program.text(TARGET).startswith(word), f"translation with “{word}”")

    def test_alternatives_open_by_keyboard(self):
        program = self.ready()
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        self.desktop.click(*self.first_word(program, TARGET))
        program.wait(lambda: program.find(contains=" %", role="list item"), "alternatives")
        self.desktop.key("Escape")
        program.wait(lambda: not program.find(contains=" %", role="list item"), "closed popover")
        self.desktop.key("alt+Down")
        program.wait(lambda: program.find(contains=" %", role="list item"), "alternatives")

    def test_hovering_shows_the_words_that_are_attended_to(self):
        program = self.ready()
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        before = self.desktop.rows()
        self.desktop.move(*self.first_word(program, TARGET))
        self.pane_changes(program, SOURCE, before)

    def pane_changes(self, program, pane, before):
        x, y, width, _ = program.extents(program.find(pane, "text"))
        border = desktop_session.BORDER
        top, left, right = y + border + 14, x + border, x + border + width
        def has_changed():
            rows = self.desktop.rows()
            return any(rows[i][3 * left:3 * right] != before[i][3 * left:3 * right]
                       for i in range(top, top + 6))

        program.wait(has_changed, f"change of “{pane}”")


class Choosing(Case):
    def test_model_is_switched_and_remembered(self):
        program = self.ready()
        self.desktop.type("rot Haus")
        self.choose(program, "ctrl+m", "Up")
        program.wait(lambda: program.find("Model: de-en-two"), "other model")
        self.translated(program, "red house")
        self.desktop.key("ctrl+q")
        self.assertEqual(program.process.wait(20), 0)
        self.assertEqual(self.setting("translation", "model"), str(self.models / "de-en-two"))
        self.assertGreater(int(self.setting("window", "width")), 0)
        program = self.ready()
        self.assertIsNotNone(program.find("Model: de-en-two"))

    def test_device_is_switched_live(self):
        drivers = self.twice_the_driver()
        program = self.ready(VK_DRIVER_FILES=drivers)
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        first = program.find(contains="Device: ").get_name()
        self.choose(program, "ctrl+d", "Down" if first.startswith("Device: 0") else "Up")
        program.wait(lambda: program.find(contains="Device: ").get_name() != first, "other device")
        second = program.find(contains="Device: ").get_name().removeprefix("Device: ")
        program.wait(lambda: program.find(contains=f"{second} · ", role="label") and
                     program.find(contains="tokens/s"), "translation on the other device")
        self.assertEqual(program.text(TARGET), "rot Haus")
        self.assertGreaterEqual(self.calls().count(("vks_device_create", "other")), 3)

    def twice_the_driver(self):
        """The driver of one device in two files, which makes two devices of it."""
        listed = subprocess.run([VKSEQ, "devices", "--json"], capture_output=True, text=True,
                                check=True)
        manifests = [path for path in map(pathlib.Path, (
            os.path.expanduser("~/.cache/vkseq/lavapipe/lvp_icd.json"),
            "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json", "/usr/share/vulkan/icd.d/lvp_icd.json"))
            if path.exists()]
        if not manifests:
            self.skipTest(f"no lavapipe to list twice among {len(json.loads(listed.stdout))} devices")
        manifest = json.loads(manifests[0].read_text("utf-8"))
        library = manifest["ICD"]["library_path"]
        if "/" in library:
            library = str((manifests[0].parent / library).resolve())
        manifest["ICD"]["library_path"] = library
        copies = [self.folder / name for name in ("one.json", "two.json")]
        for copy in copies:
            copy.write_text(json.dumps(manifest), "utf-8")
        if "/" in library:  # the loader would take the same file for one driver
            other = self.folder / "libvulkan_other.so"
            shutil.copy(library, other)
            manifest["ICD"]["library_path"] = str(other)
            copies[1].write_text(json.dumps(manifest), "utf-8")
        return ":".join(map(str, copies))

    def drop(self, program, path):
        """Drags a file from another window onto this one."""
        source = subprocess.Popen([sys.executable, HERE / "desktop_drag_source.py", path],
                                  env=self.desktop.env, stdin=subprocess.DEVNULL)
        try:
            search = subprocess.run(["xdotool", "search", "--sync", "--onlyvisible", "--name",
                                     "drag source"], env=self.desktop.env, capture_output=True,
                                    text=True, check=True, timeout=desktop_session.TIMEOUT_S)
            window = search.stdout.split()[-1]
            self.desktop.xdotool("windowmove", "--sync", window, 820, 545)
            self.desktop.xdotool("windowraise", window)
            self.assertTrue(self.desktop.drag((850, 565), (250, 300),
                                              lambda: program.find(DROP_HINT)))
            program.wait(lambda: not program.find(DROP_HINT), "drop")
        finally:
            source.terminate()
            source.wait()

    def test_dropped_folder_becomes_the_model(self):
        other = self.folder / "somewhere" / "de-en-dropped"
        shutil.copytree(self.models / "de-en-two", other)
        program = self.ready()
        self.desktop.type("rot Haus")
        self.drop(program, other)
        program.wait(lambda: program.find("Model: de-en-dropped"), "dropped model")
        self.translated(program, "red house")
        self.assertIn(str(other), self.setting("translation", "models"))

    def test_dropped_folder_that_is_no_model_is_refused(self):
        (self.folder / "pictures").mkdir()
        program = self.ready()
        self.drop(program, self.folder / "pictures")
        self.notice(program, "“pictures” is not a model folder")
        self.assertIsNotNone(program.find("Model: en-de-one"))

    def test_model_folder_is_chosen_in_a_dialog(self):
        other = self.folder / "somewhere" / "en-de-chosen"
        shutil.copytree(self.models / "en-de-one", other)
        program = self.ready()
        self.desktop.key("ctrl+shift+o")
        self.choose_file(program, other)
        program.wait(lambda: program.find("Model: en-de-chosen"), "chosen model")

    def test_folder_on_the_command_line_becomes_the_model(self):
        other = self.folder / "somewhere" / "en-de-given"
        shutil.copytree(self.models / "en-de-one", other)
        program = self.ready(other)
        program.wait(lambda: program.find("Model: en-de-given"), "given model")


class DocumentCase(Case):
    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def write_po(self, num, name="report.po"):
        words = list(desktop_model.WORDS)
        entries = "".join(f'\n#: part.c:{i}\nmsgid "{words[i % 12]} {words[i // 12 % 12]} {words[i // 144 % 12]}'
                          f' {words[i // 1728]}"\nmsgstr ""\n' for i in range(num))
        return self.write(name, 'msgid ""\nmsgstr ""\n"Language: de\\n"\n'
                                '"Content-Type: text/plain; charset=UTF-8\\n"\n' + entries)

    def by_command(self, path):
        """What the command makes of a document with the same model."""
        translated = path.with_name("by-command" + path.suffix)
        subprocess.run([VKSEQ, "translate", "--model", self.models / "en-de-one", "--format",
                        {".txt": "text"}.get(path.suffix, path.suffix[1:]), "--input", path,
                        "--output", translated], capture_output=True, check=True)
        return translated.read_text("utf-8")

    def save_as(self, program, name):
        path = self.folder / name
        self.desktop.key("ctrl+s")
        self.choose_file(program, path)
        self.notice(program, f"Saved as “{name}”")
        return path


class Documents(DocumentCase):
    def test_typed_text_is_saved(self):
        program = self.ready()
        self.desktop.type("red house\nwater")
        self.translated(program, "rot Haus\nWasser")
        path = self.save_as(program, "typed.txt")
        self.assertEqual(path.read_text("utf-8"), "rot Haus\nWasser\n")

    def test_text_is_opened_in_a_dialog_and_saved(self):
        original = self.write("words.txt", "green tree\n\nold fire\n")
        program = self.ready()
        self.desktop.key("ctrl+o")
        self.choose_file(program, original)
        self.translated(program, "grün Baum\nalt Feuer")
        path = self.save_as(program, "words-de.txt")
        self.assertEqual(path.read_text("utf-8"), self.by_command(original))
        self.assertEqual(original.read_text("utf-8"), "green tree\n\nold fire\n")

    def test_po_is_translated_and_stays_well_formed(self):
        original = self.write_po(NUM_ENTRIES)
        program = self.ready(original)
        program.wait(lambda: program.find("complete"), "whole translation")
        path = self.save_as(program, "report-de.po")
        text = path.read_text("utf-8")
        self.assertEqual(text.count("#, fuzzy"), NUM_ENTRIES)
        self.assertEqual(text, self.by_command(original))
        if shutil.which("msgfmt"):
            subprocess.run(["msgfmt", "--check", "--use-fuzzy", "-o", os.devnull, path], check=True)

    def test_subtitles_are_translated(self):
        original = self.write("film.srt", "1\n00:00:01,000 --> 00:00:02,000\nblue bird\n")
        program = self.ready(original)
        self.translated(program, "blau Vogel")
        path = self.save_as(program, "film-de.srt")
        self.assertIn("00:00:01,000 --> 00:00:02,000\nblau Vogel", path.read_text("utf-8"))

    def test_cancelled_document_leaves_the_original_untouched(self):
        original = self.write_po(NUM_LONG, "long.po")
        before = original.read_bytes()
        program = self.ready(original)
        progress = program.wait(lambda: program.find(contains=f" of {NUM_LONG} · "), "progress")
        self.assertIn(" left", progress.get_name())
        cancel = program.find("Cancel", "push button")
        self.desktop.click(*program.center(cancel))
        program.wait(lambda: program.find("Stopped"), "end")
        done = re.fullmatch(r"(\d+) of \d+", program.find(contains=f" of {NUM_LONG}").get_name())
        self.assertTrue(0 < int(done[1]) < NUM_LONG)
        self.assertEqual(original.read_bytes(), before)
        path = self.save_as(program, "part.po")
        self.assertEqual(path.read_text("utf-8").count("#, fuzzy"), int(done[1]))
        self.assertEqual(original.read_bytes(), before)

    def test_malformed_document_is_refused(self):
        program = self.ready(self.write("broken.po", 'msgid "red\nmsgstr\n'))
        self.notice(program, "“broken.po” could not be opened")
        self.assertIsNotNone(program.find(contains="damaged"))

    def test_text_that_is_not_utf8_is_refused(self):
        (self.folder / "latin.txt").write_bytes(b"gr\xfcn\n")
        program = self.ready(self.folder / "latin.txt")
        self.notice(program, "“latin.txt” could not be opened")
        self.assertIsNotNone(program.find(contains="UTF-8"))

    def test_file_that_is_missing_is_told(self):
        program = self.ready(self.folder / "nothing.srt")
        self.notice(program, "“nothing.srt” could not be opened")

    def test_file_that_cannot_be_written_is_told(self):
        program = self.ready()
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        # On a full disk, as the library's own tests have it; /proc takes no files.
        self.desktop.key("ctrl+s")
        self.choose_file(program, "/proc/typed.txt")
        self.notice(program, "“typed.txt” could not be saved")


class Leaving(DocumentCase):
    """A document whose translation is not saved, or only a part of it."""

    def setUp(self):
        super().setUp()
        self.original = self.write_po(3)
        self.before = self.original.read_bytes()
        self.program = self.ready(self.original)
        self.program.wait(lambda: self.program.find("complete"), "whole translation")

    def asked(self, key):
        """Presses the key, and waits for the question."""
        self.desktop.key(key)
        self.program.enter_dialog("question")
        self.assertIsNotNone(self.program.find("Save the translation of “report.po”?"))

    def ends(self):
        self.assertEqual(self.program.process.wait(desktop_session.TIMEOUT_S), 0)

    def tearDown(self):
        self.assertEqual(self.original.read_bytes(), self.before)

    def test_cancel_keeps_the_window_and_discard_closes_it(self):
        self.asked("ctrl+q")
        self.desktop.key("Escape")
        self.program.wait(lambda: not self.program.dialog(), "end of the question")
        self.assertIsNotNone(self.program.find("complete"))
        self.asked("ctrl+w")
        self.desktop.key("alt+d")
        self.ends()

    def test_save_closes_once_it_is_saved(self):
        self.asked("ctrl+q")
        self.desktop.key("Return")
        self.program.wait(lambda: self.program.find("Save the Translation"), "file dialog")
        self.choose_file(self.program, "/proc/report.po")
        self.notice(self.program, "“report.po” could not be saved")
        self.asked("ctrl+q")
        self.desktop.key("Return")
        self.program.wait(lambda: self.program.find("Save the Translation"), "file dialog")
        self.choose_file(self.program, self.folder / "saved.po", is_last=True)
        self.ends()
        self.assertEqual((self.folder / "saved.po").read_text("utf-8"),
                         self.by_command(self.original))

    def test_another_document_waits_for_the_answer(self):
        other = self.write("other.txt", "green tree\n")
        for answer, text in (("Escape", None), ("alt+d", "grün Baum")):
            self.desktop.key("ctrl+o")
            self.choose_file(self.program, other, is_last=True)
            self.program.wait(lambda: self.program.find("Save the translation of “report.po”?"),
                              "question")
            self.program.enter_dialog("question")
            self.desktop.key(answer)
            self.program.wait(lambda: not self.program.dialog(), "end of the question")
            if text:
                self.translated(self.program, text)
            else:
                self.assertIsNotNone(self.program.find("complete"))

    def test_saved_document_is_left_at_once(self):
        self.save_as(self.program, "saved.po")
        self.desktop.key("ctrl+n")
        self.translated(self.program, "")
        self.desktop.type("red house")
        self.translated(self.program, "rot Haus")
        self.desktop.key("ctrl+q")
        self.ends()


class Failures(Case):
    def test_without_a_driver_it_says_what_to_install(self):
        program = self.start(VK_DRIVER_FILES="/nonexistent")
        self.notice(program, "No Vulkan driver was found")
        self.assertIsNotNone(program.find(contains="mesa-vulkan-drivers"))
        self.assertIsNotNone(program.find("Try Again", "push button"))

    def test_without_a_model_it_says_where_to_put_one(self):
        shutil.rmtree(self.models)
        program = self.start()
        if program.wait(lambda: program.find(contains="There is no model yet") or
                        program.find(contains=" · ready"), "notice").get_role_name() == "label":
            if program.find(contains=" · ready"):
                self.skipTest("the tree has models of its own")
        self.assertIsNotNone(program.find(contains=str(self.models)))
        shutil.copytree(MODELS, self.models)
        self.desktop.key("F5")
        program.wait(lambda: program.find(contains=" · ready"), "model")

    def test_damaged_model_falls_back_to_the_one_that_works(self):
        weights = self.models / "de-en-two" / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])
        program = self.ready()
        self.choose(program, "ctrl+m", "Up")
        self.notice(program, "The model “de-en-two” cannot be opened")
        program.wait(lambda: program.find("Model: en-de-one"), "model that works")
        self.desktop.click(*program.center(program.find(SOURCE, "text")))
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        self.assertIsNotNone(program.find(contains="de-en-two” cannot be opened"))

    def test_too_little_memory_is_told(self):
        program = self.start(VKSEQ_INJECT="device-alloc:1+")
        self.notice(program, "Not enough memory for “en-de-one”")
        self.assertIsNotNone(program.find(contains="a smaller model"))

    def test_lost_device_is_survived(self):
        # The first submissions load the model; one after these is lost.
        program = self.ready(VKSEQ_INJECT="lost:12")
        self.assertEqual(self.num_devices_opened(), 2)  # to ask which is taken by itself, and that
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        self.desktop.type("\ngreen bird water fire\nold tree")
        self.translated(program, "rot Haus\ngrün Vogel Wasser Feuer\nalt Baum")
        self.assertEqual(self.num_devices_opened(), 3)

    def num_devices_opened(self):
        return self.calls().count(("vks_device_create", "other"))


class Appearance(Case):
    def brightness(self):
        row = self.desktop.rows()[self.desktop.height // 2]
        return sum(row) / len(row)

    def test_dark_is_switched_and_remembered(self):
        program = self.ready()
        light = self.brightness()
        self.desktop.key("ctrl+shift+l")
        program.wait(lambda: self.brightness() < light / 2, "dark window")
        self.assertEqual(self.setting("window", "theme"), "dark")
        self.desktop.key("ctrl+shift+l")
        program.wait(lambda: self.brightness() > light / 2, "light window")
        self.assertEqual(self.setting("window", "theme"), "light")

    def test_desktop_that_is_dark_is_followed(self):
        portal = subprocess.Popen([sys.executable, HERE / "desktop_portal.py"],
                                  env=self.desktop.env, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end_portal, portal)
        self.assertEqual(portal.stdout.readline(), "ready\n")
        program = self.ready()
        light = self.brightness()
        portal.stdin.write("1\n")
        portal.stdin.flush()
        program.wait(lambda: self.brightness() < light / 2, "dark window")
        self.end(program)
        program = self.ready()
        program.wait(lambda: self.brightness() < light / 2, "dark window from the start")

    def end_portal(self, portal):
        portal.kill()
        portal.communicate()

    def test_every_control_has_a_name(self):
        program = self.ready()
        unnamed = [node.get_role_name() for node in program.nodes()
                   if node.get_role_name() in ("push button", "toggle button", "combo box", "text",
                                               "progress bar", "check box")
                   and min(program.extents(node)[2:]) > 0
                   and (not node.get_name() or node.get_name().startswith("Gtk"))]
        self.assertEqual(unnamed, [])

    def test_nothing_stands_outside_the_window(self):
        program = self.ready()
        self.desktop.type("red house")
        self.translated(program, "rot Haus")
        frame = program.extents(program.find("Translator", "frame"))
        self.assertLessEqual(frame[2], self.desktop.width)
        self.assertLessEqual(frame[3], self.desktop.height)
        for node in program.nodes():
            x, y, width, height = program.extents(node)
            if width > 0 and height > 0:
                with self.subTest(role=node.get_role_name(), name=node.get_name()):
                    self.assertGreaterEqual(min(x, y), 0)
                    self.assertLessEqual(x + width, frame[2])
                    self.assertLessEqual(y + height, frame[3])

    def test_reader_that_asks_for_a_window_that_is_gone_does_no_harm(self):
        program = self.ready()
        program.root().get_child_at_index(1)
        self.desktop.type("red house")
        self.translated(program, "rot Haus")

    def test_shortcuts_are_shown(self):
        program = self.ready()
        self.desktop.key("ctrl+question")
        program.wait(lambda: program.find("Choose a model"), "shortcuts")


def setUpModule():
    global MODELS, DESKTOP
    DESKTOP = desktop_session.Desktop()
    unittest.addModuleCleanup(DESKTOP.stop)
    scratch = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(scratch.cleanup)
    MODELS = pathlib.Path(scratch.name) / "models"
    MODELS.mkdir()
    for name, words in (("en-de-one", desktop_model.WORDS), ("de-en-two", desktop_model.BACK)):
        run = desktop_model.train(VKSEQ, MODELS, name, words)
        if run.returncode == NO_DEVICE:
            sys.exit(SKIPPED)
        if run.returncode:
            raise RuntimeError(run.stderr)
        shutil.rmtree(MODELS / name / "training")
    for name in ("train.src", "train.tgt"):
        (MODELS / name).unlink()


if __name__ == "__main__":
    desktop_session.use_system_python()
    VKSEQ, TRANSLATOR = sys.argv[1:3]
    MODELS = DESKTOP = None
    if desktop_session.missing():
        print(f"skipped: not installed: {desktop_session.missing()}")
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
