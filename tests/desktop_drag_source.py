#!/usr/bin/env python3
"""A small window from which a file or folder can be dragged, as from a file manager.

    desktop_drag_source.py PATH
"""
import sys

import gi
gi.require_version("Gdk", "4.0")
gi.require_version("Gtk", "4.0")
from gi.repository import Gdk, Gio, GLib, Gtk  # noqa: E402


def activate(application):
    window = Gtk.ApplicationWindow(application=application, title="drag source", decorated=False,
                                   default_width=60, default_height=40)
    label = Gtk.Label(label="drag")
    source = Gtk.DragSource(actions=Gdk.DragAction.COPY)
    uri = Gio.File.new_for_path(sys.argv[1]).get_uri()
    content = Gdk.ContentProvider.new_for_bytes("text/uri-list",
                                                GLib.Bytes.new((uri + "\r\n").encode()))
    source.connect("prepare", lambda *_: content)
    label.add_controller(source)
    window.set_child(label)
    window.present()


program = Gtk.Application(flags=Gio.ApplicationFlags.NON_UNIQUE)
program.connect("activate", activate)
program.run([])
