#!/usr/bin/env python3
"""Checks the rules that CONTRIBUTING.md and docs/design.md set down for the tree.

    check_tree.py

Which layer may include which is read from the table in docs/design.md.
"""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED_FOLDERS = {".git", ".cache", "build", "__pycache__"}

MAX_C_LINES, MAX_SHADER_LINES, MAX_FUNCTION_LINES, MAX_COLUMNS, MAX_PARAMETERS = 600, 250, 60, 100, 6

# Public headers by the layer that implements them.
PUBLIC_LAYERS = {"base": "base", "device": "vk", "metrics": "text", "tokenizer": "text",
                 "model": "model", "convert": "convert", "text": "io", "trainer": "train",
                 "translator": "decode", "shortlist": "decode", "attention_map": "decode",
                 "bench": "bench", "document": "document",
                 "selftest": "selftest"}
# Headers of src/ops that other operators may include.
SHARED_OPS = {"ops/matmul.h", "ops/tiles.h", "ops/dropout.h", "ops/beam_tables.h"}
# Libraries and the layers that alone know them, by the beginning of a header's name.
LIBRARY_LAYERS = {"volk": {"vk"}, "vulkan": {"vk"}, "sentencepiece": {"text"},
                  "unicode/": {"text", "document"}, "zlib": {"io"}, "gettext-po": {"document"}}
# The layers that may call the operating system. The others include of the system ISO C's headers
# alone, which declare nothing else but the functions below, and headers of C++ and of libraries.
PLATFORM_LAYERS = {"base", "io"}
PORTABLE_HEADERS = {"ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "setjmp.h",
                    "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
                    "stdio.h", "stdlib.h", "string.h"}
PORTABLE_LIBRARIES = ("cjson/", "cJSON.h", *LIBRARY_LAYERS)
PLATFORM_CALL = re.compile(
    r"(?<![\w.:>])(?:pthread_\w+|f?open|fdopen|freopen|popen|fileno|isatty|rename|remove|unlink|mkdir|rmdir|"
    r"fsync|getenv|setenv|putenv|system|fork|exec[lv]\w*|mkstemp|mkdtemp|realpath)\s*\(")
# Sources without a header of their own that implement no public function.
HEADERLESS = {"src/vk/volk_build.c": "compiles volk itself",
              "src/io/file_system_posix.c": "implements io/file_system.h",
              "src/io/file_system_windows.c": "implements io/file_system.h",
              "src/io/marian_bin.c": "one of marian_file's formats, declared in io/marian_items.h",
              "src/io/marian_npz.c": "one of marian_file's formats, declared in io/marian_items.h",
              "src/train/validator.c": "one of the trainer's parts, declared in train/trainer.h"}
