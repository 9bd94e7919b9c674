"""Formulas that would link, load, cover the page or never end."""

from tests.e2e.corpus.markup import AT, RUN

_TEX = {
    "href to a script": rf"\href{{javascript:{RUN}}}{{x}}",
    "href to data": r"\href{data:text/html,x}{y}",
    "href elsewhere": rf"\href{{{AT}}}{{x}}",
    "url": rf"\url{{javascript:{RUN}}}",
    "picture": rf"\includegraphics[width=99em]{{{AT}/k.png}}",
    "class": r"\htmlClass{sidebar dialog}{x}",
    "id": r"\htmlId{main}{x}",
    "style": r"\htmlStyle{position:fixed;inset:0}{x}",
    "data": rf"\htmlData{{x=1,onclick={RUN}}}{{x}}",
    "markup in text": rf"\text{{<img src=x onerror={RUN}>}}",
    "markup": rf"<img src=x onerror={RUN}>",
    "markup in a colour": rf'\color{{"><script>{RUN}</script>}}x',
    "address in a colour": rf"\color{{red;background:url({AT})}}{{x}}",
    "address in a box": rf"\colorbox{{url({AT})}}{{x}}",
    "handler in an argument": rf'\rule{{1em" onclick="{RUN}}}{{1em}}',
    "huge rule": r"\rule{99999em}{99999em}",
    "huge rule in points": r"\rule{9999999pt}{9999999pt}",
    "huge rule upwards": r"\rule[99999em]{1em}{1em}",
    "huge space": r"\hspace{99999em}x\kern-99999em y",
    "huge space down": r"x\\[99999em]y",
    "raised": r"\raisebox{99999em}{x}",
    "lowered": r"\raisebox{-99999em}{x}",
    "moved to the left": r"\kern-999em x \mkern-9999mu y",
    "lapped": r"\llap{over what stands beside it, and further and further} \rlap{x}",
    "smashed": r"\smash{\displaystyle\sum_{a}^{b}\frac{\frac{1}{2}}{\frac{3}{4}}}",
    "phantom": r"\phantom{\rule{999em}{999em}}\vphantom{\rule{1em}{999em}}",
    "huge size": r"\Huge\Huge\Huge\Huge x^{\Huge x^{\Huge x}}",
    "stretched": r"\xrightarrow{" + "x" * 500 + "}",
    "endless macro": r"\def\x{\x\x}\x",
    "endless macro by another": r"\def\x{\y}\def\y{\x}\x",
    "macro that doubles": r"\def\a#1{#1#1#1#1}\a{\a{\a{\a{\a{\a{\a{\a{x}}}}}}}}",
    "global macro": r"\gdef\frac#1#2{\htmlClass{sidebar}{#1}}\global\let\text\href",
    "new command": r"\newcommand{\a}[1]{#1#1#1#1#1#1#1#1}\a{\a{\a{\a{\a{\a{x}}}}}}",
    "expansions": r"\expandafter\x\expandafter\def\csname x\endcsname{x}",
    "inputs": r"\input{/etc/passwd}\write18{id}\openin\catcode`\%=12",
    "never closed": r"\frac{",
    "never closed environment": r"\begin{matrix}",
    "unknown": r"\unicode{x}\require{html}\mmlToken{mi}[href=javascript:x]{y}",
    "deep braces": "{" * 400 + "x" + "}" * 400,
    "deep fractions": r"\frac{1}{" * 60 + "x" + "}" * 60,
    "deep roots": r"\sqrt{" * 80 + "x" + "}" * 80,
    "deep powers": "x^{" * 120 + "x" + "}" * 120,
    "many brackets": r"\left(" * 150 + "x" + r"\right)" * 150,
    "many columns": r"\begin{matrix}" + "x&" * 200 + r"x\end{matrix}",
    "many rows": r"\begin{matrix}" + r"x\\" * 200 + r"\end{matrix}",
    "many columns named": r"\begin{array}{" + "c|" * 200 + r"}x\end{array}",
    "long": "x+" * 1500 + "x",
    "long word": r"\text{" + "x" * 4000 + "}",
    "tags": r"x\tag{\href{javascript:x}{1}}",
    "verbatim": rf"\verb|<script>{RUN}</script>|",
    "characters by number": r"\char`<script\char`> \char'74 \symbol{60}",
    "accents": r"\vec{" * 60 + "x" + "}" * 60,
    "null": "x\0y",
    "lone surrogate": "x\ud800y",
    "turned": "\u202ex+y",
    "comment": "x % \\href{javascript:x}{y}",
}
FORMULAS = (
    {f"shown: {name}": f"$$\n{tex}\n$$" for name, tex in _TEX.items()}
    | {
        "in a line: " + name: f"a ${_TEX[name]}$ b"
        for name in (
            "href to a script",
            "class",
            "style",
            "markup",
            "huge rule",
            "endless macro",
            "lapped",
            "raised",
            "never closed",
        )
    }
    | {
        "in brackets: " + name: f"\\[{_TEX[name]}\\] \\({_TEX[name]}\\)"
        for name in ("picture", "id", "data", "url", "unknown")
    }
)
