"""What frames of an answer begin with, apart from its page: empty, and the same for everybody."""

from flask import Blueprint, render_template

from flask_app.utils import public

blueprint = Blueprint("frames", __name__)


@blueprint.get("/frames/picture")
@public
def picture() -> str:
    return render_template("frame.html", scripts=["frames/picture.js"])


@blueprint.get("/frames/diagram")
@public
def diagram() -> str:
    return render_template("frame.html", scripts=["vendor/mermaid/mermaid.js", "frames/diagram.js"])
