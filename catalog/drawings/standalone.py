"""A drawing as a file of its own: the colours written at its parts, as no style sheet goes with it."""

import re

from catalog.drawings.svg import Markup

# By class, the attributes that the style sheet gives it in the light; the last rule of an element wins.
_RULES: dict[str, dict[str, str]] = {
    "d-edge__line": {"fill": "none", "stroke": "#868f9b", "stroke-width": "1.25"},
    "d-edge__tip": {"fill": "#868f9b"},
    "d-node__box": {"fill": "#ffffff", "stroke": "#868f9b"},
    "d-node__kind-bar": {"fill": "#4a5568"},
    "d-node__kind": {"fill": "#55606d", "font-size": "10.5"},
    "d-node__name": {"fill": "#1b2128", "font-size": "11.5", "font-weight": "600"},
    "d-node__stack": {"fill": "none", "stroke": "#868f9b"},
    "d-node__state": {"fill": "none", "stroke": "#875200", "stroke-width": "2"},
    "d-node__state--failing": {"stroke": "#b02a24"},
    "d-note": {"fill": "#55606d", "font-size": "11"},
    "d-empty": {"fill": "#55606d", "font-size": "11"},
}
_WITHIN: dict[str, dict[str, dict[str, str]]] = {
    "d-node--focus": {"d-node__box": {"fill": "#e3f1f2", "stroke": "#0b6872", "stroke-width": "2"}},
    "d-node--feature": {"d-node__kind-bar": {"fill": "#0b6872"}},
    "d-node--transformation": {"d-node__kind-bar": {"fill": "#67409c"}},
    "d-node--feature-service": {"d-node__kind-bar": {"fill": "#1c6b3c"}},
    "d-node--training-dataset": {"d-node__kind-bar": {"fill": "#875200"}},
    "d-edge--backward": {"d-edge__line": {"stroke-dasharray": "4 3"}},
}
_PART = re.compile(r'<(/?)(\w+)((?: [\w:-]+="[^"]*")*)(/?)>')
_CLASS = re.compile(r' class="([^"]*)"')
_HREF = re.compile(r' href="([^"]*)"')


def standalone(drawn: Markup, *, address: str = "") -> str:
    """``drawn`` (a lineage) as an SVG file: a white ground, colours as attributes, links from ``address`` on.

    ``address`` is the address of the page that the drawing stands on, by which its links are completed.
    """
    groups: list[str] = []

    def painted(match: re.Match[str]) -> str:
        closing, tag, attributes, empty = match.groups()
        if closing:
            if tag == "g":
                groups.pop()
            return match[0]
        found = _CLASS.search(attributes)
        classes = found[1].split() if found else []
        if tag == "g" and not empty:
            groups.append(" ".join(classes))
        paint: dict[str, str] = {}
        for one in classes:
            paint |= _RULES.get(one, {})
        for around in " ".join(groups).split():
            for one in classes:
                paint |= _WITHIN.get(around, {}).get(one, {})
        if tag == "a" and address:
            attributes = _HREF.sub(lambda href: f' href="{_completed(href[1], address)}"', attributes)
        if tag == "svg":
            attributes += ' font-family="system-ui, sans-serif"'
        written = "".join(f' {name}="{value}"' for name, value in paint.items())
        return f"<{tag}{attributes}{written}{empty}>"

    text = _PART.sub(painted, drawn)
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    head_ends = text.index("</desc>") + len("</desc>")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text[:head_ends] + ground + text[head_ends:] + "\n"


def _completed(href: str, address: str) -> str:
    """A path or query of this site with the site before it; the texts are escaped already."""
    if href.startswith("?"):
        return address + href
    if href.startswith("/"):
        scheme, _, rest = address.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}{href}" if rest else href
    return href
