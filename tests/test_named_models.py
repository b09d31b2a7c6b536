#!/usr/bin/env python3
"""Models by their names: where the command looks for them, in which order.

    test_named_models.py VKSEQ

Exit code 77 where there is no device.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from bad_input import main, make_model, sentences, under_test

LINES = "".join(f"{line}\n" for line in sentences(1, 3))


class Names(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()
        self.here = self.folder / "here"
        self.here.mkdir()
        self.model = under_test.models / "model"

    def run_command(self, *words, program=None, **environment):
        env = {name: value for name, value in os.environ.items() if name != "VKSEQ_MODEL_PATH"}
        env.update({"XDG_DATA_HOME": str(self.folder / "none"), **environment})
        return subprocess.run([program or under_test.vkseq, *map(str, words)], cwd=self.here,
                              env=env, input=LINES, capture_output=True, encoding="utf-8",
                              check=False)

    def put(self, *folders, name="named"):
        """Copies of the model under that name; returns the folders."""
        for folder in folders:
            shutil.copytree(self.model, folder / name,
                            ignore=shutil.ignore_patterns("training"))
        return folders

    def encode(self, name="named", **more):
        """Whether a name leads to the model."""
        run = self.run_command("encode", "--model", name, **more)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout, self.run_command("encode", "--model", self.model).stdout)

    def said_of(self, **environment):
        """What is said of the only model of that name, which is damaged: its path is in it."""
        run = self.run_command("encode", "--model", "named", **environment)
        self.assertEqual(run.returncode, 1)
        return run.stderr

    def program_in(self, folder):
        folder.mkdir(parents=True)
        return shutil.copy(under_test.vkseq, folder / "vkseq")

    def test_translation_by_name_is_that_by_path(self):
        self.put(self.folder / "models")
        words = ["--beam-size", "2", "--max-length-factor", "0.5"]
        path = {"VKSEQ_MODEL_PATH": str(self.folder / "models")}
        by_path = self.run_command("translate", "--model", self.model, *words)
        self.assertEqual(by_path.returncode, 0, by_path.stderr)
        for option in ("--model", "--models"):
            run = self.run_command("translate", option, "named", *words, **path)
            self.assertEqual((run.returncode, run.stdout), (0, by_path.stdout), run.stderr)
        twice = self.run_command("translate", "--models", "named", "named", *words, **path)
        self.assertEqual(twice.returncode, 0, twice.stderr)

    def test_folders_of_the_list_come_in_their_order(self):
        first, second = self.folder / "first", self.folder / "second"
        self.put(second)
        listed = f"{first}::{second}:{self.folder / 'third'}"
        self.encode(VKSEQ_MODEL_PATH=listed)
        (first / "named").mkdir(parents=True)
        self.assertIn(str(first / "named"), self.said_of(VKSEQ_MODEL_PATH=listed))

    def test_list_comes_before_the_users_folder(self):
        users = self.folder / "data" / "vkseq" / "models"
        self.put(users)
        self.encode(XDG_DATA_HOME=str(self.folder / "data"))
        (self.folder / "listed" / "named").mkdir(parents=True)
        self.assertIn("listed/named", self.said_of(XDG_DATA_HOME=str(self.folder / "data"),
                                                   VKSEQ_MODEL_PATH=str(self.folder / "listed")))

    def test_users_folder_is_in_the_home_folder(self):
        self.put(self.folder / ".local" / "share" / "vkseq" / "models")
        self.encode(XDG_DATA_HOME="", HOME=str(self.folder))

    def test_installed_models_are_found_wherever_the_installation_lies(self):
        program = self.program_in(self.folder / "prefix" / "bin")
        self.put(self.folder / "prefix" / "share" / "vkseq" / "models")
        self.encode(program=program)
        (self.folder / "prefix").rename(self.folder / "moved")
        self.encode(program=self.folder / "moved" / "bin" / "vkseq")

    def test_users_models_come_before_those_that_are_installed(self):
        program = self.program_in(self.folder / "prefix" / "bin")
        self.put(self.folder / "data" / "vkseq" / "models")
        (self.folder / "prefix" / "share" / "vkseq" / "models" / "named").mkdir(parents=True)
        self.encode(program=program, XDG_DATA_HOME=str(self.folder / "data"))

    def test_build_in_the_tree_finds_the_trees_models(self):
        program = self.program_in(self.folder / "tree" / "build" / "dev")
        self.put(self.folder / "tree" / "samples" / "models")
        self.encode(program=program)

    def test_folder_here_comes_before_all(self):
        self.put(self.folder / "models")
        (self.here / "named").mkdir()
        self.assertNotIn("models/named",
                         self.said_of(VKSEQ_MODEL_PATH=str(self.folder / "models")))

    def test_path_is_no_name(self):
        self.put(self.folder / "models" / "part")
        for path in ("part/named", "./named"):
            run = self.run_command("encode", "--model", path,
                                   VKSEQ_MODEL_PATH=f"{self.folder / 'models'}:{self.folder}")
            self.assertEqual(run.returncode, 1)
            self.assertEqual(run.stderr, f"vkseq encode: {path}: there is no such model directory\n")

    def test_every_verb_that_takes_a_model_takes_its_name(self):
        self.put(self.folder / "models")
        (self.here / "in").write_text(LINES, "utf-8")
        path = {"VKSEQ_MODEL_PATH": str(self.folder / "models")}
        for words in (["score", "--model", "named", "--source", "in", "--target", "in"],
                      ["evaluate", "--model", "named", "--source", "in", "--reference", "in",
                       "--max-length-factor", "0.5"],
                      ["attention", "--model", "named", "--source", "a", "--target", "b"],
                      ["decode", "--model", "named", "--input", "/dev/null"],
                      ["average", "--models", "named", "named", "--output", "mean"],
                      ["convert", "named", "converted"],
                      ["export", "named", "exported", "--to", "hf"],
                      ["inspect", "named"]):
            with self.subTest(words[0]):
                run = self.run_command(*words, **path)
                self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    main(make_model)