# Functions whose parameters a library says.
HANDLERS = {("src/document/po_calls.c", "handle"), ("src/document/po_calls.c", "handle_two")}
REPEATED_NAMES = {"README.md", "CMakeLists.txt"}
# Where the library's memory comes from (base/memory.h), and what it must therefore not call.
ALLOCATING = {"src/base/memory.h"}
ALLOCATION = re.compile(r"(?<![\w.>:])(?:malloc|calloc|realloc|strn?dup)\s*\(")
# The one place under src/ that may print and end the process: a broken invariant.
ABORTING = {"src/base/check.c"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def all_files():
    for path in sorted(ROOT.rglob("*")):
        if path.is_file() and not SKIPPED_FOLDERS & set(path.relative_to(ROOT).parts):
            yield path


def files(folder, *suffixes):
    return [path for path in all_files()
            if path.suffix in suffixes and name_of(path).startswith(folder)]


def lines_of(path):
    return path.read_text("utf-8").splitlines()


def layer_table():
    """Layer to the layers it may include and to other headers it may, from docs/design.md."""
    row = re.compile(r"^\| `src/(\w+)` \| ([^|]*) \|", re.MULTILINE)
    table = {}
    for layer, allowed in row.findall((ROOT / "docs/design.md").read_text("utf-8")):
        words = [word.strip("`,") for word in allowed.split()]
        table[layer] = ({word for word in words if re.fullmatch(r"\w+", word)},
                        {word for word in words if "." in word})
    return table


def include_allowed(layer, header, is_library, table):
    layers, headers = table[layer]
    if is_library:
        return all(layer in owners for start, owners in LIBRARY_LAYERS.items()
                   if header.startswith(start))
    folder, _, rest = header.partition("/")
    if folder == "vkseq":
        owner = PUBLIC_LAYERS.get(rest.removesuffix(".h"))
        return owner == layer or owner in layers
    if folder in table:
        return folder == layer or folder in layers
    return any(pathlib.PurePath("shaders", header).match(pattern) for pattern in headers)


def functions(path):
    """(name, line, lines, parameters) of each function defined in a C file."""
    lines = lines_of(path)
    start = None
    for idx, line in enumerate(lines):
        if line[:1] not in ("", " ", "}", "/", "#"):
            start = idx
        if start is None or not line.endswith("{") or line.startswith(" ") and idx == start:
            continue
        head = " ".join(lines[start:idx + 1])
        match = re.match(r"(?!struct \w+ \{|enum |union |typedef )[^={;]*?(\w+)\(([^={;]*)\)\s*\{$",
                         head) or re.match(r"enum \w+ \*?(\w+)\(([^={;]*)\)\s*\{$", head)
        if not match or match[1] in ("if", "for", "while", "switch"):
            continue
        end = next(i for i in range(idx, len(lines)) if lines[i].startswith("}"))
        yield match[1], start + 1, end - start + 1, count_parameters(match[2])
        start = None


def count_parameters(text):
    depth, num = 0, 0 if text.strip() in ("", "void") else 1
    for char in text:
        depth += (char == "(") - (char == ")")
        num += char == "," and depth == 0
    return num


def undocumented(path):
    """Public functions of a header over which no comment stands. Declarations without a blank line
    between them may share one."""
    has_comment = in_declaration = False
    for line in lines_of(path):
        if in_declaration:
            in_declaration = ";" not in line
        elif line.startswith("VKS_API"):
            if not has_comment and not line.startswith("VKS_API __"):
                yield line
            in_declaration = ";" not in line
        else:
            has_comment = line.startswith("//")


class Tree(unittest.TestCase):
    def check(self, violations):
        violations = sorted(violations)
        if violations:
            self.fail("\n" + "\n".join(violations))

    def test_layer_includes_only_what_stands_before_it(self):
        table = layer_table()
        self.assertEqual({path.name for path in (ROOT / "src").iterdir() if path.is_dir()},
                         set(table))
        self.check(f"{name_of(path)}: {header}"
                   for layer in table for path in files(f"src/{layer}/", ".c", ".h", ".cpp")
                   for kind, header in INCLUDE.findall(path.read_text("utf-8"))
                   if not include_allowed(layer, header, kind == "<", table))

    def test_platform_is_called_in_base_and_io_alone(self):
        violations = []
        for path in files("src/", ".c", ".h", ".cpp"):
            if path.relative_to(ROOT / "src").parts[0] in PLATFORM_LAYERS:
                continue
            text = path.read_text("utf-8")
            violations += [f"{name_of(path)}: <{header}>" for kind, header in INCLUDE.findall(text)
                           if kind == "<" and header not in PORTABLE_HEADERS and "." in header
                           and not header.startswith(PORTABLE_LIBRARIES)]
            violations += [f"{name_of(path)}: {match[0]}"
                           for match in PLATFORM_CALL.finditer(COMMENT_OR_TEXT.sub("", text))]
        self.check(violations)

    def test_operator_includes_no_other_operator(self):
        self.check(f"{name_of(path)}: {header}"
                   for path in files("src/ops/", ".c", ".h")
                   for _, header in INCLUDE.findall(path.read_text("utf-8"))
                   if header.startswith("ops/") and header not in SHARED_OPS
                   and header != f"ops/{path.stem}.h")

    def test_tools_and_samples_use_the_public_api(self):
        self.check(f"{name_of(path)}: {header}"
                   for path in files("tools/", ".c", ".h") + files("samples/", ".c", ".h")
                   for kind, header in INCLUDE.findall(path.read_text("utf-8"))
                   if not header.startswith(("vkseq/", "cli/")) and
                   ((kind == '"' and not (path.parent / header).exists()) or
                    header.startswith(tuple(LIBRARY_LAYERS))))

    def test_library_neither_prints_nor_exits(self):
        forbidden = re.compile(r"\b(?:printf|puts|putchar|perror|exit|abort|_Exit)\s*\(|"
                               r"\b(?:stdout|stderr)\b")
        self.check(f"{name_of(path)}: {match[0]}"
                   for path in files("src/", ".c", ".h", ".cpp") if name_of(path) not in ABORTING
                   for match in forbidden.finditer(COMMENT_OR_TEXT.sub("", path.read_text("utf-8"))))

    def test_library_allocates_where_faults_can_be_injected(self):
        self.check(f"{name_of(path)}: {match[0]}"
                   for path in files("src/", ".c", ".h", ".cpp") if name_of(path) not in ALLOCATING
                   for match in ALLOCATION.finditer(
                       COMMENT_OR_TEXT.sub("", path.read_text("utf-8"))))

    def test_files_are_short(self):
        ceilings = {".c": MAX_C_LINES, ".cpp": MAX_C_LINES,
                    ".comp": MAX_SHADER_LINES, ".glsl": MAX_SHADER_LINES}
        self.check(f"{name_of(path)}: {len(lines_of(path))} lines, at most {ceilings[path.suffix]}"
                   for path in files("", *ceilings)
                   if len(lines_of(path)) > ceilings[path.suffix])

    def test_lines_are_short(self):
        self.check(f"{name_of(path)}:{number}: {len(line)} columns, at most {MAX_COLUMNS}"
                   for path in files("", ".c", ".h", ".cpp", ".comp", ".glsl")
                   for number, line in enumerate(lines_of(path), 1) if len(line) > MAX_COLUMNS)

    def test_functions_are_short_and_have_few_parameters(self):
        violations, num = [], 0
        for path in files("", ".c", ".h", ".cpp"):
            for name, line, num_lines, num_parameters in functions(path):
                num += 1
                if num_lines > MAX_FUNCTION_LINES:
                    violations.append(f"{name_of(path)}:{line}: {name} has {num_lines} lines, "
                                      f"at most {MAX_FUNCTION_LINES}")
                if num_parameters > MAX_PARAMETERS and (name_of(path), name) not in HANDLERS:
                    violations.append(f"{name_of(path)}:{line}: {name} has {num_parameters} "
                                      f"parameters, at most {MAX_PARAMETERS}")
        self.assertGreater(num, 100)
        self.check(violations)

    def test_file_names_are_unique(self):
        places = {}
        for path in all_files():
            places.setdefault(path.name, []).append(name_of(path))
        self.check(", ".join(paths) for name, paths in places.items()
                   if len(paths) > 1 and name not in REPEATED_NAMES)

    def test_source_has_a_header_or_implements_a_public_one(self):
        public = re.compile(r"^\S[^;={}]*\bvks_\w+\([^;{]*\{", re.MULTILINE)
        self.check(name_of(path) for path in files("src/", ".c", ".cpp")
                   if not path.with_suffix(".h").exists() and name_of(path) not in HEADERLESS
                   and not public.search(path.read_text("utf-8")))

    def test_shaders_are_listed(self):
        listed = [line.lstrip("+").split() for line in lines_of(ROOT / "shaders/shaders.list")
                  if line and not line.startswith("#")]
        names = [words[0] for words in listed]
        self.assertEqual(len(names), len(set(names)), "a name stands twice in shaders.list")
        self.assertEqual({path.name for path in files("shaders/", ".comp")},
                         {words[1] for words in listed})

    def test_public_functions_have_comments(self):
        self.check(f"{name_of(path)}: {line}"
                   for path in files("include/", ".h") for line in undocumented(path))


if __name__ == "__main__":
    unittest.main()
