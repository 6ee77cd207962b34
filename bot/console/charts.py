"""A sheet as a picture of bars (SVG). What is hidden has no bar; the table beside the picture holds the same."""

from typing import Any

from bot.console.sheets import Row, Sheet

_COLOURS = ("#0b5f5b", "#5b8c2a", "#a3450c", "#6b6f76")
_TEXT, _LINE, _PAPER = "#15211f", "#b9c7c3", "#ffffff"
_FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
_WIDTH, _ROW, _AROUND = 760, 26, 90
_MOST_LABELS = 10  # under bars that stand side by side
_NOT_WANTED = ("script", "style", "desc")


def draw(sheet: Sheet, no_data: str) -> bytes:
    """A picture without scripts and styles, so that the Content-Security-Policy lets it be as it is."""
    chart = _standing(sheet) if sheet.long else _lying(sheet)
    chart.no_data_text = no_data
    for number, name in enumerate(sheet.head[1:]):
        chart.add(name, [row.cells[number] for row in _in_order(sheet)])
    chart.add_xml_filter(_plain)
    picture: bytes = chart.render()
    return picture


def _in_order(sheet: Sheet) -> list[Row]:
    """Lying bars are drawn from below."""
    return list(sheet.rows) if sheet.long else list(reversed(sheet.rows))


def _standing(sheet: Sheet) -> Any:
    import pygal

    every = -(-len(sheet.rows) // _MOST_LABELS)
    chart = pygal.Bar(**_settings(sheet), height=320, x_labels_major_every=every, show_minor_x_labels=False)
    chart.x_labels = [row.short or row.label for row in sheet.rows]
    return chart


def _lying(sheet: Sheet) -> Any:
    import pygal

    height = _AROUND + _ROW * len(sheet.rows) * (len(sheet.head) - 1)
    chart = pygal.HorizontalBar(**_settings(sheet), height=height)
    chart.x_labels = [row.label for row in _in_order(sheet)]
    return chart


def _settings(sheet: Sheet) -> dict[str, Any]:
    return {
        "title": None,
        "width": _WIDTH,
        "js": (),
        "show_legend": len(sheet.head) > 2,
        "legend_at_bottom": True,
        "legend_at_bottom_columns": len(sheet.head) - 1,
        "truncate_legend": -1,
        "truncate_label": -1,
        "max_scale": 8,
        "value_formatter": lambda value: f"{value:.0f}" if value == round(value) else "",
        "disable_xml_declaration": False,
        "style": _style(),
    }


def _style() -> Any:
    """Only sizes: these decide how much room the words get."""
    from pygal.style import Style

    return Style(label_font_size=13, major_label_font_size=13, legend_font_size=13, no_data_font_size=18)


# From classes with a style sheet to plain attributes


def _plain(root: Any) -> Any:
    root.attrib.pop("id", None)
    root.set("font-family", _FONT)
    root.set("font-size", "13")
    root.set("fill", _TEXT)
    _prune(root)
    _dress(root, ())
    return root


def _prune(node: Any) -> None:
    for child in list(node):
        classes = _classes(child) if isinstance(child.tag, str) else ()
        if not isinstance(child.tag, str) or child.tag in _NOT_WANTED or "tooltip-overlay" in classes:
            node.remove(child)
        else:
            _prune(child)
    if node.tag == "g" and len(node) and node[-1].tag == "title":
        node.remove(node[-1])  # where a label stands, in numbers


def _classes(node: Any) -> tuple[str, ...]:
    return tuple((node.get("class") or "").split())


def _dress(node: Any, around: tuple[str, ...]) -> None:
    """Give an element the look that its classes and those around it stand for."""
    classes = _classes(node)
    within = around + classes
    for name, value in _look(node.tag, classes, within).items():
        node.set(name, value)
    for child in node:
        _dress(child, within)


def _look(tag: str, classes: tuple[str, ...], within: tuple[str, ...]) -> dict[str, str]:
    if "background" in classes:
        return {"fill": _PAPER}
    if tag == "rect" and ("series" in within or "legend" in within):
        return {"fill": _colour(within)}
    if tag == "path" and "axis" in within:
        return _line(within)
    if tag == "text" and "axis" in within:
        return {"text-anchor": "end" if "y" in within else "middle"}
    return {"text-anchor": "middle", "font-size": "18"} if "no_data" in classes else {}


def _line(within: tuple[str, ...]) -> dict[str, str]:
    """The lines that bars are measured by; those along the bars would only be in the way."""
    along = "x" in within if "vertical" in within else "y" in within
    if along and "always_show" not in within:
        return {"stroke": "none", "fill": "none"}
    return {"stroke": _LINE, "stroke-width": "1", "fill": "none"}


def _colour(within: tuple[str, ...]) -> str:
    number = next((int(name.removeprefix("color-")) for name in within if name.startswith("color-")), 0)
    return _COLOURS[number % len(_COLOURS)]
