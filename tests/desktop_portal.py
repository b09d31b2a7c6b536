#!/usr/bin/env python3
"""The part of a desktop that says whether it is dark: org.freedesktop.portal.Settings with one setting.

Says "ready", then takes new values of color-scheme, one a line: 0 no preference, 1 dark, 2 light.
"""
import sys
import threading

import gi
gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

INTERFACE = Gio.DBusNodeInfo.new_for_xml("""
<node><interface name="org.freedesktop.portal.Settings">
  <method name="Read"><arg type="s" direction="in"/><arg type="s" direction="in"/>
    <arg type="v" direction="out"/></method>
  <signal name="SettingChanged"><arg type="s"/><arg type="s"/><arg type="v"/></signal>
</interface></node>""").interfaces[0]
PATH, NAMESPACE, KEY = "/org/freedesktop/portal/desktop", "org.freedesktop.appearance", "color-scheme"
scheme = 2


def read(_bus, _sender, _path, _interface, _method, _parameters, invocation):
    value = GLib.Variant("v", GLib.Variant("u", scheme))
    invocation.return_value(GLib.Variant("(v)", (value,)))


def change(bus, value):
    global scheme
    scheme = value
    bus.emit_signal(None, PATH, INTERFACE.name, "SettingChanged",
                    GLib.Variant("(ssv)", (NAMESPACE, KEY, GLib.Variant("u", value))))


def take_lines(bus):
    for line in sys.stdin:
        GLib.idle_add(change, bus, int(line))


def acquire(bus, _name):
    bus.register_object(PATH, INTERFACE, read)
    threading.Thread(target=take_lines, args=(bus,), daemon=True).start()


Gio.bus_own_name(Gio.BusType.SESSION, "org.freedesktop.portal.Desktop", Gio.BusNameOwnerFlags.NONE,
                 acquire, lambda *_: print("ready", flush=True), None)
GLib.MainLoop().run()
