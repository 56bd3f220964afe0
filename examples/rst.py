"""Turn reStructuredText, as Python Enhancement Proposals are written in it, into Markdown.

Docutils makes HTML of it, and the service's own converter Markdown of that. Markdown has no
footnotes, lists of definitions or anchors: they are made into what reads the same before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from docutils import core, io, nodes

from examples import rst_names
from services.transfer.html import to_markdown

_SETTINGS: dict[str, Any] = {
    "_disable_config": True,
    "doctitle_xform": False,
    "embed_stylesheet": False,
    "file_insertion_enabled": False,
    "footnote_backlinks": False,
    "halt_level": 5,  # never: whatever it finds wrong, the text is to come out
    "initial_header_level": 2,
    "line_length_limit": 1_000_000_000,  # beyond it the text would be lost
    "math_output": "LaTeX",
    "pep_base_url": rst_names.PEPS,
    "pep_file_url_template": rst_names.PEP_PATH,
    "pep_references": True,
    "raw_enabled": False,
    "report_level": 3,  # what it could not read is in its messages
    "smart_quotes": False,
    "strip_comments": True,
    "syntax_highlight": "none",
    "toc_backlinks": False,
    "warning_stream": False,
}


_NOWHERE = re.compile(r"`(.+?)(?:\s*<[^<>]+_>)?`__?", re.DOTALL)


def markdown(text: str) -> str:
    """Return reStructuredText as Markdown; what docutils does not know comes out as text."""
    with rst_names.known(text):
        document = core.publish_doctree(text, settings_overrides=_SETTINGS)
    _simplify(document)
    parts = core.publish_parts(
        document,
        source_class=io.DocTreeInput,
        reader="doctree",
        writer="html5",
        settings_overrides=_SETTINGS,
    )
    return to_markdown(parts["body"]) + "\n"


def _simplify(document: nodes.document) -> None:
    """Put what Markdown has in the place of what it lacks."""
    _name_sections(document)
    for section in list(document.findall(_is_report)):
        section.parent.remove(section)
    changes: tuple[tuple[type[nodes.Element], Callable[[Any], None]], ...] = (
        (nodes.literal, _mark_code),
        (nodes.footnote_reference, _bracket),
        (nodes.citation_reference, _bracket),
        (nodes.reference, _unlink),
        (nodes.label, _lead),
        (nodes.definition_list, _itemise),
        (nodes.field_list, _itemise),
        (nodes.option_list, _itemise),
        (nodes.line_block, _break_lines),
        (nodes.system_message, _save),
        (nodes.problematic, _plain),
        (nodes.image, _link_image),
        (nodes.rubric, _embolden),
    )
    for kind, change in changes:
        for node in list(document.findall(kind)):
            change(node)


def _is_report(node: nodes.Node) -> bool:
    return isinstance(node, nodes.section) and "system-messages" in node["classes"]


def _name_sections(document: nodes.document) -> None:
    """Write a section's title where only its label stands."""
    labels = [each for each in document.findall(nodes.inline) if "label" in each]
    for node in labels:
        section = document.ids.get(document.nameids.get(node["label"]) or "")
        title = section.next_node(nodes.title) if section is not None else None
        if title is not None:
            node.children = [nodes.Text(title.astext())]


def _mark_code(node: nodes.literal) -> None:
    node["classes"] = ["code"]  # docutils writes any other as a span


def _bracket(node: nodes.Element) -> None:
    node.parent.replace(node, nodes.Text(f"[{node.astext()}]"))


def _unlink(node: nodes.reference) -> None:
    """Leave the text of a link within the document: rendered headings have no anchors."""
    if "refuri" not in node or node["refuri"].startswith("#"):
        node.parent.replace(node, node.children)


def _lead(node: nodes.label) -> None:
    """Begin a footnote or citation by its label."""
    note = node.parent
    text = nodes.Text(f"[{node.astext()}] ")
    note.remove(node)
    if note.children and isinstance(note[0], nodes.paragraph):
        note[0].insert(0, text)
    else:
        note.insert(0, nodes.paragraph("", "", text))
    note.parent.replace(note, note.children)


def _itemise(node: nodes.Element) -> None:
    """Make a list of definitions, fields or options one with bullets and bold names."""
    items = (nodes.list_item("", *_item(each)) for each in node.children)
    node.parent.replace(node, nodes.bullet_list("", *items))


def _item(entry: nodes.Node) -> Iterator[nodes.Node]:
    *names, explained = entry.children
    name = nodes.strong()
    for index, each in enumerate(names):
        if index:
            name += nodes.Text(" : ")
        name += each.children
    yield nodes.paragraph("", "", name)
    yield from explained.children


def _break_lines(node: nodes.line_block) -> None:
    """Make a line block a paragraph with line breaks, those of blocks within it too."""
    if isinstance(node.parent, nodes.line_block):
        return
    made = nodes.paragraph()
    for line in node.findall(nodes.line):
        if made.children:
            made += nodes.raw("", "<br>", format="html")
        made += line.children
    node.parent.replace(node, made)


def _save(node: nodes.system_message) -> None:
    """Leave what a message quotes, such as a table that is not one."""
    quoted = [each for each in node.children if isinstance(each, nodes.literal_block)]
    node.parent.replace(node, quoted)


def _plain(node: nodes.problematic) -> None:
    """Leave the text of a link that leads nowhere, and what else is no markup as it stands."""
    text = node.astext()
    link = _NOWHERE.fullmatch(text)
    node.parent.replace(node, nodes.Text(link[1] if link else text))


def _embolden(node: nodes.rubric) -> None:
    node.parent.replace(node, nodes.paragraph("", "", nodes.strong("", "", *node.children)))


def _link_image(node: nodes.image) -> None:
    """Link to a picture, which is not here."""
    name = node["uri"].rpartition("/")[2]
    address = node["uri"] if "://" in node["uri"] else f"{rst_names.PEPS}_images/{name}"
    link = nodes.reference("", node.get("alt") or name, refuri=address)
    if isinstance(node.parent, nodes.reference):
        node.parent.replace(node, nodes.Text(link.astext()))
    elif isinstance(node.parent, nodes.TextElement):
        node.parent.replace(node, link)
    else:
        node.parent.replace(node, nodes.paragraph("", "", link))
