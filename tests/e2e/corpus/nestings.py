"""Markup that becomes something else when it is parsed again, and names that take the place of the page's own."""

from tests.e2e.corpus.markup import AT, RUN

_IMG = f"<img src=x onerror={RUN}>"

NESTINGS = {
    "noscript": f'<noscript><p title="</noscript>{_IMG}">',
    "noembed": f'<noembed><p title="</noembed>{_IMG}">',
    "noframes": f'<noframes><p title="</noframes>{_IMG}">',
    "xmp": f'<xmp><p title="</xmp>{_IMG}">',
    "listing": f"<listing>&lt;img src=x onerror={RUN}&gt;</listing>",
    "plaintext": f"<plaintext>{_IMG}",
    "iframe text": f'<iframe><p title="</iframe>{_IMG}">',
    "template": f"<template><script>{RUN}</script></template>",
    "template in a template": f"<template><template>{_IMG}</template></template>",
    "shadow": f"<div><template shadowrootmode=open><style>:host{{position:fixed;inset:0}}</style>{_IMG}</template></div>",
    "select": f"<select><template></select>{_IMG}",
    "select and style": f"<select><style></select>{_IMG}</style>",
    "table and form": f"<table><form><form id=x></table>{_IMG}",
    "form in a form": f"<form><div></form><form>{_IMG}",
    "math style": f"<math><mtext></form><form><mglyph><style></math>{_IMG}",
    "math table": f"<math><mtext><table><mglyph><style><math><a title='</style>{_IMG}'>",
    "math annotation": f"<math><annotation-xml encoding='text/html'><style>{_IMG}</style></annotation-xml></math>",
    "math annotation of XML": f"<math><annotation-xml encoding='application/xhtml+xml'>{_IMG}</annotation-xml></math>",
    "math action": f"<math><maction actiontype='statusline#{AT}' xlink:href='javascript:{RUN}'>x</maction></math>",
    "math link": f"<math href='javascript:{RUN}'><mi>x</mi></math>",
    "math link by xlink": f"<math><mi xlink:type='simple' xlink:href='javascript:{RUN}'>x</mi></math>",
    "math in svg": f"<svg><math><style>{_IMG}</style></math></svg>",
    "svg in math": f"<math><mi><svg><style>{_IMG}</style></svg></mi></math>",
    "svg style": f"<svg></p><style><a id='</style>{_IMG}'>",
    "svg title": f"<svg><title><style></title>{_IMG}</style></svg>",
    "svg desc": f"<svg><desc><noscript></desc>{_IMG}</noscript></svg>",
    "svg foreign object": f"<svg><foreignObject><p><style><!--</style>{_IMG}--></style></p></foreignObject></svg>",
    "svg cdata": f"<svg><![CDATA[><{_IMG}]]></svg>",
    "attribute that ends a comment": f"<a title='-->{_IMG}'>x</a>",
    "comment that ends early": f"<!-->{_IMG}-->",
    "comment that ends with a dash": f"<!--->{_IMG}-->",
    "comment that ends with a bang": f"<!-- --!>{_IMG} -->",
    "comment in a comment": f"<!-- <!-- --> {_IMG} -->",
    "conditional comment": f"<!--[if gte IE 4]>{_IMG}<![endif]-->",
    "downlevel revealed": f"<![if !IE]>{_IMG}<![endif]>",
    "processing instruction": f"<?php echo '{_IMG}' ?>",
    "xml style sheet": f'<?xml-stylesheet href="{AT}/x.xsl" type="text/xsl"?>',
    "doctype": f'<!DOCTYPE x [<!ENTITY y SYSTEM "{AT}/e">]><x>&y;</x>',
    "cdata": f"<![CDATA[{_IMG}]]>",
    "deep": "<div>" * 600 + _IMG,
    "deep formatting": "<b><i><u>" * 300 + _IMG,
    "deep svg": "<svg><g>" * 300 + _IMG,
    "adoption": f"<a><b><p><a><b>{_IMG}</a></p></b></a>",
    "title of rcdata": f"<title>{_IMG}</title>{_IMG}",
    "body again": f"</body></html><body onload={RUN}>{_IMG}",
    "frameset": f"<frameset onload={RUN}><frame src={AT}></frameset>",
    "isindex": f"<isindex type=image src=x onerror={RUN}>",
    "attributes twice": f'<img src="data:image/png;base64,AAAA" src=x onerror={RUN} onerror=x>',
}

_CLOBBERED = [
    *("attributes", "parentNode", "childNodes", "nodeName", "tagName", "ownerDocument", "removeChild", "remove"),
    *("body", "head", "documentElement", "createElement", "getElementById", "querySelector", "cookie", "location"),
    *("top", "parent", "self", "opener", "fetch", "localStorage", "navigator", "__proto__", "constructor", "toString"),
    *("main", "chat-state", "catalogue", "toast-template", "answer-template", "code-template", "picture-template"),
]
NAMES = {
    name: f'<form id="{name}"><input name="{name}"></form><a id="{name}" name="{name}" href=x>x</a>'
    for name in _CLOBBERED
} | {
    "a frame's name": f'<iframe name=csrf srcdoc="x"></iframe><object name=api data={AT}></object>',
    "a slot of the page": "<div data-slot=text data-message data-composer-text data-announcer>x</div>",
    "an act of the page": "<button data-sign-out data-delete data-retry data-edit data-copy='#main'>x</button>",
    "a dialog of the page": "<button data-open-dialog=keys-dialog popovertarget=x command=show-modal commandfor=x>x</button>",
    "classes of the page": '<div class="sidebar dialog toasts skip-link dock" role=dialog aria-modal=true>x</div>',
    "a popover": "<div popover=manual id=x>x</div><dialog open>x</dialog>",
    "a fence that is named": "```chat-state\n{}\n```",
    "a heading that is named": "# main {#main .sidebar data-chat}",
    "a link to a place of the page": "[x](#main) [y](#chat-state)",
}
