"""A desktop of its own for a program with a window: an X server without a screen, a session bus and
the accessibility bus. The program gets real keys and a real pointer, and is read as a screen reader
does. Needs Xvfb, xdotool, dbus-daemon, and at-spi2-core with its Python binding (python3-gi).
"""
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib

TOOLS = ["Xvfb", "xdotool", "dbus-daemon"]
AT_SPI = "/usr/libexec/at-spi-bus-launcher"


def missing():
    """What is not installed, in words; empty if all is there."""
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    if not os.path.exists(AT_SPI):
        lacking.append("at-spi2-core")
    try:
        import gi
        gi.require_version("Atspi", "2.0")
    except (ImportError, ValueError):
        lacking.append("python3-gi and gir1.2-atspi-2.0")
    return ", ".join(lacking)


def use_system_python():
    """The bindings belong to the distribution's own Python: starts again with that, if need be."""
    python = "/usr/bin/python3"
    try:
        import gi  # noqa: F401
    except ImportError:
        if os.path.exists(python) and os.path.realpath(sys.executable) != os.path.realpath(python):
            os.execv(python, [python, *sys.argv])


def use_model(folder, model):
    """A configuration of its own in a desktop's folder, with one model or none."""
    config, data = folder / "config", folder / "data" / "vkseq" / "models"
    shutil.rmtree(config, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)
    for path in (config / "gtk-4.0", config / "vkseq", data):
        path.mkdir(parents=True)
    (config / "gtk-4.0" / "settings.ini").write_text("[Settings]\ngtk-font-name=Cantarell 11\n",
                                                     "utf-8")
    (config / "vkseq" / "translator.ini").write_text("[window]\ntheme=light\n", "utf-8")
    if model:
        shutil.copytree(model, data / model.name, ignore=shutil.ignore_patterns("training"))


# Programs are slow on a busy machine; only what fails waits that long.
TIMEOUT_S = 120
BORDER = 5  # around a window, with which it is resized


