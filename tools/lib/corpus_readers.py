"""Readers of parallel text: gettext catalogues and LibreOffice's help pages."""

import html.parser
import re
import struct

HEADINGS_AND_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6"}


class FormatError(Exception):
    """A file is not what its name says."""


def read_catalogue(data):
    """(English, translation) of every entry of a compiled gettext catalogue (.mo).

    Contexts are taken off; an entry with plural forms gives its singular with the first form and
    its plural with the second, or the plural alone where the language has but one form.
    """
    strings = _read_catalogue_strings(data)
    charset = "utf-8"
    for key, value in strings:
        if not key:
            declared = re.search(rb"charset=([\w-]+)", value)
            charset = declared[1].decode() if declared else charset
    pairs = []
    for key, value in strings:
        if not key:
            continue
        try:
            english = key.decode(charset).rpartition("\4")[2].split("\0")
            forms = value.decode(charset).split("\0")
        except (UnicodeDecodeError, LookupError):
            continue
        if len(english) == 1:
            pairs.append((english[0], forms[0]))
        elif len(forms) == 1:
            pairs.append((english[1], forms[0]))
        else:
            pairs += zip(english, forms)
    return pairs


def _read_catalogue_strings(data):
    """The (key, value) byte strings of a catalogue, whose layout GNU gettext's manual describes."""
    order = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}.get(data[:4])
    if not order:
        raise FormatError("no gettext catalogue: the first four bytes are not its magic number")
    try:
        count, keys, values = struct.unpack_from(order + "3I", data, 8)
        strings = []
        for i in range(count):
            pair = []
            for table in (keys, values):
                length, offset = struct.unpack_from(order + "2I", data, table + 8 * i)
                if offset + length > len(data):
                    raise FormatError(f"string {i} of the catalogue ends outside the file")
                pair.append(data[offset : offset + length])
            strings.append(tuple(pair))
    except struct.error as error:
        raise FormatError(f"the catalogue is cut off: {error}") from None
    return strings


def read_help_page(page):
    """Text of each heading and paragraph of a help page, by its element id.

    Where a page has one wording per system or program, the default one is taken.
    """
    content = page.find('id="DisplayArea"')
    reader = _HelpReader()
    reader.feed(page[max(content, 0) :])
    reader.close()
    return reader.texts


class _HelpReader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.texts = {}
        self.element = None  # id of the open heading or paragraph
        self.pieces = []
        self.hidden_spans = []  # for each open span: whether it is another system's wording

    def handle_starttag(self, tag, attributes):
        if tag in HEADINGS_AND_PARAGRAPHS:
            self.element = dict(attributes).get("id")
            self.pieces, self.hidden_spans = [], []
        elif tag == "span":
            values = dict(attributes)
            default = (values.get("id") or "").startswith("default")
            self.hidden_spans.append("hidden" in values and not default)
        elif tag == "br":
            self.pieces.append(" ")

    def handle_endtag(self, tag):
        if tag == "span" and self.hidden_spans:
            self.hidden_spans.pop()
        elif tag in HEADINGS_AND_PARAGRAPHS and self.element:
            self.texts.setdefault(self.element, "".join(self.pieces))
            self.element = None

    def handle_data(self, data):
        if self.element and not any(self.hidden_spans):
            self.pieces.append(data)
