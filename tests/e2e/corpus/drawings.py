"""Hostile drawings and diagrams, to be shown in their frames: each is code of its language."""

from tests.e2e.corpus.markup import AT, RUN, SVG

_USES = "<g id='g0'><rect width='9' height='9'/></g>"
for number in range(1, 9):
    _USES += f"<g id='g{number}'>" + f"<use href='#g{number - 1}'/>" * 10 + "</g>"
_ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 100}">' for n in range(9))
_ROOT = "xmlns='http://www.w3.org/2000/svg' viewBox='0 0 90 90'"

DRAWINGS = {name: text.replace("<svg ", f"<svg {_ROOT} ") for name, text in SVG.items()} | {
    "handler": f"<svg {_ROOT} onload='parent.{RUN}'/>",
    "a page within": f"<svg {_ROOT}><foreignObject width='90' height='90'><body xmlns='http://www.w3.org/1999/xhtml'>"
    f"<script>parent.{RUN}</script><img src='{AT}/x.png'/></body></foreignObject></svg>",
    "leaves its attribute": f"<svg {_ROOT}><text y='9'>\"&gt;&lt;/img&gt;&lt;script&gt;parent.{RUN}&lt;/script&gt;</text></svg>",
    "uses of uses": f"<svg {_ROOT}>{_USES}<use href='#g8'/></svg>",
    "use of itself": f"<svg {_ROOT}><g id='a'><use href='#a'/></g></svg>",
    "entities of entities": f"<!DOCTYPE svg [{_ENTITIES}]><svg {_ROOT}><text>&e8;</text></svg>",
    "entity from elsewhere": f'<!DOCTYPE svg SYSTEM "{AT}/x.dtd" [<!ENTITY x SYSTEM "{AT}/e">]><svg {_ROOT}>&x;</svg>',
    "style sheet of XML": f'<?xml-stylesheet href="{AT}/x.xsl" type="text/xsl"?><svg {_ROOT}/>',
    "huge": "<svg xmlns='http://www.w3.org/2000/svg' width='99999999' height='99999999'><rect width='9' height='9'/></svg>",
    "thin": "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='99999999'/>",
    "no size": "<svg xmlns='http://www.w3.org/2000/svg' width='0' height='-1' viewBox='NaN 0 x y'/>",
    "no drawing": "<p>no drawing at all</p>",
    "deep": f"<svg {_ROOT}>{'<g>' * 3000}</svg>",
    "lone surrogate": f"<svg {_ROOT}><text y='9'>\ud800</text></svg>",
    "covers the page": f"<svg {_ROOT} style='position:fixed;inset:0;width:9999px;z-index:9999'><rect width='90' height='90'/></svg>",
}

DIAGRAMS = {
    "markup in a label": f'flowchart LR\n  a["<img src=x onerror={RUN}>"] --> b["<script>{RUN}</script>"]',
    "markup from elsewhere": f'flowchart LR\n  a["<img src={AT}/x.png><iframe src={AT}></iframe>"]',
    "link to a script": f'flowchart LR\n  a --> b\n  click a "javascript:parent.{RUN}"\n  click b href "javascript:{RUN}" _top',
    "link elsewhere": f'flowchart LR\n  a --> b\n  click a "{AT}/x" _self\n  click b href "{AT}/y" _top',
    "call": "flowchart LR\n  a --> b\n  click a call alert(1)\n  click b callback",
    "settings": '%%{init: {"securityLevel": "loose", "htmlLabels": true, "startOnLoad": true}}%%\n'
    f'flowchart LR\n  a["<img src=x onerror={RUN}>"]',
    "settings of a prototype": '%%{init: {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}}%%\nflowchart LR\n  a',
    "settings at the front": f'---\nconfig:\n  securityLevel: loose\n  themeCSS: "*{{background:url({AT}/t.png)}}"\n---\nflowchart LR\n  a',
    "styles of the theme": f'%%{{init: {{"themeCSS": "@import url({AT}/a.css); *{{position:fixed;inset:0}}"}}}}%%\nflowchart LR\n  a',
    "font of the theme": f'%%{{init: {{"fontFamily": "x;}} @font-face {{ font-family: x; src: url({AT}/f) }} * {{ color: red"}}}}%%\nflowchart LR\n  a',
    "style of a node": f"flowchart LR\n  a --> b\n  style a fill:url({AT}/s.svg#x),background:url({AT}/b)\n  classDef c cursor:url({AT}/c)\n  class b c",
    "picture of a node": f'flowchart LR\n  a@{{ img: "{AT}/n.png", label: "x", w: 60, h: 60 }}',
    "icon of a node": f'flowchart LR\n  a@{{ icon: "{AT}:x", form: "square" }}',
    "formula": f'flowchart LR\n  a["$$\\href{{javascript:{RUN}}}{{x}}$$"]',
    "actor with links": f'sequenceDiagram\n  participant A\n  links A: {{"x": "javascript:{RUN}", "y": "{AT}/l"}}\n  A->>A: <img src=x onerror={RUN}>',
    "class with a link": f'classDiagram\n  class A\n  link A "javascript:{RUN}" "x"\n  click A href "{AT}/c" "x"',
    "task with a link": f'gantt\n  dateFormat YYYY-MM-DD\n  section s\n  t: a1, 2024-01-01, 9d\n  click a1 href "javascript:{RUN}"',
    "state with markup": f"stateDiagram-v2\n  s: <img src=x onerror={RUN}>\n  [*] --> s",
    "pie with markup": f'pie title <img src=x onerror={RUN}>\n  "<script>{RUN}</script>" : 9',
    "no diagram": "this is no diagram",
    "empty": "",
    "never closed": "flowchart LR\n  a[",
    "long": "flowchart LR\n" + "  a --> b\n" * 8000,
    "many edges": "flowchart LR\n" + "".join(f"  a{n} --> a{n + 1}\n" for n in range(600)),
    "long label": f'flowchart LR\n  a["{"x" * 40_000}"]',
    "huge range": "gantt\n  dateFormat YYYY-MM-DD\n  tickInterval 1day\n  section s\n  t: 0001-01-01, 9999-12-31",
}