class Desktop:
    """Started when made; stop() ends all of it. A process can have one alone, since it stays on the
    first accessibility bus that it finds. scale: device pixels for one of the program's."""

    def __init__(self, width=900, height=600, scale=1, background=None):
        self.width, self.height, self.scale = width, height, scale
        self.scratch = tempfile.TemporaryDirectory(prefix="vkseq-desktop-")
        self.folder = pathlib.Path(self.scratch.name)
        self.processes = []
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(("XDG_", "DBUS_", "AT_SPI", "WAYLAND", "GTK_", "GDK_"))}
        for name in ("runtime", "config", "data", "state", "cache"):
            (self.folder / name).mkdir(mode=0o700)
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        self.env.update(
            XDG_RUNTIME_DIR=str(self.folder / "runtime"), XDG_CONFIG_HOME=str(self.folder / "config"),
            XDG_DATA_HOME=str(self.folder / "data"), XDG_STATE_HOME=str(self.folder / "state"),
            XDG_CACHE_HOME=cache, LANG="C.UTF-8", LC_ALL="C.UTF-8", GDK_BACKEND="x11",
            GSK_RENDERER="cairo", GDK_SCALE=str(scale), GTK_A11Y="atspi", NO_AT_BRIDGE="0",
            GSETTINGS_BACKEND="memory")
        self._start_screen(background)
        self._start_buses()

    def _spawn(self, words, **more):
        process = subprocess.Popen(words, env=self.env, stdin=subprocess.DEVNULL, **more)
        self.processes.append(process)
        return process

    def _start_screen(self, background):
        read_end, write_end = os.pipe()
        size = f"{self.width * self.scale}x{self.height * self.scale}x24"
        self._spawn(["Xvfb", "-displayfd", str(write_end), "-screen", "0", size, "-nolisten", "tcp",
                     "-fbdir", str(self.folder)], pass_fds=[write_end], stderr=subprocess.DEVNULL)
        os.close(write_end)
        with os.fdopen(read_end) as stream:
            number = stream.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        self.env["DISPLAY"] = f":{number}"
        if background and shutil.which("xsetroot"):
            subprocess.run(["xsetroot", "-solid", background], env=self.env, check=True)
        # Windows that are partly transparent, such as popovers, need something that blends them.
        if shutil.which("xcompmgr"):
            self._spawn(["xcompmgr"], stderr=subprocess.DEVNULL)

    def _start_buses(self):
        bus = self._spawn(["dbus-daemon", "--session", "--nofork", "--print-address=1"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.env["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        self._spawn([AT_SPI, "--launch-immediately"], stderr=subprocess.DEVNULL)
        # This process reads the accessibility bus of that session.
        for name in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "XDG_RUNTIME_DIR"):
            os.environ[name] = self.env[name]

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if process.stdout:
                process.stdout.close()
        self.scratch.cleanup()

    # Keys and pointer.

    def xdotool(self, *words):
        subprocess.run(["xdotool", *map(str, words)], env=self.env, check=True,
                       stdout=subprocess.DEVNULL)

    def type(self, text):
        for idx, line in enumerate(text.split("\n")):
            if idx:
                self.key("Return")
            if line:
                self.xdotool("type", "--delay", 12, "--", line)

    def key(self, *names):
        for name in names:
            self.xdotool("key", "--delay", 20, name)

    def move(self, x, y):
        self.xdotool("mousemove", round(x * self.scale), round(y * self.scale))

    def click(self, x, y):
        self.move(x, y)
        time.sleep(0.1)
        self.xdotool("click", 1)

    def drag(self, start, end, is_taken):
        """From one point to another, where the pointer moves on until is_taken(): only then is a
        slow program ready for the drop. False: it never was."""
        self.move(*start)
        self.xdotool("mousedown", 1)
        deadline = time.monotonic() + TIMEOUT_S
        step = 0
        while not is_taken() and time.monotonic() < deadline:
            step += 1
            part = min(step, 5) / 5
            self.move(*(a + part * (b - a) + step % 2 for a, b in zip(start, end)))
            time.sleep(0.1)
        self.xdotool("mouseup", 1)
        return time.monotonic() < deadline

    # Pictures.

    def rows(self):
        """The screen as rows of RGB bytes, from the server's own frame buffer (an XWD file)."""
        data = (self.folder / "Xvfb_screen0").read_bytes()
        header = struct.unpack(">25I", data[:100])
        start, width, height, stride = header[0] + 12 * header[19], header[4], header[5], header[12]
        rows = []
        for y in range(height):
            row = data[start + y * stride:start + y * stride + 4 * width]
            rgb = bytearray(3 * width)
            rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
            rows.append(bytes(rgb))
        return rows

    def picture(self, path):
        write_png(path, self.rows())


def write_png(path, rows):
    """8-bit RGB; with a palette where there are few enough colours."""
    width, height = len(rows[0]) // 3, len(rows)
    colors = {}
    for row in rows:
        for x in range(0, len(row), 3):
            colors.setdefault(row[x:x + 3], len(colors))
        if len(colors) > 256:
            break

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    if len(colors) <= 256:
        kind, palette = 3, chunk(b"PLTE", b"".join(colors))
        lines = [b"\0" + bytes(colors[row[x:x + 3]] for x in range(0, len(row), 3)) for row in rows]
    else:
        kind, palette, lines = 2, b"", []
        above = bytes(3 * width)
        for row in rows:  # the difference to the row above is mostly nothing
            lines.append(b"\2" + bytes((a - b) & 255 for a, b in zip(row, above)))
            above = row
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    pathlib.Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette +
                                   chunk(b"IDAT", zlib.compress(b"".join(lines), 9)) +
                                   chunk(b"IEND", b""))


class Program:
    """A running program, read through the accessibility bus."""

    def __init__(self, desktop, words, **environment):
        import gi
        gi.require_version("Atspi", "2.0")
        from gi.repository import Atspi
        self.atspi, self.desktop = Atspi, desktop
        self.output = open(desktop.folder / "output", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [str(word) for word in words], env={**desktop.env, **environment},
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)
        self.wait(self.root, "the program on the accessibility bus")

    def root(self):
        desktop = self.atspi.get_desktop(0)
        for idx in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(idx)
            if child and child.get_process_id() == self.process.pid:
                return child
        return None

    def nodes(self, node=None):
        node = node or self.root()
        if node is None:
            return
        yield node
        try:
            children = [node.get_child_at_index(i) for i in range(node.get_child_count())]
        except Exception:  # it has gone meanwhile
            return
        for child in children:
            if child:
                yield from self.nodes(child)

    def extents(self, node):
        """x, y, width, height in its window; no size: it is not shown."""
        try:
            box = self.atspi.Component.get_extents(node, self.atspi.CoordType.WINDOW)
        except Exception:  # it has none, or is gone
            return 0, 0, 0, 0
        return box.x, box.y, box.width, box.height

    def find(self, name=None, role=None, contains=None):
        """The first node that is shown with a name, or a part of one, and a role, or None."""
        for node in self.nodes():
            try:
                if ((name is None or node.get_name() == name) and
                        (contains is None or contains in node.get_name()) and
                        (role is None or node.get_role_name() == role) and
                        min(self.extents(node)[2:]) > 0):
                    return node
            except Exception:
                continue
        return None

    def center(self, node):
        """Of a node, on the screen. Windows are in its corner, with a border of their own."""
        x, y, width, height = self.extents(node)
        return BORDER + x + width / 2, BORDER + y + height / 2

    def text(self, name):
        """What is in a text pane."""
        return self.content(self.find(name, "text"))

    def content(self, node):
        """What is in a node with text."""
        return self.atspi.Text.get_text(node, 0, self.atspi.Text.get_character_count(node))

    def focused(self, top=None):
        """The node, of one window or of all, that gets the keys, or None."""
        for node in self.nodes(top):
            try:
                if node.get_state_set().contains(self.atspi.StateType.FOCUSED):
                    return node
            except Exception:  # it has gone meanwhile
                continue
        return None

    def dialog(self):
        """The window over the main one, its first, or None."""
        root = self.root()
        tops = [root.get_child_at_index(i) for i in range(1, root.get_child_count())]
        return next((top for top in tops if top and top.get_role_name() != "frame" and
                     min(self.extents(top)[2:]) > 0), None)

    def enter_dialog(self, what):
        """Waits for a dialog, and until it gets the keys. No window manager gives them to it: they go
        to the window under the pointer."""
        dialog = self.wait(self.dialog, what)
        self.desktop.move(*self.center(dialog))
        self.wait(lambda: self.focused(dialog), f"focus in {what}")
        return dialog

    def wait(self, condition, what, timeout_s=TIMEOUT_S):
        """What condition gives once it is true."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            try:
                result = condition()
            except Exception:
                result = None
            if result:
                return result
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        code = self.process.poll()
        end = "" if code is None else f" and ended with {code}"
        raise AssertionError(f"no {what}; the program said{end}:\n{self.said()}")

    def said(self):
        """What it wrote to standard output and standard error."""
        return pathlib.Path(self.output.name).read_text("utf-8")

    def stop(self):
        """Ends it if it still runs; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(TIMEOUT_S)
        self.output.close()
        return code
